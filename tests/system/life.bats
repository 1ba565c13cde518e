#!/usr/bin/env bats
# The life of a container: created, running, paused, stopped, started again, removed; and what is told of it.
# bats file_tags=user

load helpers
setup() { clade_setup; make_rootfs; }
teardown() { clade_teardown; }

status_of() { clade ps -a --format names,state | awk -v n="$1" '$1 == n { print $2 }'; }
is() { [ "$(status_of "$1")" = "$2" ]; }

@test "create, start, wait, logs, rm" {
	run -0 clade create --name box dir:rootfs sh -c 'echo one; echo two >&2; exit 5'
	is box created
	run -0 clade start box
	[ "$output" = box ]
	run -0 clade wait box
	[ "$output" = 5 ]
	is box exited
	run -0 --separate-stderr clade logs box
	[ "$output" = one ]
	[ "$stderr" = two ]
	run -0 clade rm box
	run -1 clade rm box
	[[ "$output" == *"no such container: box"* ]]
}

@test "start again: the same container, a new life; start -a gives its exit code" {
	clade run --name box dir:rootfs sh -c 'echo x >>/count; wc -l </count; exit 4' || :
	run -4 clade start -a box
	[ "$output" = 2 ]
	[ "$(clade ps -aq | wc -l)" = 1 ]
}

@test "names, IDs and beginnings of IDs are accepted everywhere" {
	id=$(clade run -d --name box dir:rootfs sleep 1000)
	for ref in box "$id" "${id:0:12}" "${id:0:5}"; do
		run -0 clade exec "$ref" true
		run -0 clade inspect "$ref"
	done
	run -0 clade rename "${id:0:12}" chest
	run -125 clade exec box true
	run -0 clade exec chest true
	run -125 clade rename chest chest
	clade create --name other dir:rootfs true
	run -125 clade rename chest other
	[[ "$output" == *"already in use"* ]]
	run -125 clade rename chest "a b"
}

@test "ps: columns, filters, json" {
	clade run -d --name one --label tier=web dir:rootfs sleep 1000
	clade run --name two dir:rootfs sh -c 'exit 3' || :
	run -0 clade ps
	[[ "${lines[0]}" == "CONTAINER ID "*"IMAGE "*"COMMAND "*"STATUS "*"NAMES"* ]]
	[ "${#lines[@]}" = 2 ]
	run -0 clade ps -aq
	[ "${#lines[@]}" = 2 ]
	[ "$(clade ps -q --filter name=one | wc -l)" = 1 ]
	[ "$(clade ps -q --filter label=tier=web | wc -l)" = 1 ]
	[ "$(clade ps -q --filter label=tier=db | wc -l)" = 0 ]
	[ "$(clade ps -q --filter exited=3 | wc -l)" = 1 ]
	[ "$(clade ps -q --filter status=exited --filter status=running | wc -l)" = 2 ]
	run -0 clade ps -a --format json
	[ "$(jq -r 'select(.Names == "two") | .Status' <<<"$output" | cut -d' ' -f-2)" = "Exited (3)" ]
	[ "$(jq -r 'select(.Names == "one") | .State' <<<"$output")" = running ]
	[ "$(clade ps -a --json | jq -r '.[] | select(.names == "two") | .exit')" = 3 ]
	run -125 clade ps --filter colour=red
	[[ "$output" == *"colour=red"* ]]
	run -125 clade ps --format nothing
	run -0 clade ps -a --format 'table {{.Names}}\t{{.State}}'
	[ "${lines[0]}" = "NAMES     STATE" ]
	[ "$(clade ps --format '{{.Names | upper}}={{.Label "tier"}}{{if eq .State "running"}}+{{else}}-{{end}}')" = "ONE=web+" ]
	run -125 clade ps -a --format '{{.Nothing}}'
	[[ "$output" == *"there is no .Nothing"* ]]
	# also with nothing to show
	run -125 clade ps --filter name=nobody --format '{{.Nothing}}'
}

@test "inspect is JSON, with the configuration in it" {
	clade run -d --name box -e A=1 --label k=v --stop-timeout 3 dir:rootfs sleep 1000
	run -0 clade inspect box
	jq -e '.[0].State.Running and .[0].Name == "/box" and .[0].Config.Labels.k == "v" and .[0].Config.StopTimeout == 3' <<<"$output"
	jq -e '.[0].Spec.process.env | index("A=1")' <<<"$output"
	kill -0 "$(jq .[0].State.Pid <<<"$output")"
	[ "$(clade inspect -f '{{.State.Status}} {{json .Config.Cmd}} {{.Config.WorkingDir}} {{index .Config.Labels "k"}}' box)" = 'running ["sleep","1000"] / v' ]
	[ "$(clade inspect --format '{{range .Config.Env}}{{if eq . "A=1"}}{{.}}{{end}}{{end}}' box)" = A=1 ]
	[ "$(clade inspect -f '{{.Config.Labels.absent}}' box)" = "<no value>" ]
	clade inspect -f json box box | jq -e 'length == 2 and (.[0].Created | test("^20.*Z$"))'
	run -125 clade inspect -f '{{.State.Nothing}}' box
	[[ "$output" == *"no .Nothing in .State"* ]]
	run -1 clade inspect nothing
	[[ "$output" == *"no such container: nothing"* ]]
}

