#!/usr/bin/env bats
# What a container changed: diff, export, commit.
# bats file_tags=user

load helpers
setup() {
	clade_setup
	make_rootfs
	mkdir -p rootfs/old/sub
	echo old >rootfs/old/file
	echo gone >rootfs/gone
	image oci --config '{"Entrypoint": ["sh", "-c"], "Cmd": ["echo old"], "Env": ["A=1"]}' rootfs
}
teardown() { images_teardown; }

changed() {
	clade create --net none --name cc -e B=2 oci:oci \
		'echo new >/new; echo changed >/etc/group; b=/bin/busybox; $b rm /gone; $b rm -r /old; mkdir /old; echo x >/old/x; $b ln /old/x /old/y; $b ln -s x /old/l' >/dev/null
	clade start -a cc
}

@test "diff: added, changed and deleted, and nothing of clade's own" {
	changed
	run -0 clade diff cc
	[ "$output" = "$(printf '%s\n' 'C /etc' 'C /etc/group' 'D /gone' 'A /new' 'C /old' 'D /old/file' 'A /old/l' 'D /old/sub' 'A /old/x' 'A /old/y')" ]
	clade run -d --net none --name rr oci:oci 'sleep 1000' >/dev/null
	run -0 clade diff rr
	[ -z "$output" ]
	clade create --net none --name dd "dir:$PWD/rootfs" true >/dev/null
	run -125 clade diff dd
	[[ "$output" == *"nothing to compare"* ]]
}

@test "export: all files of a container, mounts empty" {
	changed
	clade export cc >one.tar
	clade export -o two.tar cc
	run -0 tar -tf two.tar
	[[ "$output" == *new* ]]
	[[ "$output" != *gone* ]]
	mkdir x
	tar -C x -xf one.tar --no-same-owner
	[ "$(cat x/new)" = new ]
	[ "$(stat -c %i x/old/x)" = "$(stat -c %i x/old/y)" ]
	clade run -d --net none --name rr oci:oci 'sleep 1000' >/dev/null
	clade export rr >run.tar
	run -0 tar -tf run.tar
	[[ "$output" == *"proc/"* ]]
	[[ "$output" != *"proc/1"* ]]
	[[ "$output" != *"dev/null"* ]]
}

@test "commit: an image with one more layer, which runs, is saved and loaded" {
	changed
	run -0 clade commit -a me -m why -c 'CMD ["cat /new /etc/group; ls /old; ls /gone 2>&1; echo $A$B"]' -c 'LABEL k=v' cc made:1
	[[ "$output" == sha256:* ]]
	[ "$(clade image inspect made:1 | jq -r '.[0] | "\(.Author) \(.Comment) \(.Config.Labels.k) \(.RootFS.Layers | length)"')" = "me why v 2" ]
	want=$(printf 'new\nchanged\nl\nx\ny\nls: /gone: No such file or directory\n12')
	run -0 clade run --net none --rm made:1
	[ "$output" = "$want" ]
	clade save made:1 -o made.tar
	clade rm cc
	clade rmi made:1
	clade load -q -i made.tar
	run -0 clade run --net none --rm made:1
	[ "$output" = "$want" ]
	run -0 clade run --net none --rm made:1 'stat -c %h /old/x'
	[ "$output" = 2 ]
	clade create --net none --name again made:1 >/dev/null
	run -0 clade diff again
	[ -z "$output" ]
}

@test "commit: the container's own command and variables; a folder as image becomes one layer" {
	clade create --net none --name cc -e B=2 oci:oci 'echo mine $A $B' >/dev/null
	clade commit -q cc own
	run -0 clade run --net none --rm own
	[ "$output" = "mine 1 2" ]
	clade create --net none --name dd "dir:$PWD/rootfs" cat /old/file >/dev/null
	clade commit -q dd flat
	run -0 clade run --net none --rm flat
	[ "$output" = old ]
	run -125 clade commit cc UPPER
	run -125 clade commit -c 'FROM x' cc other
	run -125 clade commit absent
}

# xattr set|get CONTAINER: of its file /x, through the running container's root
xattr() {
	python3 - "$1" "/proc/$(init_of "$2")/root/x" <<-'END'
		import os, sys
		want = {"user.note": b"kept"}
		if os.getuid() == 0:
		    want["security.capability"] = bytes.fromhex("0100000200200000000000000000000000000000")
		for name, value in want.items():
		    if sys.argv[1] == "set":
		        os.setxattr(sys.argv[2], name, value)
		    elif os.getxattr(sys.argv[2], name) != value:
		        sys.exit(f"{name} is something else")
	END
}

@test "commit: xattrs and capabilities; a running container goes on" {
	clade run -d --net none --name cc oci:oci 'echo x >/x; sleep 1000' >/dev/null
	until_true clade exec cc test -s /x
	xattr set cc
	clade commit -q cc running
	[ "$(clade ps --format names,state --filter name=cc | awk '$1 == "cc" { print $2 }')" = running ]
	run -0 clade run --net none --rm running 'cat /x'
	[ "$output" = x ]
	clade run -d --net none --name dd running 'sleep 1000' >/dev/null
	xattr get dd
}
