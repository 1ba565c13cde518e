#!/usr/bin/env bats
# Containers of images: what an image's configuration gives; load, save, tag, rmi, prune and the tables.
# bats file_tags=user

load helpers
setup() { clade_setup; make_rootfs; }
teardown() { images_teardown; }

@test "images: a container of an OCI layout, of its archive, of docker's archive" {
	image oci --tag v1 --config '{"Cmd": ["echo", "from the image"]}' rootfs
	image oci.tar --oci-archive --tag v1 --config '{"Cmd": ["echo", "from the archive"]}' rootfs
	image docker.tar --docker --tag small:1 --config '{"Cmd": ["echo", "from docker"]}' rootfs
	run -0 clade run --net none --rm oci:oci:v1
	[ "$output" = "from the image" ]
	run -0 clade run --net none --rm oci:oci echo mine
	[ "$output" = mine ]
	run -0 clade run --net none --rm oci-archive:oci.tar
	[ "$output" = "from the archive" ]
	run -0 clade run --net none --rm docker-archive:docker.tar
	[ "$output" = "from docker" ]
	run -125 clade run --net none --rm oci:oci:v2
	[[ "$output" == *"there is no image v2 in it"* ]]
	# one layer, three images
	[ "$(ls "$CLADE_DATA/layers" | wc -l)" = 1 ]
}

@test "images: gzip, zstd and plain layers are the same files" {
	for pack in gzip zstd none; do
		image "oci-$pack" --pack $pack rootfs
		run -0 clade run --net none --rm "oci:oci-$pack" cat /etc/group
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
	run -1 clade run --net none --rm oci:oci test -e /etc/new
	clade rm one
	[ -z "$(find "$CLADE_DATA/containers" -mindepth 1)" ]
}

@test "images: entrypoint, command, environment, folder, user and stop signal are the image's" {
	image oci --config '{"Entrypoint": ["sh", "-c"], "Cmd": ["echo $A $B; pwd; id -u; id -G"], "Env": ["A=image", "B=image", "PATH=/bin"],
		"User": "web", "WorkingDir": "/made/here", "StopSignal": "SIGINT", "Labels": {"a": "image", "b": "image"}}' rootfs
	run -0 clade run --net none --rm -e B=mine oci:oci
	[ "${lines[0]}" = "image mine" ]
	[ "${lines[1]}" = /made/here ]
	[ "${lines[2]}" = 1000 ]
	[[ "${lines[3]}" == 1001* ]]
	run -0 clade run --net none --rm -w / -u 0 --entrypoint id oci:oci -u
	[ "$output" = 0 ]
	# with an entrypoint of one's own the image's command is nobody's argument
	run -0 clade run --net none --rm --entrypoint pwd oci:oci
	[ "$output" = /made/here ]
	clade create --name labels --label b=mine oci:oci
	[ "$(clade inspect labels | jq -c '.[0].Config | [.Entrypoint, .Cmd]')" = '[["sh","-c"],["echo $A $B; pwd; id -u; id -G"]]' ]
	clade create --name other --init --entrypoint id oci:oci -u
	[ "$(clade inspect other | jq -c '.[0].Config | [.Entrypoint, .Cmd]')" = '[["id"],["-u"]]' ]
	clade create --name third --entrypoint id oci:oci
	[ "$(clade inspect third | jq -c '.[0].Config | [.Entrypoint, .Cmd]')" = '[["id"],null]' ]
	[ "$(clade inspect labels | jq -r '.[0].Config.Labels | "\(.a) \(.b)"')" = "image mine" ]
	[ "$(clade inspect labels | jq -r '.[0].Config.StopSignal')" = SIGINT ]
	[ "$(clade inspect labels | jq -r '.[0].Image')" = "$(clade images -q --no-trunc)" ]
	[ "$(clade inspect labels | jq -r '.[0].Config.Image')" = oci:oci ]
}

