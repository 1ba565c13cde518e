#!/usr/bin/env bats
# update: every flag, JSON from a file and from standard input, and what it refuses.

load helpers
setup() {
	clade_setup
	make_rootfs
	RT=(clade-oci --root "$PWD/oci")
	mkdir bundle
	(cd bundle && clade-oci spec)
	edit '.process.terminal = false | .root = {path: "'"$PWD"'/rootfs"} | .process.args = ["sleep", "1000"]'
	id=update-$BATS_TEST_NUMBER
}
teardown() {
	local one
	for one in $("${RT[@]}" list -q); do "${RT[@]}" delete -f "$one"; done
	clade_teardown
}
edit() { jq "$@" bundle/config.json >new.json && mv new.json bundle/config.json; }
start() { "${RT[@]}" run -d -b bundle "$id" </dev/null >out 2>&1 3>&- || { cat out; false; }; }
# file CONTROLLER V1-FILE V2-FILE: its content in the container's cgroup; fails where there is no such controller
file() {
	if [ -e "/sys/fs/cgroup/$1/clade/$id/$2" ]; then
		cat "/sys/fs/cgroup/$1/clade/$id/$2"
	elif [ -e "/sys/fs/cgroup/clade/$id/$3" ]; then
		cat "/sys/fs/cgroup/clade/$id/$3"
	else
		return 1
	fi
}
has() { file "$@" >/dev/null; }

@test "update: each flag changes its limit and nothing else" {
	edit '.linux.resources = {pids: {limit: 20}}'
	start
	has pids pids.max pids.max || skip "this machine has no cgroup controllers"
	[ "$(file pids pids.max pids.max)" = 20 ]
	"${RT[@]}" update --pids-limit=30 "$id"
	[ "$(file pids pids.max pids.max)" = 30 ]
	"${RT[@]}" update --pids-limit -1 "$id"
	[ "$(file pids pids.max pids.max)" = max ]
	"${RT[@]}" update --memory 100M "$id"
	[ "$(file memory memory.limit_in_bytes memory.max)" = 104857600 ]
	"${RT[@]}" update --memory 200M --memory-swap 300M "$id"
	"${RT[@]}" update --memory 400M --memory-swap 500M "$id"
	[ "$(file memory memory.limit_in_bytes memory.max)" = 419430400 ]
	"${RT[@]}" update --memory 100M --memory-swap 100M --memory-reservation 50M "$id"
	[ "$(file memory memory.soft_limit_in_bytes memory.low)" = 52428800 ]
	"${RT[@]}" update --cpu-share 512 "$id"
	[[ "$(file cpu cpu.shares cpu.weight)" = 512 || "$(file cpu cpu.shares cpu.weight)" = 59 ]]
	"${RT[@]}" update --cpu-period 200000 --cpu-quota 50000 "$id"
	"${RT[@]}" update --cpu-quota 60000 "$id"
	[[ "$(file cpu cpu.cfs_quota_us cpu.max)" = 60000 || "$(file cpu x cpu.max)" = "60000 200000" ]]
	"${RT[@]}" update --cpu-period 100000 "$id"
	[[ "$(file cpu cpu.cfs_period_us cpu.max)" = 100000 || "$(file cpu x cpu.max)" = "60000 100000" ]]
	"${RT[@]}" update --cpuset-cpus 0 --cpuset-mems 0 "$id"
	[ "$(file cpuset cpuset.cpus cpuset.cpus)" = 0 ]
	if has cpu cpu.idle cpu.idle; then
		"${RT[@]}" update --cpu-idle 1 "$id"
		[ "$(file cpu cpu.idle cpu.idle)" = 1 ]
		"${RT[@]}" update --cpu-idle 0 "$id"
	fi
	if has cpu cpu.cfs_burst_us cpu.max.burst; then
		"${RT[@]}" update --cpu-burst 10000 "$id"
		[ "$(file cpu cpu.cfs_burst_us cpu.max.burst)" = 10000 ]
	fi
	# gone from kernels: taken, without effect
	"${RT[@]}" update --kernel-memory 50M --kernel-memory-tcp 50M "$id"
	[ "$(file pids pids.max pids.max)" = max ]
}

@test "update: JSON from a file and from standard input" {
	start
	has pids pids.max pids.max || skip "this machine has no cgroup controllers"
	echo '{"pids": {"limit": 41}, "memory": {"limit": 134217728}, "cpu": {"shares": 1024}}' >r.json
	"${RT[@]}" update -r r.json "$id"
	[ "$(file pids pids.max pids.max)" = 41 ]
	[ "$(file memory memory.limit_in_bytes memory.max)" = 134217728 ]
	echo '{"pids": {"limit": 42}, "unknown": 5}' | "${RT[@]}" update --resources - "$id"
	[ "$(file pids pids.max pids.max)" = 42 ]
	echo '{"pids": {"limit": "many"}}' >r.json
	run -1 "${RT[@]}" update -r r.json "$id"
	[[ "$output" == *"pids.limit"* ]]
	run -1 "${RT[@]}" update -r /no/such/file "$id"
	run -1 "${RT[@]}" update --memory lots "$id"
	run -1 "${RT[@]}" update --blkio-weight 5 "$id"
	[[ "$output" == *"blockIO.weight"* || "$output" == *"no io controller"* ]]
	run -1 "${RT[@]}" update --pids-limit 3 nobody
	[[ "$output" == *"does not exist"* ]]
}

@test "update: a memory limit below what is in use is refused when that is asked for" {
	edit '.process.args = ["sh", "-c", "busybox dd if=/dev/zero of=/dev/shm/x bs=1M count=30 2>/dev/null; echo up >/dev/shm/up; exec sleep 1000"]'
	start
	has memory memory.limit_in_bytes memory.max || skip "this machine has no memory controller"
	until_true "${RT[@]}" exec "$id" ls /dev/shm/up
	echo '{"memory": {"limit": 5242880, "checkBeforeUpdate": true}}' >r.json
	run -1 "${RT[@]}" update -r r.json "$id"
	[ "$("${RT[@]}" state "$id" | jq -r .status)" = running ]
	[ "$(file memory memory.limit_in_bytes memory.max)" != 5242880 ]
}

@test "update: resctrl's lines want a class of service" {
	start
	run -1 "${RT[@]}" update --mem-bw-schema 'L3:0=1' "$id"
	[[ "$output" == *"memBwSchema"* ]]
	[ ! -d /sys/fs/resctrl/info ] || skip "this machine has resctrl"
	run -1 "${RT[@]}" update --l3-cache-schema 'L3:0=f' --mem-bw-schema 'MB:0=50' "$id"
	[[ "$output" == *"no resctrl filesystem is mounted"* ]]
}

@test "update: real-time of a nested group is given from above, at create and by update" {
	[ -e /sys/fs/cgroup/cpu/cpu.rt_runtime_us ] || skip "this kernel's cgroups have no real-time"
	edit '.linux.resources = {cpu: {realtimeRuntime: 2000, realtimePeriod: 1000000}}'
	start
	[ "$(file cpu cpu.rt_runtime_us x)" = 2000 ]
	"${RT[@]}" update --cpu-rt-runtime 5000 "$id"
	[ "$(file cpu cpu.rt_runtime_us x)" = 5000 ]
	"${RT[@]}" update --cpu-rt-runtime 1000 "$id"
	[ "$(file cpu cpu.rt_runtime_us x)" = 1000 ]
	# more than the machine has
	run -1 "${RT[@]}" update --cpu-rt-runtime 999999 "$id"
	[[ "$output" == *"cpu.rt_runtime_us: invalid argument"* ]]
}
