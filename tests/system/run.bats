#!/usr/bin/env bats
# clade run: what a person types first, and docker's exit codes.
# bats file_tags=user

load helpers
setup() { clade_setup; make_rootfs; }
teardown() { clade_teardown; }

@test "run: output, exit code and nothing left" {
	run -0 clade run --rm dir:rootfs echo hello
	[ "$output" = hello ]
	run -7 clade run --rm dir:rootfs sh -c 'exit 7'
	[ -z "$(ids)" ]
}

@test "run: standard output and standard error stay apart" {
	clade run --rm dir:rootfs sh -c 'echo out; echo err >&2' >out 2>err
	[ "$(cat out)" = out ]
	[ "$(cat err)" = err ]
}

@test "run: exit codes 125, 126, 127 and 128+n" {
	run -125 clade run --no-such-flag dir:rootfs true
	[[ "$output" == *"--no-such-flag"* ]]
	run -125 clade run --rm dir:nowhere true
	[[ "$output" == *"dir:nowhere: No such file or directory"* ]]
	run -127 clade run --rm dir:rootfs nothing-of-this-name
	[[ "$output" == *"nothing-of-this-name"*"not found"* ]]
	run -127 clade run --rm dir:rootfs /no/such/file
	run -126 clade run --rm dir:rootfs /etc
	[[ "$output" == *"a directory"*"Permission denied"* ]]
	run -126 clade run --rm dir:rootfs /etc/passwd
	[[ "$output" == *"Permission denied"* ]]
	run -137 clade run --rm dir:rootfs sh -c 'sh -c "kill -9 \$\$"; exit $?'
	[ -z "$(ids)" ]
}

@test "run: PID 1 of its own namespace, which sees nothing of the host" {
	run -0 clade run --rm dir:rootfs sh -c 'echo $$; ls -d /proc/[0-9]*'
	[ "${lines[0]}" = 1 ]
	[ "${#lines[@]}" -le 3 ]
}

@test "run: every namespace is its own" {
	local ns
	for ns in pid mnt uts ipc net cgroup; do
		[ "$(clade run --rm dir:rootfs readlink /proc/self/ns/$ns)" != "$(readlink /proc/self/ns/$ns)" ]
	done
}

@test "run host: the running system's files, and what is written is thrown away" {
	run -0 clade run --rm host sh -c "cat /etc/hostname >/dev/null; echo x >/etc/clade-was-here; cat /etc/clade-was-here"
	[ "${lines[-1]}" = x ]
	[ ! -e /etc/clade-was-here ]
	run -0 clade run --rm host ls /run /tmp /home
	[[ "$output" != *clade* ]]
}

@test "run: host name is the short ID, or what is asked for" {
	id=$(clade run -d dir:rootfs hostname)
	run -0 clade wait "$id"
	run -0 clade logs "$id"
	[ "$output" = "${id:0:12}" ]
	run -0 clade run --rm --hostname box dir:rootfs hostname
	[ "$output" = box ]
}

@test "run -e, --env-file, -w, --entrypoint" {
	printf '# comment\nA=from file\n\nB=2\n' >vars
	run -0 env C=mine clade run --rm --env-file vars -e A=flag -e C -e GONE -w /bin dir:rootfs sh -c 'echo "$A|$B|$C|${GONE-none}|$(pwd)|$HOME"'
	[ "$output" = "flag|2|mine|none|/bin|/root" ]
	run -0 clade run --rm --entrypoint echo dir:rootfs a b
	[ "$output" = "a b" ]
	run -125 clade run --rm -w bin dir:rootfs true
	[[ "$output" == *"not absolute"* ]]
}

@test "run -i: standard input, large in both directions at once" {
	head -c 3000000 /dev/urandom >in
	clade run --rm -i dir:rootfs cat <in >out
	cmp in out
	# without -i it is empty
	run -0 clade run --rm dir:rootfs sh -c 'cat; echo end' <in
	[ "$output" = end ]
}

@test "run -v, --mount, --tmpfs, --read-only" {
	mkdir data
	echo one >data/file
	run -0 clade run --rm -v "$PWD/data:/data" dir:rootfs sh -c 'cat /data/file; echo two >/data/new'
	[ "$output" = one ]
	[ "$(cat data/new)" = two ]
	run -1 clade run --rm -v ./data:/data:ro dir:rootfs touch /data/x
	[[ "$output" == *"Read-only"* ]]
	run -0 clade run --rm --mount type=bind,src="$PWD/data/file",dst=/etc/one,readonly dir:rootfs cat /etc/one
	[ "$output" = one ]
	run -0 clade run --rm --tmpfs /scratch:size=1m dir:rootfs sh -c 'mount | grep /scratch'
	[[ "$output" == *"size=1024k"* ]]
	# over a folder of the image it has that one's mode, or the one that is said
	mkdir -m 711 rootfs/secret
	run -0 clade run --rm --tmpfs /secret dir:rootfs stat -c %a /secret
	[ "$output" = 711 ]
	run -0 clade run --rm --tmpfs /secret:mode=750 dir:rootfs stat -c %a /secret
	[ "$output" = 750 ]
	run -0 clade run --rm --tmpfs /secret:ro dir:rootfs stat -c %a /secret
	[ "$output" = 711 ]
	run -1 clade run --rm --read-only dir:rootfs touch /x
	[[ "$output" == *"Read-only"* ]]
	run -125 clade run --rm --mount type=bind,src=/no/such,dst=/x dir:rootfs true
	[[ "$output" == *"/no/such"* ]]
	# over a folder that is there it has that one's mode, where it says none
	mkdir -m 750 rootfs/covered
	run -0 clade run --rm --tmpfs /covered dir:rootfs busybox stat -c %a /covered
	[ "$output" = 750 ]
	run -0 clade run --rm --tmpfs /covered:mode=711 dir:rootfs busybox stat -c %a /covered
	[ "$output" = 711 ]
}

