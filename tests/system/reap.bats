#!/usr/bin/env bats
# clade reap: zombies go, and the program they went from has noticed nothing.

bats_require_minimum_version 1.5.0
CLADE=${CLADE_BIN:-$BATS_TEST_DIRNAME/../../build/bin}/clade

setup_file() {
	local top=$BATS_TEST_DIRNAME/../..
	cc -O2 -D_GNU_SOURCE -o "$BATS_FILE_TMPDIR/victim" "$top"/tests/reap/victim*.c -lpthread -lrt
	cc -O2 -D_GNU_SOURCE -o "$BATS_FILE_TMPDIR/odd" "$top/tests/reap/odd.c"
	cc -O2 -D_GNU_SOURCE -I"$top/src" -o "$BATS_FILE_TMPDIR/hammer" "$top/tests/reap/hammer.c" \
		"$top/src/os/ptrace.c" "$top/src/os/ptrace_$(uname -m).c"
}

setup() {
	cd "$BATS_TEST_TMPDIR" || return 1
	children=()
}

teardown() {
	local pid
	for pid in "${children[@]}"; do
		disown "$pid" 2>/dev/null || :
		kill -9 "$pid" 2>/dev/null || :
	done
}

# until_true COMMAND...: polls it for at most 60 s, which a busy machine may need
until_true() {
	local end=$((SECONDS + 60))
	until "$@" >/dev/null 2>&1; do
		[ $SECONDS -lt $end ] || { echo "waited in vain for: $*" >&2; return 1; }
		sleep 0.02
	done
}

has_zombies() { # PARENT COUNT
	[ "$(ps --ppid "$1" -o stat= | grep -c '^Z')" = "$2" ]
}

# family COUNT COMMAND...: COMMAND, with COUNT zombies that it does not wait for; its PID in $parent.
# The children end when the pipe closes, which the exec does; with ENDED=1 they have before, for a program that does wait
# for children when it hears that one ends.
family() {
	local count=$1
	python3 -c '
import os, sys
r, w = os.pipe()
children = []
for i in range(int(sys.argv[1])):
    children.append(os.fork())
    if children[-1] == 0:
        os.close(w)
        os.read(r, 1)
        os._exit(0)
if "ENDED" in os.environ:
    os.close(w)
    for child in children:
        os.waitid(os.P_PID, child, os.WEXITED | os.WNOWAIT)
os.execvp(sys.argv[2], sys.argv[2:])' "$@" 3>&- &
	parent=$!
	children+=("$parent")
	until_true has_zombies "$parent" "$count"
}

victim() {
	"$BATS_FILE_TMPDIR/victim" "$@"
}

start_victims() { # ZOMBIES: one of every kind; fills pids
	local kind
	pids=()
	for kind in $(victim --list); do
		timeout 90 "$BATS_FILE_TMPDIR/victim" "$kind" 12000 "$1" >"$kind.out" 3>&- &
		pids+=($!)
	done
}

all_victims_are_well() {
	local kind pid
	for pid in "${pids[@]}"; do wait "$pid" || :; done
	for kind in $(victim --list); do
		grep -qx "ok $kind" "$kind.out" || { cat "$kind".*; return 1; }
	done
}

@test "every kind of blocking call goes on as if nothing had been while its zombies are reaped" {
	local kind pids
	start_victims 3
	for kind in $(victim --list); do
		until_true grep -q ready "$kind.out"
		"$CLADE" reap --own --unknown "$(sed -n 's/ready //p' "$kind.out")" >"$kind.reap" 2>&1 3>&- &
		pids+=($!)
	done
	all_victims_are_well
	for kind in $(victim --list); do
		[ "$(grep -c '^reaped' "$kind.reap")" -ge 3 ] || { echo "$kind:"; cat "$kind.reap"; return 1; }
	done
}

@test "every kind of blocking call bears twenty attaches" {
	local kind pids
	start_victims 0
	for kind in $(victim --list); do
		until_true grep -q ready "$kind.out"
		[ "$kind" != leader-exited ] || continue
		"$BATS_FILE_TMPDIR/hammer" "$(sed -n 's/ready //p' "$kind.out")" 20 100000 >"$kind.hammer" 2>&1 3>&- &
		pids+=($!)
	done
	all_victims_are_well
	[ "$(cat ./*.hammer | grep -c '^20 attaches')" -ge 40 ]
}