@test "images: load and save, by file and by stream, docker's archive and the OCI's" {
	image docker.tar --docker --tag small:1 rootfs many:1
	run -0 clade load -i docker.tar
	[ "$output" = "Loaded image: small:1" ]
	run -0 clade run --net none --rm small:1 cat /layer-1
	[ "$output" = 1 ]
	id=$(clade images -q --no-trunc)
	clade save small:1 -o saved.tar
	clade save --format oci-archive small:1 >saved-oci.tar
	[[ "$(skopeo inspect --config docker-archive:saved.tar | jq -r .created)" == 2020-01-02* ]]
	clade rmi small:1
	[ -z "$(clade images -q)" ]
	[ -z "$(find "$CLADE_DATA/layers" "$CLADE_DATA/blobs/sha256" -mindepth 1)" ]
	gzip -c saved.tar | clade load -q
	[ "$(clade images -q --no-trunc)" = "$id" ]
	clade rmi -f "$id"
	run -0 clade load <saved-oci.tar
	[ "$output" = "Loaded image: small:1" ]
	[ "$(clade images -q --no-trunc)" = "$id" ]
	# the same bytes each time
	clade save small:1 | cmp - saved.tar
	run -125 clade load -i rootfs/etc/passwd
	[[ "$output" == *"rootfs/etc/passwd"* ]]
	run -125 clade save nothing-here -o x.tar
	[[ "$output" == *"No such image: nothing-here"* ]]
	[ ! -e x.tar ]
}

@test "images: an archive cut short, at any place, leaves nothing" {
	image docker.tar --docker --tag small:1 rootfs
	size=$(stat -c %s docker.tar)
	for cut in 100 5000 100000 $((size - 20000)); do
		head -c $cut docker.tar >cut.tar
		run ! clade load -i cut.tar
	done
	[ -z "$(find "$CLADE_DATA/tmp" "$CLADE_DATA/layers" -mindepth 1)" ]
	[ -z "$(clade images -q)" ]
	clade load -i docker.tar
}

@test "images: the table, its columns, filters and templates" {
	image one.tar --docker --tag one/app:1 --config '{"Labels": {"kind": "web"}}' rootfs
	image two.tar --docker --tag two:latest rootfs many:2
	clade load -qi one.tar
	clade load -qi two.tar
	clade tag one/app:1 quay.io/other/app:v2
	run -0 clade images
	[[ "${lines[0]}" =~ ^REPOSITORY\ +TAG\ +IMAGE\ ID\ +CREATED\ +SIZE$ ]] || [[ "${lines[0]}" =~ ^REPOSITORY\ +TAG\ +ID\ +CREATED\ +SIZE$ ]]
	[ "${#lines[@]}" = 4 ]
	[ "$(clade images -q | wc -l)" = 2 ]
	[ "$(clade images --format '{{.Repository}}:{{.Tag}}' | sort | xargs)" = "one/app:1 quay.io/other/app:v2 two:latest" ]
	[ "$(clade images --filter label=kind=web --format '{{.Tag}}' | sort | xargs)" = "1 v2" ]
	[ "$(clade images --filter reference='*/app' --format '{{.Tag}}' | xargs)" = 1 ]
	[ "$(clade images two --json | jq -r '.[0].repository')" = two ]
	[ -z "$(clade images -q --filter dangling=true)" ]
	clade tag two one/app:1
	[ "$(clade images one/app --format '{{.ID}}')" = "$(clade images two --format '{{.ID}}')" ]
	clade rmi quay.io/other/app:v2
	run -125 clade images --filter nothing=1
	run -125 clade images --format '{{.Nothing}}'
}

@test "images: a configuration of wrong types is refused, never half understood" {
	local config
	while read -r config; do
		rm -f bad.tar
		image bad.tar --docker --tag bad:1 --config "$config" rootfs >/dev/null
		run -125 clade load -qi bad.tar
		[[ "$output" == *"image configuration: "* ]] || { echo "$config: $output"; false; }
	done <<-'X'
		{"User": 5}
		{"User": ["web"]}
		{"WorkingDir": {}}
		{"StopSignal": 9}
		{"Entrypoint": "sh -c env"}
		{"Env": {"A": "1"}}
		{"Labels": ["a"]}
		{"Labels": {"a": 1}}
		{"ExposedPorts": ["80"]}
		{"Volumes": "x"}
	X
	[ -z "$(clade images -q)" ]
	image null.tar --docker --tag null:1 --config '{"User": null, "Labels": null, "Volumes": null, "Cmd": ["id", "-u"]}' rootfs
	clade load -qi null.tar
	[ "$(clade run --rm --net none null:1)" = 0 ]
	clade rmi null:1
}

