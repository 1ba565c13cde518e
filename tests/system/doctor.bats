#!/usr/bin/env bats
# Each of the doctor's verdicts, made real.
# bats file_tags=user

load helpers
setup() { clade_setup; make_rootfs; cp "$BATS_TEST_DIRNAME/ills.py" .; chmod 755 ills.py; }
teardown() {
	umount ns 2>/dev/null || :
	[ -z "${helper-}" ] || kill -9 "$helper" 2>/dev/null || :
	clade_teardown
}

ill() { # NAME SITUATION...: a container with this ill
	local name=$1
	shift
	clade run -d --name "$name" -v "$PWD/ills.py:/tmp/ills.py:ro" host python3 /tmp/ills.py "$@" >/dev/null
	until_true eval 'clade logs "$name" | grep -q ready'
}

found() { # NAME KIND: the doctor's verdict of this kind, as JSON
	clade doctor --json "$1" 2>/dev/null | jq -e --arg k "$2" 'map(select(.kind == $k)) | .[0] // empty'
}

healed() {
	clade doctor --json "$1" 2>/dev/null | jq -e --arg k "$2" 'all(.kind != $k)'
}

@test "no reaping init: adopted zombies, the proof, reap now, --init for good" {
	clade run -d --name box dir:rootfs sleep 1000
	clade exec box sh -c 'for i in 1 2 3; do sh -c "sleep 0.1 & exit"; done'
	until_true eval 'found box init-does-not-reap | jq -e ".count == 3"'
	found box init-does-not-reap | jq -e '.count == 3 and .now == "clade reap box" and (.forGood | contains("--init")) and
		(.evidence | contains("does not catch SIGCHLD, is not in wait; adopted: in the session"))'
	[ "$(id -u)" = 0 ] || return 0 # a filter of the container keeps a normal user from reaping
	clade reap box
	healed box init-does-not-reap
}

@test "an application's own child: no init can help" {
	ill box own
	until_true found box parent-does-not-wait
	found box parent-does-not-wait | jq -e '(.evidence | contains("forked itself")) and (.now | startswith("clade reap --own")) and
		(.forGood | contains("no init can help"))'
}

@test "traced: the tracer must wait first" {
	ill box traced
	until_true found box tracer-does-not-wait
	found box tracer-does-not-wait | jq -e '.now | test("^end the tracer: kill [0-9]+$")'
}

@test "a stopped parent" {
	ill box stopped
	until_true found box parent-is-stopped
	local now
	now=$(found box parent-is-stopped | jq -r .now)
	[[ $now == "kill -CONT "* ]]
}

@test "a frozen parent" {
	ill box many 2
	until_true found box parent-does-not-wait
	clade pause box || skip "this user may not freeze a container"
	found box parent-is-frozen | jq -e '.now | startswith("clade unpause box")'
	clade unpause box
	healed box parent-is-frozen
}

@test "the first thread gone, others alive: not a zombie that could be reaped" {
	ill box leader_gone
	until_true found box first-thread-gone
	found box first-thread-gone | jq -e '(.evidence | contains(", 1 run on")) and (.now | startswith("nothing"))'
}

@test "a namespace that cannot die: held by a zombie whose parent is outside" {
	[ "$(id -u)" = 0 ] || skip "entering a namespace from outside needs root"
	clade run -d --name box dir:rootfs sleep 1000
	local init ns
	init=$(init_of box)
	ns=$(clade pid --json "$init" 2>/dev/null | jq '.[0].ns')
	python3 ills.py held "$init" >held.out 3>&- &
	helper=$!
	until_true grep -q ready held.out
	kill -9 "$init"
	until_true found "$ns" namespace-cannot-die
	found "$ns" namespace-cannot-die | jq -e --arg p "$helper" '(.evidence | contains("zap_pid_ns_processes") and
		contains("parent outside, \($p) (python3)")) and (.now | contains("clade reap --own --unknown \($p)"))'
	kill -9 "$helper"
	until_true eval '[[ "$(clade doctor 2>/dev/null)" != *namespace-cannot-die*"(sleep)"*"$init"* ]]'
}

@test "the pids limit: share of zombies, rate, time left" {
	clade run --rm --pids-limit 100 dir:rootfs true 2>/dev/null || skip "this user may not set limits"
	clade run -d --name box --pids-limit 30 -v "$PWD/ills.py:/tmp/ills.py:ro" host python3 /tmp/ills.py many 26 >/dev/null
	until_true eval 'clade logs box | grep -q ready'
	until_true eval 'found box near-pids-limit | jq -e ".evidence | contains(\"26 of them zombies\")"'
	found box near-pids-limit | jq -e '.evidence | test("^27 of 30 processes and threads are used, 26 of them zombies \\(96 %\\), [0-9.e+]+ more a second: full in [0-9]+ s")'
}

@test "PID 1 without a TERM handler" {
	clade run -d --name box dir:rootfs sleep 1000
	found box deaf-to-term | jq -e '(.evidence | contains("whole grace period")) and (.now | contains("--stop-signal"))'
	clade run -d --name well --init dir:rootfs sleep 1000
	until_true eval '[ "$(clade doctor well)" = "nothing to complain about" ]'
}

@test "a namespace that nobody entered" {
	[ "$(id -u)" = 0 ] || skip "unshare --pid needs root"
	unshare --pid sleep 1000 3>&- &
	helper=$!
	until_true eval 'clade doctor 2>/dev/null | grep -q "$helper (sleep) unshared a PID namespace"'
	run -1 --separate-stderr clade doctor
	[[ "$output" == *"never-entered"*"$helper (sleep) unshared a PID namespace"*"unshare --fork"* ]]
}

@test "a namespace whose init has ended, and one that only a descriptor or a mount holds" {
	[ "$(id -u)" = 0 ] || skip "mounting needs root"
	local inode
	: >ns
	unshare --pid sh -c '/bin/true; echo ready; exec sleep 1000' >out 3>&- &
	helper=$!
	until_true grep -q ready out
	inode=$(stat -L -c %i "/proc/$helper/ns/pid_for_children")
	clade ns --json 2>/dev/null | jq -e --argjson i "$inode" '.[] | select(.ns == $i) | .procs == 0 and .held == "not entered"'
	# from its word to its exec is a moment
	until_true eval 'clade doctor 2>/dev/null | grep "$helper (sleep) unshared namespace '"$inode"', whose PID 1 has ended"'
	exec 8<"/proc/$helper/ns/pid_for_children"
	kill "$helper"
	until_true eval 'clade ns --json 2>/dev/null | jq -e --argjson i '"$inode"' ".[] | select(.ns == \$i) | .held == \"descriptor\""'
	clade doctor 2>/dev/null | grep "namespace $inode has no process and is held by a descriptor of"
	mount --bind "/proc/$$/fd/8" ns
	exec 8<&-
	until_true eval 'clade ns --json 2>/dev/null | jq -e --argjson i '"$inode"' ".[] | select(.ns == \$i) | .held == \"mount\""'
	clade doctor 2>/dev/null | grep "namespace $inode has no process and is held by a bind mount of"
	umount ns
	helper=
}
