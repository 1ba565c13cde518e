#!/usr/bin/env bats
# clade-oci where there is cgroup v2 alone: the machine's own, or a view of it that shows nothing else.

load helpers
setup() {
	clade_setup
	make_rootfs
	mkdir bundle
	(cd bundle && clade-oci spec)
	edit '.process.terminal = false | .root = {path: "'"$PWD"'/rootfs"} | .process.args = ["sleep", "1000"]'
	id=v2-$BATS_TEST_NUMBER
	rt features >/dev/null || skip "cgroup v2 cannot be mounted here"
	controllers=$(v2 cat /sys/fs/cgroup/cgroup.controllers)
}
teardown() {
	local one
	for one in $(rt list -q); do rt delete -f "$one"; done
	[ -z "$(find /sys/fs/cgroup -type d -path '*/clade/v2-*')" ] || return 1
	clade_teardown
}
edit() { jq "$@" bundle/config.json >new.json && mv new.json bundle/config.json; }
v2() {
	if [ -e /sys/fs/cgroup/cgroup.controllers ]; then
		"$@"
	else
		unshare --mount --propagation private sh -c 'umount -R -l /sys/fs/cgroup && mount -t cgroup2 none /sys/fs/cgroup && exec "$@"' - "$@"
	fi
}
rt() { v2 clade-oci --root "$PWD/oci" "$@"; }
run_it() {
	edit "$@"
	run rt run -b bundle "$id"
}
with_nod='.process.capabilities.bounding += ["CAP_MKNOD"] | .process.capabilities.effective += ["CAP_MKNOD"] | .process.capabilities.permitted += ["CAP_MKNOD"] | .process.capabilities |= map_values(. + ["CAP_SYSLOG"]) | .root.readonly = false'

@test "v2: life, pause, exec, kill, ps, events" {
	rt create -b bundle "$id" </dev/null >out 2>&1 3>&- || { cat out; false; }
	rt start "$id"
	pid=$(rt state "$id" | jq .pid)
	[[ "$(cat /proc/$pid/cgroup)" == *"0::"*"/clade/$id"* ]]
	rt pause "$id"
	[ "$(rt state "$id" | jq -r .status)" = paused ]
	run -255 rt exec "$id" true
	rt resume "$id"
	run -0 rt exec "$id" cat /proc/self/cgroup
	[[ "$output" == *0::/ ]]
	[ "$(rt ps --format json "$id")" = "[$pid]" ]
	rt events --stats "$id" | jq -e '.data.cpu.usage.total >= 0'
	rt exec -d "$id" sleep 1012 </dev/null >/dev/null 2>&1 3>&-
	[ "$(rt ps --format json "$id" | jq length)" = 2 ]
	rt kill "$id" KILL
	until_true eval '[ "$(rt state "$id" | jq -r .status)" = stopped ]'
	rt delete "$id"
}

@test "v2: device rules are a program: denied, allowed, the last one decides, defaults stay" {
	run_it "$with_nod"' | .linux.resources.devices = [{allow: false, access: "rwm"}] | .process.args = ["sh", "-c", "busybox mknod /t c 10 200 && (: </t) 2>&1; : </dev/zero && echo zero"]'
	[[ "$status" = 0 && "$output" == *"not permitted"*zero ]] || { echo "$output"; false; }
	run_it '.linux.resources.devices = [{allow: false, access: "rwm"}, {allow: true, type: "c", major: 1, minor: 11, access: "rw"}] | .process.args = ["sh", "-c", "busybox mknod /k c 1 11; : >/k && echo open"]'
	[ "$output" = open ] || { echo "$output"; false; }
	run_it '.linux.resources.devices = [{allow: true, access: "rwm"}, {allow: false, type: "c", major: 1, minor: 11, access: "w"}] | .process.args = ["sh", "-c", "rm -f /k; busybox mknod /k c 1 11; : </k && echo read; (: >/k) 2>&1"]'
	[[ "$output" == "read"*"not permitted"* ]] || { echo "$output"; false; }
	run_it '.linux.resources.devices = [{allow: false, type: "c", access: "m"}] | .process.args = ["sh", "-c", "rm -f /k; busybox mknod /k b 7 0 && echo block; busybox mknod /l c 10 200 2>&1"]'
	[[ "$output" == *block* ]] || { echo "$output"; false; }
	run_it '.linux.resources.devices = [{allow: false, type: "a", access: "rwm"}, {allow: true, type: "a", access: "rwm"}] | .process.args = ["sh", "-c", "rm -f /k; busybox mknod /k c 1 11; : </k && echo all"]'
	[ "$output" = all ] || { echo "$output"; false; }
}