@test "images: rmi untags, then deletes; what a container uses stays" {
	image one.tar --docker --tag app:1 rootfs
	clade load -qi one.tar
	clade tag app:1 other:1
	id=$(clade images -q app)
	run -1 clade rmi nothing-here
	[[ "$output" == *"No such image: nothing-here"* ]]
	run -1 clade rmi "$id"
	[[ "$output" == *"multiple repositories"* ]]
	run -0 clade rmi other:1
	[ "$output" = "Untagged: other:1" ]
	clade run --net none -d --name web app:1 sleep 1000
	run -1 clade rmi app:1
	[[ "$output" == *"unable to remove repository reference"*"web"* || "$output" == *"must force"* ]]
	run -1 clade rmi -f "$id"
	[[ "$output" == *"cannot be forced"* ]]
	run -0 clade rmi -f app:1
	[ "$output" = "Untagged: app:1" ]
	clade image prune -af
	[ "$(clade images -q)" = "$id" ]
	clade exec web cat /etc/group
	clade stop -t 0 web
	clade start web
	clade rm -f web
	run -0 clade image prune -f
	[[ "$output" == *"deleted: sha256:$id"* ]]
	[ -z "$(find "$CLADE_DATA/layers" "$CLADE_DATA/blobs/sha256" "$CLADE_DATA/containers" -mindepth 1)" ]
}

@test "images: inspect and history" {
	image one.tar --docker --tag app:1 --config '{"Cmd": ["x"], "ExposedPorts": {"80/tcp": {}}, "Volumes": {"/data": {}},
		"Healthcheck": {"Test": ["CMD", "true"], "Interval": 5000000000}}' rootfs many:1
	clade load -qi one.tar
	clade image inspect app:1 >inspect
	[ "$(jq -r '.[0].RepoTags[0]' inspect)" = app:1 ]
	[ "$(jq -r '.[0].Config.Healthcheck.Interval' inspect)" = 5000000000 ]
	[ "$(jq -r '.[0].Config.ExposedPorts | keys[0]' inspect)" = 80/tcp ]
	[ "$(jq -r '.[0].RootFS.Layers | length' inspect)" = 2 ]
	run -0 clade history --no-trunc --format '{{.CreatedBy}}' app:1
	[ "$output" = "$(printf 'layer many:1\nlayer rootfs')" ]
	run -1 clade image inspect nothing
	[[ "$output" == *"No such image: nothing"* ]]
}

@test "images: import makes one of a tarball" {
	tar -C rootfs -cJf root.tar.xz .
	id=$(clade import -m "by hand" -c 'CMD ["cat", "/etc/group"]' -c 'ENV A=1 B="two words"' -c 'USER 1000' root.tar.xz made:1)
	[[ $id == sha256:* ]]
	run -0 clade run --net none --rm made:1
	[[ "$output" == *extra* ]]
	run -0 clade run --net none --rm made:1 sh -c 'echo "$A $B"; id -u'
	[ "${lines[0]}" = "1 two words" ]
	[ "${lines[1]}" = 1000 ]
	tar -C rootfs -c . | clade import - piped
	clade run --net none --rm piped true
	run -125 clade import -c 'FROM x' root.tar.xz
	[[ "$output" == *"FROM is not a valid change command"* ]]
	run -125 clade import missing.tar
}

@test "images: a container of --rm is thrown away without waiting for the disk, and can be restarted" {
	image oci rootfs
	clade run --net none -d --rm --name volatile oci:oci sleep 1000
	clade exec volatile touch /kept
	clade restart -t 0 volatile
	clade exec volatile ls /kept
	clade rm -f volatile
	[ -z "$(find "$CLADE_DATA/containers" -mindepth 1)" ]
	# in the background nobody but its minder clears it away
	clade run --net none -d --rm oci:oci true
	until_true bash -c '[ -z "$(find "$CLADE_DATA/containers" -mindepth 1)" ]'
}

