#!/usr/bin/env bats
# The life of a container as runtime.md has it, and hooks as config.md has them.

load helpers
setup() {
	clade_setup
	make_rootfs
	RT=(clade-oci --root "$PWD/oci")
	mkdir bundle log
	chmod 777 log
	(cd bundle && clade-oci spec)
	edit '.process.terminal = false | .root = {path: "'"$PWD"'/rootfs"} | .process.args = ["sleep", "1000"] | .mounts += [{destination: "/log", source: "'"$PWD"'/log", options: ["bind"]}]'
	id=life-$BATS_TEST_NUMBER
}
teardown() {
	local one
	for one in $("${RT[@]}" list -q); do "${RT[@]}" delete -f "$one"; done
	[ -z "$(ls oci 2>/dev/null)" ] || return 1
	[ -z "$(find /sys/fs/cgroup -maxdepth 4 -path '*/clade/life-*')" ] || return 1
	clade_teardown
}
edit() { jq "$@" bundle/config.json >new.json && mv new.json bundle/config.json; }
create() { "${RT[@]}" create --bundle bundle "$@" </dev/null >out 2>&1 3>&-; }
status() { "${RT[@]}" state "$1" | jq -r .status; }
stopped() { [ "$(status "$id")" = stopped ]; }

@test "life: every operation wants an ID, and one that is there" {
	local verb
	for verb in state create start kill delete; do
		run -1 "${RT[@]}" $verb
		[[ "$output" == *"$verb"* ]]
	done
	for verb in state start kill delete pause resume update events ps exec; do
		run ! "${RT[@]}" $verb no-such-container
		[[ "$output" == *"does not exist"* || $verb = exec ]]
	done
}

@test "life: the state has what it must, as JSON" {
	edit '.annotations = {"com.example": "y"}'
	create "$id"
	"${RT[@]}" state "$id" | jq -e --arg b "$PWD/bundle" --arg i "$id" '.ociVersion == "1.3.0" and .id == $i and .status == "created" and (.pid | type) == "number" and .bundle == $b and .annotations["com.example"] == "y"'
	[ -d "/proc/$("${RT[@]}" state "$id" | jq .pid)" ]
	"${RT[@]}" start "$id"
	[ "$(status "$id")" = running ]
	"${RT[@]}" kill "$id" KILL
	until_true stopped
}

@test "life: create applies all and runs nothing; what is changed in the bundle afterwards has no effect; start runs it" {
	edit '.process.args = ["sh", "-c", "echo ran >/log/ran; exec sleep 1000"] | .hostname = "first"'
	create "$id"
	[ "$(status "$id")" = created ]
	[ ! -e log/ran ]
	edit '.process.args = ["sh", "-c", "echo other >/log/other; exec sleep 1000"] | .hostname = "second"'
	"${RT[@]}" start "$id"
	until_true test -e log/ran
	[ ! -e log/other ]
	run -0 "${RT[@]}" exec "$id" hostname
	[ "$output" = first ]
}

@test "life: an ID is one container's; a failing create leaves nothing" {
	create "$id"
	pid=$("${RT[@]}" state "$id" | jq .pid)
	run -1 create "$id"
	grep -q "already exists" out
	[ "$("${RT[@]}" state "$id" | jq .pid)" = "$pid" ]
	edit '.mounts += [{destination: "/x", source: "/no/such/source", options: ["bind"]}]'
	run -1 create "$id-b" --pid-file pid
	[ ! -e pid ]
	[ "$("${RT[@]}" list -q)" = "$id" ]
	[ -z "$(find /sys/fs/cgroup -maxdepth 4 -path "*/clade/$id-b")" ]
}

@test "life: start of what is not created, kill of what does not run, delete of what does: errors without effect" {
	create "$id"
	"${RT[@]}" start "$id"
	pid=$("${RT[@]}" state "$id" | jq .pid)
	run -1 "${RT[@]}" start "$id"
	run -1 "${RT[@]}" delete "$id"
	[ -d "/proc/$pid" ]
	[ "$(status "$id")" = running ]
	"${RT[@]}" kill "$id" KILL
	until_true stopped
	run -1 "${RT[@]}" kill "$id" TERM
	run -1 "${RT[@]}" start "$id"
	[[ "$output" == *"stopped"* ]]
	"${RT[@]}" delete "$id"
	run -1 "${RT[@]}" state "$id"
	# the ID is free again
	create "$id"
}