@test "v2: limits of controllers that are there are set, of others a sentence" {
	local name
	for name in memory pids cpu cpuset io; do
		case $name in
		memory) edit '.linux.resources = {memory: {limit: 67108864, swap: 67108864}}' ;;
		pids) edit '.linux.resources = {pids: {limit: 55}}' ;;
		cpu) edit '.linux.resources = {cpu: {shares: 512, quota: 50000, period: 100000}}' ;;
		cpuset) edit '.linux.resources = {cpu: {cpus: "0"}}' ;;
		io) edit '.linux.resources = {blockIO: {weight: 100}}' ;;
		esac
		run rt run -d -b bundle "$id" </dev/null 3>&-
		if [[ " $controllers " == *" $name "* ]]; then
			[ "$status" = 0 ] || { echo "$name: $output"; false; }
			rt delete -f "$id"
		else
			[[ "$status" = 1 && "$output" == *"this host has no $name controller"* ]] || { echo "$name: $output"; false; }
		fi
	done
	[ -z "$(rt list -q)" ]
}

@test "v2: unified is written as it stands, its controllers enabled; a file that is not there is an error" {
	run_it '.linux.resources = {unified: {"cgroup.max.descendants": "7"}} | .process.args = ["cat", "/sys/fs/cgroup/cgroup.max.descendants"]'
	[[ "$status" = 0 && "$output" = 7 ]] || { echo "$output"; false; }
	run_it '.linux.resources = {unified: {"nothing.max": "7"}}'
	[[ "$status" = 1 && "$output" == *nothing.max* ]]
	run_it '.linux.resources = {unified: {"cgroup.nothing": "7"}}'
	[[ "$status" = 1 && "$output" == *cgroup.nothing* ]]
	run_it '.linux.resources = {cpu: {realtimeRuntime: 1000}}'
	[ "$status" = 1 ]
}

@test "v2: a writable cgroup is handed to the container's root; a delegated one lies below" {
	# the container's root is a stranger to the host
	local dir
	dir=$(mktemp -d /tmp/clade-v2.XXXXXX)
	chmod 755 "$dir"
	mkdir -p rootfs/{proc,dev,sys}
	mv rootfs "$dir/rootfs"
	edit --arg d "$dir/rootfs" '.root.path = $d'
	run_it '.linux.resources = {} | .linux.namespaces += [{type: "user"}] | .linux.uidMappings = [{containerID: 0, hostID: 100000, size: 1000}] | .linux.gidMappings = .linux.uidMappings | .root.readonly = false
		| .mounts |= map(if .destination == "/sys/fs/cgroup" then .options -= ["ro"] else . end) | .process.args = ["sh", "-c", "stat -c %u /sys/fs/cgroup /sys/fs/cgroup/cgroup.procs /sys/fs/cgroup/cgroup.freeze; mkdir /sys/fs/cgroup/mine && echo made"]'
	mv "$dir/rootfs" rootfs
	rmdir "$dir"
	[ "${lines[*]}" = "0 0 65534 made" ] || { echo "$output"; false; }
	edit '.root.path = "'"$PWD"'/rootfs"'
	edit 'del(.linux.uidMappings, .linux.gidMappings) | .linux.namespaces |= map(select(.type != "user"))'
	run_it '.annotations = {"run.oci.delegate-cgroup": "mine"} | .process.args = ["cat", "/proc/self/cgroup"]'
	[[ "$status" = 0 && "$output" == *0::/mine ]] || { echo "$output"; false; }
}
