#!/usr/bin/env bats
# clade-init with services, mistreated: nothing ends PID 1, nothing takes another service with it.

load helpers
load services
setup() { services_setup; }
teardown() { services_teardown; }

# steady: the service that must never be touched, and its number
steady() {
	cat <<-'END'
		[service steady]
		run = sleep 1000
	END
}
still_steady() {
	[ "$(ctl pid steady)" = "$first" ]
	kill -0 "$served"
}

@test "services: killed in a loop, others live on" {
	conf <<-END
		$(steady)
		[service victim]
		run = sleep 1001
		restart = always
		steady = 0s
	END
	serve conf
	until_true is steady RUNNING
	first=$(ctl pid steady)
	for _ in $(seq 200); do
		victim=$(ctl pid victim)
		[ "$victim" = 0 ] || kill -9 "$victim" 2>/dev/null || :
	done
	until_true is victim RUNNING
	[ "$(ctl stats | awk '$1 == "spawned" { print $2 }')" -gt 50 ]
	still_steady
}

@test "services: clients that never read, send garbage, half a message, or too much" {
	conf <<-END
		$(steady)
		[service chatty]
		run = sh -c 'while :; do echo "a line that is repeated for ever"; done'
	END
	serve conf
	until_true is steady RUNNING
	first=$(ctl pid steady)
	python3 - "$SOCK" 3>&- <<-'END'
		import os, socket, sys, time
		def connect():
		    s = socket.socket(socket.AF_UNIX)
		    s.connect(sys.argv[1])
		    return s
		kept = []
		for i in range(40):
		    s = connect(); s.send(b"status"); kept.append(s)          # half
		for i in range(20):
		    s = connect(); s.send(b"tail\0-f\0chatty\0\0"); kept.append(s)  # never reads
		for i in range(20):
		    s = connect()
		    try:
		        s.sendall(os.urandom(100000))
		    except OSError:
		        pass
		    s.close()
		for junk in (b"\0", b"\0\0", b"x" * 4000, b"a\0" * 2000, b"status\0" + b"%s%n" * 50 + b"\0\0"):
		    s = connect()
		    try:
		        s.sendall(junk)
		    except OSError:
		        pass
		    kept.append(s)
		time.sleep(1)
	END
	until_true is steady RUNNING
	still_steady
}

@test "services: standard output closed, or never read: no service and no command waits for it" {
	conf <<-END
		$(steady)
		[service chatty]
		run = sh -c 'while :; do echo "a line that is repeated for ever"; done'
	END
	SERVICES_TEST=$BATS_TEST_TMPDIR "$INIT" --services conf >&- 2>&- 3>&- &
	served=$!
	until_true is steady RUNNING
	first=$(ctl pid steady)
	until_true is chatty RUNNING
	still_steady
	kill "$served"
	ended
	[ "$code" = 0 ]
	mkfifo pipe
	exec 7<>pipe
	SERVICES_TEST=$BATS_TEST_TMPDIR "$INIT" --services conf >pipe 2>&1 3>&- 7>&- &
	served=$!
	until_true is steady RUNNING
	first=$(ctl pid steady)
	until_true is chatty RUNNING
	run -0 ctl stop chatty
	still_steady
	exec 7>&-
}

@test "services: a full disk loses lines of that file, nothing else" {
	mkdir small
	mount -t tmpfs -o size=64k none small || skip "no mounts here"
	conf <<-END
		$(steady)
		[service filler]
		run = sh -c 'i=0; while [ \$i -lt 4000 ]; do echo "0123456789 0123456789 0123456789 \$i"; i=\$((i+1)); done; exec sleep 1000'
		log = file:$PWD/small/log
		log-size = 0
	END
	serve conf
	until_true has "No space left on device"
	is filler RUNNING
	rm small/log
	kill -USR2 "$served"
	until_true is steady RUNNING
	[ "$(ctl stats | awk '$1 == "lost_bytes" { print $2 }')" -gt 0 ]
	kill "$served"
	ended
	umount small
}

@test "services: a fork bomb up to the pids limit: the others are served, and it can be stopped" {
	make_rootfs
	cp "$INIT" rootfs/bin/clade-init
	mkdir -p rootfs/run
	cat >rootfs/etc/services <<-END
		$(steady)
		[service bomb]
		run = sh -c 'b() { b | b & }; while :; do b; sleep 0.1; done'
		start = no
		restart = never
		stop = KILL
		[service late]
		run = sleep 1002
		start = no
	END
	clade run -d --name box --pids-limit 60 dir:rootfs clade-init --services /etc/services
	until_true eval 'clade services box status steady | grep -q RUNNING'
	first=$(clade services box pid steady)
	clade services box start bomb
	# it answers while no process is to be had
	run clade services box start late
	run -0 clade services box stop bomb
	until_true eval 'clade services box start late | grep -q start'
	[ "$(clade services box pid steady)" = "$first" ]
}

@test "services: ten thousand orphans are reaped as they die, none stays" {
	make_rootfs
	cp "$INIT" rootfs/bin/clade-init
	mkdir -p rootfs/etc
	cat >rootfs/etc/services <<-'END'
		[init]
		socket = /run/ctl.sock
		idle = stay
		[service storm]
		run = sh -c 'i=0; while [ $i -lt 10000 ]; do (sleep 0.02 & :); i=$((i + 1)); done; echo storm over; exec sleep 1000'
		[service steady]
		run = sleep 1000
	END
	mkdir -p rootfs/run
	clade run -d --name box dir:rootfs clade-init --services /etc/services
	until_true eval 'clade services box status steady | grep -q RUNNING'
	first=$(clade services box pid steady)
	local end=$((SECONDS + 120))
	until clade logs box 2>&1 | grep -q "storm over"; do
		[ $SECONDS -lt $end ]
		sleep 0.2
	done
	until_true eval '[ "$(clade services box stats | awk "\$1 == \"adopted\" { print \$2 }")" -ge 10000 ]'
	run -0 clade zombies --json box
	[ "$(jq length <<<"$output")" = 0 ]
	[ "$(clade services box pid steady)" = "$first" ]
	run -0 clade stop -t 20 box
}

@test "services: clade services speaks with them from outside, and refuses others" {
	make_rootfs
	cp "$INIT" rootfs/bin/clade-init
	mkdir -p rootfs/run rootfs/etc
	printf '[service a]\nrun = sleep 1000\n[service b]\nrun = sleep 1000\nstart = no\n' >rootfs/etc/services
	clade run -d --name box dir:rootfs clade-init --services /etc/services
	clade run -d --name plain dir:rootfs sleep 1000
	until_true eval 'clade services box status a | grep -q RUNNING'
	run -3 clade services box
	[ "${#lines[@]}" = 2 ]
	run -0 clade services box start b
	[ "$output" = "b: started" ]
	run -0 clade services box status --json
	[ "$(jq -r '.[1].state' <<<"$output")" = RUNNING ]
	run -4 clade services box status nobody
	run -0 clade exec box clade-init ctl status
	run ! clade services plain
	[[ "$output" == *"no clade-init"* ]]
	run ! clade services nobody
	run -0 clade services box shutdown
	run -0 clade wait box
	[ "$output" = 0 ]
}
