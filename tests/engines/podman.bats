#!/usr/bin/env bats
# podman on clade-oci: what its users do, with containers.conf naming the runtime and nothing else changed.

load helpers
setup_file() {
	engine_setup_file
	podman_conf /etc/containers 'runtime_supports_nocgroup = ["clade-oci", "crun"]'
	podman load -q -i $IMAGES/busybox.tar
	podman load -q -i $IMAGES/pause.tar
}
setup() {
	cd "$BATS_TEST_TMPDIR"
}
teardown() {
	podman pod rm -fa -t 0 >/dev/null 2>&1 || :
	podman rm -fa -t 0 >/dev/null
	podman volume prune -f >/dev/null
	until_true no_runtime_left
}

# Nothing of a container may be left when the engine has removed it.
no_runtime_left() {
	[ -z "$(ls /run/clade-oci 2>/dev/null)" ] && [ -z "$(pgrep -x conmon)" ] &&
		[ -z "$(find /sys/fs/cgroup -type d -name 'libpod-*' 2>/dev/null)" ]
}

# What runs on in the background must not hold the descriptor bats counts its tests by.
pod() { podman --runtime "$1" "${@:2}" 3>&-; }

@test "info names the runtime and its version" {
	run -0 podman info --format '{{.Host.OCIRuntime.Name}} {{.Host.OCIRuntime.Path}} {{.Host.OCIRuntime.Version}}'
	[[ "$output" == "clade-oci $BIN/clade-oci clade-oci version "*"spec: 1."* ]]
}

@test "run: output and exit codes are runc's" {
	alike pod run --rm busybox sh -c 'echo hi; echo err >&2; exit 5'
	[ "$status" = 5 ]
	alike pod run --rm busybox no-such-program
	[ "$status" = 127 ]
	alike pod run --rm busybox /no/such/program
	[ "$status" = 127 ]
	alike pod run --rm busybox /etc
	[ "$status" = 126 ]
	alike pod run --rm busybox /etc/passwd
	[ "$status" = 126 ]
	alike pod run --rm -w /no/such/dir busybox pwd
	alike pod run --rm -u nosuchuser busybox true
	alike pod run --rm --volume /no/such/source:/x busybox true
	[ "$status" = 125 ]
	alike pod run --rm busybox sh -c 'kill -9 $$; sleep 9'
	alike pod run --rm busybox sh -c 'sh -c "kill -9 \$\$"; exit $?'
	[ "$status" = 137 ]
}

@test "run: a wrong command line is said with its cause, also where podman does not read the runtime's log" {
	run -127 podman run --rm busybox no-such-program
	[[ "$output" == *no-such-program* ]]
	cp $BIN/clade-oci $BIN/another-name
	run -127 podman --runtime $BIN/another-name run --rm busybox no-such-program
	run -126 podman --runtime $BIN/another-name run --rm busybox /etc
	rm $BIN/another-name
}

@test "run: environment, user, directory, host name, groups, capabilities, system settings are runc's" {
	alike pod run --rm -e A=1 -e B= --hostname there busybox sh -c 'env | grep -v container; hostname; pwd'
	alike pod run --rm -u web -w /tmp busybox sh -c 'id; pwd; umask'
	alike pod run --rm -u 1234:5678 --group-add 99 busybox id
	alike pod run --rm --umask 0077 busybox sh -c umask
	alike pod run --rm --cap-drop all --cap-add chown --cap-add net_bind_service busybox grep Cap /proc/self/status
	alike pod run --rm --privileged busybox sh -c 'grep Cap /proc/self/status; ls /dev/kmsg'
	alike pod run --rm --security-opt no-new-privileges busybox grep -e NoNewPrivs -e Seccomp: /proc/self/status
	alike pod run --rm --security-opt seccomp=unconfined busybox grep Seccomp: /proc/self/status
	alike pod run --rm --sysctl net.ipv4.ip_default_ttl=77 --sysctl kernel.msgmax=9000 busybox cat /proc/sys/net/ipv4/ip_default_ttl /proc/sys/kernel/msgmax
	alike pod run --rm --oom-score-adj 123 busybox cat /proc/self/oom_score_adj
	alike pod run --rm --ulimit nofile=100:200 --ulimit core=0 busybox sh -c 'ulimit -Sn; ulimit -Hn; ulimit -c'
	alike pod run --rm --timezone UTC --domainname x busybox true
}

