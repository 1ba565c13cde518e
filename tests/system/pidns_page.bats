#!/usr/bin/env bats
# Every command of clade-pidns(7), typed one after the other.

load helpers
setup() { clade_setup; }
teardown() { clade_teardown; }

# The commands as scdoc's source has them: a line of its own, indented, between asterisks
commands() { sed -nE 's/^\t\*(.*)\*$/\1/p' "$BATS_TEST_DIRNAME/../../man/clade-pidns.7.scd"; }

@test "each command of the page does what the page says" {
	[ "$(id -u)" = 0 ] || skip "the page's nesting needs root"
	commands >all
	[ "$(wc -l <all)" -gt 15 ]
	local command code n=0
	while read -r command; do
		n=$((n + 1))
		command=${command//\/tmp\/shop.svg/shop.svg}
		code=0
		bash -c "$command" >"out.$n" 2>&1 </dev/null 3>&- || code=$?
		case $command in
		"clade zombies shop" | "clade doctor shop") [ "$code" = 1 ] ;;
		*) [ "$code" = 0 ] ;;
		esac || { echo "$command: $code"; cat "out.$n"; return 1; }
		printf '%s\n' "$command" >"command.$n"
	done <all
	said() { cat "out.$(grep -lxF -- "$1" command.* | sed -n "${2:-1}s/command.//p")"; }
	said "clade zombies shop" | grep -q "adopted"
	said "clade doctor shop" | grep -q "clade reap shop"
	said "clade reap shop" | grep -q "1 of 1 reaped"
	[ -z "$(said "clade zombies calm")" ]
	cat out.* | grep -q 'sleep 1000  \[entered\]'
	cat out.* | grep -qE '[0-9]+/[0-9]+/1 sleep 500'
	grep -q '<svg' shop.svg
}
