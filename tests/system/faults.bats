#!/usr/bin/env bats
# What goes wrong: killed helpers, full disks, hostile images and names, many at once. Every test ends in the check that
# nothing is left (helpers.bash).

load helpers
setup() { clade_setup; make_rootfs; }
teardown() {
	local d
	for d in "$BATS_TEST_TMPDIR"/small "$BATS_TEST_TMPDIR"/readonly; do ! mountpoint -q "$d" || umount -l "$d"; done
	clade_teardown
}

keep_of() { pgrep -f "clade-keep.*$(clade ps -aq --no-trunc --filter "name=$1")"; }
shown() { clade ps -a --format names,status | awk -v n="$1" '$1 == n { $1 = ""; print substr($0, 2) }'; }

@test "kill -9 of the init: exited 137, nothing runs on" {
	local init pids
	clade run -d --name box dir:rootfs sh -c "sleep 1001 & sleep 1002; true"
	init=$(init_of box)
	until_true below "$init" "sleep 1001"
	until_true below "$init" "sleep 1002"
	mapfile -t pids < <(descendants "$init")
	[ "${#pids[@]}" = 2 ]
	kill -9 "$init"
	run -0 clade wait box
	[ "$output" = 137 ]
	until_true eval '[[ "$(shown box)" == "Exited (137)"* ]]'
	until_true gone "$init" "${pids[@]}"
	run -0 clade rm box
}

@test "kill -9 of clade-keep: the container ends, is shown as lost, and can be removed or started" {
	clade run -d --name box dir:rootfs sleep 1000
	local init
	init=$(init_of box)
	kill -9 "$(keep_of box)"
	until_true eval '! kill -0 '"$init"
	[[ "$(shown box)" == "Exited (lost"* ]]
	clade inspect box | jq -e '.[0].State.Lost'
	run -0 clade start box
	kill -9 "$(keep_of box)"
	run -0 clade rm -f box
	clade run -d --rm --name gone dir:rootfs sleep 1000
	kill -9 "$(keep_of gone)"
	until_true eval '[ -z "$(clade ps -aq)" ]'
}

@test "kill -9 of clade run at any moment: whole or not at all" {
	local i
	for i in $(seq 0 30); do
		clade run --rm dir:rootfs sleep 0.3 3>&- &
		local pid=$!
		sleep "0.0$(printf %02d "$i")"
		kill -9 "$pid" 2>/dev/null || :
		wait "$pid" 2>/dev/null || :
	done
	until_true eval '[ -z "$(clade ps -q)" ]'
	# killed before the container had a minder: a made one, which rm -f takes
	for id in $(ids); do
		[[ "$(clade ps -a --no-trunc --format id,state)" != *"$id running"* ]]
	done
}

@test "kill -9 of clade run -d: the container is there, or is not" {
	local i
	for i in $(seq 0 3 30); do
		clade run -d --name "box$i" dir:rootfs sleep 1000 >/dev/null 2>&1 3>&- &
		local pid=$!
		sleep "0.0$(printf %02d "$i")"
		kill -9 "$pid" 2>/dev/null || :
		wait "$pid" 2>/dev/null || :
		run clade rm -f "box$i"
		[ "$status" = 0 ]
	done
}

@test "a full state folder: a sentence, nothing half-made; rm -f still works" {
	mkdir small
	mount -t tmpfs -o size=256k,nr_inodes=100 none small
	export CLADE_ROOT=$PWD/small/state
	clade run -d --name first dir:rootfs sleep 1000
	dd if=/dev/zero of=small/fill bs=4k 2>/dev/null || :
	run -125 clade run -d --name second dir:rootfs sleep 1000
	[[ "$output" == *"No space left on device"* ]]
	[ "$(ids | wc -l)" = 1 ]
	run -0 clade exec first true
	run -0 clade rm -f first
	[ -z "$(ids)" ]
	[ -z "$(ls small/state/names)" ]
	umount small
	export CLADE_ROOT=$BATS_TEST_TMPDIR/state
}

@test "a read-only state folder: a sentence" {
	mkdir readonly
	mount -t tmpfs none readonly
	mount -o remount,ro readonly
	run -125 clade --root "$PWD/readonly/state" run --rm dir:rootfs true
	[[ "$output" == *"$PWD/readonly/state"*"Read-only file system"* ]]
	umount readonly
}

@test "a rootfs without /proc, with /proc and /dev as links out, with dangling targets" {
	mkdir -p outside
	run -0 clade run --rm dir:rootfs ls /proc/self/status
	rm -rf rootfs/proc rootfs/dev
	ln -s / rootfs/proc
	run -125 clade run --rm dir:rootfs true
	[[ "$output" == *"/proc"* ]]
	rm rootfs/proc
	ln -s ../../../../../../../../../../"$PWD/outside" rootfs/dev
	run clade run --rm dir:rootfs true
	[ -z "$(ls outside)" ]
	rm -f rootfs/dev
	ln -s /nowhere/at/all rootfs/mnt
	run clade run --rm -v "$PWD/outside:/mnt" dir:rootfs true
	[ ! -e /nowhere ]
	[ -z "$(ls outside)" ]
}

