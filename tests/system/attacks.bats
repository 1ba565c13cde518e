#!/usr/bin/env bats
# What has gone wrong in container runtimes, tried on clade-oci: each test is an attack, named by its number, that must fail.

load helpers

setup_file() {
	local top=$BATS_TEST_DIRNAME/../..
	cc -O2 -D_GNU_SOURCE -o "$BATS_FILE_TMPDIR/swap" "$top/tests/attacks/swap.c"
	musl-gcc -static -O2 -D_GNU_SOURCE -o "$BATS_FILE_TMPDIR/overwrite" "$top/tests/attacks/overwrite.c"
}

setup() {
	clade_setup
	make_rootfs
	RT=(clade-oci --root "$BATS_TEST_TMPDIR/oci")
	ID=$BATS_TEST_NUMBER-attack
	children=()
	mkdir bundle victim
	(cd bundle && clade-oci spec)
	edit '.process.terminal = false | .root = {path: "'"$PWD"'/rootfs"} | .process.args = ["true"]'
	cp bundle/config.json base.json
}

teardown() {
	local pid id
	for pid in "${children[@]}"; do
		disown "$pid" 2>/dev/null || :
		kill -9 "$pid" 2>/dev/null || :
	done
	for id in $("${RT[@]}" list -q); do "${RT[@]}" delete -f "$id"; done
	# only the last line of a teardown fails the test by itself
	[ -z "$(ls oci 2>/dev/null)" ] || return 1
	[ -z "$(find /sys/fs/cgroup -maxdepth 3 -path "*/clade/*$ID*")" ] || return 1
	! grep -q " $BATS_TEST_TMPDIR" /proc/self/mounts || return 1
	clade_teardown
}

edit() { jq "$@" bundle/config.json >new.json && mv new.json bundle/config.json; }
# with JQ-FILTER: runs the base configuration with this change; status and output as of `run`
with() {
	jq "$@" base.json >bundle/config.json
	run "${RT[@]}" run -b bundle "$ID"
}
start() { # JQ-FILTER: the changed configuration as a container that stays
	jq "$@" base.json >bundle/config.json
	"${RT[@]}" run -d -b bundle "$ID" </dev/null >started 2>&1 3>&-
}

@test "CVE-2019-5736: who enters a container cannot be overwritten, nor what ran it" {
	local before i
	before=$(sha256sum "$BIN/clade-oci" "$BIN/clade-init")
	cp "$BATS_FILE_TMPDIR/overwrite" rootfs/bin/
	# a program whose interpreter is whoever executes it: the runtime, as a process of the container
	printf '#!/proc/self/exe\n' >rootfs/bin/again
	chmod 755 rootfs/bin/again
	mkdir out
	# read-only, so that it cannot get in its own way
	start --arg d "$PWD" '.process.args = ["sh", "-c", "exec overwrite >/tmp/log"] | .root.readonly = true
		| .mounts += [{destination: "/tmp", source: ($d + "/out"), options: ["bind", "rw"]}]'
	until_true grep -q ready out/log
	for i in $(seq 100); do
		# it may keep itself from being executed: an attempt to write, refused as it is, makes a file busy for a moment; the
		# shell says so of clade-oci ("Text file busy"), clade-oci of the program
		run "${RT[@]}" exec "$ID" true
		[ "$status" = 0 ] || [[ "${output,,}" == *"text file busy"* ]]
	done
	for i in $(seq 1000); do
		"${RT[@]}" exec "$ID" /bin/again >/dev/null 2>&1 || :
		[ "$(grep -c held out/log)" -lt 20 ] || break
	done
	[ "$i" -lt 1000 ]
	run ! grep written out/log
	[ "$before" = "$(sha256sum "$BIN/clade-oci" "$BIN/clade-init")" ]
}

@test "CVE-2021-30465, CVE-2024-45310: a mount's target swapped for a link while it is used" {
	local i bad=0
	mkdir -p vol/target/deep rootfs/vol
	ln -s "../../../../../../../../../../../../$PWD/victim" vol/link
	echo secret >file
	"$BATS_FILE_TMPDIR/swap" vol target link 3>&- &
	children+=($!)
	jq --arg d "$PWD" '.mounts += [{destination: "/vol", source: ($d + "/vol"), options: ["rbind", "rw"]},
		{destination: "/vol/target/made", type: "tmpfs", source: "tmpfs"},
		{destination: "/vol/target/deep/er/file", source: ($d + "/file"), options: ["bind"]},
		{destination: "/vol/target/folder", source: ($d + "/vol"), options: ["bind"]}]
		| .process.cwd = "/vol/target/deep/cwd"' base.json >bundle/config.json
	for i in $(seq 150); do
		"${RT[@]}" run -b bundle "$ID" </dev/null >out 2>&1 || bad=$((bad + 1))
		[ -z "$(ls -A victim)" ] || { ls -lR victim; false; }
		! grep -q "$PWD" /proc/self/mounts
	done
	echo "$bad of 150 were refused: $(tail -n 1 out)"
}

@test "CVE-2019-18837: targets behind absolute and relative links of the image" {
	ln -s "$PWD/victim" rootfs/absolute
	ln -s "../../../../../../../../../../../..$PWD/victim" rootfs/relative
	ln -s "$PWD/victim/not-there" rootfs/dangling
	for link in absolute relative dangling; do
		with --arg l "$link" --arg d "$PWD" '.mounts += [{destination: ("/" + $l), type: "tmpfs", source: "tmpfs"}]'
		with --arg l "$link" --arg d "$PWD" '.mounts += [{destination: ("/" + $l + "/a/b"), type: "tmpfs", source: "tmpfs"}]'
		with --arg l "$link" --arg d "$PWD" '.mounts += [{destination: ("/" + $l + "/f"), source: ($d + "/base.json"), options: ["bind"]}]'
		with --arg l "$link" '.process.cwd = ("/" + $l + "/cwd") | .root.readonly = false'
	done
	[ -z "$(ls -A victim)" ]
}

@test "CVE-2019-19921, CVE-2023-27561, CVE-2023-28642: /proc or /sys is a link in the image" {
	for name in proc sys; do
		rm -rf "rootfs/$name"
		mkdir -p rootfs/elsewhere
		ln -s elsewhere "rootfs/$name"
		with .
		[ "$status" = 1 ]
		[[ "$output" == *"/$name must be an ordinary folder"* ]]
		rm "rootfs/$name"
	done
}

@test "CVE-2019-16884, CVE-2025-52881: nothing is laid over /proc or into it" {
	mkdir fake
	mkdir -p fake/self/attr fake/1 fake/sys/kernel
	for mount in '{destination: "/proc", type: "tmpfs", source: "tmpfs"}' \
		'{destination: "/proc", source: ($d + "/fake"), options: ["rbind"]}' \
		'{destination: "/proc/self/attr", type: "tmpfs", source: "tmpfs"}' \
		'{destination: "/proc/../proc/self", type: "tmpfs", source: "tmpfs"}' \
		'{destination: "/proc/sys/kernel", source: ($d + "/fake"), options: ["bind"]}'; do
		with --arg d "$PWD" ".mounts += [$mount]"
		[ "$status" = 1 ] || { echo "$mount"; false; }
	done
	# what lxcfs shows instead of the kernel's is allowed
	echo "a uptime" >uptime
	with --arg d "$PWD" '.mounts += [{destination: "/proc/uptime", source: ($d + "/uptime"), options: ["bind"]}] | .process.args = ["cat", "/proc/uptime"]'
	[ "$output" = "a uptime" ]
}

@test "CVE-2025-52881: a sysctl is not written to what a volume was swapped in for /proc" {
	mkdir -p vol/proc/sys/net/ipv4 vol/other
	: >vol/proc/sys/net/ipv4/ip_forward
	with --arg d "$PWD" '.mounts |= map(select(.destination != "/proc")) | .linux.maskedPaths = [] | .linux.readonlyPaths = []
		| .mounts = [{destination: "/proc", source: ($d + "/vol/proc"), options: ["bind"]}] + .mounts
		| .linux.sysctl = {"net.ipv4.ip_forward": "1"}'
	[ "$status" = 1 ]
	[ ! -s vol/proc/sys/net/ipv4/ip_forward ]
	# without any /proc it is still the kernel's that is written, in the container's namespace
	with '.mounts |= map(select(.destination != "/proc")) | .linux.maskedPaths = [] | .linux.readonlyPaths = []
		| .linux.sysctl = {"net.ipv4.ip_forward": "1"}'
	[ "$status" = 0 ]
}

@test "CVE-2026-41579, CVE-2026-47766: /dev is a link in the image" {
	rm -rf rootfs/dev
	ln -s "$PWD/victim" rootfs/dev
	with .
	[ -z "$(ls -A victim)" ]
	with '.mounts |= map(select(.destination | startswith("/dev") | not))'
	[ -z "$(ls -A victim)" ]
	rm rootfs/dev
	ln -s "../../../../../../../../../..$PWD/victim" rootfs/dev
	with '.mounts |= map(select(.destination | startswith("/dev") | not))'
	[ -z "$(ls -A victim)" ]
}

@test "CVE-2025-31133: a mask is the real /dev/null, whatever the image planted there" {
	local planted
	mkdir -p rootfs/dev rootfs/secret
	echo hidden >rootfs/secret/file
	for planted in 'ln -s /proc/kcore rootfs/dev/null' 'ln -s /secret/file rootfs/dev/null' 'cp base.json rootfs/dev/null' \
		'mkdir rootfs/dev/null' 'mknod rootfs/dev/null c 1 5'; do
		rm -rf rootfs/dev/null
		eval "$planted"
		with '.mounts |= map(select(.destination | startswith("/dev") | not)) | .linux.maskedPaths = ["/secret/file", "/proc/sysrq-trigger"]
			| .linux.readonlyPaths = [] | .process.args = ["sh", "-c", "cat /secret/file; stat -c %t:%T /proc/sysrq-trigger"]'
		# refused, or it holds
		[ "$status" != 0 ] || [ "$output" = 1:3 ] || { echo "$planted: $output"; false; }
	done
	[ "$(cat rootfs/secret/file)" = hidden ]
}

@test "CVE-2025-52565: the console is bound by descriptor, not by a path below /dev/pts" {
	mkdir -p rootfs/dev
	ln -s "$PWD/victim/console" rootfs/dev/console
	jq '.process.terminal = true | .process.args = ["tty"] | .mounts |= map(select(.destination != "/dev"))' base.json >bundle/config.json
	run "${RT[@]}" run -b bundle "$ID" </dev/null
	[ ! -e victim/console ]
	rm rootfs/dev/console
	strace -f -e trace=open,openat,openat2,mount,open_tree,move_mount -o trace "${RT[@]}" run -b bundle "$ID" </dev/null >out 2>&1
	grep -q /dev/pts/0 out
	# opened by the program itself (tty) at the most, never mounted from a path
	! grep -E '(open_tree|mount|move_mount)\([^)]*pts/[0-9]' trace
}

@test "CVE-2024-21626, CVE-2016-9962: no descriptor of the host reaches a container, as folder or otherwise" {
	local n
	mkdir host-folder
	exec 20<host-folder 21<base.json 22<.
	for n in $(seq 3 22); do
		with --arg n "$n" '.process.cwd = ("/proc/self/fd/" + $n) | .process.args = ["pwd"]'
		# no descriptor is a way to a folder, not even one of the container's own
		[[ "$status" = 1 && "$output" == *"working folder /proc/self/fd/$n: "* ]] || { echo "$n: $output"; false; }
	done
	with '.process.args = ["ls", "/proc/self/fd"]'
	# ls itself has one more open
	[ "$(wc -w <<<"$output")" -le 4 ]
	start '.process.args = ["sleep", "1000"]'
	for n in $(seq 3 22); do
		run "${RT[@]}" exec --cwd "/proc/self/fd/$n" "$ID" pwd
		[[ "$status" = 255 && "$output" == *"working folder /proc/self/fd/$n: "* ]] || { echo "$n: $output"; false; }
	done
	run "${RT[@]}" exec "$ID" ls /proc/self/fd
	[ "$(wc -w <<<"$output")" -le 4 ]
	exec 20<&- 21<&- 22<&-
}

@test "CVE-2016-9962: who joins may not be looked into by the container before it is the program" {
	start '.process.args = ["sleep", "1000"]'
	strace -f -e trace=prctl,setns,unshare,clone3,clone,execve -o trace "${RT[@]}" exec "$ID" true
	# not dumpable before it is in the container's PID namespace
	awk '/PR_SET_DUMPABLE, *(0|SUID_DUMP_DISABLE)/ { quiet = 1 } /setns\(/ { if (!quiet) exit 1; seen = 1 } END { exit !seen }' trace
}

@test "CVE-2022-29162, CVE-2022-27650, CVE-2025-27612: inheritable capabilities are none" {
	with '.process.args = ["grep", "CapInh", "/proc/self/status"] | .process.capabilities |= del(.ambient) | .process.capabilities.inheritable = []'
	[[ "$output" == *0000000000000000 ]]
	start '.process.args = ["sleep", "1000"] | .process.capabilities |= del(.ambient) | .process.capabilities.inheritable = []'
	run "${RT[@]}" exec "$ID" grep CapInh /proc/self/status
	[[ "$output" == *0000000000000000 ]]
	run "${RT[@]}" exec --cap CAP_KILL "$ID" grep CapInh /proc/self/status
	[[ "$output" == *0000000000000000 ]]
}

@test "CVE-2026-30892, CVE-2016-3697: a user is the number that was asked for" {
	printf '1000:x:0:0::/:/bin/sh\n' >>rootfs/etc/passwd
	start '.process.args = ["sleep", "1000"]'
	for user in 1 1000 1000:1001; do
		run "${RT[@]}" exec -u "$user" "$ID" sh -c 'echo $(id -u):$(id -g)'
		[[ "$output" == "${user%%:*}:"* ]]
	done
	[[ "$output" == 1000:1001 ]]
	for user in -1 "1 " 1x 4294967296 4294967295 1:2:3 :; do
		run "${RT[@]}" exec -u "$user" "$ID" id -u
		[ "$status" = 255 ] || { echo "\"$user\": $output"; false; }
	done
	# nobody asked for one: the container's own
	jq '.process.args = ["sleep", "1000"] | .process.user = {uid: 1000, gid: 1001}' bundle/config.json >other.json
	"${RT[@]}" run -d -b bundle -f "$PWD/other.json" "$ID-other" </dev/null >/dev/null 2>&1 3>&-
	run -0 "${RT[@]}" exec -u "" "$ID-other" id -u
	"${RT[@]}" delete -f "$ID-other"
	[ "$output" = 1000 ]
}

@test "CVE-2022-0400: the caller's supplementary groups do not stay" {
	start '.process.args = ["sleep", "1000"] | .process.user = {uid: 1000, gid: 1001}'
	run setpriv --groups 0,4,24 "${RT[@]}" exec "$ID" id -G
	[ "$output" = 1001 ]
	run setpriv --groups 0,4,24 "${RT[@]}" exec -u 5:6 "$ID" id -G
	[ "$output" = 6 ]
	"${RT[@]}" delete -f "$ID"
	jq '.process.args = ["id", "-G"] | .process.user = {uid: 1000, gid: 1001}' base.json >bundle/config.json
	run setpriv --groups 0,4,24 "${RT[@]}" run -b bundle "$ID"
	[ "$output" = 1001 ]
}

@test "CVE-2022-0492: no release_agent is to be written from inside" {
	with '.process.args = ["sh", "-c", "for f in $(busybox find /sys/fs/cgroup -name release_agent 2>/dev/null) /sys/fs/cgroup/cgroup.procs; do echo /x >$f && echo written $f; done; true"]'
	[[ "$output" != *"written "* ]]
}

@test "a PID that is somebody else's by now is not signalled" {
	# in a PID namespace of our own, where the next PID may be chosen
	cat >inside <<-'END'
		set -e
		rt=(clade-oci --root "$PWD/oci")
		"${rt[@]}" run -d -b bundle "$1" </dev/null >/dev/null 2>&1
		pid=$("${rt[@]}" state "$1" | jq .pid)
		kill -9 "$pid"
		until [ ! -e "/proc/$pid" ]; do :; done
		for i in $(seq 50); do
			echo $((pid - 1)) >/proc/sys/kernel/ns_last_pid
			sleep 1000 &
			[ $! != "$pid" ] || break
			kill -9 $!
		done
		[ $! = "$pid" ] || exit 77
		[ "$("${rt[@]}" state "$1" | jq -r .status)" = stopped ]
		! "${rt[@]}" kill "$1" KILL 2>/dev/null
		"${rt[@]}" delete -f "$1"
		kill -0 "$pid"
	END
	jq '.process.args = ["sleep", "1000"]' base.json >bundle/config.json
	# a reaper above: the container's init is nobody's child there
	run unshare --pid --fork --mount-proc --kill-child bash -c 'bash inside "$1"; exit $?' - "$ID"
	echo "$output"
	[ "$status" = 0 ]
}

@test "hostile configurations: a sentence each, and nothing of them is made" {
	local change
	for change in '.linux.cgroupsPath = "/../../x"' '.linux.cgroupsPath = "a/../../../x"' '.hostname = "a/b" | .linux.namespaces |= map(select(.type != "uts"))' \
		'.linux.resources.unified = {"../x": "1"}' '.linux.resources.unified = {"a/b": "1"}' \
		'.linux.resources.pids.limit = 9223372036854775808' '.process.user.uid = -1' '.process.user.uid = 4294967296' \
		'.process.oomScoreAdj = 5000' '.process.rlimits = [{type: "RLIMIT_X", soft: 1, hard: 1}]' \
		'.linux.devices = [{path: "dev/x", type: "c", major: 1, minor: 3}]' '.linux.devices = [{path: "/../../x", type: "q", major: 1, minor: 3}]' \
		'.hooks = {prestart: [{path: "relative"}]}' '.linux.sysctl = {"kernel.core_pattern": "|/x"}' '.linux.sysctl = {"net/../kernel/core_pattern": "x"}' \
		'.linux.sysctl = {"../x": "1"}' '.mounts += [{destination: "", type: "tmpfs", source: "x"}]' \
		'.process.args = []' '.process.args = [""]' '.process.env = ["NOEQUALS", "A=B"] | .process.cwd = "relative"' \
		'.linux.seccomp = {defaultAction: "SCMP_ACT_X"}' '.root.path = ""' '.root.path = "/not/there"' '.ociVersion = "9.0.0"' \
		'.linux.uidMappings = [{containerID: 0, hostID: 0, size: 0}]' '.mounts[0].options = 5' '.process = null'; do
		with "$change"
		[ "$status" = 1 ] || { echo "$change: $status $output"; false; }
		[ "${#lines[@]}" = 1 ] || { echo "$change: $output"; false; }
		[ -z "$("${RT[@]}" list -q)" ]
	done
}

@test "hostile files: huge, deep, not a file, a loop of links, names with control characters" {
	head -c 100000000 /dev/zero | tr '\0' ' ' >bundle/config.json
	echo '{' >>bundle/config.json
	run -1 "${RT[@]}" run -b bundle "$ID"
	(printf '[%.0s' $(seq 100000); printf ']%.0s' $(seq 100000)) >bundle/config.json
	run -1 "${RT[@]}" run -b bundle "$ID"
	jq --arg n "$(printf 'x%.0s' $(seq 100000))" '.annotations = {"k": $n}' base.json >bundle/config.json
	run -0 "${RT[@]}" run -b bundle "$ID"
	rm bundle/config.json
	mkfifo bundle/config.json
	run -1 timeout 20 "${RT[@]}" run -b bundle "$ID"
	rm bundle/config.json
	ln -s config.json bundle/config.json
	run -1 "${RT[@]}" run -b bundle "$ID"
	rm bundle/config.json
	jq '.process.args = ["/bin/\u001b[31mred\nnewline"]' base.json >bundle/config.json
	run -1 "${RT[@]}" run -b bundle "$ID"
	[[ "$output" != *$'\e'* ]]
	[ "${#lines[@]}" = 1 ]
}
