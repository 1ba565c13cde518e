#!/usr/bin/env bats
# Data folders in which something is wrong: read-only, on an overlay, somebody else's, no folder, full; and commands that
# are killed while they work there. Each has its sentence, and nothing is left.

load helpers
load net
setup() {
	[ "$(id -u)" = 0 ] || skip "mounts file systems of its own: root's"
	net_setup
	make_rootfs
	image oci rootfs >id
}
teardown() {
	local d
	for d in "$PWD/disk" "$PWD/over"; do ! in_box mountpoint -q "$d" || in_box umount -l "$d"; done
	for d in $(in_box clade volume ls -q); do in_box clade volume rm "$d" >/dev/null 2>&1 || :; done
	net_teardown
}

# A file system of its own at ./disk, with the image in it. Paths are absolute: a relative one would be the outer one's.
disk() {
	mkdir -p disk
	in_box mount -t tmpfs -o "size=$1" disk "$PWD/disk"
	export CLADE_DATA=$PWD/disk
	in_box clade run --net none --rm oci:oci true
}

@test "roots: read-only: what only looks works, the rest has a sentence" {
	disk 32m
	in_box mount -o remount,ro "$PWD/disk"
	run -0 in_box clade images -q
	[ "${#lines[@]}" = 1 ]
	in_box clade system df >/dev/null
	in_box clade volume ls
	local words
	while read -r words; do
		# shellcheck disable=SC2086 # words on purpose
		run -125 in_box clade $words
		[[ "$output" == *"Read-only file system"* ]] || { echo "$words: $output"; false; }
	done <<-'X'
		run --net none --rm oci:oci true
		volume create data
		image prune -af
		network create one
	X
	# one that needs nothing of it
	run -0 in_box clade run --net none --rm dir:rootfs echo runs
	[ "$output" = runs ]
	[ -z "$(ids)" ]
	in_box mount -o remount,rw "$PWD/disk"
}

@test "roots: on an overlay: said by name, with what helps" {
	mkdir lower upper work over
	in_box mount -t overlay -o "lowerdir=$PWD/lower,upperdir=$PWD/upper,workdir=$PWD/work" over "$PWD/over"
	run -125 in_box clade --data-root "$PWD/over" run --net none --rm oci:oci true
	[[ "$output" == *"lies on an overlay"*"--data-root"* ]]
	[ -z "$(ids)" ]
	[ -z "$(in_box find "$PWD/over/containers" "$PWD/over/tmp" -mindepth 1)" ]
	run -0 in_box clade --data-root "$PWD/over" system check
}

@test "roots: a file, a place where nothing is made, somebody else's" {
	touch file
	run -125 clade --data-root "$PWD/file" images
	[[ "$output" == *"$PWD/file: Not a directory"* ]]
	run -125 clade --data-root /proc/nothing images
	[[ "$output" == *"/proc/nothing"* ]]
	mkdir -m 700 private
	chmod 755 . # bats makes it for root alone
	run -125 setpriv --reuid 65534 --regid 65534 --clear-groups "$BIN/clade" --root "/tmp/clade-roots.$$" --data-root /root/nothing images
	[[ "$output" == *"ermission denied"* ]]
	rm -rf "/tmp/clade-roots.$$"
}

@test "roots: full: volume, cp, commit and a network say so; what is there stays whole" {
	disk 16m
	in_box clade run -d --net none --name box oci:oci sleep 1000 >/dev/null
	head -c 4000000 /dev/urandom >file
	in_box dd if=/dev/zero of="$PWD/disk/fill" bs=1M count=64 2>/dev/null || :
	local words
	while read -r words; do
		# shellcheck disable=SC2086 # words on purpose
		run in_box clade $words
		[ "$status" != 0 ]
		[[ "$output" == *"No space left on device"* ]] || { echo "$words: $output"; false; }
	done <<-X
		volume create data
		cp $PWD/file box:/file
		commit box new:1
		network create one
	X
	in_box clade rm -f box
	in_box rm "$PWD/disk/fill"
	run -0 in_box clade system check
	[ -z "$(in_box find "$PWD/disk/containers" "$PWD/disk/tmp" -mindepth 1)" ]
	in_box clade volume rm data 2>/dev/null || :
	[ "$(in_box clade network ls -q --filter driver=bridge | wc -l)" = 1 ]
}

@test "roots: run, rm and rmi killed at any moment, with a network and volumes: nothing stays" {
	in_box clade network create one
	local ms pid verb words
	for ms in 2 10 25 50 90 150 250 400; do
		for verb in run rm rmi; do
			in_box clade run -d --name box --net one -p 8080:80 -v data:/d -v /anonymous oci:oci sleep 1000 >/dev/null
			case $verb in
			run) in_box clade rm -f box >/dev/null && words=(run --rm --name box --net one -p 8080:80 -v data:/d -v /anonymous oci:oci sleep 0.1) ;;
			rm) words=(rm -fv box) ;;
			rmi) in_box clade rm -fv box >/dev/null && words=(rmi -f "$(cat id)") ;;
			esac
			rm -f one.pid
			# shellcheck disable=SC2016 # the inner shell's own words
			in_box sh -c 'echo $$ >one.pid; exec clade "$@"' sh "${words[@]}" >/dev/null 2>&1 3>&- &
			pid=$!
			until_true test -s one.pid
			sleep "0.$(printf %03d "$ms")"
			kill -9 "$(cat one.pid)" 2>/dev/null || :
			wait $pid || :
			for pid in $(ids); do in_box clade rm -fv "$pid" >/dev/null 2>&1 || :; done
			until_true eval '[ -z "$(ids)" ]'
		done
	done
	until_true eval 'in_box clade ps -a >/dev/null; ! in_box ip -br link | grep clade'
	in_box clade volume prune -af >/dev/null
	[ -z "$(in_box clade volume ls -q)" ]
	in_box clade image prune -af >/dev/null
	run -0 in_box clade system check
	[ -z "$(find "$CLADE_DATA/containers" "$CLADE_DATA/tmp" -mindepth 1)" ]
	[ -z "$(find "$CLADE_ROOT/leases" -type l)" ]
}
