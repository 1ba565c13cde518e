#!/usr/bin/env bats
# clade-init on s6 service folders.

load helpers
load services
setup() { services_setup; }
teardown() { services_teardown; }

# script FILE: executable, from standard input
script() {
	mkdir -p "$(dirname "$1")"
	{ echo '#!/bin/sh'; cat; } >"$1"
	chmod +x "$1"
}

# There is no file for settings in a folder of folders: the socket is the first of the usual places, so these tests read the log.

@test "s6: run in its folder, restarted for ever, finish told why" {
	script s/a/run <<-'END'
		echo "in $(basename "$PWD")"
		exit 3
	END
	script s/a/finish <<-'END'
		echo "finish $1 $2 $3" >>told
		[ "$(wc -l <told)" -lt 3 ] || exit 125
	END
	serve s
	until_true has "a entered FATAL state"
	[ "$(cat s/a/told)" = "$(printf 'finish 3 0 a\nfinish 3 0 a\nfinish 3 0 a')" ]
	[ "$(count "in a")" = 3 ]
}

@test "s6: notification-fd, down-signal, timeout-kill, finish after a signal" {
	script s/a/run <<-'END'
		trap 'echo got int' INT
		echo working
		sleep 0.3
		echo >&5
		while :; do sleep 0.05; done
	END
	script s/a/finish <<-'END'
		echo "finish $1 $2" >told
	END
	echo 5 >s/a/notification-fd
	echo SIGINT >s/a/down-signal
	echo 3000 >s/a/timeout-kill
	serve s
	until_true has "a is ready"
	has working
	kill "$served"
	ended
	has "got int"
	has "killing 'a'"
	[ "$(cat s/a/told)" = "finish 256 9" ]
}

@test "s6: log/ gets what run writes, all of it, also at the end" {
	script s/a/run <<-'END'
		i=0
		while [ $i -lt 1000 ]; do echo "line $i"; i=$((i + 1)); done
		exec sleep 1000
	END
	script s/a/log/run <<-'END'
		while read -r line; do echo "$line" >>all; done
		echo end of file >>all
	END
	script s/off/run <<-'END'
		touch started
	END
	touch s/off/down
	serve s
	until_true grep -q "line 999" s/a/log/all
	kill "$served"
	ended
	[ "$(wc -l <s/a/log/all)" = 1001 ]
	[ "$(tail -n 1 s/a/log/all)" = "end of file" ]
	[ ! -e s/off/started ]
}

@test "s6: beside services of ours in one folder, under s6's own names for signals" {
	script s/a/run <<-'END'
		exec sleep 1000
	END
	cat >s/ours.conf <<-END
		[init]
		socket = $SOCK
		[service b]
		run = sleep 1000
		needs = a
	END
	serve s
	until_true is b RUNNING
	[ "$(ctl status | wc -l)" = 2 ]
}

@test "s6: finish's 125 is for good also where files of ours are beside it" {
	script s/a/run <<-'END'
		exit 3
	END
	script s/a/finish <<-'END'
		exit 125
	END
	conf </dev/null
	mv conf s/ours.conf
	serve s
	until_true is a FATAL
}

@test "s6: lock-fd, the next copy waits for what the last one left" {
	script s/a/run <<-'END'
		echo "copy $$ begins"
		[ ! -e once ] || exec sleep 1000
		touch once
		setsid sh -c 'until [ -e go ]; do sleep 0.05; done' &
		exit 0
	END
	echo 7 >s/a/lock-fd
	serve s
	until_true has "a: an earlier copy of it still lives"
	[ "$(count begins)" = 1 ]
	touch s/a/go
	until_true eval '[ "$(count begins)" = 2 ]'
}

@test "s6: the death tally, as s6-permafailon and s6-svdt read it, up to max-death-tally" {
	script s/a/run <<-'END'
		if [ -e once ]; then kill -USR1 $$; fi
		touch once
		exit 3
	END
	script s/a/finish <<-'END'
		exec s6-permafailon 60 3 3,SIGUSR1 true
	END
	echo 2 >s/b/max-death-tally 2>/dev/null || { mkdir -p s/b && echo 2 >s/b/max-death-tally; }
	script s/b/run <<-'END'
		echo >>starts
		[ "$(wc -l <starts)" -lt 4 ] || exec sleep 1000
		exit "$(wc -l <starts)"
	END
	serve s
	until_true has "a entered FATAL state"
	[ "$(s6-svdt s/a | cut -d' ' -f2-)" = "$(printf 'exitcode 3\nsignal SIGUSR1\nsignal SIGUSR1')" ]
	until_true eval '[ "$(wc -l <s/b/starts)" = 4 ]'
	[ "$(s6-svdt s/b | cut -d' ' -f2-)" = "$(printf 'exitcode 2\nexitcode 3')" ]
	# now, not the time zone's or another era's
	[ $(($(date +%s) - $(date -d "$(s6-svdt s/b | s6-tai64nlocal | cut -c1-19 | tail -n 1)" +%s))) -lt 600 ]
}

@test "s6: reload-signal takes HUP's place" {
	script s/a/run <<-'END'
		trap 'echo got usr1' USR1
		while :; do sleep 0.05; done
	END
	echo USR1 >s/a/reload-signal
	conf </dev/null
	mv conf s/ours.conf
	serve s
	until_true is a RUNNING
	# from its start to its trap is a while
	again() { ctl signal HUP a && has "got usr1"; }
	until_true again
}