@test "ten thousand attaches to one sleeper" {
	sleep 3600 3>&- &
	children+=($!)
	timeout 60 "$BATS_FILE_TMPDIR/hammer" $! 10000 0 >out
	grep -q '^10000 attaches' out
	until_true grep -q '^State:.*S (sleeping)' "/proc/$!/status"
}

@test "sleep infinity, busybox, tail, python, perl, node, java: all zombies go and the program stays" {
	local words
	# class S { public static void main(String[] a) throws Exception { Thread.sleep(3600000L); } }, for which a runtime
	# has no compiler
	base64 -d >S.class <<<"yv66vgAAADQAFwoAAgADBwAEDAAFAAYBABBqYXZhL2xhbmcvT2JqZWN0AQAGPGluaXQ+AQADKClWBQAAAAAANu6ACgAKAAsHAAwMAA0ADgEAEGphdmEvbGFuZy9UaHJlYWQBAAVzbGVlcAEABChKKVYHABABAAFTAQAEQ29kZQEABG1haW4BABYoW0xqYXZhL2xhbmcvU3RyaW5nOylWAQAKRXhjZXB0aW9ucwcAFgEAE2phdmEvbGFuZy9FeGNlcHRpb24AIAAPAAIAAAAAAAIAAAAFAAYAAQARAAAAEQABAAEAAAAFKrcAAbEAAAAAAAkAEgATAAIAEQAAABMAAgABAAAABxQAB7gACbEAAAAAABQAAAAEAAEAFQAA"
	for words in "sleep infinity" "busybox sleep 3600" "tail -f /dev/null" \
		"python3 -c __import__('time').sleep(3600)" "perl -e sleep(3600)" "node -e setInterval(()=>{},1e6)" \
		"java -cp . S"; do
		# shellcheck disable=SC2086 # words on purpose
		family 3 $words
		[ "${words%% *}" != java ] || until_true eval '[ "$(ls "/proc/$parent/task" | wc -l)" -gt 8 ]'
		run "$CLADE" reap --own --unknown "$parent"
		echo "$words: $output"
		[ "$status" -eq 0 ]
		has_zombies "$parent" 0
		kill -0 "$parent"
	done
}

@test "nginx answers after its master was made to wait" {
	cat >nginx.conf <<-END
		pid $PWD/nginx.pid;
		error_log $PWD/error.log;
		events {}
		http {
			access_log off;
			server { listen unix:$PWD/http.sock; location / { return 200 "well\n"; } }
		}
	END
	ENDED=1 family 4 nginx -p "$PWD" -c "$PWD/nginx.conf" -g "daemon off;"
	until_true curl -sf --unix-socket http.sock http://x/
	run "$CLADE" reap --own --unknown "$parent"
	echo "$output"
	[ "$status" -eq 0 ]
	[ "$(curl -sf --unix-socket http.sock http://x/)" = well ]
	kill "$parent"
	wait "$parent"
}

@test "a thousand zombies in one attach" {
	family 1000 sleep 3600
	run "$CLADE" reap --own --unknown "$parent"
	echo "${lines[-1]}"
	[ "$status" -eq 0 ]
	[[ ${lines[-1]} == "1000 of 1000 reaped"*"in 1 attach" ]]
	has_zombies "$parent" 0
}

@test "only adopted zombies are taken unless asked, and the proof is printed" {
	# a subreaper that never waits: an orphan from another session, and a child of its own
	python3 -c '
import ctypes, os, time
ctypes.CDLL(None).prctl(36, 1, 0, 0, 0)
p = os.fork()
if p == 0:
    os.setsid()
    if os.fork() == 0:
        time.sleep(0.1); os._exit(5)
    os._exit(0)
os.waitpid(p, 0)
if os.fork() == 0: os._exit(7)
time.sleep(3600)' 3>&- &
	parent=$!
	children+=("$parent")
	until_true has_zombies "$parent" 2
	run "$CLADE" reap --dry-run "$parent"
	echo "$output"
	[[ $output == *"would reap"*"exit 5"*"adopted: in the session of another process"* ]]
	has_zombies "$parent" 2
	run "$CLADE" reap "$parent"
	echo "$output"
	[ "$status" -eq 0 ]
	[[ $output == *"reaped"*"exit 5"*"adopted"* ]]
	[[ $output == *"left"*"exit 7"*"unknown"*"--unknown takes it"* ]]
	has_zombies "$parent" 1
	run --separate-stderr "$CLADE" reap --json --unknown "$parent"
	[[ $stderr == *"--unknown: a child that its parent forked itself may be taken"*ECHILD* ]]
	[ "$(jq -c '[.result, .exit]' <<<"$output")" = '["reaped",7]' ]
	has_zombies "$parent" 0
}

