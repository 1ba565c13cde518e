#!/usr/bin/env bats
# clade-init --services: several programs in the place of one.

load helpers
load services
setup() { services_setup; }
teardown() { services_teardown; }

@test "services: a mistake names file, line and key, and nothing starts" {
	conf <<-'END'
		[service a]
		run = touch started
		restrat = always
	END
	run -2 "$INIT" --services conf
	[[ "$output" == *"conf:6: [service a] restrat: there is no such key"* ]]
	[ ! -e started ]
	run -2 "$INIT" --services conf --check
	sed -i /restrat/d conf
	run -0 "$INIT" --services conf --check
	[[ "$output" == *"1 service, no mistakes"* ]]
	[ ! -e started ]
	run -2 "$INIT" --services absent
	run -2 "$INIT" --services conf extra
}

@test "services: what needs another starts when that is ready, and stops before it" {
	conf <<-'END'
		[service web]
		run = sh -c 'echo web up; trap "echo web down; exit" TERM; while :; do sleep 0.05; done'
		needs = db
		[service db]
		run = sh -c 'trap "echo db down; exit" TERM; sleep 0.3; echo db up; echo >&7; while :; do sleep 0.05; done'
		ready = fd:7
	END
	serve conf
	until_true is web RUNNING
	[ "$(grep -n "db: db up" log | cut -d: -f1)" -lt "$(grep -n "web: web up" log | cut -d: -f1)" ]
	kill "$served"
	ended
	[ "$code" = 0 ]
	[ "$(grep -n "web: web down" log | cut -d: -f1)" -lt "$(grep -n "db: db down" log | cut -d: -f1)" ]
}

@test "services: readiness by sd_notify, by a command, by a port, by time" {
	local port
	port=$(free_port)
	conf <<-END
		[service notify]
		run = python3 -c "import os,socket,time; s=socket.socket(socket.AF_UNIX,socket.SOCK_DGRAM); a=os.environ['NOTIFY_SOCKET']; s.sendto(b'STATUS=warming up\n', chr(0)+a[1:]); time.sleep(0.3); s.sendto(b'READY=1\nSTATUS=warm', chr(0)+a[1:]); time.sleep(1000)"
		ready = notify
		[service exec]
		run = sh -c 'sleep 0.3; touch ready; exec sleep 1000'
		ready = exec:test -e ready
		ready-every = 50ms
		[service tcp]
		run = python3 -c "import socket,time; time.sleep(0.3); s=socket.create_server(('127.0.0.1',$port)); time.sleep(1000)"
		ready = tcp:$port
		ready-every = 50ms
		[service host]
		run = sleep 1000
		ready = tcp:127.0.0.1:$port
		ready-every = 50ms
		[service elsewhere]
		run = sleep 1000
		ready = tcp:127.0.0.77:$port
		ready-every = 50ms
		[service alive]
		run = sleep 1000
		ready = alive:300ms
		[service late]
		run = sleep 1000
		ready = fd:5
		ready-timeout = 200ms
		give-up = 0
	END
	serve conf
	until_true eval 'ctl status | grep -q STARTING'
	for s in notify exec tcp host alive; do until_true is $s RUNNING; done
	is elsewhere STARTING
	until_true eval 'ctl status notify | grep -q ", warm$"'
	until_true is late FATAL
	[[ "$(ctl status late)" == *"Not ready in time"* ]]
}

@test "services: restarts with growing pauses, then gives up; on-failure and never" {
	conf <<-'END'
		[service flap]
		run = sh -c 'echo again; exit 3'
		backoff = 20ms..100ms
		give-up = 4
		[service done]
		run = true
		[service never]
		run = false
		restart = never
		[service good]
		run = sh -c 'exit 5'
		expect = 5
	END
	serve conf
	until_true is flap FATAL
	until_true eval '[ "$(count "flap: again")" = 5 ]'
	until_true is done EXITED
	until_true is good EXITED
	until_true is never FATAL
	run -3 ctl status
}

@test "services: when an essential one is lost for good, the rest stops and its code is ours" {
	conf <<-'END'
		[service main]
		run = sh -c 'sleep 0.3; exit 7'
		restart = never
		essential = yes
		[service other]
		run = sh -c 'trap "echo other down; exit" TERM; while :; do sleep 0.05; done'
	END
	serve conf
	ended
	[ "$code" = 7 ]
	has "other: other down"
}

