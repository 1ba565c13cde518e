#!/usr/bin/env bats
# clade-init with one program, in its own manners: what tini, dumb-init and catatonit do not have.
# bats file_tags=user

load helpers
setup() {
	clade_setup
	INIT=$(realpath "$BIN/clade-init")
}
teardown() {
	# shellcheck disable=SC2046 # PIDs
	[ -z "${started-}" ] || kill -KILL "$started" $(cat "/proc/$started/task/$started/children" 2>/dev/null) 2>/dev/null || :
	clade_teardown
}

# Starts it in the background, output to got; the program says "ready" when it is.
begin() {
	rm -f got
	"$INIT" "$@" >got 2>err 3>&- &
	started=$!
	until_true grep -q ready got
}
ended() {
	code=0
	wait "$started" || code=$?
	started=
}
TRAPS='trap "echo one" USR1; trap "echo two" USR2; trap "echo term; exit 3" TERM; echo ready; while :; do sleep 0.02; done'

@test "init: --delay holds a signal back, others pass it; a second one ends the wait" {
	begin --delay USR1:3s --delay TERM:1000s bash -c "$TRAPS"
	kill -USR1 "$started"
	kill -USR2 "$started"
	until_true grep -q one got
	[ "$(tr '\n' ' ' <got)" = "ready two one " ]
	kill -TERM "$started"
	kill -USR2 "$started"
	until_true eval '[ "$(grep -c two got)" = 2 ]'
	run ! grep term got
	kill -TERM "$started"
	ended
	[ "$code" = 3 ]
}

@test "init: --orphans kill ends who is adopted, term asks, keep leaves it" {
	local how
	for how in kill term; do
		begin --orphans $how bash -c '(sleep 1001 & echo $! >orphan); echo ready; trap "exit 3" TERM; while :; do sleep 0.02; done'
		until_true eval '! kill -0 "$(cat orphan)" 2>/dev/null'
		kill -TERM "$started"
		ended
		[ "$code" = 3 ]
	done
	begin --orphans keep bash -c '(sleep 1001 & echo $! >orphan); (sleep 0.1 &); echo ready; trap "exit 3" TERM; while :; do sleep 0.02; done'
	kill -TERM "$started"
	ended
	kill -KILL "$(cat orphan)"
}

@test "init: -w --log json tells of each process; the living parent of zombies is named" {
	run -2 "$INIT" -w --log json bash -c '(sleep 0.05 &); sleep 2; exit 2'
	[ "$(jq -r 'select(.event == "reaped") | "\(.name) \(.exit)"' <<<"$output")" = "sleep 0" ]
	[ "$(jq 'select(.event == "reaped") | .lived_ms >= 40 and .cpu_ms >= 0' <<<"$output")" = true ]
	[ "$(jq -c 'select(.event == "ended") | [.name, .exit]' <<<"$output")" = '["bash",2]' ]
	cat >culprit.py <<-'END'
		import os, time
		for i in range(3):
		    pid = os.fork()
		    if pid == 0:
		        os._exit(0)
		    os.waitid(os.P_PID, pid, os.WEXITED | os.WNOWAIT)
		open("culprit", "w").write(str(os.getpid()))
		time.sleep(1000)
	END
	run -0 "$INIT" -w bash -c 'python3 culprit.py >/dev/null 2>&1 3>&- & while [ ! -s culprit ]; do sleep 0.02; done; sleep 0.1'
	kill -KILL "$(cat culprit)"
	[[ "$output" == *"3 zombies belong to python3[$(cat culprit)], which does not wait"* ]]
}

@test "init: asked for zombies it names who does not wait" {
	begin --control "$PWD/sock" python3 -c '
import os, time
for i in range(3):
    pid = os.fork()
    if pid == 0:
        os._exit(0)
    os.waitid(os.P_PID, pid, os.WEXITED | os.WNOWAIT)
print("ready", flush=True)
time.sleep(1000)'
	local child
	child=$(cat "/proc/$started/task/$started/children")
	until_true test -S sock
	run -0 "$INIT" ctl --socket "$PWD/sock" zombies
	[ "$output" = "3 zombies belong to python3[${child% }], which does not wait" ]
	kill "$started"
	ended
	[ "$code" = 143 ]
}

