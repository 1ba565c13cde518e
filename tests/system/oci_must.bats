#!/usr/bin/env bats
# The runtime specification's MUSTs of config.md and config-linux.md that no other file shows (tests/oci/musts.tsv says which).

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
with() {
	jq "$@" base.json >bundle/config.json
	run clade-oci --root "$PWD/oci" run -b bundle "$BATS_TEST_NUMBER-must"
}
# refuse WORDS JQ...: the configuration is refused with these words
refuse() {
	local words=$1
	shift
	with "$@"
	[[ "$status" = 1 && "$output" == *"$words"* ]] || { echo "$*: $status $output"; false; }
}
# says TEXT JQ...: the container prints it
says() {
	local text=$1
	shift
	with "$@"
	[[ "$status" = 0 && "$output" == "$text" ]] || { echo "$*: $status $output"; false; }
}

@test "must: ociVersion is a semantic version of 1.x" {
	local v
	for v in 1.0.0 1.0.2-dev 1.1.0+dev 1.2.0-rc.1+x 1.3.0 1.99.7; do says "" --arg v $v '.ociVersion = $v | .process.args = ["true"]'; done
	for v in "" 1 1.0 1.0.0.0 v1.0.0 1.0.x 01.0.0 1.0.0- 2.0.0 0.9.0; do refuse "ociVersion" --arg v "$v" '.ociVersion = $v'; done
	refuse "ociVersion: is missing" 'del(.ociVersion)'
}

@test "must: root is there, its path is a folder" {
	refuse "root" 'del(.root)'
	refuse "" '.root.path = "/no/such/folder"'
	refuse "" '.root.path = "/etc/passwd"'
	mv rootfs bundle/rootfs
	says /bin/sh '.root.path = "rootfs" | .process.args = ["sh", "-c", "ls /bin/sh"]'
}

@test "must: unknown properties are ignored, wrong values are not" {
	says "" '.unknown = {a: [1]} | .process.unknown = true | .linux.unknown = {} | .linux.resources.unknown = 5 | .process.args = ["true"]'
	refuse "process.user.uid" '.process.user.uid = -1'
	refuse "process.user.uid" '.process.user.uid = 4294967296'
	refuse "linux.namespaces" '.linux.namespaces += [{type: "nothing"}]'
	refuse "process.scheduler.policy" '.process.scheduler = {policy: "SCHED_NICE"}'
	refuse "process.scheduler.flags" '.process.scheduler = {policy: "SCHED_OTHER", flags: ["X"]}'
	refuse "process.ioPriority" '.process.ioPriority = {class: "IOPRIO_CLASS_BE", priority: 8}'
	refuse "linux.personality" '.linux.personality = {domain: "BSD"}'
	refuse "linux.personality" '.linux.personality = {domain: "LINUX", flags: ["X"]}'
	refuse "linux.memoryPolicy.mode" '.linux.memoryPolicy = {mode: "MPOL_X"}'
	refuse "linux.memoryPolicy.flags" '.linux.memoryPolicy = {mode: "MPOL_BIND", nodes: "0", flags: ["X"]}'
	refuse "linux.memoryPolicy.nodes" '.linux.memoryPolicy = {mode: "MPOL_BIND", nodes: "0-"}'
}

@test "must: consoleSize is ignored without a terminal; cwd is absolute; HOME, the environment as it is" {
	says "/" '.process.consoleSize = {height: 10, width: 10} | .process.args = ["pwd"]'
	refuse "process.cwd" '.process.cwd = "bin"'
	refuse "process.cwd" 'del(.process.cwd)'
	says "/home/web" '.process.user = {uid: 1000, gid: 1000} | .process.args = ["sh", "-c", "echo $HOME"]'
	says "/" '.process.user = {uid: 4711, gid: 1000} | .process.args = ["sh", "-c", "echo $HOME"]'
	says "/mine x" '.process.env += ["HOME=/mine", "A=x"] | .process.args = ["sh", "-c", "echo $HOME $A"]'
}

