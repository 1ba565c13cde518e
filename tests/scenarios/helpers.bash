# shellcheck shell=bash
# For the scenarios: clade as a person has it, with no folder named to it; what is left is looked for where it keeps things by itself.

[ -n "${BOX:-}${XDG_RUNTIME_DIR:-}" ] || { echo "this file runs by tests/scenarios/run" >&2 && exit 1; }
load ../system/helpers
BATS_TEST_DIRNAME=$BATS_TEST_DIRNAME/../system
if [ "$(id -u)" = 0 ]; then
	CLADE_ROOT=/run/clade CLADE_DATA=/var/lib/clade
else
	CLADE_ROOT=$XDG_RUNTIME_DIR/clade CLADE_DATA=$HOME/.local/share/clade
fi

scenario_setup() {
	cd "$BATS_TEST_TMPDIR" || return 1
}

# page PORT TEXT: what the port of this machine answers has the text in it
page() {
	curl -s -m 5 "http://127.0.0.1:$1/" | grep -q "$2"
}

nspid() { awk '/^NSpid:/ { $1 = ""; print substr($0, 2) }' "/proc/$1/status"; }
state_of() { awk '/^State:/ { print $2 }' "/proc/$1/status" 2>/dev/null; }
parent_of() { awk '/^PPid:/ { print $2 }' "/proc/$1/status" 2>/dev/null; }
zombies_of() { ps --ppid "$1" -o pid=,stat= | awk '$2 ~ /Z/ { print $1 }'; }