@test "init: the program has its descriptors and no others; LISTEN_PID and WATCHDOG_PID name it" {
	run -0 "$INIT" sh -c 'cd /proc/self/fd && echo *' 7</dev/null 9</dev/null
	[[ " $output " != *" 7 "* && " $output " != *" 9 "* ]]
	run -0 "$INIT" --preserve-fds 5 sh -c 'ls -l /proc/self/fd' 7</dev/null 9</etc/passwd
	[[ "$output" == *" 7 -> /dev/null"* && "$output" != *"/etc/passwd"* ]]
	run -0 "$INIT" --preserve-fds all sh -c 'ls -l /proc/self/fd' 9</etc/passwd
	[[ "$output" == *"/etc/passwd"* ]]
	# shellcheck disable=SC2016 # the inner shell's
	run -0 sh -c 'exec env LISTEN_PID=$$ LISTEN_FDS=2 WATCHDOG_PID=$$ "$0" sh -c '\''[ "$LISTEN_PID" = $$ ] && [ "$WATCHDOG_PID" = $$ ] && ls -l /proc/self/fd'\' "$INIT" \
		3</etc/hostname 4</etc/hosts 5</etc/passwd
	[[ "$output" == *" 3 -> /etc/hostname"* && "$output" == *" 4 -> /etc/hosts"* && "$output" != *"/etc/passwd"* ]]
	# whom they name otherwise is left
	run -0 env LISTEN_PID=1 "$INIT" sh -c 'echo $LISTEN_PID'
	[ "$output" = 1 ]
}

@test "init: a queued signal keeps its value and sender, to the program and to its group; number 34, too" {
	cat >tell.py <<-'END'
		import ctypes, os, signal, sys
		libc = ctypes.CDLL(None)
		class Info(ctypes.Structure):
		    _fields_ = [("signo", ctypes.c_int), ("errno", ctypes.c_int), ("code", ctypes.c_int), ("pad", ctypes.c_int),
		                ("pid", ctypes.c_int), ("uid", ctypes.c_int), ("value", ctypes.c_int), ("rest", ctypes.c_char * 100)]
		wanted = ctypes.c_ulong(~0 & (2**64 - 1))
		libc.syscall(14, 2, ctypes.byref(wanted), None, 8)
		if len(sys.argv) > 1 and os.fork() == 0:
		    name = "member"
		else:
		    name = "main"
		def say(*words): # in one write: two of them share the file
		    os.write(1, (" ".join(map(str, words)) + "\n").encode())
		say(name, "ready")
		while True:
		    i = Info()
		    libc.syscall(128, ctypes.byref(wanted), ctypes.byref(i), None, 8)
		    if i.signo != signal.SIGCHLD:
		        say(name, i.signo, i.value if i.code == -1 else "-", i.pid if i.code == -1 else "-")
		    if i.signo == signal.SIGTERM:
		        break
	END
	cat >send.py <<-'END'
		import ctypes, os, sys
		libc = ctypes.CDLL(None)
		libc.sigqueue.argtypes = [ctypes.c_int, ctypes.c_int, ctypes.c_void_p]
		print(os.getpid())
		libc.sigqueue(int(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]))
	END
	[ "$(uname -m)" = x86_64 ] || skip "numbers of system calls"
	begin python3 tell.py
	run -0 python3 send.py "$started" 10 77
	until_true grep -qx "main 10 77 $output" got
	run -0 python3 send.py "$started" 34 78
	until_true grep -qx "main 34 78 $output" got
	kill -s 34 "$started"
	until_true grep -q "main 34 - -" got
	kill "$started"
	ended
	begin -g python3 tell.py group
	until_true grep -q "member ready" got
	run -0 python3 send.py "$started" 12 99
	until_true eval 'grep -qx "main 12 99 $output" got && grep -qx "member 12 99 $output" got'
	kill "$started"
	ended
	[ "$code" = 0 ]
	until_true grep -q "member 15" got
}

