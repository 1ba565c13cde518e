#!/usr/bin/env bats
# buildah on clade-oci: RUN steps by --runtime.

load helpers
setup_file() {
	engine_setup_file
	echo '{ "default": [{ "type": "insecureAcceptAnything" }] }' >/etc/containers/policy.json
	export BUILDAH_ISOLATION=oci
	buildah pull -q docker-archive:$IMAGES/busybox.tar
}
setup() {
	cd "$BATS_TEST_TMPDIR" || return 1
	c=$(buildah from localhost/busybox)
}
teardown() {
	buildah rm -a >/dev/null
	[ -z "$(ls /run/clade-oci 2>/dev/null)" ] || return 1
	[ -z "$(find /sys/fs/cgroup -type d -name 'buildah-*' 2>/dev/null)" ]
}

# A step under the runtime named
step() {
	local rt=$1
	[ "$rt" = runc ] || rt=$BIN/clade-oci
	shift
	buildah run --runtime "$rt" "${flags[@]}" "$c" -- "$@" 3>&-
}

@test "buildah run: output and exit codes are runc's" {
	flags=()
	alike step sh -c 'echo hi; echo err >&2; exit 5'
	[ "$status" = 5 ]
	alike step no-such-program
	[ "$status" != 0 ]
	alike step /etc
	alike step sh -c 'id; pwd; env | sort | grep -v HOSTNAME; grep -e Cap -e NoNew -e Seccomp: /proc/self/status'
	alike step sh -c 'cut -d " " -f 2 /proc/mounts | sort; ls /dev'
	flags=(--user web --workingdir /tmp --env X=y --hostname there --network none)
	alike step sh -c 'id; pwd; echo $X; hostname; ip -o link show'
	mkdir data
	echo text >data/file
	flags=(--volume "$PWD/data:/data:ro" --cap-drop all)
	alike step sh -c 'cat /data/file; touch /data/x; grep CapEff /proc/self/status'
	flags=(--terminal)
	typed=$'=>/dev/pts/0'
	run -0 terminal buildah run --runtime $BIN/clade-oci -t "$c" -- tty
	run -0 buildah run --runtime $BIN/clade-oci "$c" -- cat <<<"typed"
	[ "$output" = typed ]
}

@test "buildah build: RUN steps, users, failures" {
	mkdir ctx
	printf '%s\n' 'FROM localhost/busybox' 'RUN echo built >/file && id >/id' 'USER web' 'RUN id -u >/tmp/uid' 'CMD cat /file /tmp/uid' >ctx/Dockerfile
	buildah build -q --runtime $BIN/clade-oci -t built ctx 3>&-
	b=$(buildah from built)
	run -0 buildah run --runtime $BIN/clade-oci "$b" -- cat /file /id /tmp/uid
	[[ "$output" == built$'\n'"uid=0(root) gid=0(root)"*1000 ]]
	printf '%s\n' 'FROM localhost/busybox' 'RUN exit 9' >ctx/Dockerfile
	run buildah build --runtime $BIN/clade-oci ctx
	[ "$status" != 0 ]
	[[ "$output" == *"9"* ]]
	printf '%s\n' 'FROM localhost/busybox' 'RUN ulimit -n && grep CapEff /proc/self/status' >ctx/Dockerfile
	buildah build --runtime $BIN/clade-oci --ulimit nofile=99:99 --memory 64m ctx 3>&-
}

@test "buildah build: mounts of a step, a cache that stays, capabilities are runc's" {
	mkdir ctx
	echo text >ctx/file
	printf '%s\n' 'FROM localhost/busybox' 'RUN --mount=type=bind,target=/in,source=file cat /in && grep CapEff /proc/self/status' \
		'RUN --mount=type=tmpfs,target=/t touch /t/x && grep " /t " /proc/mounts | cut -d " " -f 3' \
		'USER web' 'RUN id && grep CapEff /proc/self/status' >ctx/Dockerfile
	built() {
		local rt=runc said
		[ "$1" = runc ] || rt=$BIN/clade-oci
		said=$(buildah build --no-cache --isolation oci --runtime "$rt" --cap-drop chown ctx 3>&-) || return
		grep -v -e '^[0-9a-f]*$' -e '^--> ' <<<"$said" # the image's number
	}
	alike built
	[[ "$output" == *text*CapEff*tmpfs*uid=1000* ]]
	printf '%s\n' 'FROM localhost/busybox' 'RUN --mount=type=cache,target=/c cat /c/kept; echo again >>/c/kept' >ctx/Dockerfile
	buildah build --no-cache --runtime $BIN/clade-oci ctx 3>&-
	run -0 buildah build --no-cache --runtime $BIN/clade-oci ctx 3>&-
	[[ "$output" == *again* ]]
}