@test "services: one-shots run to their end first; when nothing is left, we end" {
	conf exit <<-'END'
		[service job]
		run = sh -c 'echo job'
		needs = prepare
		[service prepare]
		type = oneshot
		run = sh -c 'sleep 0.2; echo prepared'
	END
	serve conf
	ended
	[ "$code" = 0 ]
	[ "$(grep -E 'prepared|job$' log | tr '\n' ' ')" = "prepare: prepared job: job " ]
	conf exit <<-'END'
		[service bad]
		type = oneshot
		run = sh -c 'exit 9'
		restart = never
		[service job]
		run = echo never
		needs = bad
	END
	serve conf
	ended
	[ "$code" = 9 ]
	run ! grep "job: never" log
}

@test "services: nothing of a service is left behind: its process group is stopped with it" {
	conf <<-'END'
		[service a]
		run = sh -c 'sleep 1000 & sleep 1000 & echo up; wait'
		[service crash]
		run = sh -c 'sleep 10013 & exit 1'
		restart = never
	END
	serve conf
	until_true has "a: up"
	until_true is crash FATAL
	until_true eval '[ "$(marked | wc -l)" = 4 ]'
	run -0 ctl stop a
	[ "$output" = "a: stopped" ]
	until_true eval '[ "$(marked | wc -l)" = 1 ]'
}

@test "services: isolate = pid ends even what left its group" {
	conf <<-'END'
		[service a]
		run = sh -c 'setsid sleep 1000 & setsid sleep 1000 & echo up; wait'
		isolate = pid
	END
	serve conf
	until_true has "a: up"
	until_true eval '[ "$(marked | wc -l)" -ge 5 ]'
	run -0 ctl stop a
	until_true eval '[ "$(marked | wc -l)" = 1 ]'
}

@test "services: isolate = pid, killed by a signal shows as that" {
	conf <<-'END'
		[service a]
		run = sh -c 'kill -ABRT $$'
		isolate = pid
		give-up = 0
		[service b]
		run = sh -c 'exit 7'
		isolate = pid
		give-up = 0
	END
	serve conf
	until_true is a FATAL
	until_true is b FATAL
	has "exited: a (terminated by SIGABRT"
	has "exited: b (exit status 7; not expected)"
}

@test "services: one that ignores TERM is killed when its time is up; a second TERM to us hurries" {
	conf <<-'END'
		[service deaf]
		run = sh -c 'trap "" TERM; echo up; while :; do sleep 0.05; done'
		stop = TERM:300ms,KILL
		[service deafer]
		run = sh -c 'trap "" TERM; echo up; while :; do sleep 0.05; done'
		stop = TERM:1000s,KILL
	END
	serve conf
	until_true has "deaf: up"
	until_true has "deafer: up"
	run -0 ctl stop deaf
	has "killing 'deaf'"
	kill "$served"
	until_true has "indicating exit request"
	kill "$served"
	ended
	[ "$code" = 0 ]
}

@test "services: logs with prefix, JSON, files that rotate, a logger kept across restarts" {
	conf <<-'END'
		[service prefix]
		run = sh -c 'printf "one\ntwo\n"; printf "half "; sleep 0.1; printf "line\n"; printf "no newline"'
		[service json]
		run = sh -c 'printf "quo\"te\\ \001\377\n"'
		log = json
		[service file]
		run = sh -c 'i=0; while [ $i -lt 400 ]; do echo "line $i of the file"; i=$((i+1)); done; echo last'
		log = file:LOGDIR/file.log
		log-size = 2k
		log-keep = 2
		[service producer]
		run = sh -c 'i=0; while [ $i -lt 20 ]; do echo p$i; i=$((i+1)); sleep 0.02; done; exec sleep 1000'
		log = service:logger
		[service logger]
		run = sh -c 'while read -r l; do echo "$l" >>kept; done'
		restart = always
		steady = 0s
		stop = TERM:5s,KILL
	END
	sed -i "s|LOGDIR|$PWD|" conf
	serve conf
	until_true has "prefix: no newline"
	has "prefix: half line"
	until_true eval 'grep -q "\"service\":\"json\"" log'
	[ "$(grep '"service":"json"' log | jq -r .line | od -An -tx1 | tr -d ' ')" = 71756f2274655c2001efbfbd0a ]
	until_true grep -q last file.log
	[ "$(ls file.log*)" = "$(printf 'file.log\nfile.log.1\nfile.log.2')" ]
	[ "$(stat -c %s file.log.1)" -le 2048 ]
	until_true grep -q p3 kept
	ctl signal KILL logger
	until_true grep -q p19 kept
	[ "$(sort -u kept | wc -l)" -ge 19 ]
}