@test "must: rlimits: each is set, an unknown or a repeated one is an error" {
	says "50 60 0 7" '.process.rlimits = [{type: "RLIMIT_NOFILE", soft: 50, hard: 60}, {type: "RLIMIT_CORE", soft: 0, hard: 7}] | .process.args = ["sh", "-c", "echo $(ulimit -Sn) $(ulimit -Hn) $(busybox awk \"/core file/ {print \\$5, \\$6}\" /proc/self/limits)"]'
	refuse "process.rlimits[0].type" '.process.rlimits = [{type: "RLIMIT_NONE", soft: 50, hard: 60}]'
	refuse "the same limit stands at" '.process.rlimits = [{type: "RLIMIT_CORE", soft: 0, hard: 0}, {type: "RLIMIT_CORE", soft: 0, hard: 0}]'
}

@test "must: oomScoreAdj is set, or left alone" {
	says 321 '.process.oomScoreAdj = 321 | .process.args = ["cat", "/proc/self/oom_score_adj"]'
	echo 17 >/proc/self/oom_score_adj
	says 17 '.process.args = ["cat", "/proc/self/oom_score_adj"]'
}

@test "must: annotations are a map of strings; an empty key is an error; unknown ones are kept" {
	refuse "annotations" '.annotations = ["a"]'
	refuse "annotations" '.annotations = {a: 1}'
	refuse "annotations: a key is empty" '.annotations = {"": "x"}'
	says "" '.annotations = {"com.example.x": "", "org.opencontainers.image.os": "linux"} | .process.args = ["true"]'
}

@test "must: hooks: an absolute path, a timeout above zero" {
	local point
	for point in prestart createRuntime createContainer startContainer poststart poststop; do
		refuse "hooks.$point[0].path" ".hooks = {$point: [{path: \"bin/true\"}]}"
		refuse "hooks.$point[0].timeout" ".hooks = {$point: [{path: \"/bin/true\", timeout: 0}]}"
		refuse "hooks.$point[0].timeout" ".hooks = {$point: [{path: \"/bin/true\", timeout: -1}]}"
	done
}