@test "logs: --tail, -f, --since, -t; long lines and bytes that are no text" {
	clade run -d --name box dir:rootfs sh -c 'for i in 1 2 3; do echo line $i; done; sleep 0.5; echo last'
	run -0 timeout 20 clade logs -f box
	[ "${#lines[@]}" = 4 ]
	run -0 clade logs --tail 2 box
	[ "$output" = $'line 3\nlast' ]
	run -0 clade logs --tail 0 box
	[ -z "$output" ]
	run -0 clade logs -t --tail 1 box
	[[ "$output" =~ ^20[0-9-]+T[0-9:.]+Z\ last$ ]]
	run -0 clade logs --since 1h box
	[ "${#lines[@]}" = 4 ]
	run -0 clade logs --since 2100-01-01 box
	[ -z "$output" ]
	run -125 clade logs --since yesterday box
	clade run --name long dir:rootfs sh -c 'head -c 100000 /dev/zero | tr "\0" x; echo; printf "\377\033[2J\n"' >/dev/null
	run -0 clade logs long
	[ "${#lines[0]}" = 100000 ]
	run -0 clade logs --tail 1 long
	[[ "$output" == $'\xef\xbf\xbd'* ]]
}

@test "stop: asks, then kills; kill: any signal" {
	clade run -d --name polite dir:rootfs sh -c 'trap "exit 7" TERM; echo ok; while :; do sleep 0.05; done'
	clade run -d --name deaf --stop-timeout 1 dir:rootfs sh -c 'trap "" TERM; while :; do sleep 0.05; done'
	until_true eval 'clade logs polite | grep -q ok'
	run -0 clade stop polite
	run -0 clade wait polite
	[ "$output" = 7 ]
	run -0 clade stop deaf
	run -0 clade wait deaf
	[ "$output" = 137 ]
	# stopped already: no failure
	run -0 clade stop deaf
	clade run -d --name usr dir:rootfs sh -c 'trap "exit 9" USR1; echo ok; while :; do sleep 0.05; done'
	until_true eval 'clade logs usr | grep -q ok'
	run -0 clade kill -s USR1 usr
	run -0 clade wait usr
	[ "$output" = 9 ]
	run -1 clade kill usr
	[[ "$output" == *"not running"* ]]
	run -1 clade kill -s NOSUCH usr
}

@test "restart policies: on-failure:N, always, and stop ends them" {
	clade run -d --name fails --restart on-failure:2 dir:rootfs sh -c 'echo again; exit 1'
	until_true is fails exited
	[ "$(clade logs fails | grep -c again)" = 3 ]
	[ "$(clade inspect fails | jq .[0].RestartCount)" = 2 ]
	clade run -d --name always --restart always dir:rootfs sh -c 'echo again'
	until_true eval '[ "$(sleep 0.5; clade logs always | grep -c again)" -ge 2 ]'
	run -0 clade stop always
	is always exited
	clade run -d --name once --restart on-failure dir:rootfs true
	until_true is once exited
	[ "$(clade inspect once | jq .[0].RestartCount)" = 0 ]
	run -125 clade run --rm --restart always dir:rootfs true
	[[ "$output" == *"--restart and --rm"* ]]
	run -125 clade run --restart sometimes dir:rootfs true
}

@test "restart: a new init, also of one that has --rm" {
	clade run -d --rm --stop-timeout 1 --name box dir:rootfs sleep 1000
	before=$(init_of box)
	run -0 clade restart box
	[ "$(init_of box)" != "$before" ]
	kill -0 "$(init_of box)"
}

@test "rm: not what runs, unless -f; --rm removes at the end" {
	clade run -d --name box dir:rootfs sleep 1000
	run -1 clade rm box
	[[ "$output" == *"is running; stop it or use -f"* ]]
	pid=$(init_of box)
	run -0 clade rm -f box
	run ! kill -0 "$pid"
	run -0 clade rm -f box
	[[ "$output" == *"no such container: box"* ]]
	clade run -d --rm --name short dir:rootfs sleep 0.2
	until_true eval '[ -z "$(ids)" ]'
}

@test "update changes the restart policy" {
	clade run -d --name box dir:rootfs sleep 1000
	run -0 clade update --restart always box
	[ "$(clade inspect box | jq -r .[0].HostConfig.RestartPolicy.Name)" = always ]
}

@test "version, info, help, completion" {
	run -0 clade version
	[[ "$output" == "clade version "* ]]
	run -0 clade --version
	run -0 clade info
	[[ "$output" == *"$CLADE_ROOT"* ]]
	clade info --format json | jq -e .KernelVersion
	run -0 clade --help
	for word in run exec ps tree reap; do [[ "$output" == *"  $word "* ]]; done
	[[ "$output" != *internal* ]]
	run -0 clade run --help
	[[ "$output" == *"--restart"* ]]
	run -125 clade frobnicate
	[[ "$output" == *"unknown command: frobnicate"* ]]
	run -0 bash -c 'source <(clade completion bash); COMP_WORDS=(clade ru); COMP_CWORD=1; _clade; echo ${COMPREPLY[*]}'
	[ "$output" = run ]
}

@test "container: docker's long names, and prune" {
	clade container run -d --name box dir:rootfs sleep 1000 >/dev/null
	clade container create --name other dir:rootfs true >/dev/null
	[ "$(clade container ls -q | wc -l)" = 1 ]
	[ "$(clade container exec box echo in)" = in ]
	[ "$(clade container inspect -f '{{.State.Status}}' box)" = running ]
	run -0 clade container prune -f
	[[ "$output" == "Deleted Containers:"*"Total reclaimed space: 0B" ]]
	[ "$(clade container ls -aq | wc -l)" = 1 ]
	clade container rm -f box
	run -125 clade container fly
	[[ "$output" == *"unknown command: container fly"* ]]
}
