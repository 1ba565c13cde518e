#!/usr/bin/env bats
# clade-oci's command line as runc's users, scripts and engines drive it: spellings, sockets, descriptors, annotations.

load helpers
setup() {
	clade_setup
	make_rootfs
	RT=(clade-oci --root "$PWD/oci")
	mkdir bundle
	(cd bundle && clade-oci spec)
	edit '.process.terminal = false | .root = {path: "'"$PWD"'/rootfs"} | .process.args = ["sleep", "1000"]'
	id=cli-$BATS_TEST_NUMBER
}
teardown() {
	local one
	for one in $("${RT[@]}" list -q); do "${RT[@]}" delete -f "$one"; done
	[ -z "$(ls oci 2>/dev/null)" ] || return 1
	clade_teardown
}
edit() { jq "$@" bundle/config.json >new.json && mv new.json bundle/config.json; }
start() { "${RT[@]}" run -d -b bundle "$@" "$id" </dev/null >out 2>&1 3>&- || { cat out; false; }; }

@test "cli: spellings: one dash or two, a space or =, flags before and after, --no-pivot, --no-new-keyring" {
	"${RT[@]}" -log-format=json --log "$PWD/log" create -bundle=bundle -pid-file "$PWD/pid" --no-pivot --no-new-keyring "$id" </dev/null >out 2>&1 3>&- || { cat out; false; }
	[ "$(cat pid)" = "$("${RT[@]}" state "$id" | jq .pid)" ]
	"${RT[@]}" start "$id"
	"${RT[@]}" kill -a "$id" KILL
	"${RT[@]}" delete "$id" --force
	edit '.process.args = ["true"]'
	"${RT[@]}" --rootless=auto --debug=false run -no-subreaper --bundle bundle "$id" </dev/null
	"${RT[@]}" run --keep=true -b=bundle "$id" </dev/null
	[ "$("${RT[@]}" list --quiet)" = "$id" ]
	run -1 "${RT[@]}" run --keep=maybe -b bundle other
	run -1 "${RT[@]}" create --bundle
	[[ "$output" == *"needs a value"* ]]
	run -1 "${RT[@]}" --cgroup-manager none list
	run -1 "${RT[@]}" --log-format yaml list
}

@test "cli: list, state and ps in both forms" {
	start
	run -0 "${RT[@]}" list
	[[ "${lines[0]}" =~ ^ID\ +PID\ +STATUS\ +BUNDLE\ +CREATED\ +OWNER$ ]]
	[[ "${lines[1]}" =~ ^$id\ +[0-9]+\ +running\ +$PWD/bundle\ +20..-..-..T.*Z\ +root$ ]]
	"${RT[@]}" list --format=json | jq -e --arg i "$id" '.[0] | .id == $i and .status == "running" and .owner == "root" and (.created | test("^20.*Z$"))'
	run -1 "${RT[@]}" list --format xml
	[[ "$output" == *"invalid format option"* ]]
	run -0 "${RT[@]}" ps "$id" -o pid,comm
	[[ "${lines[0]}" =~ PID\ +COMMAND && "${lines[1]}" =~ sleep ]]
	[ "${#lines[@]}" = 2 ]
	"${RT[@]}" kill "$id" 9
	until_true eval '[ "$("${RT[@]}" state "$id" | jq -r .status)" = stopped ]'
	[ "$("${RT[@]}" ps --format json "$id")" = null ]
}

@test "cli: descriptors: --preserve-fds, LISTEN_FDS before them, none else; one that is not there is an error" {
	edit '.process.args = ["sh", "-c", "cat <&3; cat <&4; echo $LISTEN_FDS $LISTEN_PID $LISTEN_FDNAMES; test -e /proc/self/fd/5 || echo no more"]'
	echo listen >a
	echo preserved >b
	LISTEN_FDS=1 LISTEN_FDNAMES=web run -0 "${RT[@]}" run --preserve-fds 1 -b bundle "$id" </dev/null 3<a 4<b 5<b
	[ "${lines[*]}" = "listen preserved 1 1 web no more" ] || { echo "$output"; false; }
	edit '.process.args = ["sleep", "1000"]'
	start
	run -0 "${RT[@]}" exec --preserve-fds 2 "$id" sh -c 'cat <&3; cat <&4; test -e /proc/self/fd/5 || echo no more' 3<a 4<b
	[ "${lines[*]}" = "listen preserved no more" ]
	run -1 bash -c 'exec 3>&- 4>&- 5>&-; exec "$@"' - "${RT[@]}" run --preserve-fds 2 -b bundle other
	[[ "$output" == *"please check that preserved-fd"* ]]
	run -1 "${RT[@]}" run --preserve-fds -1 -b bundle other
}