@test "life: kill sends the signal that was asked for, by number, name and short name" {
	edit '.process.args = ["sh", "-c", "trap \"echo usr1 >>/log/got\" USR1; trap \"echo hup >>/log/got\" HUP; echo up >/log/up; while :; do sleep 0.05; done"]'
	create "$id"
	"${RT[@]}" start "$id"
	until_true test -e log/up
	local word n=0
	for word in USR1 SIGHUP 10 hup sigusr1; do
		"${RT[@]}" kill "$id" $word
		n=$((n + 1))
		until_true eval '[ "$(wc -l <log/got)" = '$n' ]'
	done
	[ "$(tr '\n' ' ' <log/got)" = "usr1 hup usr1 hup usr1 " ]
	run -1 "${RT[@]}" kill "$id" NOSUCH
}

@test "life: KILL reaches a paused one, and so does delete --force" {
	create "$id"
	"${RT[@]}" start "$id"
	"${RT[@]}" pause "$id"
	"${RT[@]}" kill "$id" KILL
	until_true stopped
	"${RT[@]}" delete "$id"
	edit '.linux.namespaces |= map(select(.type != "pid"))'
	create "$id"
	"${RT[@]}" start "$id"
	"${RT[@]}" pause "$id"
	"${RT[@]}" kill "$id" KILL
	until_true stopped
	"${RT[@]}" delete "$id"
	create "$id"
	"${RT[@]}" start "$id"
	"${RT[@]}" pause "$id"
	"${RT[@]}" delete --force "$id"
}

@test "life: delete removes what create made, and nothing else" {
	unshare -n sleep 1010 3>&- &
	local pid=$!
	until_true eval '[ "$(readlink /proc/'$pid'/ns/net)" != "$(readlink /proc/self/ns/net)" ]'
	touch netns
	mount --bind /proc/$pid/ns/net netns
	edit --arg p "$PWD/netns" '.linux.namespaces |= map(if .type == "network" then .path = $p else . end)'
	create "$id"
	"${RT[@]}" delete "$id"
	nsenter --net=netns true
	umount netns
	kill $pid
	[ -e rootfs/bin/sh ]
}

