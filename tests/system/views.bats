#!/usr/bin/env bats
# The process views: which container, which PID, which zombie, whose fault.
# bats file_tags=user

load helpers
setup() { clade_setup; make_rootfs; }
teardown() { clade_teardown; }

zombie_in() { # CONTAINER: an orphan of it that has ended and that nobody waits for
	clade exec "$1" sh -c 'sh -c "sleep 0.1 & exit"'
	until_true eval '[ "$(clade zombies --json "'"$1"'" 2>/dev/null | jq length)" -ge 1 ]'
}

@test "zombies: whose, why, what helps; the exit status is a probe" {
	clade run -d --name box dir:rootfs sleep 1000
	run -0 --separate-stderr clade zombies box
	[ -z "$output" ]
	zombie_in box
	run -1 --separate-stderr clade zombies box
	[[ "$output" == *"adopted"*"init"*"clade reap"* ]]
	run -0 --separate-stderr clade zombies --max 1 box
	clade zombies --json box 2>/dev/null >found.json || :
	jq -e '.[0].ctr == "box" and .[0].fault == "init" and .[0].exit == "0"' found.json
}

@test "zombies: a program that does not wait for its own children is named as the one at fault" {
	clade run -d --name box host python3 -c '
import os, time
if os.fork() == 0:
    os._exit(3)
time.sleep(1000)'
	until_true eval '[ "$(clade zombies --json box 2>/dev/null | jq length)" = 1 ]'
	clade zombies --json box 2>/dev/null | jq -e '.[0].exit == "3" and (.[0].fault == "parent" or .[0].fault == "unknown")'
}

@test "pid: the mapping both ways" {
	clade run -d --name box dir:rootfs sleep 1000
	local init
	init=$(init_of box)
	[ "$(clade pid --json "$init" 2>/dev/null | jq -c .[0].nspid)" = "[$init,1]" ]
	[ "$(clade pid --json box:1 2>/dev/null | jq .[0].pid)" = "$init" ]
	[ "$(clade pid --json box 1 2>/dev/null | jq .[0].pid)" = "$init" ]
	run -125 --separate-stderr clade pid box:99999
	[[ "$stderr" == *"box:99999: no such process"* ]]
	run -125 clade pid no-such-thing
}

@test "ns: every namespace, nested ones under their parents" {
	clade run -d --name box dir:rootfs sleep 1000
	local init
	init=$(init_of box)
	clade ns --json 2>/dev/null | jq -e --argjson i "$init" 'map(select(.init == $i)) | .[0].level == 1 and .[0].procs == 1'
	clade ns --json 2>/dev/null | jq -e '.[0].level == 0'
}

@test "ns: one without processes is held by a mount, of whatever mount namespace, or by a descriptor" {
	[ "$(id -u)" = 0 ] || skip "only root binds a PID namespace to a file"
	mkfifo go
	# shellcheck disable=SC2016 # the inner shell's
	unshare --mount --propagation private bash -c 'touch file && unshare --fork --pid="$PWD/file" true && exec 7<file && echo mounted &&
		read -r x <go && umount -l file && echo open && read -r x <go' >said 2>&1 3>&- &
	local keeper=$!
	until_true grep -qx mounted said
	clade ns --json -o held,holder,procs 2>/dev/null | jq -e "map(select(.holder == $keeper)) == [{held: \"mount\", holder: $keeper, procs: 0}]"
	echo >go
	until_true grep -qx open said
	clade ns --json -o held,holder,procs 2>/dev/null | jq -e "map(select(.holder == $keeper)) == [{held: \"descriptor\", holder: $keeper, procs: 0}]"
	echo >go
	wait "$keeper"
	clade ns --json -o holder 2>/dev/null | jq -e "all(.holder != $keeper)"
}

@test "tree: --json, --dot, a container by name, a PID inside" {
	clade run -d --name box dir:rootfs sh -c 'sleep 1001 & sleep 1002'
	until_true eval '[ "$(clade tree --json box 2>/dev/null | jq ".[0].children | length")" = 1 ]'
	clade tree --json box 2>/dev/null | jq -e '.[0].init and .[0].container == "box" and .[0].nspid[1] == 1'
	run -0 --separate-stderr clade tree --dot box
	[[ "$output" == "digraph clade {"*"PID namespace"*"}" ]]
	run -0 --separate-stderr clade tree box:1
	[[ "${lines[0]}" == *"container box"* ]]
	run -0 --separate-stderr clade tree --ascii box
	[[ "$output" == *'`-- '* ]]
	run -125 clade tree nothing-of-this-name
}

