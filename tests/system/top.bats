#!/usr/bin/env bats
# The live view: on a terminal, on none, and docker's top.
# bats file_tags=user

load helpers
setup() { clade_setup; make_rootfs; TMUX_SOCKET=clade$$; }
teardown() {
	tmux -L "$TMUX_SOCKET" kill-server 2>/dev/null || :
	clade_teardown
}

screen_start() { # COLUMNS ROWS ARGS...: clade top in a terminal of this size
	local columns=$1 rows=$2
	shift 2
	tmux -L "$TMUX_SOCKET" -f /dev/null new-session -d -x "$columns" -y "$rows" \
		"PATH=$PATH CLADE_ROOT=$CLADE_ROOT TERM=screen clade top $* 2>top.err; echo ended \$?; sleep 1000" 3>&-
}
screen() { tmux -L "$TMUX_SOCKET" capture-pane -p; }
keys() { tmux -L "$TMUX_SOCKET" send-keys "$@"; }
shows() { screen | grep -q -- "$1"; }
shows_not() { ! shows "$1"; }
zombie_in() {
	clade exec "$1" sh -c 'sh -c "sleep 0.1 & exit"'
	until_true eval '[ "$(clade zombies --json "'"$1"'" 2>/dev/null | jq length)" -ge 1 ]'
}

@test "a container's processes, live: born, dead, folded, filtered; q leaves the terminal as it was" {
	clade run -d --name box dir:rootfs sleep 1000
	screen_start 100 24 box
	until_true shows '/1 sleep 1000  \[init of container box'
	until_true shows 'clade top ..:..:..'
	clade exec -d box sleep 1234
	until_true shows 'sleep 1234  \[entered\]'
	zombie_in box
	until_true shows 'Z .*<defunct, exit 0>  \[adopted'
	until_true shows '[0-9] procs  *1 zombies.*clade/box'
	keys / 1234 Enter
	until_true shows_not 'sleep 1000'
	until_true shows 'sleep 1234'
	keys / Enter
	until_true shows 'sleep 1000'
	keys Home Space
	until_true shows '\[+\]'
	until_true shows_not 'defunct, exit'
	keys Space
	until_true shows 'defunct, exit'
	keys h
	until_true shows 'clade top: keys'
	keys x
	until_true shows 'sleep 1000'
	keys q
	until_true shows 'ended 0'
}

@test "signal and reap, each asked for first" {
	[ "$(id -u)" = 0 ] || skip "a container's seccomp filter keeps a normal user from reaping"
	clade run -d --name box dir:rootfs sleep 1000
	clade exec -d box sleep 1234
	zombie_in box
	screen_start 100 24 box
	until_true shows 'sleep 1234'
	until_true shows 'defunct, exit 0'
	keys Home r
	until_true shows 'wait for its adopted zombies? (y/n)'
	keys n
	until_true shows_not '(y/n)'
	until_true shows 'defunct, exit 0'
	keys r
	until_true shows '(y/n)'
	keys y
	until_true shows '1 reaped, 0 left'
	until_true shows_not 'defunct, exit 0'
	keys End k
	until_true shows 'signal for .*(TERM):'
	keys KILL Enter
	until_true shows 'signal 9 sent to'
	until_true shows_not 'sleep 1234'
}

@test "the container's log" {
	clade run -d --name box dir:rootfs sh -c 'echo a line of the log; exec sleep 1000'
	screen_start 100 24 box
	until_true shows 'sleep 1000'
	keys l
	until_true shows 'a line of the log'
	keys q
	until_true shows 'init of container box'
}

@test "40 columns, 3 lines, and the window changing under it" {
	clade run -d --name box dir:rootfs sleep 1000
	screen_start 40 12 box
	until_true shows '^S [0-9]*/1 sleep'
	[ "$(screen | LC_ALL=C.UTF-8 wc -L)" -le 40 ]
	tmux -L "$TMUX_SOCKET" resize-window -x 120 -y 30
	until_true shows '%CPU    RSS    AGE PROCESS'
	until_true shows '/1 sleep 1000  \[init of container box, level 1\]'
	tmux -L "$TMUX_SOCKET" resize-window -x 20 -y 3
	until_true shows '^S [0-9]*/1 sle'
	tmux -L "$TMUX_SOCKET" resize-window -x 80 -y 24
	until_true shows '/1 sleep 1000  \[init of container box, level 1\]'
	keys q
	until_true shows 'ended 0'
}

@test "40 columns show the name of a process however deep it is" {
	clade run -d --name box dir:rootfs sh -c 'n() { if [ "$1" = 0 ]; then sleep 1000; else (n $(($1 - 1)); :); fi; }; n 14; :'
	until_true eval 'clade tree box 2>/dev/null | grep -q "sleep 1000"'
	screen_start 40 24 box
	until_true shows 'sleep'
	keys End
	until_true shows '── [0-9/]* sleep'
}

@test "a terminal that cannot place a cursor gets the tree once" {
	clade run -d --name box dir:rootfs sleep 1000
	typed='=>init of container box'
	TERM=dumb run -0 terminal clade top box
	[[ "$output" != *$'\x1b'* ]]
	[[ "$output" == *cooked* ]]
	typed='=>not known here'
	TERM=of-no-such-kind run -125 terminal clade top box
	[[ "$output" == *"of-no-such-kind is not known"* ]]
}

@test "to a file: docker's top, with ps's options, zombies and all" {
	clade run -d --name box dir:rootfs sleep 1000
	zombie_in box
	run -0 --separate-stderr clade top box
	[[ "${lines[0]}" =~ ^UID\ +PID\ +PPID ]]
	[ "${#lines[@]}" = 3 ]
	[[ "$output" == *"sleep 1000"*"<defunct>"* ]]
	run -0 --separate-stderr clade top box -o pid,args
	[[ "${lines[0]}" =~ ^\ +PID\ COMMAND$ ]]
	[[ "${lines[1]}" =~ ^\ *$(init_of box)\ sleep\ 1000$ ]]
	run -125 clade top box -o args
	[[ "$output" == *"no column PID"* ]]
	run -125 clade top nothing-of-this-name
	run -0 --separate-stderr clade top
	[[ "$output" == *"init of container box"* ]]
}