@test "must: a namespace not asked for is inherited, one asked for is new, one by path is joined" {
	local kind file own
	for kind in pid:pid network:net ipc:ipc uts:uts cgroup:cgroup; do
		file=${kind#*:} kind=${kind%:*}
		own=$(readlink /proc/self/ns/$file)
		says "$own" --arg k $kind '.hostname = null | .mounts |= map(select(.type != "sysfs" and .type != "mqueue")) | .linux.namespaces |= map(select(.type != $k)) | .process.args = ["readlink", "/proc/self/ns/'$file'"]'
		with --arg k $kind '.process.args = ["readlink", "/proc/self/ns/'$file'"]'
		[[ "$status" = 0 && "$output" == "$file:["* && "$output" != "$own" ]]
	done
	unshare -n sleep 1008 3>&- &
	local pid=$!
	until_true eval '[ "$(readlink /proc/'$pid'/ns/net)" != "$(readlink /proc/self/ns/net)" ]'
	own=$(readlink /proc/$pid/ns/net)
	says "$own" --arg p /proc/$pid/ns/net '.linux.namespaces |= map(if .type == "network" then .path = $p else . end) | .process.args = ["readlink", "/proc/self/ns/net"]'
	kill $pid
	refuse "is not absolute" '.linux.namespaces |= map(if .type == "network" then .path = "ns/net" else . end)'
	refuse "is no namespace" '.linux.namespaces |= map(if .type == "network" then .path = "/etc/passwd" else . end)'
}

@test "must: default devices and links; a device where something else is; outside of /dev" {
	says "1:3 1:5 1:7 1:8 1:9 5:0" '.process.args = ["sh", "-c", "echo $(stat -c %t:%T /dev/null /dev/zero /dev/full /dev/random /dev/urandom /dev/tty)"]'
	says "/proc/self/fd /proc/self/fd/0 /proc/self/fd/1 /proc/self/fd/2 pts/ptmx" '.process.args = ["sh", "-c", "echo $(readlink /dev/fd) $(readlink /dev/stdin) $(readlink /dev/stdout) $(readlink /dev/stderr) $(readlink /dev/ptmx)"]'
	touch rootfs/etc/there
	refuse "something else is there already" '.linux.devices = [{path: "/etc/there", type: "c", major: 1, minor: 3}]'
	says "character special file 1:3 fifo 622" '.linux.devices = [{path: "/opt/deep/null", type: "c", major: 1, minor: 3}, {path: "/opt/pipe", type: "p", fileMode: 402}] | .process.args = ["sh", "-c", "echo $(stat -c \"%F %t:%T\" /opt/deep/null) $(stat -c \"%F %a\" /opt/pipe)"]'
	refuse "linux.devices[0]" '.linux.devices = [{path: "dev/x", type: "c", major: 1, minor: 3}]'
	refuse "linux.devices[0]" '.linux.devices = [{path: "/dev/x", type: "x", major: 1, minor: 3}]'
}

@test "must: network devices are moved with their addresses, renamed, and set up; what cannot be is an error" {
	local a=cl$BATS_TEST_NUMBER$((RANDOM % 1000))
	ip link add ${a}a type veth peer name ${a}b || skip "this kernel makes no veth pairs"
	ip addr add 192.0.2.77/24 dev ${a}a
	ip addr add fd00:77::1/64 dev ${a}a
	refuse "move network interface" --arg d ${a}a '.linux.netDevices = {($d): {name: "lo"}}'
	ip link show ${a}a
	refuse "move network interface no-such" '.linux.netDevices = {"no-such": {}}'
	refuse "network namespace" --arg d ${a}a '.linux.netDevices = {($d): {}} | .linux.namespaces |= map(select(.type != "network"))'
	with --arg d ${a}a '.linux.netDevices = {($d): {name: "net%d"}} | .process.args = ["busybox", "ip", "addr", "show", "net0"]'
	[[ "$status" = 0 && "$output" == *",UP"*"192.0.2.77/24"*"fd00:77::1/64"* ]] || { echo "$output"; false; }
	# nothing is moved back: with the namespace the pair has gone
	until_true eval '! ip link show '${a}b
	ip link add ${a}a type veth peer name ${a}b
	with --arg d ${a}a '.linux.netDevices = {($d): {}} | .process.args = ["busybox", "ip", "link", "show", "'${a}a'"]'
	[[ "$status" = 0 && "$output" == *",UP"* ]]
}

@test "must: cgroupsPath: absolute below the mount point, the same place each time; a populated or frozen one is refused" {
	with '.linux.cgroupsPath = "/clade/oci-must/a" | .linux.namespaces |= map(select(.type != "cgroup")) | .process.args = ["cat", "/proc/self/cgroup"]'
	[[ "$status" = 0 && "$output" == *":/clade/oci-must/a"* ]] || { echo "$output"; false; }
	local first=$output
	with '.linux.cgroupsPath = "/clade/oci-must/a" | .linux.namespaces |= map(select(.type != "cgroup")) | .process.args = ["cat", "/proc/self/cgroup"]'
	[ "$output" = "$first" ]
	with '.linux.cgroupsPath = "clade/oci-must/rel" | .linux.namespaces |= map(select(.type != "cgroup")) | .process.args = ["cat", "/proc/self/cgroup"]'
	[[ "$status" = 0 && "$output" == *"clade/oci-must/rel"* ]]
	refuse "cgroupsPath" '.linux.cgroupsPath = "/a/../../b"'
	refuse "cgroupsPath" '.linux.cgroupsPath = "/"'
	local dir
	for dir in /sys/fs/cgroup/pids /sys/fs/cgroup; do [ -e $dir/cgroup.procs ] && break; done
	mkdir -p $dir/clade/oci-must/full
	sleep 1009 3>&- &
	local pid=$!
	echo $pid >$dir/clade/oci-must/full/cgroup.procs
	refuse "already has processes" '.linux.cgroupsPath = "/clade/oci-must/full"'
	kill $pid
	wait $pid || :
	until_true rmdir $dir/clade/oci-must/full
	for dir in /sys/fs/cgroup/freezer /sys/fs/cgroup; do [ -e $dir/cgroup.procs ] && break; done
	mkdir -p $dir/clade/oci-must/cold
	echo FROZEN 2>/dev/null >$dir/clade/oci-must/cold/freezer.state || echo 1 >$dir/clade/oci-must/cold/cgroup.freeze
	refuse "frozen" '.linux.cgroupsPath = "/clade/oci-must/cold"'
	find /sys/fs/cgroup -depth -type d -path '*/clade/oci-must*' -exec rmdir {} + 2>/dev/null || :
	[ -z "$(find /sys/fs/cgroup -type d -path '*/clade/oci-must*')" ]
}

@test "must: device rules hold in their order; block I/O and RDMA entries say something" {
	says "denied" '.linux.resources.devices = [{allow: false, access: "rwm"}, {allow: true, type: "c", major: 10, minor: 200, access: "rwm"}, {allow: false, type: "c", major: 10, minor: 200, access: "rwm"}]
		| .process.capabilities.bounding += ["CAP_MKNOD"] | .process.capabilities.effective += ["CAP_MKNOD"] | .process.capabilities.permitted += ["CAP_MKNOD"] | .root.readonly = false
		| .process.args = ["sh", "-c", "busybox mknod /dev/t c 10 200 && (: </dev/t) 2>&1 | busybox grep -qi \"not permitted\" && echo denied"]'
	says "open" '.linux.resources.devices = [{allow: false, access: "rwm"}, {allow: false, type: "c", major: 1, minor: 11, access: "rwm"}, {allow: true, type: "c", major: 1, minor: 11, access: "rwm"}]
		| .linux.devices = [{path: "/dev/mykmsg", type: "c", major: 1, minor: 11}] | .process.args = ["sh", "-c", ": >/dev/mykmsg && echo open"]'
	refuse "neither weight nor leafWeight" '.linux.resources.blockIO.weightDevice = [{major: 8, minor: 0}]'
	refuse "neither hcaHandles nor hcaObjects" '.linux.resources.rdma = {mlx: {}}'
}

@test "must: unified: controllers that are not there are an error, and so are names that are no files of it" {
	refuse "linux.resources.unified" '.linux.resources.unified = {"nothing.max": "1"}'
	refuse "is no name of a file" '.linux.resources.unified = {"memory/../x.max": "1"}'
	refuse "is no name of a file" '.linux.resources.unified = {"memory": "1"}'
	if grep -qs "cgroup2" /proc/self/mounts; then
		says 3 '.linux.resources.unified = {"cgroup.max.depth": "3"} | .process.args = ["sh", "-c", "cat /sys/fs/cgroup/unified/cgroup.max.depth 2>/dev/null || cat /sys/fs/cgroup/cgroup.max.depth"]'
	fi
}

@test "must: resctrl where there is none is an error" {
	[ ! -d /sys/fs/resctrl/info ] || skip "this machine has resctrl"
	refuse "no resctrl filesystem is mounted" '.linux.intelRdt = {closID: "gold"}'
	refuse "no resctrl filesystem is mounted" '.linux.intelRdt = {enableMonitoring: true}'
}

@test "must: seccomp: an errno for an action without one, no names, metadata without a path, NOTIFY without one, for write" {
	refuse "has no errnoRet" '.linux.seccomp = {defaultAction: "SCMP_ACT_ALLOW", defaultErrnoRet: 5}'
	refuse "has no errnoRet" '.linux.seccomp = {defaultAction: "SCMP_ACT_ALLOW", syscalls: [{names: ["mkdir"], action: "SCMP_ACT_KILL", errnoRet: 5}]}'
	refuse "names: are missing" '.linux.seccomp = {defaultAction: "SCMP_ACT_ALLOW", syscalls: [{names: [], action: "SCMP_ACT_KILL"}]}'
	refuse "listenerMetadata" '.linux.seccomp = {defaultAction: "SCMP_ACT_ALLOW", listenerMetadata: "x"}'
	refuse "without a listenerPath" '.linux.seccomp = {defaultAction: "SCMP_ACT_ALLOW", syscalls: [{names: ["swapon"], action: "SCMP_ACT_NOTIFY"}]}'
	refuse "write cannot be notified" '.linux.seccomp = {defaultAction: "SCMP_ACT_ALLOW", listenerPath: "/x", syscalls: [{names: ["write"], action: "SCMP_ACT_NOTIFY"}]}'
	refuse "is no comparison" '.linux.seccomp = {defaultAction: "SCMP_ACT_ALLOW", syscalls: [{names: ["mkdir"], action: "SCMP_ACT_ERRNO", args: [{index: 0, value: 0, op: "SCMP_CMP_X"}]}]}'
	refuse "no architecture" '.linux.seccomp = {defaultAction: "SCMP_ACT_ALLOW", architectures: ["X86"]}'
	# ignored without NOTIFY
	says "" '.linux.seccomp = {defaultAction: "SCMP_ACT_ALLOW", listenerPath: "/nobody/listens", syscalls: [{names: ["swapon"], action: "SCMP_ACT_ERRNO"}]} | .process.args = ["true"]'
	refuse "seccomp listener" '.linux.seccomp = {defaultAction: "SCMP_ACT_ALLOW", listenerPath: "/nobody/listens", syscalls: [{names: ["swapon"], action: "SCMP_ACT_NOTIFY"}]} | .process.args = ["true"]'
}

@test "must: seccomp: every flag, every action, every comparison, every architecture is known" {
	says "" '.linux.seccomp = {defaultAction: "SCMP_ACT_ALLOW", flags: ["SECCOMP_FILTER_FLAG_TSYNC", "SECCOMP_FILTER_FLAG_LOG", "SECCOMP_FILTER_FLAG_SPEC_ALLOW"],
		architectures: ("X86 X86_64 X32 ARM AARCH64 MIPS MIPS64 MIPS64N32 MIPSEL MIPSEL64 MIPSEL64N32 PPC PPC64 PPC64LE S390 S390X PARISC PARISC64 RISCV64 LOONGARCH64 M68K SH SHEB" | split(" ") | map("SCMP_ARCH_" + .)),
		syscalls: [("KILL KILL_PROCESS KILL_THREAD TRAP ERRNO TRACE ALLOW LOG" | split(" ") | .[] | {names: ["swapon"], action: ("SCMP_ACT_" + .)}),
			("NE LT LE EQ GE GT MASKED_EQ" | split(" ") | .[] | {names: ["swapoff"], action: "SCMP_ACT_ERRNO", args: [{index: 1, value: 3, valueTwo: 1, op: ("SCMP_CMP_" + .)}]})]} | .process.args = ["true"]'
}

