#!/usr/bin/env bats
# Scenarios 1 and 4 to 9: orphans, zombies, levels, as they are typed.
# bats file_tags=user

load helpers
setup() { scenario_setup; }
teardown() {
	local pid
	for pid in "${children[@]}"; do kill -9 "$pid" 2>/dev/null || :; done
	clade_teardown
}
children=()

one_zombie() { [ "$(zombies_of "$1" | wc -l)" -ge 1 ]; }

@test "1: on the host: an orphan goes to init or the nearest subreaper, and no zombie stays" {
	bash -c "(bash -c 'sleep 61')" 3>&- &
	local outer=$! sleep
	children+=("$outer")
	until_true pgrep -f '^sleep 61$'
	sleep=$(pgrep -f '^sleep 61$')
	children+=("$sleep")
	kill -9 "$outer"
	until_true eval '[ "$(parent_of "$sleep")" != "$outer" ]'
	run -0 clade tree "$sleep"
	[[ "$output" == "$sleep"*"sleep 61"* ]]
	kill "$sleep"
	until_true test ! -e "/proc/$sleep"
}

@test "4: one process has a number at every level" {
	clade run -d --rm --name ubuntu ubuntu sleep infinity
	local init numbers
	init=$(init_of ubuntu)
	read -ra numbers <<<"$(nspid "$init")"
	[ "${numbers[0]}" = "$init" ] || [ "$(id -u)" != 0 ]
	[ "${numbers[-1]}" = 1 ]
	run -0 clade tree ubuntu
	[[ "${lines[0]}" == "$init/1 sleep infinity"*"[init of container ubuntu"* ]]
	run -0 clade pid "$init"
	[[ "$output" == *ubuntu* ]]
}

@test "6: the init killed, everything of its namespace is gone, and the container with it" {
	clade run -d --rm --name ubuntu ubuntu sleep infinity
	clade exec -d ubuntu sleep 1062
	clade exec -d ubuntu bash -c 'sleep 1063; true'
	until_true pgrep -f '^sleep 1063$'
	kill -9 "$(init_of ubuntu)"
	until_true eval '[ -z "$(pgrep -f "^sleep 106[23]$")" ]'
	until_true no_leftovers
}

@test "7: in a container an orphan goes to the container's init" {
	clade run -d --rm --name ubuntu ubuntu sleep infinity
	clade exec ubuntu bash -c 'bash -c "sleep 1071 & exit"'
	[ "$(parent_of "$(pgrep -f '^sleep 1071$')")" = "$(init_of ubuntu)" ]
}

@test "8 and 9: a zombie under sleep infinity: seen, blamed, reaped; and gone with rm -f" {
	clade run -d --rm --name ubuntu ubuntu sleep infinity
	typed=$'=># \n(bash -c "sleep 0.3 & exit"); sleep 1; ps -ef\\r=>sleep. <defunct>[\\s\\S]*# \nexit\\r=>'
	run -0 terminal clade exec -it ubuntu bash
	local init zombie
	init=$(init_of ubuntu)
	until_true one_zombie "$init"
	zombie=$(zombies_of "$init" | tr -d ' ')
	run clade zombies
	[[ "$output" == *"$zombie"* && "$output" == *ubuntu* && "$output" == *"(sleep) adopted it and does not wait"* ]]
	run -0 clade reap ubuntu
	[[ "$output" == *"1 of 1 reaped"* ]]
	[ ! -e "/proc/$zombie" ]
	kill -0 "$init"
	[ "$(clade exec ubuntu echo alive)" = alive ]
	# 9: the next one goes with the container
	clade exec ubuntu bash -c 'bash -c "sleep 0.1 & exit"'
	until_true one_zombie "$init"
	zombie=$(zombies_of "$init" | tail -n 1 | tr -d ' ')
	clade rm -f ubuntu
	until_true test ! -e "/proc/$zombie"
	until_true no_leftovers
}