@test "images: a container whose state is gone claims nothing" {
	image one.tar --docker --tag app:1 rootfs
	clade load -qi one.tar
	clade create app:1 true
	rm -rf "$CLADE_ROOT"
	[[ "$(clade system check || :)" == *"left its files behind"* ]]
	run -0 clade rmi app:1
	[ -z "$(find "$CLADE_DATA/containers" "$CLADE_DATA/layers" -mindepth 1)" ]
}

@test "images: more layers than fit in a mount option" {
	words=()
	for i in $(seq 150); do words+=("many:$i"); done
	image oci rootfs "${words[@]}"
	run -0 clade run --net none --rm oci:oci sh -c 'cat /layer-1 /layer-75 /layer-150; touch /new && echo written'
	[ "$output" = "175150written" ]
	run -0 clade run --net none --rm --read-only oci:oci sh -c 'cat /layer-9; touch /new 2>/dev/null || echo "read-only"'
	[ "$output" = "9read-only" ]
}

@test "images: system df, check and prune" {
	image one.tar --docker --tag app:1 rootfs
	clade load -qi one.tar
	clade create --name old app:1 true
	[ "$(clade system df --json | jq -r '.[0].active')" = 1 ]
	run -0 clade system check
	[[ "$output" == *" 0 problems" ]]
	run -0 clade system prune -af
	[[ "$output" == *"Deleted Containers"* && "$output" == *"untagged: app:1"* ]]
	[ -z "$(clade images -q)" ]
}

@test "images: what each takes: ps --size, system df -v" {
	image one.tar --docker --tag app:1 rootfs
	image two.tar --docker --tag app:2 rootfs many:1
	clade load -qi one.tar
	clade load -qi two.tar
	clade create --name old -v data:/d app:1 sh -c 'head -c 2000000 /dev/zero >/big; head -c 3000000 /dev/zero >/d/f' >/dev/null
	run -0 clade ps -as --format '{{.Names}} {{.Size}}'
	[[ "$output" == "old 0B (virtual "*"B)" ]]
	clade start -a old
	run -0 clade ps -as
	[[ "${lines[0]}" == *SIZE* && "${lines[1]}" == *"2MB (virtual "* ]]
	run -0 clade system df -v
	[[ "$output" == *"Images space usage:"*"app"*"Containers space usage:"*"old"*"Local Volumes space usage:"*"data"*"3MB"* ]]
	# of two images with one layer in common one has nothing to itself
	[ "$(clade system df -v | awk '$1 == "app" && $2 == 1 { print $(NF - 1) }')" = 0B ]
	[ "$(clade system df --json | jq -c 'map([.type, .total, .active, .size])')" = \
		"$(clade system df --json | jq -c '[["Images", 2, 1, .[0].size], ["Containers", 1, 0, "2MB"], ["Local Volumes", 1, 1, "3MB"]]')" ]
	run -125 clade system df -v --format json
	clade rm old
	clade volume rm data
}

@test "images: system check finds what is damaged and makes it good" {
	image one.tar --docker --tag app:1 rootfs many:1
	clade load -qi one.tar
	layer=$(jq -r '.[0].layers[1].chain' "$CLADE_DATA/images.json")
	blob=$(jq -r '.[0].layers[0].blob' "$CLADE_DATA/images.json")
	[ "$(id -u)" != 0 ] || echo changed >"$CLADE_DATA/layers/$layer/diff/layer-1"
	[ "$(id -u)" = 0 ] || mv "$CLADE_DATA/layers/$layer" "$CLADE_DATA/tmp/"
	run -1 clade system check
	[[ "$output" == *"${layer:0:12}"* ]]
	run -0 clade system check --repair
	[[ "$output" == *repaired* ]]
	run -0 clade system check
	[ "$(clade run --net none --rm app:1 cat /layer-1)" = 1 ]
	printf x >>"$CLADE_DATA/blobs/sha256/${blob#sha256:}"
	run -1 clade system check
	[[ "$output" == *"is damaged"* ]]
	run ! clade system check --repair
	run -1 clade system check --quick
	clade load -qi one.tar
	run -0 clade system check
}
