#!/usr/bin/env bats
# Scenario 10: other people's inits, unchanged, as PID 1 of a container made from an image.

load helpers
setup() { scenario_setup; }
teardown() { clade_teardown; }

# One container of each test stops by its own signal: long before stop would kill it
stops() {
	local begin=$SECONDS
	clade stop -t 60 "$1"
	[ $((SECONDS - begin)) -lt 50 ]
}

is_running() { [ "$(clade exec "$1" systemctl is-system-running)" = running ]; }

@test "systemd runs, with its units, and stops by SIGRTMIN+3" {
	clade run -d --name systemd systemd
	until_true is_running systemd
	run -0 clade exec systemd systemctl is-active hello.service
	[ "$output" = active ]
	run -0 clade exec systemd ps -ef
	[[ "${lines[1]}" =~ root\ +1\ .*/sbin/init ]]
	run -0 clade exec systemd journalctl -u hello --no-pager
	[[ "$output" == *hello* ]]
	# what lasts only as long as the machine runs
	run -0 clade exec systemd sh -c 'for d in /run /run/lock /tmp /var/log/journal; do stat -f -c "%T" $d; done; tr "\0" "\n" </proc/1/environ'
	[ "$(grep -c tmpfs <<<"$output")" = 4 ]
	[[ "$output" == *"container=oci"* && "$output" == *"container_uuid=$(clade ps -q --no-trunc | cut -c 1-32)"* ]]
	# a service started and stopped from inside
	clade exec systemd systemctl stop hello.service
	run -3 clade exec systemd systemctl is-active hello.service
	[ "$(clade inspect systemd | jq -r '.[0].Config.StopSignal')" = SIGRTMIN+3 ]
	stops systemd
	[ "$(clade wait systemd)" = 130 ] || [ "$(clade wait systemd)" = 0 ]
	# again, and gone
	clade start systemd
	until_true is_running systemd
	clade rm -f systemd
}

@test "systemd: only where it is PID 1, or where it is said" {
	run -0 clade run --rm systemd env
	[[ "$output" != *container=* ]]
	run -0 clade run --rm --systemd always systemd env
	[[ "$output" == *container=oci* ]]
	run -0 clade create --name off --systemd=false systemd
	[ "$(clade inspect off | jq -r '.[0].Config.StopSignal')" = SIGTERM ]
	run -125 clade run --systemd sometimes systemd
	[[ "$output" == *"--systemd sometimes: true, false or always is wanted"* ]]
	run -125 clade run --systemd always --init systemd
	# nothing that limits a container becomes writable by it
	run ! clade run --rm --systemd always systemd sh -c 'echo 1 >/sys/fs/cgroup/memory/memory.limit_in_bytes'
}

@test "supervisord keeps its programs, and ends with them" {
	clade run -d --name super supervisord
	until_true sh -c '[ "$(clade exec super supervisorctl status | grep -c RUNNING)" = 2 ]'
	run -0 clade exec super ps -ef
	[[ "${lines[1]}" =~ root\ +1\ .*supervisord ]]
	# one is killed, and comes again
	local old
	old=$(clade exec super supervisorctl pid one)
	clade exec super kill -9 "$old"
	until_true sh -c "[ \$(clade exec super supervisorctl pid one) -gt $old ]"
	stops super
	[ "$(clade wait super)" = 0 ]
}

@test "tini and dumb-init reap orphans, pass on signals and exit codes" {
	local init
	for init in tini dumb-init; do
		clade run -d --name "$init" "$init"
		[[ "$(clade exec "$init" ps -o args= -p 1)" == "$init -- sleep infinity" ]]
		clade exec "$init" sh -c '(sleep 0.1 &); (sleep 0.2 &)'
		until_true sh -c "! clade exec $init ps -ef | grep -q 'sleep 0\|defunc[t]'"
		stops "$init"
		[ "$(clade wait "$init")" = 143 ]
		run -7 clade run --rm "$init" sh -c 'exit 7'
	done
}

@test "clade-init in the place of each, put before the command from outside" {
	clade run -d --name with --init ubuntu sleep infinity
	run -0 clade exec with ps -o args= -p 1
	[[ "$output" == "/dev/init -- sleep infinity" ]]
	clade exec with bash -c 'bash -c "sleep 0.1 & exit"'
	until_true sh -c "! clade exec with ps -ef | grep -q 'sleep 0\|defunc[t]'"
	stops with
	[ "$(clade wait with)" = 143 ]
}
