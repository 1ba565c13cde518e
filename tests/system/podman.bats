#!/usr/bin/env bats
# podman on clade-oci: what its users do, with nothing changed but the runtime's path.

load helpers
setup() {
	clade_setup
	command -v podman >/dev/null || skip "podman is not installed"
	make_rootfs
	P=(podman --root "$PWD/pr" --runroot "$PWD/prr" --runtime "$(realpath "$BIN/clade-oci")" --cgroup-manager cgroupfs --log-level error)
	# podman raises limits by default, which not every root may
	F=(--ulimit nofile=1024:1024 --ulimit nproc=4096:4096 --network none)
}
teardown() {
	[ -n "${P[*]}" ] || return 0
	"${P[@]}" rm -fa -t 0 >/dev/null 2>&1 || :
	"${P[@]}" system reset -f >/dev/null 2>&1 || :
	umount -l pr/overlay 2>/dev/null || :
	[ -z "$(pgrep -f "conmon.*$PWD")" ]
	clade_teardown
}

@test "podman: run, its output and exit codes" {
	run -5 "${P[@]}" run --rm "${F[@]}" --rootfs "$PWD/rootfs" sh -c 'echo hi; exit 5'
	[[ "$output" == *hi* ]]
	run -127 "${P[@]}" run --rm "${F[@]}" --rootfs "$PWD/rootfs" no-such-program
	run -126 "${P[@]}" run --rm "${F[@]}" --rootfs "$PWD/rootfs" /etc
	run -137 "${P[@]}" run --rm "${F[@]}" --rootfs "$PWD/rootfs" sh -c 'sh -c "kill -9 \$\$"; exit $?'
}

@test "podman: run -d, exec, top, logs, pause, stop, rm" {
	"${P[@]}" run -d --name box "${F[@]}" --rootfs "$PWD/rootfs" sh -c 'echo started; sleep 1000' 3>&-
	run -4 "${P[@]}" exec box sh -c 'ps; exit 4'
	[[ "$output" == *"sleep 1000"* ]]
	run -0 "${P[@]}" exec -i box cat <<<"typed"
	[ "$output" = typed ]
	run -0 "${P[@]}" top box
	[[ "$output" == *"sleep 1000"* ]]
	until_true eval '[ "$("${P[@]}" logs box)" = started ]'
	"${P[@]}" pause box
	"${P[@]}" unpause box
	run -0 "${P[@]}" ps --format '{{.Names}} {{.Status}}'
	[[ "$output" == "box Up"* ]]
	"${P[@]}" stop -t 1 box
	run -0 "${P[@]}" inspect --format '{{.State.ExitCode}}' box
	[ "$output" = 137 ]
	"${P[@]}" start box 3>&-
	"${P[@]}" kill box
	"${P[@]}" rm -f box
}

@test "podman: limits, volumes, users, read-only, namespaces of others" {
	mkdir data
	run -0 "${P[@]}" run --rm "${F[@]}" --memory 64m --pids-limit 44 -v "$PWD/data:/data" --rootfs "$PWD/rootfs" \
		sh -c 'echo x >/data/file; cat /sys/fs/cgroup/pids/pids.max /sys/fs/cgroup/pids.max 2>/dev/null; true'
	[[ "$output" == *44* ]]
	[ "$(cat data/file)" = x ]
	run -0 "${P[@]}" run --rm "${F[@]}" -u 1000:1001 --rootfs "$PWD/rootfs" sh -c 'id -u; id -g'
	[[ "$output" == *$'1000\n1001'* ]]
	run -1 "${P[@]}" run --rm "${F[@]}" --read-only --rootfs "$PWD/rootfs" touch /x
	"${P[@]}" run -d --name first "${F[@]}" --rootfs "$PWD/rootfs" sleep 1234 3>&-
	run -0 "${P[@]}" run --rm "${F[@]}" --pid container:first --rootfs "$PWD/rootfs" ps
	[[ "$output" == *"sleep 1234"* ]]
	run -0 "${P[@]}" run --rm "${F[@]}" --pid host --rootfs "$PWD/rootfs" ps
	[[ "$output" == *"sleep 1234"* ]]
}

@test "podman: a terminal; --init with clade-init in catatonit's place" {
	run -0 "${P[@]}" run --rm -t "${F[@]}" --rootfs "$PWD/rootfs" tty
	[[ "$output" == *"/dev/pts/0"* ]]
	run -7 "${P[@]}" run --rm --init --init-path "$(realpath "$BIN/clade-init")" "${F[@]}" --rootfs "$PWD/rootfs" sh -c 'ps; exit 7'
	[[ "$output" == *"1 root"*"-- sh"* ]]
}
