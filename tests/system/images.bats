#!/usr/bin/env bats
# Containers of images: what an image's configuration gives, and how its layers become files.

load helpers
setup() { clade_setup; make_rootfs; }
teardown() { clade_teardown; }

@test "images: a container of an OCI layout, of its archive, of docker's archive" {
	image oci --tag v1 --config '{"Cmd": ["echo", "from the image"]}' rootfs
	image oci.tar --oci-archive --tag v1 --config '{"Cmd": ["echo", "from the archive"]}' rootfs
	image docker.tar --docker --tag small:1 --config '{"Cmd": ["echo", "from docker"]}' rootfs
	run -0 clade run --rm oci:oci:v1
	[ "$output" = "from the image" ]
	run -0 clade run --rm oci:oci echo mine
	[ "$output" = mine ]
	run -0 clade run --rm oci-archive:oci.tar
	[ "$output" = "from the archive" ]
	run -0 clade run --rm docker-archive:docker.tar
	[ "$output" = "from docker" ]
	run -125 clade run --rm oci:oci:v2
	[[ "$output" == *"there is no image v2 in it"* ]]
	# one layer, three images
	[ "$(ls "$CLADE_DATA/layers" | wc -l)" = 1 ]
}

@test "images: gzip, zstd and plain layers are the same files" {
	for pack in gzip zstd none; do
		image "oci-$pack" --pack $pack rootfs
		run -0 clade run --rm "oci:oci-$pack" cat /etc/group
		[[ "$output" == *"extra:x:77:web"* ]]
	done
	[ "$(ls "$CLADE_DATA/layers" | wc -l)" = 1 ]
}

@test "images: what a container writes is its own and goes with it" {
	image oci rootfs
	clade create --name one oci:oci sh -c 'cat /etc/new 2>/dev/null || echo none; echo mine >/etc/new'
	clade start -a one >one
	clade start -a one >two
	[ "$(cat one two)" = "$(printf 'none\nmine')" ]
	run -1 clade run --rm oci:oci test -e /etc/new
	clade rm one
	[ -z "$(ls "$CLADE_DATA/containers")" ]
}

@test "images: entrypoint, command, environment, folder, user and stop signal are the image's" {
	image oci --config '{"Entrypoint": ["sh", "-c"], "Cmd": ["echo $A $B; pwd; id -u; id -G"], "Env": ["A=image", "B=image", "PATH=/bin"],
		"User": "web", "WorkingDir": "/made/here", "StopSignal": "SIGINT", "Labels": {"a": "image", "b": "image"}}' rootfs
	run -0 clade run --rm -e B=mine oci:oci
	[ "${lines[0]}" = "image mine" ]
	[ "${lines[1]}" = /made/here ]
	[ "${lines[2]}" = 1000 ]
	[[ "${lines[3]}" == 1001* ]]
	run -0 clade run --rm -w / -u 0 --entrypoint id oci:oci -u
	[ "$output" = 0 ]
	# with an entrypoint of one's own the image's command is nobody's argument
	run -0 clade run --rm --entrypoint pwd oci:oci
	[ "$output" = /made/here ]
	clade create --name labels --label b=mine oci:oci
	[ "$(clade inspect labels | jq -r '.[0].Config.Labels | "\(.a) \(.b)"')" = "image mine" ]
	[ "$(clade inspect labels | jq -r '.[0].Config.StopSignal')" = SIGINT ]
}
