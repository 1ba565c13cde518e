#!/usr/bin/env bats
# Limits by cgroups, and pause: root's, or whoever may make cgroups.

load helpers
setup() { clade_setup; make_rootfs; }
teardown() { clade_teardown; }

cgroup_file() { # CONTAINER FILE: where it is on this host, v1 or v2
	local id
	id=$(clade ps -aq --no-trunc --filter "name=$1")
	find /sys/fs/cgroup -path "*/clade/$id/$2" 2>/dev/null | head -n 1
}

@test "limits: --pids-limit, --memory, --cpus are written" {
	clade run -d --name box --pids-limit 20 --memory 64m --cpus 0.5 --stop-timeout 1 dir:rootfs sleep 1000
	[ "$(cat "$(cgroup_file box pids.max)")" = 20 ]
	local memory cpu
	memory=$(cgroup_file box memory.limit_in_bytes)
	[ -n "$memory" ] || memory=$(cgroup_file box memory.max)
	[ "$(cat "$memory")" = 67108864 ]
	cpu=$(cgroup_file box cpu.cfs_quota_us)
	[ -n "$cpu" ] || cpu=$(cgroup_file box cpu.max)
	[[ "$(cat "$cpu")" = 50000* ]]
	run -0 clade update --pids-limit 30 box
	[ "$(cat "$(cgroup_file box pids.max)")" = 30 ]
	run -0 clade stats --no-stream --format name,pids,pids_limit box
	[[ "${lines[1]}" =~ box\ +1\ +30 ]]
	run -0 clade stats --no-stream
	[[ "${lines[0]}" =~ ^CONTAINER\ ID\ +NAME\ +CPU\ %\ +MEM\ USAGE\ /\ LIMIT\ +MEM\ %\ +NET\ I/O\ +BLOCK\ I/O\ +PIDS ]]
	[[ "${lines[1]}" =~ box\ +[0-9.]+%\ +[0-9.]+[KMG]?i?B\ /\ 64MiB\ +[0-9.]+%\ .*\ 1$ ]]
	[ "$(clade stats --no-stream --format json box | jq -r '.Name + .PIDs + .Container')" = box1box ]
	# without --no-stream again and again, until its reader has gone
	run -0 timeout 60 bash -c "clade stats --format '{{.Name}}' box 2>/dev/null | head -n 3"
	[ "$output" = "$(printf 'box\nbox\nbox')" ]
	run -125 clade stats --no-stream nothing
}

@test "limits: what goes past them fails or is killed" {
	run clade run --rm --pids-limit 5 dir:rootfs sh -c 'for i in 1 2 3 4 5 6 7 8; do sleep 5 & done; echo all'
	[[ "$output" == *"fork"* ]]
	run clade run --name eats --memory 16m dir:rootfs sh -c 'x=$(head -c 100000000 /dev/zero | tr "\0" x); echo done'
	[[ "$output" != *done* ]]
	[ "$status" != 0 ]
	run -125 clade run --rm --memory 1 dir:rootfs true
	[[ "$output" == *"the least is 6m"* ]]
}

@test "limits: an init that is killed for its memory is shown so" {
	run -137 clade run --name eats --memory 16m dir:rootfs tail /dev/zero
	clade inspect eats | jq -e '.[0].State.OOMKilled'
}

@test "pause and unpause: nothing runs meanwhile" {
	clade run -d --name box dir:rootfs sh -c 'i=0; while :; do i=$((i + 1)); echo $i; sleep 0.02; done'
	until_true eval 'clade logs box | grep -q 3'
	run -0 clade pause box
	# what it had written before is on its way to the log
	settled() { before=$(clade logs box | wc -l) && sleep 0.3 && [ "$(clade logs box | wc -l)" = "$before" ]; }
	until_true settled
	[[ "$(clade ps)" == *"(Paused)"* ]]
	run -125 clade exec box true
	[[ "$output" == *"is paused"* ]]
	run -1 clade pause box
	[ "$(clade logs box | wc -l)" = "$before" ]
	run -0 clade unpause box
	until_true eval '[ "$(sleep 0.2; clade logs box | wc -l)" -gt "$before" ]'
	run -1 clade unpause box
	clade pause box
	run -0 clade rm -f box
}

@test "exec'd processes are in the container's cgroup" {
	clade run -d --name box dir:rootfs sleep 1000
	clade exec -d box sleep 1001
	until_true eval '[ "$(wc -l <"$(cgroup_file box cgroup.procs)")" = 2 ]'
}

@test "limits: --cgroup-parent" {
	clade run -d --name box --cgroup-parent /clade-test-parent dir:rootfs sleep 1000
	id=$(clade ps -q --no-trunc)
	[ -n "$(find /sys/fs/cgroup -maxdepth 3 -path "*/clade-test-parent/$id")" ]
	clade rm -f box
	find /sys/fs/cgroup -maxdepth 2 -name clade-test-parent -exec rmdir {} +
}

@test "devices: the default ones work, others are refused, --device and --privileged give them" {
	run -0 clade run --rm dir:rootfs sh -c 'echo x >/dev/null && head -c 1 /dev/urandom | wc -c; ls /dev'
	[[ "$output" == *null* ]]
	local device
	device=$(lsblk -ndpo NAME 2>/dev/null | head -n 1)
	[ -b "$device" ] || skip "this machine has no block device"
	run -0 clade run --rm --device "$device" dir:rootfs head -c 1 "$device"
	run -0 clade run --rm --device "$device:/dev/mine:r" dir:rootfs head -c 1 /dev/mine
	run ! clade run --rm dir:rootfs sh -c "busybox mknod /dev/mine b 8 0 && head -c 1 /dev/mine"
	run -0 clade run --rm --privileged dir:rootfs test -b "$device"
}
