#!/usr/bin/env bats
# podman on clade-oci as a normal user: the same containers.conf in the user's home.

load helpers
setup_file() {
	engine_setup_file
	cp /etc/passwd /etc/group /run/clade-test/
	echo 'sam:x:4321:4321::/run/clade-test/sam:/bin/bash' >>/run/clade-test/passwd
	echo 'sam:x:4321:' >>/run/clade-test/group
	echo 'sam:700000:65536' >/run/clade-test/subids
	mount --bind /run/clade-test/passwd /etc/passwd
	mount --bind /run/clade-test/group /etc/group
	mount --bind /run/clade-test/subids /etc/subuid
	mount --bind /run/clade-test/subids /etc/subgid
	mkdir -p /run/clade-test/sam/.config/containers /run/user/4321
	cd /run/clade-test/sam || return 1
	echo '{ "default": [{ "type": "insecureAcceptAnything" }] }' >.config/containers/policy.json
	cat >.config/containers/containers.conf <<-END
		[engine]
		runtime = "clade-oci"
		cgroup_manager = "cgroupfs"
		events_logger = "file"
		runtime_supports_json = ["clade-oci", "crun", "runc"]
		[engine.runtimes]
		clade-oci = ["$BIN/clade-oci"]
		[containers]
		init_path = "$BIN/catatonit"
	END
	printf '[storage]\ndriver = "vfs"\n' >.config/containers/storage.conf
	chown -R 4321:4321 /run/clade-test/sam /run/user/4321
	mount -t cgroup2 2>/dev/null | grep -q . || :
	as_user podman load -q -i $IMAGES/busybox.tar
}
teardown() {
	as_user podman rm -fa -t 0 >/dev/null
	until_true eval '! pgrep -x conmon'
}
teardown_file() {
	as_user podman system migrate # ends the process that keeps the user namespace
}

as_user() {
	cd /run/clade-test/sam && setpriv --reuid 4321 --regid 4321 --clear-groups --reset-env env HOME=/run/clade-test/sam USER=sam \
		XDG_RUNTIME_DIR=/run/user/4321 "$@" 3>&-
}
pod() { as_user podman --runtime "$1" "${@:2}"; }

@test "user: info says rootless on clade-oci" {
	run -0 as_user podman info --format '{{.Host.Security.Rootless}} {{.Host.OCIRuntime.Name}}'
	[ "$output" = "true clade-oci" ]
}

@test "user: run, its output and exit codes are runc's" {
	alike pod run --rm --network none busybox sh -c 'id; cat /proc/self/uid_map; exit 5'
	[ "$status" = 5 ]
	alike pod run --rm --network none busybox no-such-program
	[ "$status" = 127 ]
	alike pod run --rm --network none busybox /etc
	[ "$status" = 126 ]
	alike pod run --rm --network none -u web busybox id
	alike pod run --rm --network none --userns keep-id busybox id -u
	alike pod run --rm --network none --read-only busybox touch /x
	alike pod run --rm --network none --cap-drop all busybox grep Cap /proc/self/status
	alike pod run --rm --network none --privileged busybox sh -c 'grep CapEff /proc/self/status'
	alike pod run --rm --network none --pid host busybox readlink /proc/self/ns/pid
}

@test "user: -d, exec, top, logs, kill, stop, --init, a terminal" {
	as_user podman run -d --name box --network none busybox sh -c 'echo started; sleep 1000 & wait'
	until_true says as_user podman logs box -- started
	run -4 as_user podman exec box sh -c 'ps; exit 4'
	[[ "$output" == *"sleep 1000"* ]]
	run -127 as_user podman exec box nothing
	run -0 as_user podman top box
	[[ "$output" == *"sleep 1000"* ]]
	as_user podman stop -t 0 box
	[ "$(as_user podman inspect --format '{{.State.ExitCode}}' box)" = 137 ]
	as_user podman start box
	as_user podman kill box
	run -0 as_user podman run --rm --network none --init busybox cat /proc/1/comm
	[[ "$output" == *init* ]]
	run -0 as_user podman run --rm -t --network none busybox tty
	[[ "$output" == */dev/pts/0* ]]
}

@test "user: volumes, a pod, another container's namespaces, user-mode network" {
	mkdir /run/clade-test/sam/data
	chown 4321:4321 /run/clade-test/sam/data
	as_user podman run --rm --network none -v /run/clade-test/sam/data:/data busybox touch /data/file
	[ "$(stat -c %u /run/clade-test/sam/data/file)" = 4321 ]
	as_user podman run -d --name first --network none busybox sleep 1234
	run -0 as_user podman run --rm --network container:first --pid container:first busybox ps
	[[ "$output" == *"sleep 1234"* ]]
	run -0 as_user podman run --rm --network slirp4netns busybox ip -o addr show tap0
	[[ "$output" == *10.0.2.100* ]]
}

@test "user: clade's views name the container" {
	as_user podman run -d --name named --network none busybox sleep 1234
	run -0 $BIN/clade ps -A -o pid,ctr,runtime,args
	[[ "$output" == *podman*"sleep 1234"* ]]
}
