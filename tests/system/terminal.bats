#!/usr/bin/env bats
# Terminals: job control, the window's size, detach keys; the user's own comes back as it was.
# bats file_tags=user

load helpers
setup() { clade_setup; make_rootfs; }
teardown() { clade_teardown; }

@test "run -it: a terminal of its own, job control, exit code" {
	typed=$'=># \ntty\\r=>/dev/(pts/[0-9]|console)\nsh -c \"echo up; exec sleep 100\"\\r=>up\r\n\\x1a=>Stopped\njobs\\r=>Stopped\nkill -9 %1; exit 5\\rexit 5\\r=>'
	run -5 terminal clade run -it --rm --entrypoint sh dir:rootfs
	[[ "$output" == *"[terminal: cooked]"* ]]
}

@test "exec -it: job control in a shell" {
	clade run -d --name box dir:rootfs sleep 1000
	typed=$'=># \nsh -c \"echo up; exec sleep 77\"\\r=>up\r\n\\x1a=>Stopped\nkill -9 %1; exit 6\\rexit 6\\r=>'
	run -6 terminal clade exec -it box sh
	[[ "$output" == *"[terminal: cooked]"* ]]
}

@test "the window's size follows, in run and exec" {
	clade run -d --name box dir:rootfs sleep 1000
	local command
	for command in "run -it --rm dir:rootfs" "exec -it box"; do
		typed=$'SIZE 33 101=>\n=># \nstty size\\r=>[0-9]+ [0-9]+\nSIZE 44 77=>\n\\r=># \nuntil stty size | grep \"44 77\"; do sleep 0.1; done\\r=>44 77\r\n\nexit\\r=>'
		# shellcheck disable=SC2086 # words on purpose
		run -0 terminal clade $command sh
	done
}

@test "detach keys leave it running; attach comes back to it" {
	typed=$'=># \necho one\\r=>one\r\n\\x10\\x11=>'
	run -0 terminal clade run -it --name box dir:rootfs sh
	[[ "$output" == *"[terminal: cooked]"* ]]
	[ "$(clade ps -q | wc -l)" = 1 ]
	typed=$'\\r=># \necho two\\r=>two\r\nexit 3\\r=>'
	run -3 terminal clade attach box
	[[ "$output" == *"[terminal: cooked]"* ]]
}

@test "detach keys of one's own choice" {
	typed=$'=># \nxab=>xab\n\\x01z=>'
	run -0 terminal clade run -it --name box --detach-keys ctrl-a,z dir:rootfs sh
	[ "$(clade ps -q | wc -l)" = 1 ]
	run -125 clade run --rm -it --detach-keys nonsense dir:rootfs sh
}

@test "a terminal is asked for where there is none" {
	run -125 clade run --rm -it dir:rootfs sh </dev/null
	[[ "$output" == *"the input device is not a terminal"* ]]
	# without -i there is nothing to read
	run -0 clade run --rm -t dir:rootfs tty </dev/null
	[[ "$output" == *"/dev/"* ]]
}

@test "the terminal comes back when clade is told to end" {
	typed=$'=># \nexec sleep 1000\\r=>'
	# the program that was typed in runs: the terminal has been raw for a while
	typed_in() { [ "$(tr '\0' ' ' <"/proc/$(init_of raw)/cmdline")" = "sleep 1000 " ]; }
	( until_true typed_in && kill -TERM $(below $$ "[^ ]*clade run -it --name raw .*") ) 3>&- &
	run terminal clade run -it --name raw --sig-proxy=false dir:rootfs sh
	[[ "$output" == *"[terminal: cooked]"* ]]
}
