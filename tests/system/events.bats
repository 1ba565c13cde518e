#!/usr/bin/env bats
# What happens to processes, as it happens.
# bats file_tags=user

load helpers
setup() { clade_setup; make_rootfs; }
teardown() {
	[ -z "${listener-}" ] || kill "$listener" 2>/dev/null || :
	clade_teardown
}

listen() { # ARGS...: clade events --json into events.json, listening when this returns
	clade --log-level info events --json "$@" >events.json 2>events.err 3>&- &
	listener=$!
	until_true grep -q listening events.err
}

seen() { # JQ: has an event of which this holds come?
	jq -Rse "split(\"\n\")[:-1] | map(fromjson | select($1)) | length > 0" events.json
}

@test "a process's life: fork, exec, orphan, adopt, exit, zombie, reap, with the container's name" {
	[ "$(id -u)" = 0 ] || skip "a normal user's container has no cgroup by which its events are known"
	clade run -d --name evt$$ dir:rootfs sleep 1000
	local init orphan
	init=$(init_of evt$$)
	listen
	# the outer shell is there until all was seen: of one that has gone its name is not known
	mkfifo hold
	exec 8<>hold
	clade exec -i evt$$ sh -c 'sh -c "sleep 0.3 & exit"; read x' <hold 3>&- 8>&- &
	until_true seen ".event == \"zombie\" and .name == \"evt$$\""
	orphan=$(jq -Rs "split(\"\n\")[:-1] | map(fromjson)[] | select(.event == \"zombie\" and .name == \"evt$$\") | .pid" events.json)
	seen ".event == \"fork\" and .pid == $orphan"
	seen ".event == \"exec\" and .comm == \"sh\" and .name == \"evt$$\""
	echo >&8
	exec 8>&-
	seen ".event == \"orphan\" and .pid == $orphan and .adopter == $init"
	seen ".event == \"adopt\" and .pid == $orphan and .adopter == $init"
	seen ".event == \"exit\" and .pid == $orphan and .exit == 0 and .ppid == $init"
	seen ".event == \"zombie\" and .pid == $orphan and .ipid > 1"
	clade reap evt$$ || skip "this user may not reap"
	until_true seen ".event == \"reap\" and .pid == $orphan and .zombie_ms > 0"
}

@test "one container's events, and only some kinds" {
	[ "$(id -u)" = 0 ] || skip "a normal user's container has no cgroup by which its events are known"
	clade run -d --name a$$ dir:rootfs sleep 1000
	clade run -d --name b$$ dir:rootfs sleep 1000
	listen -t exec,exit "a$$"
	clade exec b$$ true
	# it stays until its exec was seen: of one that has gone the container is not known
	mkfifo hold
	exec 8<>hold
	clade exec -i a$$ sh -c 'read x; exit 1' <hold 3>&- 8>&- &
	until_true seen '.event == "exec" and .comm == "sh"'
	echo >&8
	exec 8>&-
	until_true seen '.event == "exit" and .exit == 1'
	kill "$listener"
	wait "$listener" || :
	jq -se "all(.name == \"a$$\" and (.event == \"exec\" or .event == \"exit\"))" events.json
	run -125 clade events -t nothing
}

@test "namespaces are born and die" {
	listen -t ns
	clade run -d --name box dir:rootfs sleep 1000
	local init
	init=$(init_of box)
	until_true seen ".event == \"ns\" and .ns_is == \"born\" and .pid == $init"
	clade rm -f box
	until_true seen ".event == \"ns\" and .ns_is == \"died\" and .pid == $init"
}

@test "lost events are said and healed by reading /proc anew" {
	listen -t lost,zombie
	# nobody reads while thousands of events come: the socket overflows
	kill -STOP "$listener"
	printf '%s\n' '#include <sys/wait.h>' '#include <unistd.h>' 'int main(void) {' \
		'for (int i = 0; i < 60000; i++) { pid_t p = vfork(); if (p == 0) _exit(0); waitpid(p, 0, 0); } }' >forks.c
	cc -o forks forks.c
	./forks
	kill -CONT "$listener"
	until_true seen '.event == "lost" and .lost > 0'
	# and what comes after that is seen again
	clade run -d --name box dir:rootfs sleep 1000
	clade exec box sh -c 'sh -c "sleep 0.1 & exit"'
	until_true seen ".event == \"zombie\" and .ppid == $(init_of box)"
}

@test "a full disk is said; kinds add up; a container that is not there yet is waited for" {
	[ "$(id -u)" = 0 ] || skip "the process connector is root's"
	clade --log-level info events -t exec -t exit >/dev/full 2>full.err 3>&- &
	listener=$!
	until_true grep -q listening full.err
	until_true eval '/bin/true; ! kill -0 $listener'
	local code=0
	wait "$listener" || code=$?
	[ "$code" = 125 ]
	grep -q "write the events: No space left on device" full.err
	listen -t exec -t exit notyet$$
	grep -q "notyet$$: there is none now" events.err
	clade run -d --name other$$ dir:rootfs sleep 1000
	clade run -d --name notyet$$ dir:rootfs sleep 1000
	# it stays until its exec was seen, as above
	mkfifo hold
	exec 8<>hold
	clade exec -i notyet$$ sh -c 'read x' <hold 3>&- 8>&- &
	until_true seen '.event == "exec" and .comm == "sh"'
	echo >&8
	exec 8>&-
	clade rm -f notyet$$ other$$
	until_true seen '.event == "exit" and .signal == 9'
	jq -se "all(.name == \"notyet$$\")" events.json
}

@test "in a PID or user namespace of its own there are no events, and that is said" {
	run -125 timeout 20 unshare --user --map-root-user --pid --fork --mount-proc clade events
	[[ "$output" == *"only to root in the initial PID and user namespaces"* ]]
}
