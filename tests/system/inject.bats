#!/usr/bin/env bats
# Every system call of clade-oci's commands fails once, in turn (strace's fault injection), and the commands are killed
# at any moment: nothing hangs, nothing half-made stays, an exit code says what is.

load helpers

setup() {
	clade_setup
	make_rootfs
	RT=(clade-oci --root "$BATS_TEST_TMPDIR/oci")
	ID=$BATS_TEST_NUMBER-inject
	mkdir bundle
	(cd bundle && clade-oci spec)
	jq '.process.terminal = false | .root = {path: "'"$PWD"'/rootfs"} | .process.args = ["sleep", "100027"]' bundle/config.json >new.json
	mv new.json bundle/config.json
}

teardown() {
	"${RT[@]}" delete -f "$ID"
	all_gone || { left; false; }
	clade_teardown
}

left() {
	ls oci 2>/dev/null || :
	find /sys/fs/cgroup -maxdepth 3 -path "*/clade/*$ID*"
	pgrep -af "^sleep 100027\$|oci.* --root $BATS_TEST_TMPDIR/oci" || :
	grep " $BATS_TEST_TMPDIR" /proc/self/mounts || :
}
all_gone() { [ -z "$(left)" ]; }
status() { "${RT[@]}" state "$ID" 2>/dev/null | jq -r .status; }
create() { "${RT[@]}" create -b bundle "$ID" </dev/null >/dev/null 2>&1 3>&-; }
running() { create && "${RT[@]}" start "$ID"; }

# What cannot fail in this way: injected, the call is not made at all, and no kernel leaves a descriptor open, a signal unsent
# or a child unwaited for with such an error.
never=' arch_prctl close munmap exit exit_group rt_sigreturn restart_syscall kill pidfd_send_signal tgkill wait4 waitid execve set_tid_address '

# traced WORDS... -- COMMAND...: strace's words; its trace in ./trace, the command's exit code in $code, 124 when it hangs. strace itself
# would wait for the container, too, so it is ended with the command: who it traced goes on.
traced() {
	local words=() end=$((SECONDS + 30)) tracer main
	while [ "$1" != -- ]; do words+=("$1"); shift; done
	shift
	: >trace
	strace -f -q -o trace "${words[@]}" "$@" </dev/null >out 2>&1 3>&- 4<&- &
	tracer=$!
	code=
	while [ -z "$code" ] && [ $SECONDS -lt $end ]; do
		kill -0 $tracer 2>/dev/null || end=0
		code=$(awk '/execve\(/ && !main { main = $1 } $1 == main && /\+\+\+ exited with/ { print $5 } $1 == main && /\+\+\+ killed by/ { print 137 }' trace)
		[ -n "$code" ] || sleep 0.005
	done
	code=${code:-124}
	disown $tracer 2>/dev/null || :
	kill -9 $tracer 2>/dev/null || :
}

# calls COMMAND...: "NAME COUNT" for each system call, COUNT the most that one process made of it
calls() {
	traced -- "$@"
	awk '$2 ~ /^[a-z0-9_]+\(/ { sub(/\(.*/, "", $2); n[$1 " " $2]++ }
		END { for (k in n) { split(k, a, " "); if (n[k] > most[a[2]]) most[a[2]] = n[k] } for (c in most) print c, most[c] }' trace |
		sort | while read -r name count; do [[ $never == *" $name "* ]] || echo "$name $count"; done
}

# each_fails PREPARE CHECK COMMAND...: COMMAND with each of its calls failing once, of those made often the first few
# (EVERY=1: all); CHECK sees its exit code in $code
each_fails() {
	local prepare=$1 check=$2 name count i n=0
	shift 2
	$prepare
	calls "$@" >list
	"${RT[@]}" delete -f "$ID"
	[ "$(wc -l <list)" -gt 5 ]
	while read -r name count <&4; do
		[ -n "${EVERY-}" ] || [ "$count" -le 3 ] || count=3
		for i in $(seq "$count"); do
			$prepare
			traced -e trace="$name,execve" -e inject="$name:error=EIO:when=$i" -- "$@"
			[ "$code" != 124 ] || { echo "hangs: $name, call $i"; cat trace; return 1; }
			$check || { echo "$name, call $i: exit code $code, status $(status), left: $(left)"; cat out; grep INJECTED trace; return 1; }
			"${RT[@]}" delete -f "$ID" || { echo "not deleted after $name, call $i"; return 1; }
			all_gone || until_true all_gone || { echo "left after $name, call $i"; left; return 1; }
			n=$((n + 1))
		done
	done 4<list
	echo "# $n calls made to fail: $*" >&3
}

