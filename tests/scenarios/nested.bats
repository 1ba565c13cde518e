#!/usr/bin/env bats
# Scenario 5 with servers: a container that runs clade, which pulls nginx and runs it.
# bats file_tags=user

load helpers
setup() { scenario_setup; }
teardown() {
	clade_teardown
	remove_nested_cgroups
}

remove_nested_cgroups() {
	find /sys/fs/cgroup -depth -type d -path '*/clade/*' -empty 2>/dev/null | while read -r d; do rmdir "$d" 2>/dev/null || :; done
	return 0
}

@test "5: a container that runs clade runs nginx, on a published port; the levels are as they should" {
	clade run -d --name outer --privileged --net host -v "$BIN:/clade-bin:ro" --tmpfs /var/lib/clade:exec -v /etc/containers:/etc/containers:ro \
		-v "${REGISTRY_AUTH_FILE:?}:/run/containers/0/auth.json:ro" -e PATH=/clade-bin:/usr/sbin:/usr/bin:/sbin:/bin host sleep infinity
	run -0 clade exec outer clade run -d --rm --name inner -p 8090:80 nginx:1.16.1
	until_true page 8090 'Welcome to nginx!'
	local master
	master=$(pgrep -f '^nginx: master')
	read -ra numbers <<<"$(nspid "$master")"
	[ "${numbers[-1]}" = 1 ]
	[ "${#numbers[@]}" = 3 ]
	run -0 clade exec outer clade exec inner ps -ef
	[[ "${lines[1]}" =~ root\ +1\ .*"nginx: master" ]]
	[[ "$output" != *"sleep infinity"* ]]
	run -0 clade exec outer ps -ef
	[[ "$output" == *"nginx: master"* && "$output" == *"sleep infinity"* ]]
	run -0 clade tree outer
	[[ "$output" == *"nginx: master"*"level 2"* ]]
	# the ancestor ends, and everything of it
	clade rm -f outer
	until_true eval '! pgrep -f "^nginx: (master|worker)"'
	run ! page 8090 .
}
