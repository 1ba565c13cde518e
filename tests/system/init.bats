#!/usr/bin/env bats
# clade-init as a container's PID 1, and in the place of tini, dumb-init and catatonit.
# bats file_tags=user

load helpers
setup() {
	clade_setup
	make_rootfs
	INIT=$(realpath "$BIN/clade-init")
	cp "$INIT" rootfs/bin/clade-init
	local name
	for name in tini dumb-init catatonit pause; do ln -s clade-init "rootfs/bin/$name"; done
}
teardown() { clade_teardown; }

inside() { clade run --rm dir:rootfs "$@"; }

@test "init: exit codes, signals' and of what cannot be executed" {
	run -7 inside clade-init sh -c 'exit 7'
	run -137 inside clade-init sh -c 'kill -9 $$'
	run -143 inside tini -- sh -c 'kill $$'
	run -127 inside clade-init no-such-program
	run -126 inside clade-init /etc/passwd
	run -2 inside clade-init
	run -0 inside clade-init -e 143 sh -c 'kill $$'
	run -9 inside clade-init --map 7=9 sh -c 'exit 7'
}

@test "init: everything adopted is reaped, fifteen hundred at once" {
	run -0 inside clade-init sh -c 'i=0; while [ $i -lt 1500 ]; do (sleep 0.2 &); i=$((i + 1)); done; i=0; while ps | grep -q "[0-9] sleep 0[.]2\$" && [ $i -lt 300 ]; do sleep 0.1; i=$((i + 1)); done; sleep 1; ps | grep -c "\[sleep\]"; true'
	[ "$output" = 0 ]
}

@test "init: reaps though it was started with SIGCHLD ignored" {
	run -5 env INIT="$INIT" python3 -c '
import os, signal
signal.signal(signal.SIGCHLD, signal.SIG_IGN)
os.execv(os.environ["INIT"], ["clade-init", "sh", "-c", "sleep 0.1; exit 5"])'
}

@test "init: the program's mask and ignored signals are as they were received" {
	run -0 env INIT="$INIT" python3 -c '
import os, signal
signal.signal(signal.SIGUSR2, signal.SIG_IGN)
signal.pthread_sigmask(signal.SIG_SETMASK, [signal.SIGUSR1])
os.execv(os.environ["INIT"], ["clade-init", "grep", "-E", "SigBlk|SigIgn", "/proc/self/status"])'
	[[ "$output" == *"SigBlk:"*"0000000000000200"* ]]
	[[ "$output" == *"SigIgn:"*"800"* ]]
}

@test "init: forwards every forwardable signal, with its value" {
	cat >tell.py <<-'END'
		import signal
		wanted = [s for s in signal.valid_signals() if s not in (9, 19, 17, 20, 21, 22, 11, 7, 4, 8, 31, 6, 5, 32, 33)]
		signal.pthread_sigmask(signal.SIG_BLOCK, wanted)
		print("ready", flush=True)
		while True:
		    i = signal.sigwaitinfo(wanted)
		    print("got", int(i.si_signo), flush=True)
		    if i.si_signo == signal.SIGTERM:
		        break
	END
	rm -f got
	"$INIT" python3 tell.py >got 3>&- &
	local pid=$!
	until_true grep -q ready got
	for s in HUP INT QUIT USR1 USR2 ALRM CONT WINCH URG IO PWR RTMIN+1 RTMAX; do kill -s "$s" $pid; done
	until_true eval '[ "$(grep -c got got)" = 13 ]'
	kill $pid
	wait $pid
	[ "$(grep -c got got)" = 14 ]
}

