# shellcheck shell=bash
# clade-init with services, started by a test in the background: where it is, how to speak to it, and that nothing of it stays.

services_setup() {
	clade_setup
	INIT=$(realpath "$BIN/clade-init")
	SOCK=$BATS_TEST_TMPDIR/ctl.sock
	served=
}

# serve FILE [PROGRAM]: in the background, its output in ./log. Everything it starts carries a mark in its environment.
serve() {
	SERVICES_TEST=$BATS_TEST_TMPDIR "${2:-$INIT}" --services "$1" >log 2>&1 3>&- &
	served=$!
}

# conf: ours from standard input, with our socket, into ./conf
conf() {
	{
		printf '[init]\nsocket = %s\nidle = %s\n' "$SOCK" "${1:-stay}"
		cat
	} >conf
}

ctl() { "$INIT" ctl --socket "$SOCK" "$@"; }

# state NAME: its word in the status
state() { ctl status "$1" | awk '{ print $2 }'; }
is() { [ "$(state "$1")" = "$2" ]; }
has() { grep -qF -- "$1" log; }
count() { grep -cF -- "$1" "${2:-log}" || :; }

marked() {
	grep -lzxF "SERVICES_TEST=$BATS_TEST_TMPDIR" /proc/[0-9]*/environ 2>/dev/null | while IFS=/ read -r _ _ pid _; do
		# who is only just being forked still has what it was forked from
		[ "$pid" = "$$" ] || echo "$pid"
	done
}
none_marked() { [ -z "$(marked)" ]; }

# ended: waits for it, its exit code in $code
ended() {
	code=0
	until_true eval "! kill -0 $served"
	wait "$served" || code=$?
	served=
}

services_teardown() {
	local failed=0
	if [ -n "$served" ] && kill -0 "$served" 2>/dev/null; then
		kill -TERM "$served"
		kill -TERM "$served"
		until_true eval "! kill -0 $served" || failed=1
	fi
	[ -z "$BATS_TEST_COMPLETED" ] && [ -f log ] && tail -n 40 log >&2
	if ! until_true none_marked; then
		echo "left behind: $(marked)" >&2
		marked | xargs -r kill -9
		failed=1
	fi
	clade_teardown && return $failed
}
