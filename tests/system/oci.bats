#!/usr/bin/env bats
# clade-oci: runc's command line, to the letter of what engines use.

load helpers
setup() {
	clade_setup
	make_rootfs
	RT=(clade-oci --root "$BATS_TEST_TMPDIR/oci")
	mkdir bundle
	(cd bundle && clade-oci spec)
	edit '.process.terminal = false | .root = {path: "'"$PWD"'/rootfs"} | .process.args = ["sleep", "1000"]'
}
teardown() {
	local id
	for id in $("${RT[@]}" list -q); do "${RT[@]}" delete -f "$id"; done
	[ -z "$(ls oci 2>/dev/null)" ] || return 1
	[ -z "$(find /sys/fs/cgroup -maxdepth 3 -path "*/clade/*$BATS_TEST_NUMBER-oci*")" ] || return 1
	clade_teardown
}
edit() { jq "$@" bundle/config.json >new.json && mv new.json bundle/config.json; }
id() { echo "$BATS_TEST_NUMBER-oci$1"; }
create() { "${RT[@]}" create --bundle bundle "$@" </dev/null >out 2>&1 3>&-; }
status() { "${RT[@]}" state "$1" | jq -r .status; }

@test "oci: create, start, state, kill, delete" {
	create --pid-file pid "$(id)"
	[ "$(status "$(id)")" = created ]
	# the number, and nothing behind it
	[ "$(wc -l <pid)" = 0 ]
	[ "$("${RT[@]}" state "$(id)" | jq .pid)" = "$(cat pid)" ]
	run -1 create "$(id)"
	"${RT[@]}" start "$(id)"
	[ "$(status "$(id)")" = running ]
	run -1 "${RT[@]}" start "$(id)"
	[[ "$output" == *"cannot start an already running container"* ]]
	run -1 "${RT[@]}" delete "$(id)"
	[[ "$output" == *"not stopped: running"* ]]
	"${RT[@]}" kill "$(id)" KILL
	until_true eval '[ "$(status "$(id)")" = stopped ]'
	run -1 "${RT[@]}" kill "$(id)" KILL
	[[ "$output" == *"container not running"* ]]
	run -0 "${RT[@]}" kill --all "$(id)" 9
	[ "$("${RT[@]}" state "$(id)" | jq .pid)" = 0 ]
	run -0 "${RT[@]}" delete "$(id)"
	run -1 "${RT[@]}" delete "$(id)"
	[[ "$output" == *"does not exist"* ]]
	run -0 "${RT[@]}" delete --force "$(id)"
}

@test "oci: delete of a created one kills it; two starts, one wins" {
	create "$(id)"
	pid=$("${RT[@]}" state "$(id)" | jq .pid)
	run -0 "${RT[@]}" delete "$(id)"
	[ ! -e "/proc/$pid/root/bin" ]
	create "$(id)"
	local won=0
	for i in 1 2 3 4; do "${RT[@]}" start "$(id)" 2>/dev/null 3>&- & pids[i]=$!; done
	for i in 1 2 3 4; do wait "${pids[i]}" && won=$((won + 1)); done
	[ "$won" = 1 ]
}

@test "oci: run passes output and exit code, leaves nothing; --keep and --detach" {
	edit '.process.args = ["sh", "-c", "echo out; exit 6"]'
	run -6 "${RT[@]}" run -b bundle "$(id)"
	[ "$output" = out ]
	[ -z "$("${RT[@]}" list -q)" ]
	run -6 "${RT[@]}" run --keep -b bundle "$(id)"
	[ "$(status "$(id)")" = stopped ]
	"${RT[@]}" delete "$(id)"
	edit '.process.args = ["sleep", "1000"]'
	"${RT[@]}" run -d -b bundle "$(id)" </dev/null >/dev/null 2>&1 3>&-
	[ "$(status "$(id)")" = running ]
}

@test "oci: exec: codes, process.json, flags end at the first word, its own failure is 255" {
	create "$(id)"
	"${RT[@]}" start "$(id)"
	run -3 "${RT[@]}" exec "$(id)" sh -c 'echo in; exit 3'
	[ "$output" = in ]
	run -0 "${RT[@]}" exec --env A=1 --cwd /bin -u 5:6 "$(id)" sh -c 'echo $A $(pwd) $(busybox id -u) $(busybox id -g) -d'
	[ "$output" = "1 /bin 5 6 -d" ]
	echo '{"args":["sh","-c","echo from file $X"],"env":["PATH=/bin","X=y"],"cwd":"/","user":{"uid":0,"gid":0}}' >process.json
	run -0 "${RT[@]}" exec --process process.json "$(id)"
	[ "$output" = "from file y" ]
	run -255 "${RT[@]}" exec "$(id)" no-such-program
	[[ "$output" == *"executable file not found in"* ]]
	run -255 "${RT[@]}" exec --cwd /no/such/folder "$(id)" true
	run -255 "${RT[@]}" exec -u nobody "$(id)" true
	"${RT[@]}" exec -d --pid-file pid "$(id)" sleep 1001 </dev/null >/dev/null 2>&1 3>&-
	[[ "$(tr '\0' ' ' <"/proc/$(cat pid)/cmdline")" == "sleep 1001 " ]]
	run -255 "${RT[@]}" exec nothing true
}

@test "oci: pause, resume, exec in a paused one, ps, update, events" {
	create "$(id)"
	"${RT[@]}" start "$(id)"
	"${RT[@]}" pause "$(id)"
	[ "$(status "$(id)")" = paused ]
	run -255 timeout 20 "${RT[@]}" exec "$(id)" true
	[[ "$output" == *"paused"* ]]
	run -1 "${RT[@]}" pause "$(id)"
	"${RT[@]}" resume "$(id)"
	run -1 "${RT[@]}" resume "$(id)"
	pid=$("${RT[@]}" state "$(id)" | jq .pid)
	[ "$("${RT[@]}" ps --format json "$(id)")" = "[$pid]" ]
	# start does not wait for its exec
	until_true eval '[[ "$("${RT[@]}" ps "$(id)")" == *"sleep 1000"* ]]'
	echo '{"pids":{"limit":44}}' | "${RT[@]}" update --resources=- "$(id)"
	"${RT[@]}" events --stats "$(id)" | jq -e '.type == "stats" and .data.pids.limit == 44 and .data.pids.current == 1'
	"${RT[@]}" update --pids-limit 45 "$(id)"
	"${RT[@]}" events --stats "$(id)" | jq -e '.data.pids.limit == 45'
}

@test "oci: the json log, its last error, and standard error too" {
	run -1 "${RT[@]}" --log log.json --log-format json start nothing
	[[ "$output" == *'container "nothing" does not exist'* ]]
	[ "$(tail -n 1 log.json | jq -r .level)" = error ]
	[[ "$(tail -n 1 log.json | jq -r .msg)" == *"does not exist"* ]]
	tail -n 1 log.json | jq -e .time
	# a warning is for that file alone where there is one: standard error is the container's
	edit '.process.capabilities.bounding += ["CAP_NOT_KNOWN"] | .process.args = ["echo", "said"]'
	run -0 "${RT[@]}" --log log.json --log-format json run --bundle bundle "$(id)"
	[ "$output" = said ]
	[[ "$(jq -r 'select(.level == "warning").msg' log.json)" == *CAP_NOT_KNOWN* ]]
	run -3 "${RT[@]}" frobnicate
	run -1 "${RT[@]}" create --no-such-flag x
	[[ "$output" == *"--no-such-flag"* ]]
}

@test "oci: --version as dockerd reads it, features, spec" {
	run -0 clade-oci --version
	[[ "${lines[0]}" =~ ^clade-oci\ version\ [0-9.]+$ ]]
	[[ "${lines[1]}" == "commit: "* ]]
	[ "${lines[2]}" = "spec: 1.3.0" ]
	clade-oci features | jq -e '.ociVersionMax == "1.3.0" and (.hooks | length) == 6 and (.linux.namespaces | length) == 8'
	run -1 clade-oci checkpoint x
	[[ "$output" == *CRIU* ]]
	(cd bundle && run -1 clade-oci spec)
}

@test "oci: a terminal goes to the console socket" {
	edit '.process.terminal = true | .process.args = ["sh", "-c", "tty; stty size"] | .process.consoleSize = {height: 31, width: 99}'
	run -1 create "$(id)"
	[[ "$(cat out)" == *"console-socket"* ]]
	python3 - <<-'END' >shown 3>&- &
		import array, os, socket, sys
		s = socket.socket(socket.AF_UNIX)
		s.bind("console.new"); s.listen(1); os.rename("console.new", "console.sock")
		c, _ = s.accept()
		msg, anc, _, _ = c.recvmsg(100, socket.CMSG_SPACE(4))
		fd = array.array("i", anc[0][2])[0]
		out = b""
		try:
		    while True:
		        d = os.read(fd, 1000)
		        if not d: break
		        out += d
		except OSError: pass
		sys.stdout.write(out.decode())
	END
	local reader=$!
	until_true test -S console.sock
	create --console-socket console.sock "$(id)"
	"${RT[@]}" start "$(id)"
	wait $reader
	grep -q "/dev/pts/0" shown
	grep -q "31 99" shown
}

@test "oci: hooks at their points, in order, with the state; one that fails stops the birth" {
	for hook in prestart createRuntime createContainer startContainer poststart poststop; do
		printf '#!/bin/sh\necho "%s $(cat | tr -d \\"\\\\n)" >>%s/hooks.log\n' "$hook" "$PWD" >hook-$hook
		chmod 755 hook-$hook
	done
	cp hook-startContainer rootfs/bin/hook
	edit --arg d "$PWD" '.hooks = (reduce ("prestart","createRuntime","createContainer","poststart","poststop") as $h ({}; .[$h] = [{path: ($d + "/hook-" + $h)}]))'
	create "$(id)"
	"${RT[@]}" start "$(id)"
	"${RT[@]}" delete -f "$(id)"
	[ "$(cut -d' ' -f1 hooks.log | tr '\n' ' ')" = "prestart createRuntime createContainer poststart poststop " ]
	grep -q "poststop.*status:stopped" hooks.log
	edit '.hooks = {createRuntime: [{path: "/bin/false"}]}'
	run -1 create "$(id)"
	[[ "$(cat out)" == *"createRuntime"* ]]
	[ -z "$("${RT[@]}" list -q)" ]
	edit '.hooks = {createRuntime: [{path: "/bin/sleep", args: ["sleep", "100"], timeout: 1}]}'
	run -1 create "$(id)"
	[[ "$(cat out)" == *"did not end within 1 s"* ]]
}

@test "oci: clade.init=true puts an init under an image that has none" {
	edit '.annotations = {"clade.init": "true"} | .process.args = ["sh", "-c", "ps; exit 8"]'
	run -8 "${RT[@]}" run -b bundle "$(id)"
	[[ "$output" == *"1 "*"/dev/init -- sh"* ]]
	# descriptors that were passed on reach the program
	edit '.process.args = ["sh", "-c", "cat <&4; exit 8"]'
	echo handed on >handed
	run -8 "${RT[@]}" run --preserve-fds 2 -b bundle "$(id)" 3</dev/null 4<handed
	[ "$output" = "handed on" ]
	edit '.annotations = {"clade.init": "maybe"}'
	run -1 "${RT[@]}" run -b bundle "$(id)"
}

@test "oci: KILL without a PID namespace of its own ends the whole cgroup" {
	edit '.linux.namespaces |= map(select(.type != "pid")) | .process.args = ["sh", "-c", "sleep 1002 & sleep 1003; true"]'
	create "$(id)"
	"${RT[@]}" start "$(id)"
	local init pids
	init=$("${RT[@]}" state "$(id)" | jq .pid)
	until_true below "$init" "sleep 1002"
	until_true below "$init" "sleep 1003"
	mapfile -t pids < <(descendants "$init")
	[ "${#pids[@]}" = 2 ]
	"${RT[@]}" kill "$(id)" KILL
	until_true gone "$init" "${pids[@]}"
}

@test "oci: hostile IDs and configurations" {
	local bad
	for bad in ../x a/b "a b" "" . .. $'a\nb'; do run -1 create "$bad"; done
	run ! ls ../x
	cp bundle/config.json good.json
	for change in '.linux.cgroupsPath = "/../../x"' '.linux.namespaces += [{"type": "pid"}]' '.process.cwd = "x"' \
		'.process.rlimits = [{"type": "RLIMIT_NOFILE", "soft": 9, "hard": 8}]' '.linux.sysctl = {"kernel.panic": "1"}' \
		'.linux.namespaces |= map(if .type == "uts" then .path = "/proc/self/ns/net" else . end)'; do
		jq "$change" good.json >bundle/config.json
		run -1 create "$(id)"
		[ "$(wc -l <out)" = 1 ] || { cat out; false; }
	done
	for text in '' '{' '{"a":1,"a":2}' "$(printf '[%.0s' $(seq 100))" $'{"ociVersion":"\xff"}' '{"ociVersion":"1.0.0\u0000"}' '[]'; do
		printf '%s' "$text" >bundle/config.json
		run -1 create "$(id)"
	done
	[ -z "$("${RT[@]}" list -q)" ]
}


@test "oci: run with a terminal in the foreground: plain newlines, the user's terminal comes back" {
	edit '.process.terminal = true | .process.args = ["sh", "-c", "tty; exit 4"]'
	typed=$'=>/dev/pts/0'
	run -4 terminal "${RT[@]}" run -b bundle "$(id)"
	[[ "$output" == *"[terminal: cooked]"* ]]
	run -4 "${RT[@]}" run -b bundle "$(id)" </dev/null
	[ "$output" = /dev/pts/0 ]
}
