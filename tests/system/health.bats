#!/usr/bin/env bats
# Health checks: on schedule, seen in ps and inspect, and nothing of them stays.
# bats file_tags=user

load helpers
setup() {
	clade_setup
	make_rootfs
	rootfs=dir:$PWD/rootfs
}
teardown() {
	clade_teardown
	until_true no_checkers
}

no_checkers() { ! pgrep -f "internal-health.*" -u "$(id -u)" -a | grep -qF "$CLADE_ROOT "; }

health() { clade inspect "$1" | jq -r ".[0].State.Health.$2"; }
health_is() { [ "$(health "$1" "$2")" = "$3" ]; }
# at least so many, of which five are kept
logs_are() { [ "$(clade inspect "$1" | jq '.[0].State.Health.Log | length')" -ge "$2" ]; }

# checked NAME COMMAND [OPTION...]
checked() {
	local name=$1 cmd=$2
	shift 2
	clade run -d --net none --name "$name" --health-cmd "$cmd" --health-interval 100ms "$@" "$rootfs" sleep 1000 >/dev/null
}

@test "health: starting, healthy, unhealthy, healthy again; ps, its filter, inspect" {
	checked web 'echo seen; test -e /ok' --health-retries 2 --health-interval 300ms
	clade exec web touch /ok
	until_true health_is web Status healthy
	[[ "$(clade ps --format status)" == *"(healthy)"* ]]
	[ "$(clade ps -q -f health=healthy | wc -l)" = 1 ]
	[ -z "$(clade ps -q -f health=unhealthy)" ]
	[ "$(health web 'Log[-1].ExitCode')" = 0 ]
	[ "$(health web 'Log[-1].Output')" = seen ]
	mv rootfs/ok rootfs/no
	until_true health_is web Status unhealthy
	[ "$(health web FailingStreak)" -ge 2 ]
	[[ "$(clade ps --format status)" == *"(unhealthy)"* ]]
	until_true logs_are web 5
	mv rootfs/no rootfs/ok
	until_true health_is web Status healthy
	[ "$(health web FailingStreak)" = 0 ]
	[ "$(clade inspect web | jq -c '.[0].Config.Healthcheck')" = '{"Test":["CMD-SHELL","echo seen; test -e /ok"],"Interval":300000000,"Retries":2}' ]
	run -125 clade ps -f health=well
}

@test "health: before the first check it is starting; in the start period failures do not count" {
	checked slow false --health-interval 1h
	[[ "$(clade ps --format status)" == *"(health: starting)"* ]]
	[ "$(clade ps -q -f health=starting | wc -l)" = 1 ]
	checked young false --health-start-period 1h --health-start-interval 100ms --health-retries 1
	until_true logs_are young 3
	health_is young Status starting
	health_is young FailingStreak 0
}

@test "health: a check that takes too long is killed with what it started, and leaves no zombie" {
	checked stuck '/bin/busybox sleep 987 & sleep 986; true' --health-timeout 300ms --health-retries 1 --health-interval 200ms
	until_true health_is stuck Status unhealthy
	[ "$(health stuck 'Log[0].ExitCode')" = -1 ]
	[[ "$(health stuck 'Log[0].Output')" == "Health check exceeded timeout"* ]]
	until_true logs_are stuck 3
	[ "$(clade exec stuck ps -o comm,args | grep -c 'sleep 98')" -le 3 ]
	# from being killed to being waited for is a moment
	until_true eval '[ -z "$(clade exec stuck sh -c "grep -l State:.Z /proc/[0-9]*/status" 2>/dev/null)" ]'
}

@test "health: the image's check; flags over it; --no-healthcheck" {
	image oci --config '{"Cmd": ["sleep", "1000"], "Healthcheck": {"Test": ["CMD", "cat", "/etc/passwd"], "Interval": 100000000}}' rootfs
	clade run -d --net none --name own oci:oci >/dev/null
	until_true health_is own Status healthy
	[[ "$(health own 'Log[0].Output')" == root:* ]]
	clade run -d --net none --name none --no-healthcheck oci:oci >/dev/null
	health_is none Status null
	[[ "$(clade ps -f name=none --format status)" != *health* ]]
	run -125 clade run --net none --no-healthcheck --health-cmd true oci:oci
	[[ "$output" == *"conflicts"* ]]
	clade rm -f own none >/dev/null
	clade system prune -af >/dev/null
}

@test "health: it ends with the container and with its minder, and starts again with it" {
	checked again true --restart always
	until_true health_is again Status healthy
	# what it forks for a check looks like it for a moment
	checker() { one=$(pgrep -f "root $CLADE_ROOT internal-health") && [ "$(wc -w <<<"$one")" = 1 ]; }
	until_true checker
	kill -9 "$(init_of again)"
	until_true health_is again Status healthy
	new_checker() { two=$(pgrep -f "root $CLADE_ROOT internal-health") && [ "$(wc -w <<<"$two")" = 1 ] && [ "$two" != "$one" ]; }
	until_true new_checker
	kill -9 "$(clade inspect again | jq '.[0].State.Pid' | xargs -I{} awk '/PPid/ { print $2 }' /proc/{}/status)"
	until_true no_checkers
}

@test "health: one that has stopped says what was, and is checked again when it starts" {
	checked calm true
	until_true health_is calm Status healthy
	clade stop -t 0 calm >/dev/null
	until_true no_checkers
	health_is calm Status healthy
	[[ "$(clade ps -a --format status)" != *healthy* ]]
	clade start calm >/dev/null
	until_true health_is calm Status healthy
}
