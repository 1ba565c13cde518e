#!/usr/bin/env bats
# Layers: what an archive may hold becomes what a container sees; what it should not hold hurts nobody.
# bats file_tags=user

load helpers
setup() { clade_setup; make_rootfs; }
teardown() {
	! mountpoint -q tiny || umount tiny
	images_teardown
}

# in LAYER... -- COMMAND...: runs it in a container of these layers
in_image() {
	local words=() name
	while [ "$1" != -- ]; do words+=("$1"); shift; done
	shift
	name=image$((++made))
	image "$name" rootfs "${words[@]}" >/dev/null
	clade --log-level error run --net none --rm "oci:$name" "$@"
}

@test "layers: whiteouts, opaque folders, kinds that change, what is implied" {
	run -0 in_image lower upper third -- sh -c '
		cat t/gone; ls t/gonedir t/keep 2>/dev/null; ls t/opaque t/dir2file; cat t/file2dir/y t/dir2file t/one t/two
		cat t/implied/old t/implied/new; stat -c "%a %u:%g" t/implied t/opaque; cat real/through; readlink alias'
	[ "$output" = "$(printf '%s\n' back t/dir2file t/opaque: new y file linked linked old new '750 1000:1001' '700 0:0' through real |
		sed 's/^t.dir2file$/t\/dir2file\n/')" ]
}

@test "layers: modes, owners, times, names, links, attributes, devices" {
	run -0 in_image lower upper -- sh -c '
		stat -c "%a %u:%g %F" t/suid t/own t/fifo; stat -c "%Y" t/old; test -f t/café-日本 && echo utf8; stat -c %h t/one; wc -c t/n*/m*; ls /t/null 2>&1 || :'
	[ "${lines[0]}" = "4755 0:0 regular file" ]
	[ "${lines[1]}" = "600 1000:1001 regular file" ]
	[ "${lines[2]}" = "644 0:0 fifo" ]
	[ "${lines[3]}" = 86400 ]
	[ "${lines[4]}" = utf8 ]
	[ "${lines[5]}" = 2 ]
	[[ "${lines[6]}" == 5* ]]
	if [ "$(id -u)" = 0 ]; then
		[ "${lines[7]}" = /t/null ]
		layer=$(find "$CLADE_DATA/layers" -name cap)
		getcap=$(python3 -c 'import os, sys; print(len(os.getxattr(sys.argv[1], "security.capability")))' "$layer")
		[ "$getcap" -ge 20 ]
		[ "$(python3 -c 'import os, sys; print(os.getxattr(sys.argv[1], "user.note").decode())' "${layer%/*}/noted")" = hello ]
	else
		[[ "$output" == *"No such file"* ]]
		image again rootfs lower upper
		clade system prune -af
		run -0 clade run --net none --rm oci:again true
		[[ "$output" == *"device nodes of a layer were left out"* ]]
	fi
}

@test "layers: one that hides all that lies below" {
	run -127 in_image lower root-opaque -- sh -c true
	image oci rootfs lower root-opaque
	clade create --name bare oci:oci /left
	[ -z "$(clade system check | grep -v '0 problems')" ]
}

@test "layers: names that lead out are refused, and nothing is written" {
	for bad in dotdot dotdot-inside hard-link-out hard-link-nowhere link-loop whiteout-of-dots long-name deep; do
		image "$bad" rootfs "$bad"
		run -125 clade run --net none --rm "oci:$bad" true
		echo "$bad: $output"
		[ "${#lines[@]}" = 1 ]
		[[ "$output" == *"layer sha256:"* ]]
	done
	[ -z "$(find . -name escaped)" ]
	[ ! -e "$CLADE_DATA/../escaped" ]
	[ -z "$(find "$CLADE_DATA/tmp" -mindepth 1)" ]
	[ -z "$(clade images -q)" ]
}

@test "layers: absolute names, and files through links, stay inside" {
	run -0 in_image absolute -- cat /absolute
	[ "$output" = inside ]
	run -0 in_image link-then-through -- cat /tmp/through
	[ "$output" = contained ]
	[ ! -e /tmp/through ]
	run -0 in_image link-to-parent -- cat /through
	[ "$output" = contained ]
	run -0 in_image twice -- sh -c 'cat twice kind back/inner'
	[ "$output" = "$(printf 'second\nfile now\nfolder now')" ]
	run -0 in_image hard-link-self -- cat self
	[ "$output" = 1 ]
}

@test "layers: overlayfs's own marks in an archive mean nothing" {
	run -0 in_image overlay-marks -- ls marked
	[ "$output" = file ]
	# a device 0:0 would hide the shell
	run -0 in_image device-zero -- sh -c 'echo still'
	[[ "$output" == *still ]]
}

@test "layers: a decompression bomb ends early" {
	image bomb --pack zstd rootfs bomb
	before=$(df --output=avail -B1M . | tail -n 1)
	run -125 clade run --net none --rm oci:bomb true
	[[ "$output" == *"decompression bomb"* ]]
	[ -z "$(find "$CLADE_DATA/tmp" -mindepth 1)" ]
	[ $((before - $(df --output=avail -B1M . | tail -n 1))) -lt 2000 ]
}

@test "layers: what they unpack to must be what the image says" {
	image liar --wrong-diff-id rootfs
	run -125 clade run --net none --rm oci:liar true
	[[ "$output" == *"and the image wants"* ]]
	[ -z "$(find "$CLADE_DATA/layers" "$CLADE_DATA/tmp" -mindepth 1)" ]
	clade image prune -af
	image damaged rootfs
	blob=$(find damaged/blobs -size +100k)
	printf x | dd of="$blob" bs=1 seek=5000 conv=notrunc status=none
	run -125 clade run --net none --rm oci:damaged true
	[[ "$output" == *"is damaged: its digest is"* ]]
}

@test "layers: a full disk is said, and does no damage" {
	[ "$(id -u)" = 0 ] || skip "a small file system is mounted: root's"
	image small rootfs
	image large rootfs big:12
	mkdir tiny
	mount -t tmpfs -o size=16m tiny tiny
	run -0 clade --data-root tiny run --net none --rm oci:small echo fits
	run -125 clade --data-root tiny run --net none --rm oci:large true
	[[ "$output" == *"No space left on device"* ]]
	run -0 clade --data-root tiny run --net none --rm oci:small echo "still fits"
	[ "$output" = "still fits" ]
	run -0 clade --data-root tiny system check
	[ -z "$(find tiny/tmp -mindepth 1)" ]
}

@test "layers: many at once of one image end in one" {
	image oci rootfs lower upper many:1 many:2 many:3
	for i in 1 2 3 4; do
		clade run --net none --rm oci:oci cat /layer-3 >"out$i" 2>"err$i" 3>&- &
	done
	wait
	[ "$(cat out1 out2 out3 out4)" = 3333 ]
	[ "$(find "$CLADE_DATA/layers" -mindepth 1 -maxdepth 1 | wc -l)" = 6 ]
	run -0 clade system check
}