@test "run: files are runc's: mounts, devices, masked and read-only paths" {
	# what a mount is called after, and how the folder of the cgroups and a masked path are mounted, is the runtime's own affair
	local own='" /proc/\(acpi\|keys\|timer_list\) \| /sys/firmware \| /sys/dev/block \| /sys/fs/cgroup tmpfs"'
	local show="cut -d ' ' -f 2 /proc/mounts | sort; sed s/lowerdir=[^,]*,.*// /proc/mounts | grep -v $own | cut -d ' ' -f 2- | sort
		ls -l /dev | cut -c 1-40,58-; readlink /dev/fd; readlink /dev/stdin"
	alike pod run --rm --network none busybox sh -c "$show"
	alike pod run --rm --network none --read-only busybox sh -c "$show; touch /x"
	[ "$status" = 1 ]
	alike pod run --rm --network none --tmpfs /scratch:size=1m,mode=1777 --device /dev/null:/dev/nothing busybox \
		sh -c "$show; stat -c %a /scratch; echo x >/dev/nothing"
	alike pod run --rm busybox sh -c 'cat /proc/kcore | wc -c; echo x >/proc/sysrq-trigger; ls /proc/acpi /sys/firmware | wc -l'
	alike pod run --rm --security-opt unmask=ALL busybox sh -c 'ls /sys/firmware >/dev/null && echo seen'
}

@test "run: volumes" {
	mkdir "$BATS_TEST_TMPDIR/data"
	echo text >"$BATS_TEST_TMPDIR/data/file"
	alike pod run --rm -v "$BATS_TEST_TMPDIR/data:/data" busybox sh -c 'cat /data/file; echo more >>/data/other'
	[ "$(cat "$BATS_TEST_TMPDIR/data/other")" = $'more\nmore' ]
	alike pod run --rm -v "$BATS_TEST_TMPDIR/data:/data:ro" busybox sh -c 'cat /data/file; echo x >/data/no'
	[ "$status" = 1 ]
	alike pod run --rm -v "$BATS_TEST_TMPDIR/data/file:/deep/er/file:ro,noexec,nosuid" busybox grep ' /deep' /proc/mounts
	podman run --rm -v vol:/data busybox sh -c 'echo kept >/data/x'
	run -0 podman run --rm -v vol:/data busybox cat /data/x
	[ "$output" = kept ]
	run -0 podman run --rm -v "$BATS_TEST_TMPDIR/data:/data:rshared" busybox grep ' /data ' /proc/self/mountinfo
	[[ "$output" == *shared:* ]]
	run -0 podman run --rm --mount type=tmpfs,dst=/t,tmpfs-size=1m,tmpcopyup --mount "type=bind,src=$BATS_TEST_TMPDIR/data,dst=/b,ro" \
		busybox ls /t /b
}

@test "exec: output, exit codes, users, streams are runc's" {
	podman run -d --name box busybox sleep 1000 3>&-
	podman --runtime runc run -d --name peer busybox sleep 1000 3>&-
	ex() { local name=box; [ "$1" = clade-oci ] || name=peer; podman exec "${flags[@]}" $name "${@:2}" 3>&-; }
	flags=()
	alike ex sh -c 'echo out; echo err >&2; exit 4'
	[ "$status" = 4 ]
	alike ex no-such-program
	[ "$status" = 127 ]
	alike ex /etc
	[ "$status" = 126 ]
	alike ex sh -c 'kill -9 $$; sleep 9'
	[ "$status" = 137 ]
	alike ex grep -e Cap -e Seccomp: -e NoNew -e Groups /proc/self/status
	alike ex sh -c 'readlink /proc/self/cwd; ls /proc/self/fd | wc -l; ulimit -n; umask'
	flags=(-u web -w /tmp -e X=y)
	alike ex sh -c 'id; pwd; echo $X'
	flags=(-w /no/such)
	alike ex pwd
	flags=(-u nobody)
	alike ex grep Cap /proc/self/status
	flags=(--privileged)
	alike ex grep Cap /proc/self/status
	run -0 podman exec -i box cat <<<"typed"
	[ "$output" = typed ]
	run -0 podman exec -d box sh -c 'echo $$ >/tmp/there; sleep 1000'
	until_true podman exec box test -s /tmp/there
	typed=$'=>[#]\ntty\\r=>/dev/pts/0\nexit 6\\r=>'
	run -6 terminal podman exec -it box sh
}

