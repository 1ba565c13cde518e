#!/usr/bin/env bats
# What the runtime specification asks for, one field of config.json after the other, on the real kernel.

load helpers
setup() {
	clade_setup
	make_rootfs
	mkdir bundle
	(cd bundle && clade-oci spec)
	jq '.process.terminal = false | .root = {path: "'"$PWD"'/rootfs"}' bundle/config.json >base.json
}
teardown() {
	[ -z "$(clade-oci --root "$PWD/oci" list -q)" ] || return 1
	clade_teardown
}
# with JQ-FILTER: runs the changed configuration; output and status as of `run`
with() {
	jq "$1" base.json >bundle/config.json
	run clade-oci --root "$PWD/oci" run -b bundle "$BATS_TEST_NUMBER-spec"
}

@test "spec: time namespace and offsets" {
	[ -e /proc/self/ns/time ] || skip "this kernel has no time namespaces"
	with '.linux.namespaces += [{type: "time"}] | .linux.timeOffsets = {boottime: {secs: 10000000}} | .process.args = ["cat", "/proc/uptime"]'
	[ "$status" = 0 ]
	[ "${output%%.*}" -gt 10000000 ]
}

@test "spec: user namespace with mappings" {
	# the container's root, a stranger to the host, must reach its files
	local open_dir
	open_dir=$(mktemp -d /tmp/clade-spec.XXXXXX)
	chmod 755 "$open_dir"
	mkdir -p rootfs/proc rootfs/dev rootfs/sys
	mv rootfs "$open_dir/rootfs"
	sed -i "s#\"$PWD/rootfs\"#\"$open_dir/rootfs\"#" base.json
	with '.linux.namespaces += [{type: "user"}] | .linux.uidMappings = [{containerID: 0, hostID: 100000, size: 65536}] | .linux.gidMappings = .linux.uidMappings | .process.args = ["sh", "-c", "id -u; cat /proc/self/uid_map"]'
	rm -rf "$open_dir"
	echo "$output"
	[ "$status" = 0 ]
	[ "${lines[0]}" = 0 ]
	[[ "${lines[1]}" =~ ^\ *0\ +100000\ +65536$ ]]
	with '.linux.uidMappings = [{containerID: 0, hostID: 100000, size: 65536}] | .linux.gidMappings = .linux.uidMappings'
	[ "$status" = 1 ]
}

@test "spec: namespaces by path; a wrong type or one twice is an error" {
	unshare --uts sh -c 'hostname elsewhere; exec sleep 1004' 3>&- &
	local pid=$!
	until_true eval '[ "$(readlink /proc/'$pid'/ns/uts)" != "$(readlink /proc/self/ns/uts)" ] && [ "$(cat /proc/'$pid'/comm)" = sleep ]'
	with ".hostname = null | .linux.namespaces |= map(if .type == \"uts\" then .path = \"/proc/$pid/ns/uts\" else . end) | .process.args = [\"hostname\"]"
	kill $pid
	[ "$output" = elsewhere ]
	with '.linux.namespaces |= map(if .type == "uts" then .path = "/proc/self/ns/net" else . end)'
	[ "$status" = 1 ]
	[[ "$output" == *"namespace of type network, not uts"* ]]
	with '.linux.namespaces += [{type: "pid"}]'
	[[ "$status" = 1 && "$output" == *"pid stands there twice"* ]]
}

@test "spec: user, umask, additionalGids, rlimits, oomScoreAdj, cwd made if missing" {
	with '.process.user = {uid: 1000, gid: 1001, umask: 63, additionalGids: [5, 6]} | .process.args = ["sh", "-c", "id -u; id -g; id -G; umask"]'
	[ "${lines[*]}" = "1000 1001 1001 5 6 0077" ]
	with '.process.oomScoreAdj = 500 | .process.rlimits = [{type: "RLIMIT_NOFILE", soft: 50, hard: 60}] | .process.args = ["sh", "-c", "cat /proc/self/oom_score_adj; ulimit -n; ulimit -H -n"]'
	[ "${lines[*]}" = "500 50 60" ]
	with '.root.readonly = false | .process.cwd = "/made/here" | .process.args = ["pwd"]'
	[ "$output" = /made/here ]
	with '.process.rlimits = [{type: "RLIMIT_NOFILE", soft: 50, hard: 60}, {type: "RLIMIT_NOFILE", soft: 50, hard: 60}]'
	[ "$status" = 1 ]
}

@test "spec: hostname, domainname, sysctl, personality" {
	with '.hostname = "hh" | .domainname = "dd" | .process.args = ["sh", "-c", "hostname; cat /proc/sys/kernel/domainname"]'
	[ "${lines[*]}" = "hh dd" ]
	with '.linux.sysctl = {"net.ipv4.ip_forward": "1"} | .process.args = ["cat", "/proc/sys/net/ipv4/ip_forward"]'
	[ "$output" = 1 ]
	if [ "$(uname -m)" = x86_64 ]; then
		with '.linux.personality = {domain: "LINUX32"} | .process.args = ["busybox", "uname", "-m"]'
		[ "$output" = i686 ]
	fi
}