@test "ps -A: processes of the host with their container; columns by choice" {
	clade run -d --name box dir:rootfs sleep 1000
	local init
	init=$(init_of box)
	clade ps -A --json 2>/dev/null | jq -e --argjson i "$init" 'map(select(.nspid[0] == $i)) | .[0].args == "sleep 1000"'
	run -0 --separate-stderr clade ps -A -o pid,ipid,ctr,comm
	[[ "${lines[0]}" =~ PID\ +IPID\ +CTR\ +COMM ]]
	run -125 clade ps -A -o nothing
	[[ "$output" == *"nothing"* ]]
}

@test "a hostile command line is shown harmless" {
	clade run -d --name box dir:rootfs sh -c 'sleep 1003; true' $'\x1b[2J\nfake 1 line'
	until_true eval 'clade tree box 2>/dev/null | grep -q fake'
	run -0 --separate-stderr clade tree box
	[[ "$output" != *$'\x1b'* ]]
	[[ "$output" == *'\x1b[2J\nfake'* ]]
}

@test "metrics: Prometheus' text, and a file written whole" {
	clade run -d --name box dir:rootfs sleep 1000
	zombie_in box
	run -0 --separate-stderr clade metrics
	[[ "$output" == *"# TYPE clade_pidns_processes gauge"* ]]
	grep -qE '^clade_zombies\{pidns="[0-9]+",.*fault="init"\} 1$' <<<"$output"
	[ -z "$(grep -vE '^(#|[a-z_]+(\{[^}]*\})? [0-9.]+$)' <<<"$output")" ]
	clade metrics --textfile out.prom
	grep -q clade_scan_seconds out.prom
	run -125 clade metrics --textfile /no/such/folder/x
}

@test "doctor: verdicts with their reason and what helps; exit 1 when there are any" {
	clade run -d --name well dir:rootfs sh -c 'trap "exit 0" TERM; while :; do sleep 0.1; done'
	until_true eval 'clade doctor well'
	[[ "$(clade doctor well)" == *"nothing to complain about"* ]]
	clade run -d --name ill dir:rootfs sleep 1000
	zombie_in ill
	run -1 clade doctor ill
	[[ "$output" == *"init-does-not-reap in "*"clade reap"*"--init"* ]]
	[[ "$output" == *"deaf-to-term"*"no handler for TERM"* ]]
	clade doctor --json ill >found.json || :
	jq -e 'map(.kind) | contains(["init-does-not-reap"])' found.json
	run -125 clade doctor nothing-of-this-name
}

@test "run --reap=kernel: orphans of a deaf PID 1 are reaped by the kernel" {
	clade run -d --name box --reap=kernel dir:rootfs sleep 1000
	clade exec box sh -c 'sh -c "sleep 0.1 & exit"'
	# a zombie would be there for ever
	until_true eval '[ "$(clade tree --json box 2>/dev/null | jq "[.. | .pid? // empty] | length")" = 1 ]'
	run -125 clade run --rm --reap=nobody dir:rootfs true
}

@test "what hidepid= hides is said" {
	[ "$(id -u)" = 0 ] || skip "only root mounts /proc so that others see less of it"
	local how
	for how in 1 2; do
		run -0 --separate-stderr unshare --mount sh -c "mount -t proc -o hidepid=$how proc /proc &&
			exec setpriv --reuid 65533 --regid 65533 --clear-groups '$BIN/clade' ps -A -o pid,comm"
		[[ "$stderr" == *"are hidden: /proc is mounted with hidepid"* ]]
		# how many in all the kernel tells in its first PID namespace
		[ "$(readlink /proc/self/ns/pid)" != "pid:[4026531836]" ] ||
			[[ "$stderr" =~ [1-9][0-9]*" processes of other users" ]]
		[[ "$output" == *clade* ]]
	done
	# who sees all the same is told nothing
	run -0 --separate-stderr unshare --mount sh -c "mount -t proc -o hidepid=2 proc /proc && exec '$BIN/clade' ps -A -o pid,comm"
	[ -z "$stderr" ]
}

@test "without a /proc there is a sentence, no empty table" {
	run -125 unshare --user --map-root-user --mount sh -c 'mount -t tmpfs none /proc && clade ps -A'
	[[ "$output" == *"/proc shows no process"* ]]
}