@test "exec leaves no zombie, a hundred times over" {
	podman run -d --name box busybox sleep 1000 3>&-
	for _ in $(seq 100); do podman exec box true & [ $((++n % 10)) != 0 ] || wait; done
	wait
	run -0 podman exec box sh -c 'ls -d /proc/[0-9]*'
	[ "${#lines[@]}" = 2 ]
}

@test "top, ps, logs, inspect, stats" {
	podman run -d --name box busybox sh -c 'echo started; sleep 1000 & wait' 3>&-
	until_true says podman logs box -- started
	run -0 podman top box
	[[ "$output" == *"sleep 1000"* ]]
	run -0 podman top box pid hpid user args
	[[ "$output" == *"1 "*"sh -c"* ]]
	run -0 podman ps --format '{{.Names}} {{.Status}}'
	[[ "$output" == "box Up"* ]]
	run -0 podman inspect --format '{{.State.Status}} {{.State.Pid}} {{.OCIRuntime}}' box
	[[ "$output" == "running "[1-9]*" clade-oci" ]]
	run -0 podman stats --no-stream --format '{{.Name}} {{.PIDs}}' box
	[ "$BOX" = v2 ] || [ "$output" = "box 2" ]
}

@test "logs: both streams, followed to the end" {
	podman run -d --name box busybox sh -c 'for i in 1 2 3; do echo out$i; echo err$i >&2; sleep 0.1; done' 3>&-
	run -0 --separate-stderr timeout 60 podman logs -f box
	[ "$output" = $'out1\nout2\nout3' ]
	[ "$stderr" = $'err1\nerr2\nerr3' ]
	run -0 podman logs --tail 1 box
	[[ "$output" == *3 ]]
	podman run --name long busybox sh -c 'yes abcdefg | head -c 3000000' >/dev/null 3>&-
	run -0 bash -c 'podman logs long | wc -c'
	[ "$output" = 3000000 ]
}

@test "stop and kill: signals, grace, exit codes are runc's" {
	stopped() {
		local code
		podman --runtime "$1" run -d --name s "${flags[@]}" busybox sh -c "$2" >/dev/null 3>&-
		until_true says podman logs s -- ready
		podman "${how[@]}" s >/dev/null
		code=$(podman wait s)
		podman rm s >/dev/null
		return "$code"
	}
	flags=() how=(stop -t 30)
	alike stopped 'trap "exit 3" TERM; echo ready; while :; do sleep 0.1; done'
	[ "$status" = 3 ]
	how=(stop -t 0)
	alike stopped 'echo ready; exec sleep 1000'
	[ "$status" = 137 ]
	flags=(--stop-signal INT) how=(stop -t 30)
	alike stopped 'trap "exit 4" INT; echo ready; while :; do sleep 0.1; done'
	[ "$status" = 4 ]
	flags=() how=(kill)
	alike stopped 'echo ready; exec sleep 1000'
	how=(kill -s USR1)
	alike stopped 'trap "exit 5" USR1; echo ready; while :; do sleep 0.1; done'
	[ "$status" = 5 ]
	run -125 podman kill none-such
	podman create --name never busybox true
	run podman kill never
	[ "$status" != 0 ]
}

@test "pause, unpause; exec in a paused one is refused" {
	podman run -d --name box busybox sh -c 'while :; do echo x; sleep 0.05; done' 3>&-
	podman pause box
	run -0 podman inspect --format '{{.State.Status}}' box
	[ "$output" = paused ]
	run podman exec box true
	[ "$status" != 0 ]
	podman unpause box
	podman exec box true
	podman pause box
	podman rm -f -t 0 box
}

