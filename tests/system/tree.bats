#!/usr/bin/env bats
# The tree: marks, folded zombies, colours, and its pictures.
# bats file_tags=user

load helpers
setup() { clade_setup; make_rootfs; }
teardown() { clade_teardown; }

zombies_in() { # CONTAINER N: N orphans of it that have ended and that nobody waits for
	clade exec "$1" sh -c "for i in \$(yes | head -n $2); do sh -c 'sleep 0.1 & exit'; done"
	until_true eval '[ "$(clade zombies --json "'"$1"'" 2>/dev/null | jq length)" -ge '"$2"' ]'
}

@test "like zombies are folded, with what became of them; --all shows each" {
	clade run -d --name box dir:rootfs sleep 1000
	zombies_in box 5
	run -0 --separate-stderr clade tree box
	[[ "${lines[0]}" == *"/1 sleep 1000  [init of container box, level 1]" ]]
	[[ "${lines[1]}" == "├── "*"sleep <defunct, exit 0>  [adopted"* ]]
	[[ "${lines[2]}" == "└── ... 4 more zombies like it" ]]
	[ "${#lines[@]}" = 3 ]
	[ "$(clade tree --all box 2>/dev/null | grep -c defunct)" = 5 ]
	until_true eval 'clade tree box 2>/dev/null | grep -q "defunct for [1-9]"'
	clade tree --json box 2>/dev/null |
		jq -e '.[0].children | length == 5 and all(.[]; .zombie and .origin == "adopted" and .exit == 0 and .zombie_ms >= 0)'
}

@test "who entered a container is in its tree, though its parent is outside" {
	clade run -d --name box dir:rootfs sleep 1000
	clade exec -d box sleep 1234
	until_true eval 'clade tree box 2>/dev/null | grep -q "sleep 1234  \[entered\]"'
	local ns
	ns=$(clade ns --json 2>/dev/null | jq --argjson i "$(init_of box)" '.[] | select(.init == $i) | .ns')
	[ "$(clade tree "$ns" 2>/dev/null)" = "$(clade tree box 2>/dev/null)" ]
}

@test "colours, and a command line is cut before its marks are" {
	clade run -d --name box dir:rootfs sleep 1000
	[[ "$(clade tree --color=always box 2>/dev/null)" == *$'\x1b[1;36m'*"sleep 1000"*$'\x1b[0m'* ]]
	clade run -d --name long dir:rootfs sh -c 'sleep 1000; true a command line that is longer than the terminal is wide'
	typed='SIZE 24 60=>'
	# shellcheck disable=SC2016 # the inner shell's
	local sized='until [ "$(stty size)" = "24 $1" ]; do sleep 0.02; done; clade tree long 2>/dev/null'
	TERM=xterm NO_COLOR=1 run -0 terminal sh -c "$sized" - 60
	[[ "$output" == *"…  [init of container long, level 1]"* ]]
	[ "$(tr -d '\r' <<<"$output" | LC_ALL=C.UTF-8 wc -L)" -le 60 ]
	# where they have no room either, they are cut, too; a deep one loses the left of its branches, not its name
	# shellcheck disable=SC2016 # the inner shell's
	echo '[ "$1" -gt 0 ] || exec sleep 1001; sh /deep $(($1 - 1)); true' >rootfs/deep
	clade run -d --name deep dir:rootfs sh /deep 6
	until_true eval 'clade tree deep 2>/dev/null | grep -q "sleep 1001"'
	typed='SIZE 24 30=>'
	TERM=xterm NO_COLOR=1 run -0 terminal sh -c "${sized/long/deep}" - 30
	[[ "$output" == *"…"*" slee"* ]]
	[ "$(tr -d '\r' <<<"$output" | LC_ALL=C.UTF-8 wc -L)" -le 30 ]
}

@test "--svg is XML that a renderer draws, whatever a process calls itself" {
	clade run -d --name box dir:rootfs sleep 1000
	clade exec -d box sh -c 'sleep 1003; true' $'</text>&<script>\x1b\x01"\xff\xef\xbf\xbf'
	zombies_in box 3
	until_true eval 'clade tree box 2>/dev/null | grep -q script'
	clade tree --svg box >box.svg 2>/dev/null
	clade tree --svg >all.svg 2>/dev/null
	xmllint --noout box.svg all.svg
	[ "$(xmllint --xpath "count(//*[local-name()='script'])" box.svg)" = 0 ]
	grep -q '>zombie, exit 0' box.svg
	grep -q '>adopted<' box.svg
	grep -q "more zombies like it" box.svg
	rsvg-convert box.svg -o box.png
	[ "$(head -c 4 box.png | tail -c 3)" = PNG ]
}

@test "--dot: Graphviz draws it, with a namespace inside of its parent's" {
	clade run -d --name box dir:rootfs sh -c 'sleep 1003; true' $'"]; }\\'
	until_true eval 'clade tree --dot box 2>/dev/null | grep -q "init"'
	clade tree --dot box >box.dot 2>/dev/null
	dot -Tsvg box.dot -o box.svg
	xmllint --noout box.svg
	# the whole host may be too much to lay out here: its syntax
	clade tree --dot 2>/dev/null >all.dot
	nop all.dot >all.nop
	[ "$(grep -c 'subgraph cluster_ns' box.dot)" -ge 1 ]
	run -125 clade tree --dot --svg box
}