@test "must: seccomp: a call that is younger than the profile is not there (ENOSYS), an older one that it does not name is refused" {
	command -v musl-gcc >/dev/null || skip "no musl-gcc to build the program that asks"
	cat >asks.c <<-'END'
		#include <errno.h>
		#include <stdio.h>
		#include <sys/syscall.h>
		#include <unistd.h>
		int main(void)
		{
			int young = syscall(900) < 0 ? errno : 0, old = syscall(SYS_mkdirat, -1, "", 0) < 0 ? errno : 0;
			printf("%d %d\n", young, old);
			return 0;
		}
	END
	musl-gcc -static -o rootfs/bin/asks asks.c
	says "38 1" '.linux.seccomp = {defaultAction: "SCMP_ACT_ERRNO", syscalls: [{names: ("read write writev open openat close fstat stat lstat newfstatat statx mmap mprotect munmap brk rt_sigaction rt_sigprocmask execve exit exit_group arch_prctl set_tid_address ioctl fcntl dup2 getuid getpid gettid prctl chdir getcwd umask close_range faccessat faccessat2 access poll ppoll sendmsg recvmsg setresuid setresgid setgroups capget capset readlink readlinkat prlimit64 futex" | split(" ")), action: "SCMP_ACT_ALLOW"}]}
		| .process.noNewPrivileges = true | .process.args = ["/bin/asks"]'
}