@test "init: -r rewrites and drops; --stop escalates; a second TERM skips ahead" {
	rm -f got
	"$INIT" -r TERM:USR1 -r HUP:0 bash -c 'trap "echo usr1; exit 3" USR1; trap "echo hup" HUP; echo ready; while :; do sleep 0.05; done' >got 3>&- &
	local pid=$! code=0
	until_true grep -q ready got
	kill -HUP $pid
	kill -TERM $pid
	wait $pid || code=$?
	[ "$code" = 3 ]
	run ! grep hup got
	rm -f got
	"$INIT" --stop TERM:2s,USR1:2s,KILL bash -c 'trap "echo term" TERM; trap "echo int" USR1; echo ready; while :; do sleep 0.05; done' >got 3>&- &
	pid=$! code=0
	until_true grep -q ready got
	kill -TERM $pid
	wait $pid || code=$?
	[ "$code" = 137 ]
	[ "$(tail -n +2 got | tr '\n' ' ')" = "term int " ]
	rm -f got
	"$INIT" --stop TERM:1000s,KILL bash -c 'trap "echo term" TERM; echo ready; while :; do sleep 0.05; done' >got 3>&- &
	pid=$! code=0
	until_true grep -q ready got
	kill -TERM $pid
	until_true grep -q term got
	kill -TERM $pid
	wait $pid || code=$?
	[ "$code" = 137 ]
}

@test "init: -g reaches the group, dumb-init's session too" {
	local options
	for options in "-g" "--compat dumb-init"; do
		# shellcheck disable=SC2086 # words on purpose
		rm -f got
		"$INIT" $options bash -c 'bash -c "trap \"echo inner; exit\" TERM; echo ready; while :; do sleep 0.05; done" & trap "echo outer" TERM; wait; wait' >got 3>&- &
		local pid=$!
		until_true grep -q ready got
		kill -TERM $pid
		wait $pid || :
		until_true grep -q inner got
		grep -q outer got
	done
}

@test "init: --drain waits for the rest, then kills it" {
	run -4 inside clade-init --drain 100s sh -c '(trap "echo drained; exit" TERM; echo up >/up; while :; do sleep 0.05; done) & while [ ! -s /up ]; do sleep 0.05; done; exit 4'
	[[ "$output" == *drained* ]]
	begin=$SECONDS
	run -4 inside clade-init --drain 300ms sh -c '(trap "" TERM; while :; do sleep 0.05; done) & sleep 0.3; exit 4'
	# not for ever, that is: the loop never ends by itself
	[ $((SECONDS - begin)) -lt 60 ]
}

@test "init: not PID 1, it adopts all the same; -w tells of them" {
	run -0 "$INIT" -w sh -c '(sleep 0.1 &); sleep 2'
	[[ "$output" == *"reaped process"*"exit 0"* ]]
}

@test "init: pause reaps and ends on TERM" {
	clade run -d --name box dir:rootfs pause
	clade exec box sh -c 'sh -c "sleep 0.1 & exit"'
	until_true eval '! clade exec box ps | grep "sleep"'
	run -0 clade stop -t 60 box
	run -0 clade wait box
	[ "$output" = 0 ]
}

@test "init: versions as docker and podman read them; other programs' flags" {
	run -0 inside tini --version
	[[ "$output" == "tini version 0.19.0"* ]]
	run -0 inside catatonit --version
	[[ "$output" == "tini version 0.2.0_catatonit"* ]]
	run -0 inside dumb-init --version
	[[ "$output" == "dumb-init v1.2.5"* ]]
	run -3 inside tini -s -v -w -g -e 5 -p SIGKILL -- sh -c 'exit 3'
	run -3 inside dumb-init -c -v -r 15:3 -- sh -c 'exit 3'
	run -3 inside catatonit -g -- sh -c 'exit 3'
	run -1 inside tini -Z true
}

@test "init: Ctrl-Z in a shell under it stops the job, not the container" {
	typed=$'=># \nsh -c "echo up; exec sleep 100"\\r=>up\r\n\\x1a=>Stopped\nkill -9 %1; exit 5\\rexit 5\\r=>'
	run -5 terminal clade run -it --rm --init dir:rootfs sh
	[[ "$output" == *"[terminal: cooked]"* ]]
}
