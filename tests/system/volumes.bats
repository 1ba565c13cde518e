#!/usr/bin/env bats
# Volumes: made, filled, shared, listed, removed.
# bats file_tags=user

load helpers
setup() {
	clade_setup
	make_rootfs
	mkdir -p rootfs/data
	echo from-image >rootfs/data/f
	chmod 750 rootfs/data
	image oci --config '{"Cmd": ["true"]}' rootfs
	image anon --config '{"Cmd": ["true"], "Volumes": {"/data": {}}}' rootfs
}
teardown() {
	for id in $(ids); do clade rm -f "$id" >/dev/null 2>&1 || :; done
	clade volume prune -af >/dev/null
	[ -z "$(ls -A "$CLADE_DATA/volumes" 2>/dev/null)" ] || { echo "volumes stay"; return 1; }
	images_teardown
}

@test "volumes: create, ls, inspect, rm, prune in docker's words" {
	run -0 clade volume create --label a=b one1
	[ "$output" = one1 ]
	run -0 clade volume create
	[ ${#output} = 64 ]
	anonymous=$output
	run -0 clade volume ls
	[ "${lines[0]}" = "DRIVER  VOLUME_NAME" ] || [[ "${lines[0]}" == DRIVER*VOLUME* ]]
	[[ "$output" == *"local"*"one1"* ]]
	run -0 clade volume ls -q -f label=a
	[ "$output" = one1 ]
	run -0 clade volume inspect one1
	[ "$(jq -r '.[0] | "\(.Driver) \(.Labels.a) \(.Name) \(.Scope)"' <<<"$output")" = "local b one1 local" ]
	[ -d "$(jq -r '.[0].Mountpoint' <<<"$output")" ]
	run -1 clade volume inspect absent
	[[ "$output" == *"no such volume: absent"* ]]
	run -125 clade volume create ../x
	# prune takes those without a name; -a all
	run -0 clade volume prune -f
	[[ "$output" == *"$anonymous"* ]]
	[[ "$output" == *"Total reclaimed space: 0B" ]]
	[ "$(clade volume ls -q)" = one1 ]
	run -0 clade volume rm one1
	[ "$output" = one1 ]
	run -1 clade volume rm one1
	run -0 clade volume rm -f one1
}

@test "volumes: a named one outlives its containers, is shared, and is not removed in use" {
	clade run --net none --rm -v keep:/k oci:oci sh -c 'echo x >/k/x'
	run -0 clade run --net none --rm -v keep:/other:ro oci:oci cat /other/x
	[ "$output" = x ]
	run -1 clade run --net none --rm -v keep:/other:ro oci:oci touch /other/y
	clade create --net none --name user -v keep:/k oci:oci >/dev/null
	[ "$(clade inspect user | jq -c '.[0].Mounts | map([.Type, .Name, .Destination, .RW])')" = '[["volume","keep","/k",true]]' ]
	run -1 clade volume rm keep
	[[ "$output" == *"in use"* ]]
	run -0 clade volume ls -q -f dangling=true
	[ -z "$output" ]
	run -0 clade volume prune -af
	[ "$(clade volume ls -q)" = keep ]
	clade rm -v user
	[ "$(clade volume ls -q)" = keep ]
	clade volume rm keep
}

@test "volumes: a new one takes the image's files, owner and mode; nocopy does not" {
	run -0 clade run --net none --rm -v new1:/data oci:oci sh -c 'cat /data/f; stat -c %a:%u /data'
	[ "$output" = "$(printf 'from-image\n750:0')" ]
	# one that has something keeps what it has
	clade run --net none --rm -v new1:/data oci:oci sh -c 'echo mine >/data/f'
	run -0 clade run --net none --rm -v new1:/data oci:oci cat /data/f
	[ "$output" = mine ]
	run -0 clade run --net none --rm -v new2:/data:nocopy oci:oci ls /data
	[ -z "$output" ]
	run -0 clade run --net none --rm --mount type=volume,source=new3,target=/data,readonly oci:oci cat /data/f
	[ "$output" = from-image ]
	run -0 clade run --net none --rm --mount type=volume,src=new4,dst=/data,volume-nocopy oci:oci ls /data
	[ -z "$output" ]
}

@test "volumes: the image's own, and -v without a name, go with --rm and rm -v alone" {
	run -0 clade run --net none --rm oci:anon cat /data/f
	[ "$output" = from-image ]
	[ -z "$(clade volume ls -q)" ]
	clade run --net none --rm -v /more oci:anon sh -c 'echo x >/more/x'
	[ -z "$(clade volume ls -q)" ]
	clade create --net none --name one oci:anon >/dev/null
	clade create --net none --name two oci:anon >/dev/null
	[ "$(clade volume ls -q | wc -l)" = 2 ]
	clade rm one
	[ "$(clade volume ls -q | wc -l)" = 2 ]
	clade rm -v two
	[ "$(clade volume ls -q | wc -l)" = 1 ]
	# a name at the same place takes the image's volume
	clade run --net none --rm -v named:/data oci:anon
	[ "$(clade volume ls -q | grep -c named)" = 1 ]
}

@test "volumes: --volumes-from, written to by both, read only where that is asked for" {
	mkdir bound
	clade create --net none --name first -v shared:/s -v "$PWD/bound:/b" oci:oci >/dev/null
	clade run --net none --rm --volumes-from first oci:oci sh -c 'echo x >/s/x; echo y >/b/y'
	[ "$(cat bound/y)" = y ]
	run -0 clade run --net none --rm --volumes-from first:ro oci:oci cat /s/x
	[ "$output" = x ]
	run -1 clade run --net none --rm --volumes-from first:ro oci:oci touch /s/z
	run -125 clade run --net none --rm --volumes-from absent oci:oci true
	clade run -d --net none --name second --volumes-from first oci:oci sleep 1000 >/dev/null
	clade rm -f first
	run -1 clade volume rm shared
	clade rm -f second
	clade volume rm shared
}

@test "volumes: a failed create leaves none; a container that was killed away uses none" {
	run -125 clade create --net none --name one --label =x -v left:/l oci:oci
	run -125 clade create --net none --cidfile /nowhere/x -v left:/l -v /anon oci:oci
	[ "$(clade volume ls -q)" = left ] || [ -z "$(clade volume ls -q)" ]
	clade create --net none --name gone -v used:/l oci:oci >/dev/null
	rm -rf "$CLADE_ROOT"/[0-9a-f]* "$CLADE_ROOT"/names
	run -0 clade volume rm used
	clade system prune -f >/dev/null
}

@test "volumes: -o type, device, o: a bind mount, a tmpfs; what cannot be mounted fails with its name" {
	mkdir bound
	echo there >bound/f
	clade volume create -o type=none -o device="$PWD/bound" -o o=bind one1 >/dev/null
	clade volume create -o type=none -o device="$PWD/bound" -o o=bind,ro two2 >/dev/null
	clade volume create --opt type=tmpfs --opt device=tmpfs --opt o=size=1m,mode=700 small >/dev/null
	[ "$(clade volume inspect small | jq -c '.[0].Options')" = '{"device":"tmpfs","o":"size=1m,mode=700","type":"tmpfs"}' ]
	run -0 clade run --net none --rm -v one1:/data oci:oci sh -c 'cat /data/f; echo more >/data/g'
	[ "$output" = there ]
	[ "$(cat bound/g)" = more ]
	run -1 clade run --net none --rm -v two2:/data oci:oci touch /data/h
	run -0 clade run --net none --rm -v small:/data oci:oci sh -c 'grep " /data " /proc/mounts; stat -c %a /data; ls /data'
	[[ "$output" == "tmpfs /data tmpfs "*size=1024k*700 ]]
	run -1 clade run --net none --rm -v small:/data:ro oci:oci touch /data/h
	# an empty folder takes the image's files, as any volume
	mkdir empty
	clade volume create -o type=none -o device="$PWD/empty" -o o=bind three >/dev/null
	clade run --net none --rm -v three:/data oci:oci true
	[ "$(cat empty/f)" = from-image ]
	clade volume create -o type=none -o device="$PWD/nowhere" -o o=bind absent >/dev/null
	run -125 clade run --net none --rm -v absent:/data oci:oci true
	[[ "$output" == *"/nowhere"* ]]
	[ -z "$(ids)" ]
	run -125 clade volume create -o type=tmpfs bad
	[[ "$output" == *"device= is missing"* ]]
	run -125 clade volume create -o device=x bad
	[[ "$output" == *"type= is missing"* ]]
	run -125 clade volume create -o size=1 bad
	[[ "$output" == *"type=, device= and o="* ]]
	clade volume rm one1 two2 small three absent
	[ "$(cat bound/f)" = there ]
}

@test "volumes: templates of ls and inspect, ps by volume, system prune --volumes" {
	clade volume create --label k=v first >/dev/null
	[ "$(clade volume ls --format '{{.Name}} {{.Driver}} {{.Label "k"}}')" = "first local v" ]
	[ "$(clade volume inspect -f '{{.Name}} {{index .Labels "k"}}' first)" = "first v" ]
	run -125 clade volume ls --format '{{.Nothing}}'
	clade create --net none --name one -v first:/d -v /anonymous oci:oci >/dev/null
	clade create --net none --name two oci:oci >/dev/null
	[ "$(clade ps -a --filter volume=first --format '{{.Names}}')" = one ]
	[ -z "$(clade ps -aq --filter volume=fir)" ]
	# gone without its volume: that is nobody's
	clade rm one
	[ "$(clade volume ls -q | wc -l)" = 2 ]
	run -0 clade system prune -f --volumes
	[[ "$output" == *"Deleted Volumes:"* ]]
	[ "$(clade volume ls -q)" = first ]
}