@test "namespaces of the host, of another container, of a path" {
	podman run -d --name first busybox sleep 1234 3>&-
	run -0 podman run --rm --pid container:first --network container:first --ipc container:first busybox ps
	[[ "$output" == *"sleep 1234"* ]]
	run -0 podman run --rm --pid host --network host --ipc host --uts host busybox sh -c 'ps; hostname; readlink /proc/self/ns/net'
	[[ "$output" == *"sleep 1234"* ]]
	[[ "$output" == *"$(hostname)"*"$(readlink /proc/self/ns/net)" ]]
	run -0 podman run --rm --network "ns:/proc/$(podman inspect --format '{{.State.Pid}}' first)/ns/net" busybox readlink /proc/self/ns/net
	[ "$output" = "$(readlink "/proc/$(podman inspect --format '{{.State.Pid}}' first)/ns/net")" ]
}

@test "--pid=host: stop ends all of the container's processes" {
	podman run -d --name box --pid host busybox sh -c 'sleep 4321 & sleep 4321 & echo ready; wait' 3>&-
	until_true says podman logs box -- ready
	[ "$(pgrep -fxc 'sleep 4321')" = 2 ]
	podman stop -t 0 box
	until_true eval '! pgrep -fx "sleep 4321"'
}

@test "--init with clade-init in catatonit's place reaps, forwards and hands on the exit code" {
	run -7 podman run --rm --init busybox sh -c 'cat /proc/1/cmdline | tr "\0" " "; exit 7'
	[[ "$output" == "/run/podman-init -- sh -c"* || "$output" == "/dev/init -- sh -c"* ]]
	podman run -d --name box --init busybox sleep 1000 3>&-
	podman exec box sh -c 'sh -c "sleep 0.1 & exit"'
	until_true says podman exec box sh -c 'cd /proc; echo [0-9]* | wc -w' -- 5
	podman stop -t 60 box
	[ "$(podman inspect --format '{{.State.ExitCode}}' box)" = 143 ]
}

@test "annotations clade.init and clade.reap work under podman" {
	run -7 podman run --rm --annotation clade.init=true busybox sh -c 'cat /proc/1/cmdline | tr "\0" " "; exit 7'
	[[ "$output" == "/dev/init -- sh -c"* ]]
	podman run -d --name box --annotation clade.reap=kernel busybox sleep 1000 3>&-
	podman exec box sh -c 'sh -c "sleep 0.1 & exit"'
	until_true says podman exec box sh -c 'cd /proc; echo [0-9]* | wc -w' -- 4
	run podman run --rm --annotation clade.init=maybe busybox true
	[ "$status" != 0 ]
	[[ "$output" == *"clade.init"* ]]
}

@test "healthcheck" {
	podman run -d --name box --health-cmd 'test -e /healthy' --health-interval disable --health-retries 1 busybox sleep 1000 3>&-
	run -1 podman healthcheck run box
	podman exec box touch /healthy
	run -0 podman healthcheck run box
	run -0 podman inspect --format '{{.State.Health.Status}}' box
	[ "$output" = healthy ]
}

# podman 4.3 forbids all devices in the cgroup of a pod where it has v2 to itself, so that nothing starts in it
needs_pods() {
	podman --runtime runc pod create --name probe --infra-image registry.k8s.io/pause:3.6 --share net,ipc,uts,pid
	podman --runtime runc pod start probe || skip "podman starts no pod here under runc either"
	podman pod rm -f -t 0 probe
}

@test "pods: shared namespaces, pid too, top, stop, remove" {
	needs_pods
	podman pod create --name p --infra-image registry.k8s.io/pause:3.6 --share net,ipc,uts,pid
	podman run -d --pod p --name one busybox sleep 1111 3>&-
	podman run -d --pod p --name two busybox sleep 2222 3>&-
	run -0 podman exec one ps
	[[ "$output" == *"/pause"* && "$output" == *"sleep 2222"* ]]
	[ "$(podman exec one readlink /proc/self/ns/net)" = "$(podman exec two readlink /proc/self/ns/net)" ]
	run -0 podman pod top p
	[[ "$output" == *"sleep 1111"* ]]
	podman exec two sh -c 'sh -c "sleep 0.1 & exit"'
	until_true eval '! podman exec one ps | grep -q "\[sleep\]"' # clade-init is the pod's pause and reaps
	podman pod pause p
	podman pod unpause p
	podman pod stop -t 0 p
	podman pod rm p
}