@test "init: a program it may not signal does not end it" {
	[ "$(id -u)" = 0 ] || skip "gives up the right to signal others"
	rm -f got
	setpriv --bounding-set=-kill --inh-caps=-kill "$INIT" setpriv --reuid 65534 --clear-groups sh -c 'echo ready; while [ ! -e more ]; do sleep 0.02; done; exit 6' >got 3>&- &
	started=$!
	until_true grep -q ready got
	kill -TERM "$started"
	kill -USR1 "$started"
	kill -0 "$started"
	touch more
	ended
	[ "$code" = 6 ]
}

@test "init: -p notices the parent's end" {
	bash -c '"$0" -p TERM bash -c "$1" >got 3>&- & echo $! >init; until grep -q ready got; do sleep 0.02; done' "$INIT" "$TRAPS"
	until_true grep -q term got
	until_true eval '! kill -0 "$(cat init)" 2>/dev/null'
}

@test "init: what it says may reach nobody: a closed pipe, nothing open, a full disk" {
	run -7 bash -c '"$0" -w -v bash -c "trap : USR1; (sleep 0.1 &); sleep 0.1; kill -USR1 \$PPID; sleep 0.3; exit 7" 2> >(exec 0<&-; exit) <&- >&-; exit $?' "$INIT"
	run -7 "$INIT" -w -v bash -c 'trap : USR1; (sleep 0.1 &); kill -USR1 $PPID; sleep 0.3; exit 7' 2>&- >&- <&-
	run -7 bash -c '"$0" -w -v bash -c "trap : USR1; (sleep 0.1 &); kill -USR1 \$PPID; sleep 0.3; exit 7" 2>/dev/full' "$INIT"
}

@test "init: a stop signal in a drain skips ahead to the end" {
	begin --stop TERM:1000s,KILL --drain 1000s bash -c '(trap "" TERM; while :; do sleep 0.05; done) & trap "echo term; exit 4" TERM; echo ready; while :; do sleep 0.02; done'
	kill -TERM "$started"
	until_true grep -q term got
	until_true eval '[ "$(grep -c . "/proc/$started/task/$started/children")" -le 1 ]'
	sleep 0.2
	kill -TERM "$started"
	ended
	[ "$code" = 4 ]
}

@test "init: asleep it is not woken, and holds no folder" {
	begin bash -c 'echo ready; exec sleep 1000'
	until_true eval '[ "$(readlink "/proc/$started/cwd")" = / ]'
	sleep 0.3
	local before
	before=$(grep voluntary "/proc/$started/status")
	sleep 2
	[ "$(grep voluntary "/proc/$started/status")" = "$before" ]
	kill "$started"
	ended
	[ "$code" = 143 ]
	"$INIT" -P 3>&- &
	started=$!
	until_true grep -q "SigIgn:.*3[0-9a-f]\{5\}\$" "/proc/$started/status"
	sleep 0.3
	before=$(grep voluntary "/proc/$started/status")
	sleep 2
	[ "$(grep voluntary "/proc/$started/status")" = "$before" ]
	kill "$started"
	ended
	[ "$code" = 0 ]
}

@test "init: Ctrl-Z in a program alone freezes nothing, whatever init's name is" {
	make_rootfs
	cp "$INIT" rootfs/bin/clade-init
	local name
	for name in tini dumb-init catatonit; do ln -s clade-init "rootfs/bin/$name"; done
	for name in clade-init tini dumb-init catatonit; do
		typed=$'=>up\r\n\\x1ago\r=>'
		run -5 terminal clade run -it --rm dir:rootfs $name -- sh -c 'echo up; read x; echo "got $x"; exit 5'
		[[ "$output" == *"got go"* ]]
	done
}
