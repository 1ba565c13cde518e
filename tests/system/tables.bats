#!/usr/bin/env bats
# What every table of the views has: columns, filters, order, raw, JSON, colours, widths.
# bats file_tags=user

load helpers
setup() { clade_setup; make_rootfs; }
teardown() { clade_teardown; }

ALL=pid,nspid,ipid,ppid,reaper,born,origin,state,age,zage,ns,pns,level,owner,ctr,runtime,cid,pod,kns,image,sid,pgid,user,threads,cpu,rss,cgroup,comm,args

@test "ps -A: every column, in a table, raw and as JSON" {
	clade run -d --name box dir:rootfs sleep 1000
	local init
	init=$(init_of box)
	run -0 --separate-stderr clade ps -A -o $ALL --filter "pid=$init"
	[ "${#lines[@]}" = 2 ]
	[ "$(wc -w <<<"${lines[0]}")" = "$(tr , '\n' <<<$ALL | wc -l)" ]
	run -0 --separate-stderr clade ps -A --raw --noheadings -o $ALL --filter "pid=$init"
	[ "$(wc -w <<<"$output")" = "$(tr , '\n' <<<$ALL | wc -l)" ]
	[[ "$output" == *'sleep\x201000' ]]
	clade ps -A --json -o $ALL --filter "pid=$init" 2>/dev/null >out.json
	jq -e --argjson i "$init" 'length == 1 and (.[0] | .pid == $i and .nspid == [$i, 1] and .ipid == 1 and .level == 1 and
		.ctr == "box" and .runtime == "clade" and .state == "S" and .threads == 1 and (.age | type) == "number" and
		.ns != .pns and .rss > 0 and .args == "sleep 1000" and .comm == "sleep")' out.json
}

@test "filters and order" {
	clade run -d --name tab$$ dir:rootfs sh -c 'sleep 1001 & exec sleep 1002'
	until_true eval '[ "$(clade ps -A --json --filter ctr=tab$$ -o pid 2>/dev/null | jq length)" = 2 ]'
	[ "$(clade ps -A -o args --noheadings --filter ctr=tab$$ --sort args 2>/dev/null)" = $'sleep 1001\nsleep 1002' ]
	[ "$(clade ps -A -o args --noheadings --filter ctr=tab$$ --sort -args 2>/dev/null)" = $'sleep 1002\nsleep 1001' ]
	[ "$(clade ps -A -o ipid --noheadings --raw --filter ctr=tab$$ --filter 'ipid>1' --filter args~1001 2>/dev/null)" != 1 ]
	[ "$(clade ps -A -o ipid --noheadings --raw --filter ctr=tab$$ --filter 'ipid<2' 2>/dev/null)" = 1 ]
	run -125 clade ps -A --filter nothing=1
	run -125 clade ps -A --sort nothing
	run -125 clade ns --filter 'level>x'
}

@test "colours: on a terminal only, not with NO_COLOR, always on demand" {
	[[ "$(clade ns 2>/dev/null)" != *$'\x1b'* ]]
	[[ "$(clade ns --color=always 2>/dev/null)" == *$'\x1b[1m'*NS* ]]
	typed='=>COMMAND'
	TERM=xterm run -0 terminal clade ns
	[[ "$output" == *$'\x1b[1m'* ]]
	NO_COLOR=1 TERM=xterm run -0 terminal clade ns
	[[ "$output" != *$'\x1b'* ]]
	TERM=dumb run -0 terminal clade ns
	[[ "$output" != *$'\x1b'* ]]
	run -125 clade ns --color=perhaps
}

@test "a line is no wider than the terminal" {
	clade run -d --name box dir:rootfs sleep 1000
	typed='SIZE 24 40=>'
	# shellcheck disable=SC2016 # the inner shell's
	TERM=xterm NO_COLOR=1 run -0 terminal sh -c \
		'until [ "$(stty size)" = "24 40" ]; do sleep 0.02; done; clade ps -A -o pid,nspid,cgroup,args 2>/dev/null'
	[ "$(tr -d '\r' <<<"$output" | LC_ALL=C.UTF-8 wc -L)" -le 40 ]
	[[ "$output" == *…* ]]
}

@test "the age of a zombie is remembered from look to look" {
	clade run -d --name box dir:rootfs sleep 1000
	clade exec box sh -c 'sh -c "sleep 0.1 & exit"'
	until_true eval '[ "$(clade zombies --json box 2>/dev/null | jq length)" -ge 1 ]'
	until_true eval 'clade zombies --json box 2>/dev/null | jq -e ".[0].zage > 0.2"'
	clade zombies --json box 2>/dev/null | jq -e '.[0].origin == "adopted" and (.[0].proof | length) > 0'
}