@test "must: seccomp notify: one state per connection, as JSON, with the descriptor in the first message" {
	python3 - "$PWD/n.sock" >told 3>&- <<-'END' &
		import array, json, os, socket, sys
		s = socket.socket(socket.AF_UNIX)
		s.bind(sys.argv[1] + ".new"); s.listen(2); os.rename(sys.argv[1] + ".new", sys.argv[1])
		c, _ = s.accept()
		msg, anc, _, _ = c.recvmsg(65536, socket.CMSG_SPACE(16))
		fds = array.array("i")
		for level, kind, data in anc: fds.frombytes(data)
		d = json.loads(msg)
		print(d["ociVersion"], d["fds"], d["pid"] == d["state"]["pid"], d["metadata"], d["state"]["status"], d["state"]["annotations"]["k"], len(fds), os.readlink("/proc/self/fd/%d" % fds[0]))
		print("rest", c.recv(10))
		s.settimeout(0.3)
		try: s.accept(); print("another")
		except OSError: print("no other")
	END
	local agent=$!
	until_true test -S n.sock
	says "" --arg p "$PWD/n.sock" '.annotations = {k: "v"} | .linux.seccomp = {defaultAction: "SCMP_ACT_ALLOW", listenerPath: $p, listenerMetadata: "a\"b", syscalls: [{names: ["swapon"], action: "SCMP_ACT_NOTIFY"}]} | .process.args = ["true"]'
	wait $agent
	cat told
	[ "$(sed -n 1p told)" = "1.3.0 ['seccompFd'] True a\"b creating v 1 anon_inode:seccomp notify" ]
	[ "$(sed -n 2p told)" = "rest b''" ]
	[ "$(sed -n 3p told)" = "no other" ]
}