@test "kube play: a pod from YAML" {
	needs_pods
	cat >pod.yaml <<-END
		apiVersion: v1
		kind: Pod
		metadata: { name: k }
		spec:
		  containers:
		  - { name: c, image: "localhost/busybox:latest", command: [sleep, "1000"], resources: { limits: { memory: 64Mi } } }
	END
	sed -i '/\[engine\]/a infra_image = "registry.k8s.io/pause:3.6"' /etc/containers/containers.conf
	podman play kube pod.yaml 3>&-
	run -0 podman exec k-c ps
	[[ "$output" == *"sleep 1000"* ]]
	podman play kube --down pod.yaml
}

@test "limits" {
	engine_requires memory pids cpu cpuset
	local show='cd /sys/fs/cgroup; cat memory/memory.limit_in_bytes memory/memory.soft_limit_in_bytes pids/pids.max cpu/cpu.shares cpu/cpu.cfs_quota_us cpuset/cpuset.cpus'
	[ "$BOX" = v1 ] || show='cd /sys/fs/cgroup; cat memory.max memory.low pids.max cpu.weight cpu.max cpuset.cpus'
	alike pod run --rm --memory 64m --memory-reservation 32m --pids-limit 44 --cpu-shares 512 --cpus 0.5 --cpuset-cpus 0 busybox sh -c "$show"
	[[ "$output" == *67108864*44* ]]
	podman run -d --name box --memory 64m busybox sleep 1000 3>&-
	podman update --memory 32m box
	run -0 podman exec box sh -c "$show"
	[[ "$output" == 33554432* ]]
}

@test "out of memory: 137, and seen as podman sees it with runc" {
	engine_requires memory
	oom() { pod "$1" run --name "of-$1" --memory 24m --memory-swap 24m busybox sh -c 'x=a; while :; do x=$x$x; done' || :
		podman inspect --format '{{.State.OOMKilled}} {{.State.ExitCode}}' "of-$1"; }
	alike oom
	[[ "$output" == *137 ]]
}

@test "cgroups: disabled, split, the host's namespace" {
	run -0 podman run --rm --cgroups disabled busybox cat /proc/self/cgroup
	run -0 podman run --rm --cgroupns host busybox cat /proc/self/cgroup
	[[ "$output" == *libpod-* ]]
	run -0 podman run --rm --cgroupns private busybox cat /proc/self/cgroup
	[[ "$output" != *libpod-* ]]
}

@test "cgroups without conmon's; namespaces shared and the host's; a path unmasked" {
	alike pod run --rm --cgroups no-conmon --cgroupns private busybox sh -c 'cut -d : -f 2- /proc/self/cgroup'
	alike pod run --rm --ipc private --uts host --security-opt unmask=/sys/firmware busybox sh -c 'hostname; ls /sys/firmware | wc -l'
	podman run -d --name first --ipc shareable busybox sleep 1234 3>&-
	run -0 podman run --rm --ipc container:first busybox readlink /proc/self/ns/ipc
	[ "$output" = "$(podman exec first readlink /proc/self/ns/ipc)" ]
}

@test "user namespaces" {
	alike pod run --rm --uidmap 0:100000:1000 --gidmap 0:100000:1000 busybox sh -c 'id; cat /proc/self/uid_map /proc/self/gid_map; stat -c "%n %a %u %g" /bin /proc /sys /dev/null'
	alike pod run --rm --uidmap 0:100000:2000 -u web -v vol:/data busybox sh -c 'id; touch /tmp/x; ls -ln /tmp/x'
	podman run -d --name box --uidmap 0:100000:1000 busybox sleep 1000 3>&-
	run -0 podman exec box cat /proc/self/uid_map
	[[ "$output" == *"100000"*"1000" ]]
	run -0 podman top box huser user
	[[ "$output" == *"100000"*"root"* ]]
}

@test "--systemd=always: what systemd wants to find" {
	alike pod run --rm --systemd always --network none busybox sh -c 'grep -e " /run " -e " /run/lock " -e " /tmp " -e " /sys/fs/cgroup/" -e " /var/log/journal " /proc/mounts | cut -d " " -f 2-4 | cut -c 1-60 | sort; echo $container'
	[[ "$output" == *" /run "* || "$output" == "/run "* ]]
	podman run -d --name box --systemd always busybox sh -c 'trap "exit 9" RTMIN+3; echo ready; while :; do sleep 0.1; done' 3>&-
	[ "$(podman inspect --format '{{.Config.StopSignal}}' box)" = 37 ]
}

