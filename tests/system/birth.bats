#!/usr/bin/env bats
# Every row of the birth table fails once, and once is killed: the error names it, and nothing is left.
# Needs a build with fault injection (build-dev.ini), which make test has.

load helpers
setup() {
	local dev=$BATS_TEST_DIRNAME/../../build/dev/src/cli/clade
	[ -x "$dev" ] || skip "no developer's build (build/dev)"
	clade_setup
	make_rootfs
	mkdir bin
	cp -L "$BIN"/* bin/
	cp "$dev" bin/clade
	export PATH=$PWD/bin:$PATH
}
teardown() { clade_teardown; }

# host:clone, init:mounts ...: what a debug log of a run tells of
rows() {
	clade --log-level debug run --rm -t --sysctl net.ipv4.ip_forward=1 dir:rootfs true 2>&1 </dev/null |
		sed -nE 's/^clade: debug: (host|init): ([a-z0-9 ]+): .*/\1:\2/p' | sort -u
}

@test "a fault in any row of a birth" {
	local row n=0
	rows >all
	[ "$(wc -l <all)" -ge 15 ]
	while read -r row; do
		# what comes after the program was found cannot be told apart from it by HOST
		run env CLADE_FAULT="$row" clade run --rm -t --sysctl net.ipv4.ip_forward=1 dir:rootfs true </dev/null
		[ "$status" = 125 ] || { echo "$row: $status $output"; false; }
		[[ "$output" == *"${row#*:}: fault asked for"* ]] || { echo "$row: $output"; false; }
		[ -z "$(ids)" ]
		n=$((n + 1))
	done <all
	until_true no_leftovers
}

@test "a fault in any row of an exec" {
	clade run -d --name box dir:rootfs sleep 1000
	local row
	clade --log-level debug exec box true 2>&1 | sed -nE 's/^clade: debug: (host|init): ([a-z0-9 ]+): .*/\1:\2/p' | sort -u >all
	[ "$(wc -l <all)" -ge 8 ]
	while read -r row; do
		run env CLADE_FAULT="$row" clade exec box true
		[ "$status" = 125 ] || { echo "$row: $status $output"; false; }
	done <all
	run -0 clade exec box ps
	[ "$(grep -c sleep <<<"$output")" = 1 ]
}