@test "cli: a pidfd goes to --pidfd-socket, of a container and of exec" {
	cat >take.py <<-'END'
		import array, os, select, signal, socket, sys
		s = socket.socket(socket.AF_UNIX)
		s.bind(sys.argv[1] + ".new"); s.listen(1); os.rename(sys.argv[1] + ".new", sys.argv[1])
		c, _ = s.accept()
		msg, anc, _, _ = c.recvmsg(100, socket.CMSG_SPACE(4))
		fd = array.array("i", anc[0][2])[0]
		for line in open("/proc/self/fdinfo/%d" % fd):
		    if line.startswith("Pid:"): print(line.split()[1])
		signal.pidfd_send_signal(fd, signal.SIGKILL)
		select.poll().register(fd)
		p = select.poll(); p.register(fd, select.POLLIN); p.poll(20000)
		print("ended")
	END
	python3 take.py "$PWD/one.sock" >one 3>&- &
	local taker=$!
	until_true test -S one.sock
	start --pidfd-socket "$PWD/one.sock" --pid-file "$PWD/pid"
	wait $taker
	[ "$(tr '\n' ' ' <one)" = "$(cat pid) ended " ]
	"${RT[@]}" delete "$id"
	start
	python3 take.py "$PWD/two.sock" >two 3>&- &
	taker=$!
	until_true test -S two.sock
	run -137 "${RT[@]}" exec --pidfd-socket "$PWD/two.sock" "$id" sleep 1013
	wait $taker
	grep -q ended two
}

@test "cli: consoles: who has to have a socket and who may not" {
	local words="cannot allocate tty if clade-oci will detach without setting console socket"
	edit '.process.terminal = true'
	run -1 "${RT[@]}" create -b bundle "$id"
	[[ "$output" == *"$words"* ]]
	run -1 "${RT[@]}" run -d -b bundle "$id"
	[[ "$output" == *"$words"* ]]
	run -1 "${RT[@]}" run --console-socket x -b bundle "$id"
	[[ "$output" == *"cannot use console socket"* ]]
	edit '.process.terminal = false'
	run -1 "${RT[@]}" create --console-socket x -b bundle "$id"
	[[ "$output" == *"cannot use console socket"* ]]
	start
	run -255 "${RT[@]}" exec -t -d "$id" true
	[[ "$output" == *"$words"* ]]
	run -255 "${RT[@]}" exec --console-socket x "$id" true
	[[ "$output" == *"cannot use console socket"* ]]
	edit '.process.terminal = true'
	run -1 "${RT[@]}" create --console-socket "$PWD/nobody" -b bundle other
	[[ "$output" == *"connect to $PWD/nobody"* ]]
}

# hang_up SOCKET: takes one connection and closes it without reading, then says so
hang_up() {
	python3 - "$1" >"$1.said" 3>&- <<-'END' &
		import os, socket, sys
		s = socket.socket(socket.AF_UNIX)
		s.bind(sys.argv[1] + ".new"); s.listen(1); os.rename(sys.argv[1] + ".new", sys.argv[1])
		c, _ = s.accept()
		c.close()
		print("closed")
	END
	until_true test -S "$1"
}

@test "cli: a console's or pidfd's receiver that hangs up is a failure, and nothing stays" {
	printf '#!/bin/sh\nuntil grep -q closed "%s"; do sleep 0.02; done\n' "$PWD/h.sock.said" >hook
	chmod 755 hook
	edit --arg d "$PWD" '.process.terminal = true | .hooks = {createRuntime: [{path: ($d + "/hook"), timeout: 60}]}'
	hang_up "$PWD/h.sock"
	run -1 "${RT[@]}" create --console-socket "$PWD/h.sock" -b bundle "$id" </dev/null
	[[ "$output" == *"send terminal to $PWD/h.sock: broken pipe"* ]] || { echo "$output"; false; }
	rm h.sock*
	edit '.process.terminal = false'
	hang_up "$PWD/h.sock"
	run -1 "${RT[@]}" create --pidfd-socket "$PWD/h.sock" -b bundle "$id" </dev/null
	[[ "$output" == *"send pidfd to $PWD/h.sock: broken pipe"* ]] || { echo "$output"; false; }
	[ -z "$("${RT[@]}" list -q)" ]
}