@test "refused untouched: the host's init, a traced process, nobody" {
	if [ "$(readlink /proc/self/ns/pid)" = 'pid:[4026531836]' ]; then
		run "$CLADE" reap 1
		[ "$status" -eq 1 ]
		[[ $output == *"never attached to"* ]]
	fi
	run "$CLADE" reap 999999999
	[ "$status" -ne 0 ]
	[[ $output == *"there is no process 999999999"* ]]

	family 2 sleep 3600
	strace -qq -p "$parent" -o /dev/null 3>&- &
	children+=($!)
	until_true grep -q "^TracerPid:[^0-9]*$!" "/proc/$parent/status"
	run "$CLADE" reap --own --unknown "$parent"
	echo "$output"
	[ "$status" -eq 1 ]
	[[ $output == *"is traced by process $!"* ]]
	has_zombies "$parent" 2
}

freeze_and_reap() { # DIR FILE WORD: the family in this cgroup is frozen by writing WORD to FILE; refused, untouched
	family 2 sleep 3600
	echo "$parent" >"$1/cgroup.procs"
	echo "$3" >"$1/$2"
	until_true eval 'grep -qxE "frozen 1|FROZEN" "'"$1"'"/cgroup.events "'"$1"'"/freezer.state 2>/dev/null ||
		grep -qE "^frozen 1|^FROZEN" "'"$1"'"/freezer.state "'"$1"'"/cgroup.events'
	run "$CLADE" reap --own --unknown "$parent"
	has_zombies "$parent" 2 || status=99
	if [ "$3" = 1 ]; then echo 0; else echo THAWED; fi >"$1/$2"
	kill -9 "$parent"
	wait "$parent" || :
	until_true rmdir "$1"
	echo "$output"
	[ "$status" -eq 1 ]
	[[ $output == *"is frozen"*"unpause it first"* ]]
}

@test "frozen by a cgroup of version 2: refused" {
	local dir
	dir=$(awk '$3 == "cgroup2" { print $2; exit }' /proc/mounts)/clade-reap-$$
	mkdir "$dir" || skip "no cgroup may be made"
	freeze_and_reap "$dir" cgroup.freeze 1
}

@test "frozen by a cgroup of version 1: refused" {
	local dir
	dir=$(awk '$3 == "cgroup" && $4 ~ /freezer/ { print $2; exit }' /proc/mounts)
	[ -n "$dir" ] || skip "this machine has no freezer of version 1"
	mkdir "$dir/clade-reap-$$" || skip "no cgroup may be made"
	freeze_and_reap "$dir/clade-reap-$$" freezer.state FROZEN
}

@test "a parent in vfork, which waits uninterruptibly: refused, untouched" {
	"$BATS_FILE_TMPDIR/odd" vfork 3>&- &
	parent=$!
	children+=("$parent")
	until_true has_zombies "$parent" 1
	until_true grep -q '^State:.*D' "/proc/$parent/status"
	run "$CLADE" reap --own --unknown "$parent"
	echo "$output"
	[ "$status" -eq 1 ]
	[[ $output == *"can be stopped now"*"it was not touched"* ]]
	has_zombies "$parent" 1
	kill -9 "$(ps --ppid "$parent" -o pid=,stat= | awk '$2 !~ /Z/ { print $1 }')"
}

@test "a program of 32 bits: refused, untouched" {
	[ "$(uname -m)" = x86_64 ] || skip "32-bit programs are x86's here"
	cc -m32 -nostdlib -static -o i386 "$BATS_TEST_DIRNAME/../reap/i386.S"
	./i386 3>&- &
	parent=$!
	children+=("$parent")
	kill -0 "$parent" || skip "this kernel runs no 32-bit programs"
	until_true has_zombies "$parent" 1
	run "$CLADE" reap --own --unknown "$parent"
	echo "$output"
	[ "$status" -eq 1 ]
	[[ $output == *"32-bit code"*"it was not touched"* ]]
	has_zombies "$parent" 1
	kill -0 "$parent"
}