# strace counts for each process: what fails in both, in the birth and again in its undo, is left to delete
out_of_memory() { [[ $code == @(1|255) ]] && grep -q "^clade-oci: out of memory$" out; } # docs/decisions/memory.md
created_or_nothing() {
	! out_of_memory || return 0
	# the newborn's wait for its start comes after "created": when that fails it has ended by itself
	if [ "$code" = 0 ]; then [[ $(status) == @(created|stopped) ]]; return; fi
	[ "$code" = 1 ] || return 1
	[ "$(grep -c INJECTED trace)" -gt 1 ] || all_gone || until_true all_gone
}
running_or_not_begun() {
	! out_of_memory || return 0
	if [ "$code" = 0 ]; then [ "$(status)" = running ]; else [ "$code" = 1 ]; fi
}
# once it is executed a call that fails is the program's own
runs_on() { [ "$(status)" = running ] && { [[ $code == @(0|255) ]] || grep -q 'execve("/bin/true".* = 0' trace; } || out_of_memory; }
gone_or_told() { if [ "$code" = 0 ]; then all_gone || until_true all_gone; else [ "$code" = 1 ] || out_of_memory; fi; }
stopped() {
	running
	"${RT[@]}" kill "$ID" KILL
	until_true eval '[ "$(status)" = stopped ]'
}

@test "every call of create fails once" { each_fails : created_or_nothing "${RT[@]}" create -b bundle "$ID"; }
@test "every call of start fails once" { each_fails create running_or_not_begun "${RT[@]}" start "$ID"; }
@test "every call of exec fails once: the container runs on" { each_fails running runs_on "${RT[@]}" exec "$ID" true; }
@test "every call of delete fails once" { each_fails stopped gone_or_told "${RT[@]}" delete "$ID"; }
@test "every call of delete --force fails once" { each_fails running gone_or_told "${RT[@]}" delete -f "$ID"; }

# killed N PREPARE COMMAND...: COMMAND is killed at N moments, spread over the time it takes; delete -f clears all away
killed() {
	local n=$1 prepare=$2 i before after us
	shift 2
	$prepare
	before=${EPOCHREALTIME/./}
	"$@" </dev/null >/dev/null 2>&1 3>&- || :
	after=${EPOCHREALTIME/./}
	"${RT[@]}" delete -f "$ID"
	us=$(((after - before) * 3 / 2))
	for i in $(seq "$n"); do
		$prepare
		"$@" </dev/null >/dev/null 2>&1 3>&- &
		pid=$!
		sleep "$(awk -v us=$((us * i / n)) 'BEGIN { printf "%.6f", us / 1000000 }')"
		kill -9 $pid 2>/dev/null || :
		wait $pid 2>/dev/null || :
		timeout 30 "${RT[@]}" delete -f "$ID" || { echo "not deleted after $us us, kill $i"; left; return 1; }
		all_gone || until_true all_gone || { echo "left after kill $i"; left; return 1; }
	done
}

# how many moments
KILLS=${KILLS:-40}
@test "kill -9 of create at any moment" { killed "$KILLS" : "${RT[@]}" create -b bundle "$ID"; }
@test "kill -9 of start at any moment" { killed "$KILLS" create "${RT[@]}" start "$ID"; }
@test "kill -9 of exec at any moment" { killed "$KILLS" running "${RT[@]}" exec "$ID" true; }
@test "kill -9 of delete --force at any moment" { killed "$KILLS" running "${RT[@]}" delete -f "$ID"; }
@test "kill -9 of run at any moment" {
	jq '.process.args = ["true"]' bundle/config.json >new.json && mv new.json bundle/config.json
	killed "$KILLS" : "${RT[@]}" run -b bundle "$ID"
}