@test "cli: one that is half made does not exist but for delete, which a hook of it does not wait for" {
	local verb
	mkdir -p "oci/$id"
	for verb in state start kill pause resume ps "events --stats" "update --pids-limit 5"; do
		# shellcheck disable=SC2086 # words on purpose
		run -1 "${RT[@]}" $verb "$id"
		[[ "$output" == *"container \"$id\" does not exist"* ]] || { echo "$verb: $output"; false; }
	done
	run -255 "${RT[@]}" exec "$id" true
	[[ "$output" == *"does not exist"* ]]
	run -0 --separate-stderr "${RT[@]}" list -q
	[ -z "$output" ]
	[[ "$stderr" == *"container $id is left out: it is half made"* ]]
	run -1 "${RT[@]}" create -b bundle "$id"
	[[ "$output" == *"already exists"* ]]
	"${RT[@]}" delete "$id"
	[ ! -e "oci/$id" ]
	printf '#!/bin/sh\n%s delete -f %s >%s 2>&1\necho "code $?" >>%s\n' "$BIN/clade-oci --root $PWD/oci" "$id" "$PWD/said" "$PWD/said" >hook
	chmod 755 hook
	for verb in createRuntime createContainer; do
		edit --arg d "$PWD" --arg h $verb '.hooks = {($h): [{path: ($d + "/hook"), timeout: 5}]}'
		start
		grep -q "container $id is still being made, and who makes it waits for this command" said
		grep -qx "code 1" said
		"${RT[@]}" delete -f "$id"
	done
}

@test "cli: kill and delete --regex, as crun has them: all that match" {
	local one
	for one in a1 a2 b1; do "${RT[@]}" run -d -b bundle "$id-$one" </dev/null >/dev/null 2>&1 3>&-; done
	"${RT[@]}" kill --regex -- "-a[12]\$" KILL
	for one in a1 a2; do until_true eval '[ "$("${RT[@]}" state "$id-$one" | jq -r .status)" = stopped ]'; done
	[ "$("${RT[@]}" state "$id-b1" | jq -r .status)" = running ]
	# who cannot be deleted is said, the others go
	run -0 "${RT[@]}" delete -r "$id-"
	[[ "$output" == *"cannot delete container $id-b1 that is not stopped: running"* && "${#lines[@]}" = 1 ]]
	[ "$("${RT[@]}" list -q)" = "$id-b1" ]
	run -1 "${RT[@]}" kill -r '(' KILL
	[[ "$output" == *"invalid regular expression"* ]]
	"${RT[@]}" delete -f -r .
	[ -z "$("${RT[@]}" list -q)" ]
}

@test "cli: without memory the failure is its own: its name, its exit code, a line in its log" {
	local n
	mkdir oci
	# from the first request on that fails, from the second ...
	for n in 1 2 3 4; do
		run strace -f -qq -o /dev/null -e trace=mmap,brk -e "inject=mmap,brk:error=ENOMEM:when=$n+" "${RT[@]}" --log log --log-format json exec "$id" true
		[[ "$status" = 255 && ("$output" == "clade-oci: out of memory" || "$output" == *"does not exist"*) ]] || { echo "$n: $status $output"; false; }
	done
	jq -se 'any(.level == "error" and .msg == "out of memory" and (.time | test("^20.*Z$")))' log
	run -1 strace -f -qq -o /dev/null -e trace=mmap,brk -e inject=mmap,brk:error=ENOMEM "${RT[@]}" list
	[ "$output" = "clade-oci: out of memory" ]
}

@test "cli: exec: what process.json does not say is as the container has it; nothing is given away" {
	edit '.process.rlimits = [{type: "RLIMIT_CORE", soft: 1, hard: 2}] | .process.capabilities = {bounding: ["CAP_CHOWN"], effective: ["CAP_CHOWN"], permitted: ["CAP_CHOWN"]}'
	start
	echo '{"args":["grep","-E","CapEff|CapBnd","/proc/self/status"],"cwd":"/","user":{"uid":0,"gid":0}}' >p.json
	run -0 "${RT[@]}" exec -p p.json "$id"
	[[ "${lines[0]}" == *0000000000000001 && "${lines[1]}" == *0000000000000001 ]]
	run -0 "${RT[@]}" exec -c CAP_KILL "$id" grep CapEff /proc/self/status
	[[ "$output" == *0000000000000021 ]]
	run -0 "${RT[@]}" exec --no-new-privs -g 7 -g 8 -u 5 "$id" sh -c 'id -G; grep NoNewPrivs /proc/self/status; grep CapInh /proc/self/status'
	[[ "${lines[0]}" == *"7 8" && "${lines[1]}" == *1 && "${lines[2]}" == *0000000000000000 ]]
	"${RT[@]}" delete -f "$id"
	edit 'del(.process.capabilities) | .process.args = ["grep", "-E", "CapEff|CapBnd|CapPrm", "/proc/self/status"]'
	run -0 "${RT[@]}" run -b bundle "$id"
	[ "$(tr -d '\n' <<<"$output" | sed 's/Cap...:\t//g')" = "000000000000000000000000000000000000000000000000" ]
}

