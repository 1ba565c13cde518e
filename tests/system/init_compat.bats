#!/usr/bin/env bats
# clade-init beside tini, dumb-init and catatonit: the same command, the same outcome (init_compat.py)
# bats file_tags=user

load helpers
setup() {
	clade_setup
	INIT=$(realpath "$BIN/clade-init")
}
teardown() { clade_teardown; }

compare() {
	run -0 python3 "$BATS_TEST_DIRNAME/init_compat.py" "$1" "$INIT" 3>&-
	[ -z "$output" ]
}

@test "init beside others: command lines, words and exit codes" { compare words; }
@test "init beside others: the child's group, session, mask, ignored signals, descriptors" { compare place; }
@test "init beside others: the terminal, Ctrl-C, a shell's job control" { compare terminal; }
@test "init beside others: what each signal does, as PID 1 and not" { compare signals; }
