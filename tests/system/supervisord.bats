#!/usr/bin/env bats
# clade-init under the names supervisord and supervisorctl, beside the real ones.

load helpers
load services

setup() {
	services_setup
	mkdir bin
	ln -s "$INIT" bin/supervisord
	ln -s "$INIT" bin/supervisorctl
	SUPERVISORD=$PWD/bin/supervisord CTL=$PWD/bin/supervisorctl
}
teardown() { services_teardown; }

# base DIR: the head of a configuration whose files are all there
base() {
	mkdir -p "$1"
	cat >"$1/s.conf" <<-END
		[supervisord]
		nodaemon=true
		logfile=$PWD/$1/main.log
		pidfile=$PWD/$1/pid
		childlogdir=$PWD/$1
		user=root
		[unix_http_server]
		file=$PWD/$1/sock
		[rpcinterface:supervisor]
		supervisor.rpcinterface_factory = supervisor.rpcinterface:make_main_rpcinterface
		[supervisorctl]
		serverurl=unix://$PWD/$1/sock
	END
	cat >>"$1/s.conf"
}

# run_one DIR SUPERVISORD SUPERVISORCTL: what a session with it looks like, the numbers and times taken out
run_one() (
	set +e
	cd "$1" || exit 1
	SERVICES_TEST=$BATS_TEST_TMPDIR "$2" -c s.conf >daemon.out 2>&1 3>&- &
	daemon=$!
	until_true eval "'$3' -c s.conf status | grep -q FATAL"
	until_true eval "! '$3' -c s.conf status | grep -q STARTING"
	until_true eval "'$3' -c s.conf status | grep -q '^short .*EXITED'"
	while read -r line; do
		echo "\$ $line"
		# shellcheck disable=SC2086 # words on purpose
		"$3" -c s.conf $line
		echo "code $?"
	done <<-'END'
		status
		status web
		status w:*
		status nobody
		status nobody:*
		start off
		start g:off
		start g:bad
		start nobody
		start q:*
		stop web
		stop web
		start web
		restart w:*
		signal HUP w:w_00
		signal NOPE web
		pid nobody
		pid off
		tail -6 web
		tail nobody
		avail
		reread
		version
		add web
		add nobody
		remove web
		remove nobody
		update
		clear web
		stop short
		shutdown
	END
	wait $daemon
	echo "daemon $?"
	"$3" -c s.conf status
	echo "code $?"
	"$3" -c s.conf stop web
	echo "code $?"
) 2>&1

normal() {
	sed -E -e 's/pid [0-9]+/pid N/' -e 's/[0-9]:[0-9]{2}:[0-9]{2}/T/' -e 's/^[0-9]+$/N/' -e "s|$PWD/[a-z]*/|/|" \
		-e 's/[A-Z][a-z]{2} [0-9]{2} [0-9]{2}:[0-9]{2} [AP]M/DATE/' -e 's/w_0[01]: stopped/w_N: stopped/'
}

@test "supervisord: a whole session with supervisorctl reads as with the real ones" {
	local dir
	for dir in real mixed ours; do
		base $dir <<-'END'
			[program:web]
			command=sh -c "echo hello; exec sleep 1000"
			startsecs=0
			stdout_logfile=%(here)s/web.log
			[program:w]
			command=sleep 1000
			process_name=%(program_name)s_%(process_num)02d
			numprocs=2
			startsecs=0
			[program:flap]
			command=sh -c "exit 3"
			startretries=0
			[program:off]
			command=sleep 1000
			autostart=false
			[program:bad]
			command=/no/such/program
			autostart=false
			[program:short]
			command=true
			startsecs=0
			autorestart=unexpected
			[group:g]
			programs=off,bad
			priority=5
		END
	done
	run_one real /usr/bin/supervisord /usr/bin/supervisorctl | normal >real.out &
	run_one mixed "$SUPERVISORD" /usr/bin/supervisorctl | normal >mixed.out &
	run_one ours "$SUPERVISORD" "$CTL" | normal >ours.out
	wait
	grep -q "^daemon 0$" real.out
	diff real.out ours.out
	# the real client by XML-RPC
	diff real.out mixed.out
}