@test "cli: exec --cgroup: below the container's own, by controller; never above it" {
	start
	local dir
	for dir in /sys/fs/cgroup/pids /sys/fs/cgroup; do [ -e "$dir/clade/$id/cgroup.procs" ] && break; done
	run -255 "${RT[@]}" exec --cgroup below "$id" true
	[[ "$output" == *"--cgroup below"* ]]
	run -255 "${RT[@]}" exec --cgroup ../other "$id" true
	[[ "$output" == *"invalid --cgroup argument"* ]]
	run -255 "${RT[@]}" exec --cgroup a --cgroup b "$id" true
	[[ "$output" == *"missing <controller>: prefix"* ]]
	run -255 "${RT[@]}" exec --cgroup nothing:a "$id" true
	mkdir "$dir/clade/$id/below"
	if [ $dir = /sys/fs/cgroup/pids ]; then
		run -0 "${RT[@]}" exec --cgroup pids:below "$id" grep pids /proc/self/cgroup
		[[ "$output" == *"/below" ]]
	else
		run -0 "${RT[@]}" exec --cgroup below "$id" cat /proc/self/cgroup
		[[ "$output" == *"/below" ]]
	fi
}

@test "cli: checkpoint and restore, with the words that engines give them: one sentence" {
	start
	local words
	for words in "checkpoint --image-path i --work-path w --leave-running --tcp-established --file-locks $id" "checkpoint $id" \
		"restore --bundle bundle --pid-file p --detach --image-path i --work-path w -no-subreaper other"; do
		# shellcheck disable=SC2086
		run -1 "${RT[@]}" $words
		[[ "$output" == *CRIU* && "${#lines[@]}" = 1 ]]
	done
	clade-oci features | jq -e '.annotations["org.opencontainers.runc.checkpoint.enabled"] == "false"'
}

@test "cli: annotations of crun's and of ours: hooks' output, groups kept, a PID 1 whose kernel reaps" {
	printf '#!/bin/sh\necho out\necho err >&2\n' >hook
	chmod 755 hook
	edit --arg d "$PWD" '.hooks = {createRuntime: [{path: ($d + "/hook")}]} | .annotations = {"run.oci.hooks.stdout": ($d + "/o"), "run.oci.hooks.stderr": ($d + "/e")} | .process.args = ["true"]'
	run -0 "${RT[@]}" run -b bundle "$id"
	[ "$(cat o e)" = $'out\nerr' ]
	edit '.hooks = {} | .annotations = {"run.oci.keep_original_groups": "1"} | .process.args = ["id", "-G"]'
	run -0 setpriv --groups 4242,4243 "${RT[@]}" run -b bundle "$id"
	[[ "$output" == *4242*4243* ]]
	edit '.annotations = {}'
	run -0 setpriv --groups 4242,4243 "${RT[@]}" run -b bundle "$id"
	[[ "$output" != *4242* ]]
	edit '.annotations = {"clade.reap": "kernel"} | .process.args = ["sleep", "1000"]'
	start
	"${RT[@]}" exec "$id" sh -c 'sh -c "sleep 0.05 & exit"; true'
	until_true eval '! "${RT[@]}" ps "$id" | grep -q "sleep 0.05"'
	! "${RT[@]}" ps "$id" | grep -q defunct
	edit '.annotations = {"clade.reap": "somebody"}'
	run -1 "${RT[@]}" create -b bundle other
}

@test "cli: events: all counters, again and again until it ends" {
	edit '.process.args = ["sh", "-c", "echo x >/dev/shm/x; exec sleep 1000"]'
	start
	"${RT[@]}" events --stats "$id" | jq -e '.type == "stats" and (.data | has("cpu") and has("cpuset") and has("memory") and has("pids") and has("blkio") and has("hugetlb") and has("intel_rdt")) and .data.cpu.usage.total > 0 and (.data.pids.current == 1 or .data.pids.current == 0)'
	"${RT[@]}" events --interval 100ms "$id" >stream 3>&- &
	local reader=$!
	until_true eval '[ "$(wc -l <stream)" -ge 3 ]'
	# a line that is being written is none yet
	head -n 3 stream | jq -e . >/dev/null
	"${RT[@]}" delete -f "$id"
	wait $reader
	run -1 "${RT[@]}" events --interval -1 "$id"
}