@test "must: masked and read-only paths are absolute" {
	refuse "linux.maskedPaths" '.linux.maskedPaths = ["proc/kcore"]'
	refuse "linux.readonlyPaths" '.linux.readonlyPaths = ["proc/sys"]'
}

@test "must: time offsets, I/O priority, memory policy, CPU affinity of exec" {
	with '.linux.namespaces += [{type: "time"}] | .linux.timeOffsets = {monotonic: {secs: 10000000, nanosecs: 5}, boottime: {secs: 10000000}} | .process.args = ["cat", "/proc/uptime"]'
	[[ "$status" = 0 && "${output%%.*}" -ge 10000000 ]]
	refuse "linux.timeOffsets" '.linux.timeOffsets = {monotonic: {secs: 1}}'
	says idle '.process.ioPriority = {class: "IOPRIO_CLASS_IDLE", priority: 0} | .process.args = ["busybox", "ionice"]'
	says "best-effort: prio 6" '.process.ioPriority = {class: "IOPRIO_CLASS_BE", priority: 6} | .process.args = ["busybox", "ionice"]'
	with '.linux.memoryPolicy = {mode: "MPOL_BIND", nodes: "0", flags: ["MPOL_F_STATIC_NODES"]} | .process.args = ["head", "-n", "1", "/proc/self/numa_maps"]'
	[[ "$status" = 0 && "$output" == *"bind=static:0"* ]]
	for mode in MPOL_DEFAULT MPOL_LOCAL; do says "" --arg m $mode '.linux.memoryPolicy = {mode: $m} | .process.args = ["true"]'; done
	jq '.process.args = ["sleep", "1000"]' base.json >bundle/config.json
	clade-oci --root "$PWD/oci" run -d -b bundle aff </dev/null >/dev/null 2>&1 3>&-
	echo '{"args":["grep","Cpus_allowed_list","/proc/self/status"],"cwd":"/","user":{"uid":0,"gid":0},"execCPUAffinity":{"initial":"0","final":"0"}}' >p.json
	run -0 clade-oci --root "$PWD/oci" exec -p p.json aff
	[[ "$output" == *$'\t0' ]]
	echo '{"args":["true"],"cwd":"/","user":{"uid":0,"gid":0},"execCPUAffinity":{"final":"0-x"}}' >p.json
	run -255 clade-oci --root "$PWD/oci" exec -p p.json aff
	clade-oci --root "$PWD/oci" delete -f aff
}

@test "must: a user namespace by path is joined, with its ids" {
	local dir
	dir=$(mktemp -d /tmp/clade-must.XXXXXX)
	chmod 755 "$dir"
	mkdir -p rootfs/{proc,dev,sys}
	mv rootfs "$dir/rootfs"
	unshare --user sleep 1014 3>&- &
	local pid=$!
	until_true eval '[ "$(readlink /proc/'$pid'/ns/user)" != "$(readlink /proc/self/ns/user)" ]'
	echo "0 200000 1000" >/proc/$pid/uid_map
	echo "0 200000 1000" >/proc/$pid/gid_map
	with --arg p /proc/$pid/ns/user --arg r "$dir/rootfs" '.root.path = $r | .linux.namespaces += [{type: "user", path: $p}] | .process.user = {uid: 3, gid: 4} | .process.args = ["sh", "-c", "echo $(readlink /proc/self/ns/user) $(id -u) $(id -g) $(cat /proc/self/uid_map)"]'
	[ "$output" = "$(readlink /proc/$pid/ns/user) 3 4 0 200000 1000" ] || { echo "$output"; kill $pid; false; }
	kill $pid
	mv "$dir/rootfs" rootfs
	rmdir "$dir"
}