# hook POINT...: each writes its point, the state's status and where it stands
hooks() {
	local point
	for point; do
		# the state is read before anything else; a hook in the container has the image's programs alone
		cat >hook-$point <<-END
			#!/bin/sh
			read -r state
			status=\${state#*\"status\":\"}
			pid=\${state#*\"pid\":}
			echo "$point \${status%%\"*} \${pid%%,*} \$(readlink /proc/self/ns/mnt) \$(hostname) \$1 \$X" >>$PWD/log/hooks
		END
		chmod 755 hook-$point
	done
}

@test "hooks: stand in the runtime's network namespace; the container's is there, with lo up and nothing of the host's" {
	cat >hook <<-'END'
		#!/bin/sh
		read -r state
		pid=${state#*\"pid\":}
		pid=${pid%%,*}
		readlink /proc/self/ns/net >own
		readlink /proc/$pid/ns/net >its
		nsenter --net=/proc/$pid/ns/net ip -o link >links
	END
	chmod 755 hook
	edit --arg d "$PWD" '.hooks = {createRuntime: [{path: ($d + "/hook"), env: ["PATH=/usr/sbin:/usr/bin:/sbin:/bin"]}]} | .process.args = ["ls", "/sys/class/net"]'
	run -0 "${RT[@]}" run -b bundle "$id"
	[ "$output" = lo ]
	[ "$(cat own)" = "$(readlink /proc/self/ns/net)" ]
	[ "$(cat its)" != "$(cat own)" ]
	[ "$(wc -l <links)" = 1 ]
	[[ "$(cat links)" == *"lo: <LOOPBACK,UP,"* ]]
}

@test "hooks: six points, in order, each with its state, in its namespace, with its words and its environment" {
	hooks prestart createRuntime createContainer poststart poststop
	sed "s#$PWD/log#/log#" hook-prestart | sed 's/prestart/startContainer/' >rootfs/bin/hook
	chmod 755 rootfs/bin/hook
	edit --arg d "$PWD" '.process.args = ["sh", "-c", "echo program >>/log/hooks; exec sleep 1000"] | .hostname = "inside" | .hooks = (reduce ("prestart","createRuntime","createContainer","poststart","poststop") as $h ({}; .[$h] = [{path: ($d + "/hook-" + $h), args: ["hook", "one"], env: ["X=x", "PATH=/usr/bin:/bin"]}, {path: ($d + "/hook-" + $h), args: ["hook", "two"], env: ["PATH=/usr/bin:/bin"]}]))
		| .hooks.startContainer = [{path: "/bin/hook", args: ["hook", "one"], env: ["X=x", "PATH=/bin"]}]'
	create "$id"
	[ "$(cut -d' ' -f1 log/hooks | tr '\n' ' ')" = "prestart prestart createRuntime createRuntime createContainer createContainer " ]
	local host
	host=$(readlink /proc/self/ns/mnt)
	[[ "$(sed -n 1p log/hooks)" == "prestart creating $("${RT[@]}" state "$id" | jq .pid) $host $(hostname) one x" ]]
	[[ "$(sed -n 2p log/hooks)" == *" two " ]]
	[[ "$(sed -n 3p log/hooks)" == "createRuntime creating "*" $host $(hostname) one x" ]]
	[[ "$(sed -n 5p log/hooks)" == "createContainer creating "* && "$(sed -n 5p log/hooks)" != *"$host"* ]]
	"${RT[@]}" start "$id"
	# poststart hooks have run when start returns, and only after the program
	[[ "$(sed -n 7p log/hooks)" == "startContainer created 1 "*" inside one x" ]]
	grep -q "poststart running" log/hooks
	"${RT[@]}" kill "$id" KILL
	until_true stopped
	[ "$(grep -c poststop log/hooks)" = 0 ]
	"${RT[@]}" delete "$id"
	[ "$(grep "poststop stopped" log/hooks | grep -cF "$host")" = 2 ]
}

@test "hooks: poststart comes after the program has been executed" {
	cat >hook <<-END
		#!/bin/sh
		read -r state
		pid=\${state#*\"pid\":}
		readlink /proc/\${pid%%,*}/exe >$PWD/log/exe
	END
	chmod 755 hook
	edit --arg d "$PWD" '.hooks = {poststart: [{path: ($d + "/hook")}]}'
	for _ in 1 2 3 4 5; do
		create "$id"
		"${RT[@]}" start "$id"
		[[ "$(cat log/exe)" == */busybox ]] || { cat log/exe; false; }
		"${RT[@]}" delete -f "$id"
	done
}

@test "hooks: one that fails before the start destroys the container, and poststop hooks are run" {
	hooks poststop
	local point
	for point in prestart createRuntime createContainer; do
		rm -f log/hooks
		edit --arg d "$PWD" --arg p $point '.hooks = {poststop: [{path: ($d + "/hook-poststop")}]} | .hooks[$p] = [{path: "/bin/false"}]'
		run -1 create "$id"
		grep -q "hooks.$point\[0\]" out
		run -1 "${RT[@]}" state "$id"
		grep -q "poststop stopped" log/hooks
	done
	# startContainer's runs inside, when start has been told
	edit '.hooks = {startContainer: [{path: "/bin/false"}]} | .process.args = ["sh", "-c", "echo ran >/log/ran"]'
	create "$id"
	"${RT[@]}" start "$id" || :
	until_true stopped
	[ ! -e log/ran ]
	grep -q "hooks.startContainer\[0\]" out
	"${RT[@]}" delete "$id"
	# poststart's: an error, and it is gone
	edit '.hooks = {poststart: [{path: "/bin/false"}]} | .process.args = ["sleep", "1000"]'
	create "$id"
	run -1 "${RT[@]}" start "$id"
	[[ "$output" == *"hooks.poststart[0]"* ]]
	run -1 "${RT[@]}" state "$id"
	# poststop's: a warning, and the next one runs
	hooks poststop
	rm -f log/hooks
	edit --arg d "$PWD" '.hooks = {poststop: [{path: "/bin/false"}, {path: ($d + "/hook-poststop")}]}'
	create "$id"
	run -0 "${RT[@]}" delete -f "$id"
	[[ "$output" == *"hooks.poststop[0]"* ]]
	grep -q "poststop stopped" log/hooks
}

@test "hooks: a timeout ends one with what it has started; one that does not read its state is no failure" {
	# what a hook starts is known by its environment
	local mark=LIFE_TEST=$BATS_TEST_TMPDIR
	none_marked() { ! grep -qsxzF "$mark" /proc/[0-9]*/environ; }
	edit --arg mark "$mark" '.hooks = {createRuntime: [{path: "/bin/sh", args: ["sh", "-c", "sleep 1000 & sleep 1000"], env: [$mark, "PATH=/usr/bin:/bin"], timeout: 1}]}'
	run -1 create "$id"
	grep -q "did not end within 1 s" out
	until_true none_marked
	# also when it does not read a state that is longer than a pipe holds
	edit '.annotations = {big: ("x" * 200000)}'
	run -1 create "$id"
	grep -q "did not end within 1 s" out
	until_true none_marked
	edit '.hooks = {createRuntime: [{path: "/bin/true"}]} | .annotations = {big: ("x" * 200000)}'
	create "$id"
}

@test "life: delete while create is at it: one of them wins, and nothing stays" {
	local n maker
	for n in $(seq 40); do
		create "$id" &
		maker=$!
		until [ -e "oci/$id" ] || ! kill -0 $maker 2>/dev/null; do :; done
		"${RT[@]}" delete -f "$id"
		wait $maker || :
		"${RT[@]}" delete -f "$id"
		[ ! -e "oci/$id" ]
		[ -z "$(find /sys/fs/cgroup -maxdepth 4 -path "*/clade/$id")" ]
	done
}