@test "an image with hostile passwd and group files" {
	head -c 1000000 /dev/urandom >rootfs/etc/passwd
	printf ':::::\nroot\nroot:x\n\0\0\nroot:x:0:0:::\n' >rootfs/etc/group
	run -0 clade run --rm dir:rootfs echo x
	rm rootfs/etc/passwd
	mkfifo rootfs/etc/passwd
	run -0 timeout -s KILL 20 clade run --rm dir:rootfs echo x
	rm rootfs/etc/passwd
	ln -s /proc/self/environ rootfs/etc/passwd
	run -0 clade run --rm dir:rootfs sh -c 'echo $HOME'
	[ "$output" = / ]
}

@test "an image whose program is clade itself cannot write to it" {
	local before
	before=$(sha256sum "$BIN/clade")
	ln -s /proc/self/exe rootfs/bin/self
	run ! clade run --rm dir:rootfs /bin/self
	clade run -d --name box dir:rootfs sh -c 'while :; do for p in /proc/[0-9]*; do (echo x >>$p/exe) 2>/dev/null; done; done'
	for _ in $(seq 10); do
		# an attempt to write, refused as it is, makes a file busy for a moment
		run clade exec box true
		[ "$status" = 0 ] || [[ "${output,,}" == *"text file busy"* ]]
	done
	[ "$(sha256sum "$BIN/clade")" = "$before" ]
}

@test "names: with slashes, newlines, dots, dashes, and 4096 bytes" {
	local name
	for name in a/b $'a\nb' .. ../x -x .x "a b" "$(head -c 4096 /dev/zero | tr '\0' a)" a; do
		run -125 clade create --name="$name" dir:rootfs true
		[[ "$output" == *"invalid container name"* ]]
		[ "${#lines[@]}" = 1 ]
		run clade exec "$name" true
		[ "$status" = 125 ]
	done
	[ -z "$(ids)" ]
}

@test "two rm -f at once: one removes, the other has nothing to do" {
	local i
	for i in 1 2 3 4 5; do
		clade run -d --name box dir:rootfs sleep 1000
		clade rm -f box >out1 2>&1 3>&- &
		local one=$!
		clade rm -f box >out2 2>&1 3>&- &
		wait "$one"
		wait $!
		[ -z "$(ids)" ]
	done
}

@test "fifty runs with one name: one gets it" {
	local i won=0
	for i in $(seq 50); do
		clade run -d --name box dir:rootfs sleep 1000 >/dev/null 2>&1 3>&- &
		pids[i]=$!
	done
	for i in $(seq 50); do
		wait "${pids[i]}" && won=$((won + 1))
	done
	[ "$won" = 1 ]
	[ "$(ids | wc -l)" = 1 ]
}

@test "200 containers started and removed at once" {
	local i failed=0
	for i in $(seq 200); do
		(clade run -d --name "c$i" dir:rootfs sleep 1000 >/dev/null && clade rm -f "c$i" >/dev/null) 3>&- &
		pids[i]=$!
	done
	for i in $(seq 200); do
		wait "${pids[i]}" || failed=$((failed + 1))
	done
	[ "$failed" = 0 ]
	[ -z "$(ids)" ]
}

@test "no cgroup may be made: a limit is refused in a sentence, without one it runs" {
	local as=(setpriv --reuid 65534 --regid 65534 --clear-groups env "CLADE_ROOT=/tmp/clade-test-nobody.$$")
	[ "$(id -u)" = 0 ] || skip "needs root to become somebody without rights"
	run -125 "${as[@]}" "$BIN/clade" run --rm --pids-limit 5 host true
	echo "$output"
	[[ "$output" == *"limits are asked for, but this user may not make cgroups here"* ]]
	run -0 "${as[@]}" "$BIN/clade" run --rm host echo runs
	[[ "$output" == *runs* ]]
	rm -rf "/tmp/clade-test-nobody.$$"
}

@test "standard output closed or broken: clade says so and leaves nothing" {
	run -0 bash -c "clade run --rm dir:rootfs yes | head -n 1"
	[ "${lines[0]}" = y ]
	until_true eval '[ -z "$(ids)" ]'
	run clade run --rm dir:rootfs echo x >&-
	until_true eval '[ -z "$(ids)" ]'
}

@test "a record that is damaged is listed, and rm -f takes it" {
	id=$(clade create --name box dir:rootfs true)
	echo '{"id":' >"$CLADE_ROOT/$id/record"
	run -0 clade ps -a
	[[ "$output" == *"${id:0:12}"* ]]
	run -125 clade exec box true
	run -0 clade rm -f "$id"
	[ -z "$(ids)" ]
	rm -f "$CLADE_ROOT/names/box"
}