@test "run -u: names and numbers by the container's own files" {
	if [ "$(id -u)" != 0 ] && ! grep -q "^$(id -un):" /etc/subuid; then skip "no subordinate ids"; fi
	run -0 clade run --rm -u web dir:rootfs sh -c 'id -u; id -g; id -G; echo $HOME'
	[ "${lines[0]}" = 1000 ]
	[ "${lines[1]}" = 1001 ]
	[[ "${lines[2]}" == *77* ]]
	[ "${lines[3]}" = /home/web ]
	run -0 clade run --rm -u 5:6 dir:rootfs sh -c 'id -u; id -g'
	[ "$output" = $'5\n6' ]
	run -125 clade run --rm -u nobody-here dir:rootfs true
	[[ "$output" == *"unable to find user nobody-here"* ]]
}

@test "run -d prints the ID; --name is taken once; --cidfile and --pidfile" {
	run -0 clade run -d --name web --cidfile cid --pidfile pid dir:rootfs sleep 1000
	[ "${#output}" = 64 ]
	[ "$(cat cid)" = "$output" ]
	kill -0 "$(cat pid)"
	run -125 clade run -d --name web dir:rootfs sleep 1000
	[[ "$output" == *"already in use"* ]]
	run -125 clade run -d --cidfile cid dir:rootfs sleep 1000
	[[ "$output" == *"--cidfile cid: File exists"* ]]
	[ "$(ids | wc -l)" = 1 ]
	clade rm -f web
	[ ! -e pid ]
}

@test "run --pid container: shares the namespace of another" {
	clade run -d --name first dir:rootfs sleep 1234
	run -0 clade run --rm --pid container:first dir:rootfs ps
	[[ "$output" == *"sleep 1234"* ]]
	run -0 clade run --rm --net container:first --ipc container:first --uts container:first dir:rootfs \
		sh -c 'readlink /proc/self/ns/net; hostname'
	[ "${lines[0]}" = "$(readlink "/proc/$(init_of first)/ns/net" 2>/dev/null || clade exec first readlink /proc/self/ns/net)" ]
	run -125 clade run --rm --pid container:none dir:rootfs true
	[[ "$output" == *"no such container: none"* ]]
}

@test "run --init: clade-init is PID 1, reaps, and passes the exit code on" {
	run -9 clade run --rm --init dir:rootfs sh -c '(sleep 0.1 &); sleep 0.5; ps | grep -c "\[sleep\]"; exit 9'
	[ "${lines[0]}" = 0 ]
}

@test "run: a signal to clade reaches the program" {
	clade run --name trap dir:rootfs sh -c 'trap "echo got it; exit 3" TERM; echo ready; while :; do sleep 0.05; done' >out 2>&1 3>&- &
	local pid=$!
	until_true grep -q ready out
	kill -TERM $pid
	local code=0
	wait $pid || code=$?
	[ "$code" = 3 ]
	grep -q "got it" out
}

@test "run --dry-run prints the plan and makes nothing" {
	run -0 clade run --dry-run --name never dir:rootfs true
	[[ "$output" == *"/proc"* ]]
	[[ "$output" == *"pid"* ]]
	[ -z "$(ids)" ]
}

@test "run --log-level debug tells a time for each row of the birth" {
	run -0 clade --log-level debug run --rm dir:rootfs true
	[[ "$output" == *"host: clone:"*" us"* ]]
	[[ "$output" == *"init: mounts:"*" us"* ]]
}

@test "the default capabilities, filter and masks are docker's" {
	run -0 clade run --rm dir:rootfs sh -c 'grep -E "CapBnd|Seccomp:|NoNewPrivs" /proc/self/status; cat /proc/kcore | wc -c; touch /proc/sys/kernel/x 2>&1; true'
	[[ "$output" == *"00000000a80425fb"* ]]
	[[ "$output" == *"Seccomp:"*2* ]]
	run -0 clade run --rm --cap-drop ALL --cap-add chown --security-opt no-new-privileges dir:rootfs \
		grep -E "CapBnd|NoNewPrivs" /proc/self/status
	[[ "$output" == *0000000000000001* ]]
	[[ "$output" == *"NoNewPrivs:"*1* ]]
	run -1 clade run --rm dir:rootfs mount -t tmpfs none /bin
}

@test "--ulimit, --sysctl" {
	run -0 clade run --rm --ulimit nofile=100:200 dir:rootfs sh -c 'ulimit -n; ulimit -H -n'
	[ "$output" = $'100\n200' ]
	run -0 clade run --rm --sysctl net.ipv4.ip_forward=1 dir:rootfs cat /proc/sys/net/ipv4/ip_forward
	[ "$output" = 1 ]
	run -125 clade run --rm --sysctl kernel.panic=1 dir:rootfs true
	[[ "$output" == *kernel.panic* ]]
}
