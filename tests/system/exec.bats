#!/usr/bin/env bats
# clade exec: a further program in a running container.
# bats file_tags=user

load helpers
setup() { clade_setup; make_rootfs; }
teardown() { clade_teardown; }

@test "exec: output, input and exit code" {
	clade run -d --name box dir:rootfs sleep 1000
	run -3 clade exec box sh -c 'echo in; exit 3'
	[ "$output" = in ]
	run -0 clade exec -i box cat <<<"typed"
	[ "$output" = typed ]
	# without -i it reads nothing
	run -0 clade exec box cat <<<"typed"
	[ -z "$output" ]
	run -127 clade exec box no-such-program
	run -126 clade exec box /etc
	run -137 clade exec box sh -c 'kill -9 $$'
}

@test "exec: is in every namespace of the container, and its root" {
	clade run -d --name box dir:rootfs sleep 1000
	local ns
	for ns in pid mnt uts ipc net cgroup user; do
		[ "$(clade exec box readlink /proc/self/ns/$ns)" = "$(clade exec box readlink /proc/1/ns/$ns)" ]
	done
	run -0 clade exec box ps
	[[ "$output" == *"sleep 1000"* ]]
}

@test "exec: capabilities and filter are the container's; --privileged has all" {
	clade run -d --name box --cap-drop ALL dir:rootfs sleep 1000
	run -0 clade exec box grep -E "CapEff|Seccomp:" /proc/self/status
	[[ "$output" == *0000000000000000* ]]
	[[ "$output" == *"Seccomp:"*2* ]]
	run -0 clade exec --privileged box grep CapEff /proc/self/status
	if [ "$(id -u)" = 0 ]; then
		[ "$output" = "$(grep CapEff /proc/self/status)" ]
	else
		[[ "$output" == *1ffffffffff* ]]
	fi
}

@test "exec -e -w -u" {
	clade run -d --name box -e A=1 -e B=2 dir:rootfs sleep 1000
	run -0 clade exec -e B=3 -w /bin box sh -c 'echo $A $B $(pwd)'
	[ "$output" = "1 3 /bin" ]
	if [ "$(id -u)" = 0 ]; then
		run -0 clade exec -u web box sh -c 'id -u; echo $HOME'
		[ "$output" = $'1000\n/home/web' ]
	fi
	run -125 clade exec -u nobody-here box true
}

@test "exec -d: goes on alone, and nothing of it becomes a zombie of the host" {
	clade run -d --name box dir:rootfs sleep 1000
	run -0 clade exec -d box sh -c 'echo hi >/tmp-file; sleep 0.2'
	until_true clade exec box cat /tmp-file
	run -127 clade exec -d box no-such-program
	# the file lies in the root filesystem itself: dir: is used in place
	[ "$(cat rootfs/tmp-file)" = hi ]
}

@test "exec: not into what does not run, is paused or is dying" {
	run -125 clade exec nothing true
	[[ "$output" == *"no such container: nothing"* ]]
	clade create --name made dir:rootfs true
	run -125 clade exec made true
	[[ "$output" == *"is not running"* ]]
	clade run -d --name short dir:rootfs sleep 0.3
	# whatever the moment: the command runs, or a sentence says that the container does not
	for _ in $(seq 1 40); do
		run clade exec short true
		[[ "$status" = 0 || "$output" == *"not running"* || "$output" == *"process died"* || "$status" = 137 ||
			"$output" == *"No such process"* || "$output" == *"Cannot allocate memory"* ]] ||
			{ echo "$status: $output"; false; }
	done
}

@test "exec: a hundred at once" {
	clade run -d --name box dir:rootfs sleep 1000
	for i in $(seq 100); do
		clade exec box sh -c "exit $((i % 7))" 3>&- &
		pids[i]=$!
	done
	for i in $(seq 100); do
		local code=0
		wait "${pids[i]}" || code=$?
		[ "$code" = $((i % 7)) ]
	done
}
