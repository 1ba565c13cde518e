#!/usr/bin/env bats
# clade setup bpf: the kernel's task iterator as a file; what is seen through it is what /proc says, and more.

load helpers
setup() {
	clade_setup
	make_rootfs
	[ -e /sys/kernel/btf/vmlinux ] || skip "this kernel has no BTF"
}
teardown() { clade_teardown; }

# with_pin COMMAND...: in a mount namespace of its own, where the iterator is pinned
with_pin() {
	unshare -m bash -c 'mount -t bpf bpf /sys/fs/bpf && "$CLADE_BIN/clade" setup bpf >/dev/null && "$@"' - "$@"
}

columns=pid,nspid,ppid,sid,pgid,uid,state,threads,ns,level,ctr,runtime,comm

@test "setup bpf: one's containers are seen as /proc shows them" {
	clade run -d --name "bpf$$" dir:rootfs sh -c 'sleep 1001 & exec sleep 1002'
	clade exec "bpf$$" sh -c 'sh -c "sleep 0.1 & exit"'
	until_true eval '[ "$(clade zombies --json bpf$$ 2>/dev/null | jq length)" = 1 ]'
	clade ps -A -o $columns >proc
	with_pin "$CLADE_BIN/clade" --root "$CLADE_ROOT" ps -A -o $columns >pinned
	grep " bpf$$ " proc >proc.box
	grep " bpf$$ " pinned >pinned.box
	[ "$(wc -l <proc.box)" = 3 ]
	diff <(tr -s ' ' <proc.box) <(tr -s ' ' <pinned.box)
	grep -q "^ *1 " pinned
}

@test "setup bpf: who is a subreaper, and who was born to one that had executed more" {
	# a subreaper without children; and an orphan in its adopter's session, forked by a shell that exec'd twice
	python3 -c '
import ctypes, os, time
ctypes.CDLL(None).prctl(36, 1, 0, 0, 0)
if os.fork() == 0:
    os.execvp("sh", ["sh", "-c", "exec sh -c \"sleep 2005 & exit\""])
os.wait()
time.sleep(1000)' 3>&- &
	local parent=$!
	# the shells have these words in their command lines, too
	adopted() { child=$(ps --ppid "$parent" -o pid=,args= | awk '$2 == "sleep" && $3 == 2005 { print $1 }') && [ -n "$child" ]; }
	until_true adopted
	clade ps -A --json -o pid,origin,proof >found
	jq -e --argjson c "$child" 'map(select(.pid == $c)) | (.[0].origin // "?") == "?"' found
	with_pin "$CLADE_BIN/clade" ps -A --json -o pid,origin,reaper,proof >found
	jq -e --argjson c "$child" 'map(select(.pid == $c)) | .[0].origin == "adopted" and (.[0].proof | test("executed more"))' found
	kill -9 "$parent" "$child"
}

@test "setup bpf: group, mode, removal, and without rights" {
	unshare -m bash -ec '
		mount -t bpf bpf /sys/fs/bpf
		"$CLADE_BIN/clade" setup bpf --group daemon
		[ "$(stat -c %a:%U:%G /sys/fs/bpf/clade/tasks)" = 440:root:daemon ]
		"$CLADE_BIN/clade" setup bpf --group 4
		[ "$(stat -c %a:%u:%g /sys/fs/bpf/clade/tasks)" = 440:0:4 ]
		"$CLADE_BIN/clade" setup bpf --remove
		[ ! -e /sys/fs/bpf/clade ]
		"$CLADE_BIN/clade" setup bpf --remove
		! "$CLADE_BIN/clade" setup bpf --group no-such-group
		! setpriv --reuid 65533 --regid 65533 --clear-groups "$CLADE_BIN/clade" setup bpf
		[ ! -e /sys/fs/bpf/clade ]
		! "$CLADE_BIN/clade" setup nothing'
}

@test "a foreign file in the iterator's place is not believed" {
	unshare -m bash -ec '
		mount -t tmpfs tmpfs /sys/fs/bpf
		mkdir /sys/fs/bpf/clade
		head -c 4096 /dev/zero >/sys/fs/bpf/clade/tasks
		"$CLADE_BIN/clade" ps -A -o pid,comm >found
		[ "$(wc -l <found)" -gt 3 ]'
}

@test "reap: the exec counts prove what /proc cannot, without anything set up" {
	python3 -c '
import ctypes, os, time
ctypes.CDLL(None).prctl(36, 1, 0, 0, 0)
if os.fork() == 0:
    os.execvp("sh", ["sh", "-c", "exec sh -c \"sleep 0.2 & exit\""])
os.wait()
if os.fork() == 0:
    os._exit(7)
time.sleep(1000)' 3>&- &
	local parent=$!
	until_true eval '[ "$(ps --ppid '"$parent"' -o stat= | grep -c "^Z")" = 2 ]'
	run -0 clade reap "$parent"
	[[ "$output" == *"reaped"*"adopted: its parent at birth had executed more programs"* ]]
	[[ "$output" == *"left"*"exit 7"*"unknown"* ]]
	kill -9 "$parent"
	wait "$parent" || :
}