@test "spec: scheduler, ioPriority, execCPUAffinity" {
	cp "$(command -v chrt)" rootfs/bin/ 2>/dev/null || skip "no chrt to ask with"
	with '.process.scheduler = {policy: "SCHED_BATCH", nice: 5} | .process.args = ["sh", "-c", "busybox awk \"{print \\$19, \\$41}\" /proc/self/stat"]'
	[ "$output" = "5 3" ]
}

@test "spec: mounts: options, tmpcopyup, recursive read-only, propagation" {
	mkdir -p data/inner rootfs/etc/copied
	echo x >rootfs/etc/copied/file
	with '.mounts += [{destination: "/x", type: "tmpfs", source: "tmpfs", options: ["ro", "nosuid", "size=1m"]}] | .process.args = ["sh", "-c", "mount | grep \" /x \""]'
	[[ "$output" == *"ro,nosuid"*"size=1024k"* ]]
	with '.mounts += [{destination: "/etc/copied", type: "tmpfs", source: "tmpfs", options: ["tmpcopyup"]}] | .process.args = ["cat", "/etc/copied/file"]'
	[ "$output" = x ]
	with '.mounts += [{destination: "/etc/copied", type: "tmpfs", source: "tmpfs", options: ["tmpcopyup", "mode=1770", "uid=7"]}] | .process.args = ["stat", "-c", "%a %u", "/etc/copied"]'
	[ "$output" = "1770 7" ]
	chmod 705 rootfs/etc/copied
	with '.mounts += [{destination: "/etc/copied", type: "tmpfs", source: "tmpfs"}] | .process.args = ["stat", "-c", "%a", "/etc/copied"]'
	[ "$output" = 705 ]
	mount -t tmpfs none data/inner
	with ".mounts += [{destination: \"/data\", type: \"bind\", source: \"$PWD/data\", options: [\"rbind\", \"rro\"]}] | .process.args = [\"touch\", \"/data/inner/file\"]"
	umount data/inner
	[[ "$status" = 1 && "$output" == *"Read-only"* ]]
	with '.linux.rootfsPropagation = "shared" | .process.args = ["sh", "-c", "grep \" / / \\| / .*shared\" /proc/self/mountinfo | head -n 1"]'
	[[ "$output" == *"shared:"* ]]
}

@test "spec: devices, masked and read-only paths" {
	with '.linux.devices = [{path: "/dev/mine", type: "c", major: 1, minor: 5, fileMode: 432, uid: 7, gid: 8}] | .process.args = ["stat", "-c", "%t:%T %a %u %g", "/dev/mine"]'
	[ "$output" = "1:5 660 7 8" ]
	with '.linux.maskedPaths = ["/etc/passwd", "/bin/nothing-here"] | .linux.readonlyPaths = ["/etc"] | .root.readonly = false | .process.args = ["sh", "-c", "wc -c </etc/passwd; touch /etc/x"]'
	[ "${lines[0]}" = 0 ]
	[[ "${lines[1]}" == *"Read-only"* ]]
}

@test "spec: capability sets; what cannot be granted is a warning" {
	with '.process.capabilities = {bounding: ["CAP_CHOWN", "CAP_KILL", "CAP_NOT_KNOWN"], permitted: ["CAP_CHOWN"], effective: ["CAP_CHOWN"], inheritable: ["CAP_CHOWN"], ambient: ["CAP_CHOWN"]} | .process.user.uid = 1000 | .process.args = ["grep", "Cap", "/proc/self/status"]'
	[ "$status" = 0 ]
	[[ "$output" == *"CapEff:"*0000000000000001* ]]
	[[ "$output" == *"CapBnd:"*0000000000000021* ]]
	[[ "$output" == *"CapAmb:"*0000000000000001* ]]
	[[ "$output" == *"CAP_NOT_KNOWN is not known"* ]]
}

@test "spec: seccomp: errno, arguments, unknown names skipped, unknown words refused" {
	with '.linux.seccomp = {defaultAction: "SCMP_ACT_ALLOW", syscalls: [{names: ["mkdir", "mkdirat", "no_such_call"], action: "SCMP_ACT_ERRNO", errnoRet: 28}]} | .process.args = ["mkdir", "/tmp-x"] | .root.readonly = false'
	[[ "$output" == *"No space left"* ]]
	with '.linux.seccomp = {defaultAction: "SCMP_ACT_MAYBE"}'
	[ "$status" = 1 ]
	with '.linux.seccomp = {defaultAction: "SCMP_ACT_ALLOW", flags: ["SECCOMP_FILTER_FLAG_NOPE"]}'
	[ "$status" = 1 ]
}

@test "spec: resources: pids, memory, cpu; 0 pids means 0; unified on v1 is an error" {
	with '.linux.resources.pids = {limit: 33} | .linux.resources.memory = {limit: 67108864} | .process.args = ["sh", "-c", "cat /sys/fs/cgroup/pids/pids.max /sys/fs/cgroup/pids.max 2>/dev/null; true"]'
	[ "$output" = 33 ]
	with '.linux.resources.cpu = {shares: 2} | .process.args = ["true"]'
	[ "$status" = 0 ]
	with '.linux.intelRdt = {closID: "x"}'
	[ "$status" = 1 ] || [ -d /sys/fs/resctrl/info ]
}