@test "networks: none, bridge with a published port, another container's" {
	alike pod run --rm --network none busybox ip -o link show
	podman run -d --name web -p 127.0.0.1:8099:80 busybox sh -c 'mkdir /w; echo served >/w/index.html; exec httpd -f -p 80 -h /w' 3>&-
	until_true says busybox wget -qO- http://127.0.0.1:8099/ -- served
	run -0 podman run --rm --network container:web busybox wget -qO- http://127.0.0.1/
	[ "$output" = served ]
}

@test "restart, start, wait, attach, init, restart policy" {
	podman run -d --name box busybox sh -c 'echo run; exec sleep 1000' 3>&-
	podman restart -t 0 box 3>&-
	until_true says podman logs box -- $'run\nrun'
	podman create --name made busybox sh -c 'echo made; exit 3'
	podman init made
	[ "$(podman inspect --format '{{.State.Status}}' made)" = initialized ]
	run -3 podman start -a made
	[ "$output" = made ]
	run -0 podman wait made
	[ "$output" = 3 ]
	podman run -d --name again --restart on-failure:2 busybox false 3>&-
	until_true says podman inspect --format '{{.RestartCount}} {{.State.Status}}' again -- "2 exited"
}

@test "a terminal: sizes, job control, detach and attach" {
	typed=$'=>[#]\ntty; stty size\\r=>24 80\nexit 3\\r=>'
	run -3 terminal sh -c 'stty rows 24 cols 80; exec "$@"' - podman run --rm -it busybox sh
	[[ "$output" == *"/dev/pts/0"* ]]
	run -0 podman run --rm -t busybox sh -c 'test -t 0 && test -t 1 && test -t 2 && ls -l /dev/console'
	[[ "$output" == c* ]]
	typed=$'=>[#]\necho in\\r=>in\n\\x10\\x11=>'
	run terminal podman run -it --name box busybox sh
	[ "$(podman inspect --format '{{.State.Status}}' box)" = running ]
	typed=$'\\r=>[#]\nexit 5\\r=>'
	run terminal podman attach box
	run -0 podman wait box
	[ "$output" = 5 ]
}

@test "descriptors: --preserve-fds; nothing else is open" {
	echo passed >file
	run -0 podman run --rm --preserve-fds 1 busybox sh -c 'cat <&3' 3<file
	[ "$output" = passed ]
	alike pod run --rm busybox sh -c 'ls /proc/self/fd | wc -l'
}

@test "build, commit, cp, diff, export" {
	mkdir ctx
	printf '%s\n' 'FROM localhost/busybox' 'RUN echo built >/file && id >/id' 'USER web' 'RUN id -u >/tmp/uid' 'CMD cat /file /tmp/uid' >ctx/Dockerfile
	podman build -q -t built ctx
	run -0 podman run --rm built
	[ "$output" = $'built\n1000' ]
	printf '%s\n' 'FROM localhost/busybox' 'RUN exit 9' >ctx/Dockerfile
	run podman build -q ctx
	[ "$status" != 0 ]
	podman run --name box busybox sh -c 'echo x >/new'
	[[ "$(podman diff box)" == *"A /new"* ]]
	podman cp box:/new copy
	[ "$(cat copy)" = x ]
	podman commit -q box image
	run -0 podman run --rm image cat /new
	[ "$output" = x ]
	podman rmi -f image built
}

@test "checkpoint fails with a sentence and leaves the container running" {
	podman run -d --name box busybox sleep 1000 3>&-
	run podman container checkpoint box
	[ "$status" != 0 ]
	[[ "$output" == *[Cc][Rr][Ii][Uu]* ]]
	podman exec box true
}

@test "what is gone is gone: no runtime state, cgroup or minder stays" {
	for _ in 1 2 3; do podman run --rm busybox true; done
	podman run -d --name box busybox sleep 1000 3>&-
	podman rm -f -t 0 box
	until_true no_runtime_left
}

@test "the runtime's state vanishing under podman is survived" {
	podman run -d --name box busybox sleep 1000 3>&-
	pid=$(podman inspect --format '{{.State.Pid}}' box)
	kill -9 "$pid"
	until_true says podman inspect --format '{{.State.Status}} {{.State.ExitCode}}' box -- "exited 137"
	podman start box 3>&-
	podman rm -f -t 0 box
}