@test "services: ctl starts, stops, signals, restarts, tails, and says what is wrong" {
	conf <<-'END'
		[service a]
		run = sh -c 'trap "echo got usr1" USR1; echo hello; while :; do sleep 0.05; done'
		[service b]
		run = sleep 1000
		start = no
		[service c]
		run = /no/such/program
		start = no
	END
	serve conf
	until_true has "a: hello"
	run -3 ctl status
	[[ "${lines[0]}" == "a                                RUNNING   pid "*", uptime 0:00:0"* ]]
	[[ "${lines[1]}" == "b                                STOPPED   Not started" ]]
	run -0 ctl start b
	[ "$output" = "b: started" ]
	run -0 ctl start b
	[ "$output" = "b: ERROR (already started)" ]
	run -1 ctl start c
	[ "$output" = "c: ERROR (no such file)" ]
	run -1 ctl start nobody
	[ "$output" = "nobody: ERROR (no such process)" ]
	run -4 ctl status nobody
	before=$(ctl pid b)
	run -0 ctl restart b
	[ "$output" = "b: stopped
b: started" ]
	[ "$(ctl pid b)" != "$before" ]
	run -0 ctl signal USR1 a
	[ "$output" = "a: signalled" ]
	until_true has "a: got usr1"
	run -0 ctl tail a
	[[ "$output" == *"got usr1"* ]]
	[ "$(ctl pid)" = "$served" ]
	ctl status --json | jq -e '.[0].state == "RUNNING" and .[0].name == "a"'
	[ "$(ctl stats | awk '$1 == "spawned" { print $2 }')" = 3 ]
	run -1 ctl nonsense
	run -0 ctl shutdown
	ended
	[ "$code" = 0 ]
	run -7 ctl stop a
	run -4 ctl status
	[ ! -e "$SOCK" ]
}

@test "services: update changes what has changed, and nothing else" {
	conf <<-'END'
		[service same]
		run = sleep 1000
		[service old]
		run = sleep 1001
		[service changed]
		run = sleep 1002
	END
	serve conf
	until_true is changed RUNNING
	same=$(ctl pid same)
	conf <<-'END'
		[service changed]
		run = sleep 1003
		[service new]
		run = sleep 1004
		needs = same
		[service same]
		run = sleep 1000
	END
	run -0 ctl reread
	[ "$output" = "changed: changed
new: available
old: disappeared" ]
	run -0 ctl update
	until_true is new RUNNING
	until_true is changed RUNNING
	[ "$(ctl pid same)" = "$same" ]
	run -4 ctl status old
	run -0 ctl reread
	[ "$output" = "No config updates to processes" ]
	echo "[service broken" >>conf
	run -1 ctl update
	[[ "$output" == "ERROR: conf:"* ]]
	is same RUNNING
	sed -i '$d' conf
	sed -i 's/1004/1005/' conf
	kill -HUP "$served"
	until_true below "$served" "sleep 1005"
	[ "$(ctl pid same)" = "$same" ]
}

@test "services: a single program's clade-init counts on request" {
	"$INIT" --control "$PWD/one.sock" sh -c 'trap "" USR1; i=0; while [ $i -lt 20 ]; do (sleep 0 & :); i=$((i+1)); done; touch done; while :; do sleep 0.05; done' 3>&- &
	served=$!
	until_true test -e done
	kill -USR1 $served
	until_true eval '"$INIT" ctl --socket "$PWD/one.sock" stats | grep -qx "forwarded 1"'
	until_true eval '[ "$("$INIT" ctl --socket "$PWD/one.sock" stats | awk "\$1 == \"adopted\" { print \$2 }")" -ge 20 ]'
	run -1 "$INIT" ctl --socket "$PWD/one.sock" status
	python3 -c '
import socket, sys
kept = []
for i in range(30):
    s = socket.socket(socket.AF_UNIX); s.connect(sys.argv[1]); kept.append(s)
    if i % 2: s.send(b"x" * 1000)
' "$PWD/one.sock" 3>&-
	run -0 "$INIT" ctl --socket "$PWD/one.sock" stats
	kill "$served"
	ended
	[ "$code" = 143 ]
	[ ! -e one.sock ]
}