@test "a seccomp filter that kills for wait4 is suspended, and in force again afterwards" {
	"$BATS_FILE_TMPDIR/odd" no-wait4 3>&- &
	parent=$!
	children+=("$parent")
	until_true has_zombies "$parent" 1
	until_true grep -q '^Seccomp:.*2' "/proc/$parent/status"
	run "$CLADE" reap --own --unknown "$parent"
	echo "$output"
	[ "$status" -eq 0 ]
	has_zombies "$parent" 0
	grep -q '^Seccomp:.*2' "/proc/$parent/status"
	kill -0 "$parent"
}

@test "without root: one's own program; another's is refused, and so is one's own with a filter" {
	local other
	chmod 755 "$BATS_TEST_TMPDIR"
	family 2 setpriv --reuid 65533 --regid 65533 --clear-groups sleep 3600
	family_of_user=$parent
	# an exec by another user's hand leaves it undumpable; one more exec by its own does not
	run setpriv --reuid 65533 --regid 65533 --clear-groups "$CLADE" reap --own --unknown "$parent"
	echo "$output"
	[ "$status" -eq 0 ]
	has_zombies "$family_of_user" 0
	family 2 sleep 3600
	other=$parent
	run setpriv --reuid 65533 --regid 65533 --clear-groups "$CLADE" reap --own --unknown "$other"
	echo "$output"
	[ "$status" -eq 1 ]
	[[ $output == *"not permitted to attach"* ]]
	has_zombies "$other" 2
	setpriv --reuid 65533 --regid 65533 --clear-groups "$BATS_FILE_TMPDIR/odd" no-wait4 3>&- &
	other=$!
	children+=("$other")
	until_true has_zombies "$other" 1
	until_true grep -q '^Seccomp:.*2' "/proc/$other/status"
	run setpriv --reuid 65533 --regid 65533 --clear-groups "$CLADE" reap --own --unknown "$other"
	echo "$output"
	[ "$status" -eq 1 ]
	[[ $output == *"seccomp filter"*"it was not touched"* ]]
	has_zombies "$other" 1
}

@test "a stopped program is reaped for and stays stopped" {
	family 2 sleep 3600
	kill -STOP "$parent"
	until_true grep -q '^State:.*T (stopped)' "/proc/$parent/status"
	run "$CLADE" reap --own --unknown "$parent"
	echo "$output"
	[ "$status" -eq 0 ]
	has_zombies "$parent" 0
	until_true grep -q '^State:.*T (stopped)' "/proc/$parent/status"
}

# Twelve programs, each with a clade reap that is killed about when it attaches, some before, some while, some after.
@test "clade reap killed at any moment leaves the program with its own registers and signals" {
	local parents=() masks=() reapers=() i
	for i in {1..12}; do
		family 40 sleep 3600
		parents+=("$parent")
		masks+=("$(grep SigBlk "/proc/$parent/status")")
	done
	for i in {0..11}; do
		(
			"$CLADE" reap --own --unknown "${parents[i]}" >/dev/null 2>&1 &
			sleep "1.0$((RANDOM % 60 + 10))"
			kill -9 $! 2>/dev/null
			wait $! 2>/dev/null
		) 3>&- &
		reapers+=($!)
	done
	for i in "${reapers[@]}"; do wait "$i" || :; done
	for i in {0..11}; do
		until_true grep -q '^TracerPid:[^0-9]*0$' "/proc/${parents[i]}/status"
		[ "$(grep SigBlk "/proc/${parents[i]}/status")" = "${masks[i]}" ]
		until_true grep -q '^State:.*S (sleeping)' "/proc/${parents[i]}/status"
		# clock_nanosleep, perhaps restarted, on either machine
		grep -qE '^(230|219|115|128) ' "/proc/${parents[i]}/syscall"
	done
}

@test "--watch keeps a program clean until it ends" {
	python3 -c '
import os, time
for i in range(25):
    if os.fork() == 0: os._exit(i)
    time.sleep(0.1)
time.sleep(3)' 3>&- &
	children+=($!)
	timeout 20 "$CLADE" reap --watch --own --unknown $! >out 2>&1 || :
	cat out
	[ "$(grep -c '^reaped' out)" -ge 20 ]
	# one attach for all that came in a second, not one for each
	[ "$(grep -c 'in 1 attach' out)" -le 10 ]
}