# call METHOD [VALUE...]: by XML-RPC over $HTTP, what curl says
call() {
	local method=$1 body
	shift
	body="<?xml version='1.0'?><methodCall><methodName>$method</methodName><params>"
	while [ $# -gt 0 ]; do
		body+="<param><value>$1</value></param>"
		shift
	done
	# shellcheck disable=SC2086 # words on purpose
	curl -s -m 60 $HTTP -H 'Content-Type: text/xml' -d "$body</params></methodCall>"
}

@test "supervisord: XML-RPC over both sockets, with a password and without" {
	local port
	port=$(free_port)
	base d <<-END
		[inet_http_server]
		port=127.0.0.1:$port
		username=joe
		password=s:cret%%
		[program:a]
		command=sh -c "echo 'a <&> b'; exec sleep 1000"
		startsecs=0
		[program:b]
		command=sleep 1000
		autostart=false
		startsecs=0
		[program:bad]
		command=false
		autostart=false
		startretries=0
		[group:g]
		programs=b,bad
	END
	SERVICES_TEST=$BATS_TEST_TMPDIR "$SUPERVISORD" -c d/s.conf >log 2>&1 3>&- &
	served=$!
	until_true grep -q "success: a" d/main.log
	HTTP="--unix-socket d/sock http://localhost/RPC2"
	[[ "$(call supervisor.getState)" == *"<name>statename</name><value><string>RUNNING<"* ]]
	[[ "$(call supervisor.getProcessInfo "<string>a</string>")" == *"<int>20</int>"*"pid "* ]]
	[[ "$(call supervisor.getProcessInfo nobody)" == *"<fault>"*"<int>10</int>"*"BAD_NAME: nobody"* ]]
	[[ "$(call supervisor.startProcess g:b "<boolean>1</boolean>")" == *"<boolean>1</boolean>"* ]]
	[[ "$(call supervisor.startProcess g:b)" == *"<int>60</int>"*ALREADY_STARTED* ]]
	[[ "$(call supervisor.startProcess g:bad)" == *"<int>50</int>"*SPAWN_ERROR* ]]
	[[ "$(call supervisor.stopProcessGroup g)" == *"<int>80</int>"* ]]
	[[ "$(call supervisor.stopProcess g:b)" == *"<int>70</int>"* ]]
	until_true eval '[[ "$(call supervisor.readProcessStdoutLog a "<int>0</int>" "<int>0</int>")" == *"a &lt;&amp;&gt; b"* ]]'
	[[ "$(call supervisor.readProcessStdoutLog a "<int>2</int>" "<int>1</int>")" == *"<string>&lt;</string>"* ]]
	[[ "$(call supervisor.readProcessStdoutLog a "<int>-2</int>" "<int>1</int>")" == *BAD_ARGUMENTS* ]]
	[[ "$(call supervisor.nonsense)" == *UNKNOWN_METHOD* ]]
	[[ "$(call system.multicall 3)" == *INCORRECT_PARAMETERS* ]]
	HTTP="http://127.0.0.1:$port/RPC2"
	[ -z "$(call supervisor.getState)" ]
	[ "$(curl -s -o /dev/null -w '%{http_code}' $HTTP)" = 401 ]
	HTTP="-u joe:wrong http://127.0.0.1:$port/RPC2"
	[ -z "$(call supervisor.shutdown)" ]
	HTTP="-u joe:s:cret% http://127.0.0.1:$port/RPC2"
	[[ "$(call supervisor.getIdentification)" == *"<string>supervisor<"* ]]
	[[ "$(curl -s -u joe:s:cret% http://127.0.0.1:$port/)" == *"a  "*RUNNING* ]]
	# our own language has no password, so it is not spoken there
	[ -z "$(printf 'shutdown\0\0' | timeout 20 socat -t 10 - TCP:127.0.0.1:$port 2>/dev/null)" ]
	# nonsense does no harm
	for text in 'POST /RPC2 HTTP/1.1\r\nContent-Length: 99999\r\n\r\n' 'POST \r\n\r\n' 'GET\r\n' 'POST /RPC2 HTTP/1.1\r\nContent-Length: -1\r\n\r\n' \
		'POST /RPC2 HTTP/1.1\r\n\r\n<methodName>' 'GET /logtail/%%zz%%/x HTTP/1.1\r\n\r\n' 'GET / / HTTP/9\r\n\r\n' 'GET  \r\n\r\n'; do
		# shellcheck disable=SC2059 # it is a format
		printf "$text" | timeout 20 socat -t 1 - UNIX-CONNECT:d/sock >/dev/null 2>&1 || :
	done
	head -c 20000 /dev/zero | tr '\0' x | sed 's/^/POST /' | timeout 20 socat -t 1 - UNIX-CONNECT:d/sock >/dev/null 2>&1 || :
	[[ "$(call supervisor.shutdown)" == *"<boolean>1</boolean>"* ]]
	ended
	[ "$code" = 0 ]
}

@test "supervisord: what it logs of its programs, it logs in the same words" {
	local dir
	for dir in real ours; do
		base $dir <<-'END'
			[program:a]
			command=sh -c "trap 'exit 4' TERM; while :; do sleep 0.1; done"
			[program:b]
			command=sh -c "exit 3"
			startretries=1
			# the real one takes it for a success when it is slow to look
			startsecs=20
			[program:c]
			command=/no/such program
			startretries=1
			[program:d]
			command=/etc/passwd
			startretries=0
		END
	done
	for dir in real ours; do
		(
			cd $dir
			daemon=/usr/bin/supervisord
			[ $dir = real ] || daemon=$SUPERVISORD
			SERVICES_TEST=$BATS_TEST_TMPDIR "$daemon" -c s.conf >out 2>&1 3>&- &
			pid=$!
			until_true grep -q "gave up: c" main.log
			until_true grep -q "gave up: b" main.log
			until_true grep -q "success: a" main.log
			kill $pid
			wait $pid
		)
		grep -E "spawned|spawnerr|success|exited|stopped|gave up|received" $dir/main.log |
			sed -E -e 's/^[-0-9]{10} [0-9:]{8},[0-9]{3} //' -e 's/pid [0-9]+/pid N/' | sort >$dir.log
	done
	diff real.log ours.log
}

@test "supervisord: command line, versions and mistakes" {
	run -0 "$SUPERVISORD" -v
	[ "$output" = "$(/usr/bin/supervisord -v)" ]
	run -0 "$SUPERVISORD" --help
	run -2 "$SUPERVISORD" -Z
	run -2 "$SUPERVISORD" -c absent.conf
	run -2 "$SUPERVISORD" word
	mkdir empty
	cd empty
	base . <<-'END'
		[program:a]
		command=sleep 1000
		startsecs=soon
	END
	run -2 "$SUPERVISORD" -c s.conf
	[[ "$output" == *"s.conf:"[0-9]*": [program:a] startsecs: a number, not \"soon\""* ]]
	sed -i '/startsecs/d' s.conf
	mv s.conf supervisord.conf
	SERVICES_TEST=$BATS_TEST_TMPDIR "$SUPERVISORD" -n -l "$PWD/other.log" -j "$PWD/other.pid" -edebug >log 2>&1 3>&- &
	served=$!
	until_true eval '"$CTL" status a | grep -q RUNNING'
	[ "$(cat other.pid)" = "$served" ]
	grep -q "spawned: 'a'" other.log
	printf 'status\npid a\nnonsense\nexit\n' | "$CTL" >talk
	[ "$(grep -c RUNNING talk)" = 2 ]
	grep -q "Unknown syntax: nonsense" talk
	kill "$served"
	ended
	[ ! -e other.pid ]
}

@test "supervisord: without nodaemon it goes into the background" {
	base d <<-'END'
		[program:a]
		command=sleep 1000
	END
	sed -i /nodaemon/d d/s.conf
	SERVICES_TEST=$BATS_TEST_TMPDIR run -0 "$SUPERVISORD" -c d/s.conf
	until_true test -s d/pid
	served=$(cat d/pid)
	until_true eval '"$CTL" -c d/s.conf status a | grep -q RUNNING'
	run -0 "$CTL" -c d/s.conf shutdown
	until_true eval "! kill -0 $served"
	served=
}

@test "supervisord: reload and HUP stop everything and begin again as it is written now" {
	base d <<-'END'
		[program:a]
		command=sleep 1001
		startsecs=0
	END
	SERVICES_TEST=$BATS_TEST_TMPDIR "$SUPERVISORD" -c d/s.conf >log 2>&1 3>&- &
	served=$!
	until_true below "$served" "sleep 1001"
	sed -i 's/1001/1002/' d/s.conf
	run -0 "$CTL" -c d/s.conf reload
	[ "$output" = "Restarted supervisord" ]
	until_true below "$served" "sleep 1002"
	run ! below "$served" "sleep 1001"
	sed -i 's/1002/1003/' d/s.conf
	kill -HUP "$served"
	until_true below "$served" "sleep 1003"
	until_true eval '"$CTL" -c d/s.conf status a | grep -q RUNNING'
	mv d/main.log d/moved
	kill -USR2 "$served"
	until_true test -s d/main.log
	kill "$served"
	ended
	[ "$code" = 0 ]
}

@test "supervisord: as PID 1 of a container, and ends with an essential program" {
	make_rootfs
	cp "$INIT" rootfs/bin/clade-init
	ln -s clade-init rootfs/bin/supervisord
	cat >rootfs/etc/supervisord.conf <<-'END'
		[supervisord]
		nodaemon=true
		logfile=/dev/null
		[program:a]
		command=sh -c "echo from a; sleep 0.5; exit 9"
		stdout_logfile=/dev/stdout
		stdout_logfile_maxbytes=0
		autorestart=false
		exitcodes=0
		essential=true
		[program:b]
		command=sh -c "while :; do sleep 0.05; done"
	END
	run -9 clade run --rm dir:rootfs supervisord
	[[ "$output" == *"from a"* ]]
}

@test "supervisord: times are local, as TZ says" {
	base d <<-'END'
		[program:a]
		command=sleep 1000
		startsecs=0
	END
	# nobody has such an hour but who reads TZ
	export TZ="XYZ-9:30"
	SERVICES_TEST=$BATS_TEST_TMPDIR "$SUPERVISORD" -c d/s.conf >log 2>&1 3>&- &
	served=$!
	until_true grep -q "success: a" d/main.log
	logged=$(grep "success: a" d/main.log | cut -c1-19)
	now=$(date +%s)
	[ $((now - $(date -d "$logged" +%s))) -lt 600 ]
	[ $((now - $(date -d "$logged" +%s))) -ge -1 ]
}

@test "supervisord: a program's standard input stays open; fg and sendProcessStdin write to it" {
	base d <<-'END'
		[program:cat]
		command=cat
		startsecs=0
		stdout_logfile=%(here)s/cat.log
		[program:off]
		command=cat
		autostart=false
	END
	SERVICES_TEST=$BATS_TEST_TMPDIR "$SUPERVISORD" -c d/s.conf >log 2>&1 3>&- &
	served=$!
	until_true grep -q "success: cat" d/main.log
	HTTP="--unix-socket d/sock http://localhost/RPC2"
	[[ "$(call supervisor.sendProcessStdin cat "one &amp; one
")" == *"<boolean>1</boolean>"* ]]
	until_true grep -qx "one & one" d/cat.log
	[[ "$(call supervisor.sendProcessStdin off x)" == *NOT_RUNNING* ]]
	{ echo two; until_true grep -qx two d/cat.log; } | "$CTL" -c d/s.conf fg cat >fg.out
	head -n 1 fg.out | grep -qx "==> Press Ctrl-C to exit <=="
	[ "$(tail -n 1 fg.out)" = "Exiting foreground" ]
	run -1 "$CTL" -c d/s.conf fg off
	[ "$output" = "ERROR: process not running" ]
	run -1 "$CTL" -c d/s.conf fg nobody
	[ "$output" = "ERROR: bad process name supplied" ]
	run -1 "$CTL" -c d/s.conf fg cat off
	[ "$output" = "ERROR: too many process names supplied" ]
	# nothing of it has ended
	[ "$(grep -c "spawned: 'cat'" d/main.log)" = 1 ]
}

@test "supervisord: a program that ends at once, and counts as started, is no storm" {
	base d <<-'END'
		[program:a]
		command=true
		startsecs=0
		autorestart=true
		[program:b]
		command=sleep 2
		startsecs=0
		autorestart=false
	END
	SERVICES_TEST=$BATS_TEST_TMPDIR "$SUPERVISORD" -c d/s.conf >log 2>&1 3>&- &
	served=$!
	until_true grep -q "exited: b" d/main.log
	# one a second; it was thousands
	[ "$(grep -c "spawned: 'a'" d/main.log)" -lt 100 ]
	[ "$(grep -c "spawned: 'a'" d/main.log)" -ge 2 ]
}

@test "supervisord: every method of its XML-RPC, system.multicall too, answers as the real one's" {
	local dir daemon
	for dir in real ours; do
		base $dir <<-'END'
			[program:a]
			command=sh -c "echo 0123456789; exec sleep 1000"
			startsecs=0
			priority=1
			exitcodes=0,3
			user=root
			stopsignal=INT
			stderr_logfile=NONE
			[program:b]
			command=sleep 1000
			autostart=false
			startsecs=0
		END
		daemon=/usr/bin/supervisord
		[ $dir = real ] || daemon=$SUPERVISORD
		SERVICES_TEST=$BATS_TEST_TMPDIR "$daemon" -c $dir/s.conf >$dir/log 2>&1 3>&- &
		served=$!
		until_true grep -q "success: a" $dir/main.log
		python3 "$BATS_TEST_DIRNAME/supervisord_rpc.py" $dir/sock >$dir.out
		ended
		[ "$code" = 0 ]
	done
	diff real.out ours.out
}
