#!/usr/bin/env bats
# Docker on clade-oci: dockerd with a daemon.json that names the runtime and nothing else changed.

load helpers
setup_file() {
	engine_setup_file
	# the distribution's client, whatever else is in PATH
	export DOCKER=/usr/bin/docker DOCKER_BUILDKIT=0
	cat >/etc/docker/daemon.json <<-END
		{
		  "runtimes": { "clade-oci": { "path": "$BIN/clade-oci" } },
		  "default-runtime": "clade-oci",
		  "init-path": "$BIN/docker-init",
		  "exec-opts": ["native.cgroupdriver=cgroupfs"]
		}
	END
	dockerd >/run/clade-test/dockerd.log 2>&1 3>&- &
	until_true docker version
	docker load -q -i $IMAGES/busybox.tar
}
teardown_file() {
	kill "$(cat /run/docker.pid)"
	until_true eval '! pgrep -x dockerd'
}
setup() {
	cd "$BATS_TEST_TMPDIR" || return 1
}
teardown() {
	local ids
	ids=$(docker ps -aq)
	# shellcheck disable=SC2086 # one word an ID
	[ -z "$ids" ] || docker rm -f -v $ids >/dev/null
	until_true no_runtime_left
}

# Nothing of a container may be left when the engine has removed it: state, cgroup, shim.
no_runtime_left() {
	[ -z "$(ls /run/docker/runtime-runc/moby 2>/dev/null)" ] && ! pgrep -f containerd-shim &&
		[ -z "$(find /sys/fs/cgroup -mindepth 3 -type d -path '*/docker/*' 2>/dev/null)" ]
}

docker() { "$DOCKER" "$@"; }
dock() { docker run --runtime "$1" "${@:2}" 3>&-; }

@test "info and version name the runtime" {
	run -0 docker info --format '{{.DefaultRuntime}} {{.InitBinary}}'
	[ "$output" = "clade-oci $BIN/docker-init" ]
	run -0 docker info
	[[ "$output" == *"Runtimes:"*"clade-oci"* && "$output" == *"init version: clade"* ]]
	# asked of the program itself
	run -0 docker version --format '{{json .Server.Components}}'
	[[ "$output" == *'"Version":"0.19.0 (clade-init'* ]]
}

@test "run: output and exit codes are runc's" {
	alike dock --rm busybox sh -c 'echo hi; echo err >&2; exit 5'
	[ "$status" = 5 ]
	alike dock --rm busybox no-such-program
	[ "$status" = 127 ]
	alike dock --rm busybox /no/such/program
	[ "$status" = 127 ]
	alike dock --rm busybox /etc
	[ "$status" = 126 ]
	alike dock --rm busybox /etc/passwd
	[ "$status" = 126 ]
	alike dock --rm -w /no/such/dir busybox pwd
	alike dock --rm -u nosuchuser busybox true
	alike dock --rm --no-such-flag busybox true
	[ "$status" = 125 ]
	alike dock --rm busybox sh -c 'sh -c "kill -9 \$\$"; exit $?'
	[ "$status" = 137 ]
}

@test "run: environment, user, capabilities, limits of a process, settings are runc's" {
	alike dock --rm -e A=1 -e B= --hostname there busybox sh -c 'env; hostname; pwd; umask'
	alike dock --rm -u web -w /tmp busybox sh -c 'id; pwd'
	alike dock --rm -u 1234:5678 --group-add 99 busybox id
	alike dock --rm --cap-drop all --cap-add chown --cap-add net_bind_service busybox grep Cap /proc/self/status
	alike dock --rm busybox grep -e Cap -e NoNewPrivs -e Seccomp: /proc/self/status
	run -0 docker run --rm --privileged busybox sh -c 'ls /dev/kmsg; grep Seccomp: /proc/self/status'
	[[ "$output" == "/dev/kmsg"*"0" ]]
	alike dock --rm --security-opt no-new-privileges busybox grep -e NoNewPrivs -e Seccomp: /proc/self/status
	alike dock --rm --security-opt seccomp=unconfined busybox grep Seccomp: /proc/self/status
	alike dock --rm --sysctl net.ipv4.ip_default_ttl=77 busybox cat /proc/sys/net/ipv4/ip_default_ttl
	alike dock --rm --oom-score-adj 123 busybox cat /proc/self/oom_score_adj
	alike dock --rm --ulimit nofile=100:200 busybox sh -c 'ulimit -Sn; ulimit -Hn'
	alike dock --rm --ipc host --uts host --pid host --network host busybox sh -c 'hostname; readlink /proc/self/ns/net /proc/self/ns/pid'
}

@test "run: files are runc's: mounts, devices, masked and read-only paths" {
	# what a mount is called after, and how the folder of the cgroups and a masked path are mounted, is the runtime's own affair
	local own='" /proc/\(acpi\|kcore\|keys\|timer_list\|latency_stats\|sched_debug\|scsi\) \| /sys/firmware \| /sys/fs/cgroup tmpfs"'
	# so is the way a tmpfs comes to the mode of the folder it covers: by an option, or afterwards (stat shows that it has it)
	local show="cut -d ' ' -f 2 /proc/mounts | sort; sed 's/lowerdir=[^,]*,.*//; / \/home /s/,mode=755//' /proc/mounts | grep -v $own | cut -d ' ' -f 2- | sort
		ls -l /dev | cut -c 1-40,58-; for l in fd stdin core ptmx; do readlink /dev/\$l; done"
	alike dock --rm busybox sh -c "$show"
	alike dock --rm --read-only busybox sh -c "$show; touch /x"
	[ "$status" = 1 ]
	alike dock --rm --tmpfs /scratch:size=1m,mode=1770 --tmpfs /home --tmpfs /tmp --device /dev/null:/dev/nothing:r --shm-size 1m busybox \
		sh -c "$show; stat -c '%n %a' /scratch /home /tmp; echo x >/dev/nothing"
	alike dock --rm busybox sh -c 'cat /proc/kcore | wc -c; echo x >/proc/sysrq-trigger; ls /sys/firmware | wc -l'
	run -0 docker run --rm --privileged busybox sh -c 'ls /sys/firmware >/dev/null && grep -c " /sys/firmware\| /proc/sys" /proc/mounts || echo open'
	[[ "$output" == *open ]]
}

@test "volumes: bind, read-only, named, copied from the image" {
	mkdir data
	echo text >data/file
	alike dock --rm -v "$PWD/data:/data" busybox sh -c 'cat /data/file; echo more >>/data/other'
	[ "$(cat data/other)" = $'more\nmore' ]
	alike dock --rm -v "$PWD/data:/data:ro" busybox sh -c 'cat /data/file; echo x >/data/no'
	[ "$status" = 1 ]
	alike dock --rm -v vol:/etc busybox cat /etc/passwd
	docker run --rm -v vol2:/data busybox sh -c 'echo kept >/data/x' 3>&-
	run -0 docker run --rm --mount type=volume,src=vol2,dst=/data,ro busybox cat /data/x
	[ "$output" = kept ]
	run -0 docker run --rm -v "$PWD/data:/data:rshared" busybox grep ' /data ' /proc/self/mountinfo
	[[ "$output" == *shared:* ]]
	docker volume rm vol vol2
}

@test "exec: output, exit codes, users, streams are runc's" {
	docker run -d --name box busybox sleep 1000 3>&-
	docker run -d --name peer --runtime runc busybox sleep 1000 3>&-
	ex() { local name=box; [ "$1" = clade-oci ] || name=peer; docker exec "${flags[@]}" $name "${@:2}" 3>&-; }
	flags=()
	alike ex sh -c 'echo out; echo err >&2; exit 4'
	[ "$status" = 4 ]
	silent() { ex "$@" >/dev/null; } # the client prints the runtime's words there
	alike silent no-such-program
	[ "$status" = 126 ] || [ "$status" = 127 ]
	alike silent /no/such/program
	alike silent /etc
	[ "$status" = 126 ]
	alike ex sh -c 'kill -9 $$; sleep 9'
	[ "$status" = 137 ]
	alike ex grep -e Cap -e Seccomp: -e NoNew -e Groups /proc/self/status
	alike ex sh -c 'readlink /proc/self/cwd; ls /proc/self/fd | wc -l; ulimit -n; umask; env | grep -v HOSTNAME'
	flags=(-u web -w /tmp -e X=y)
	alike ex sh -c 'id; pwd; echo $X'
	flags=(-u nosuchuser)
	alike ex true
	run -0 docker exec --privileged box grep CapEff /proc/self/status
	[[ "$output" != *00000000a80425fb ]]
	run -0 docker exec -i box cat <<<"typed"
	[ "$output" = typed ]
	docker exec -d box sh -c 'echo $$ >/tmp/there; sleep 1000'
	until_true docker exec box test -s /tmp/there
	typed=$'=>[#]\ntty\\r=>/dev/pts/0\nexit 6\\r=>'
	run -6 terminal "$DOCKER" exec -it box sh
}

@test "top, ps, logs, inspect, stats, update" {
	engine_requires memory pids
	docker run -d --name box --memory 64m busybox sh -c 'echo out; echo err >&2; sleep 1000 & wait' 3>&-
	until_true says docker logs box -- out
	run -0 docker top box
	[[ "$output" == *"sleep 1000"* ]]
	run -0 docker top box -o pid,args
	[[ "$output" == *"sleep 1000"* ]]
	run -0 docker ps --format '{{.Names}} {{.Status}}'
	[[ "$output" == "box Up"* ]]
	run -0 docker stats --no-stream --format '{{.Name}} {{.PIDs}} {{.MemUsage}}' box
	[[ "$output" == "box 2 "*"/ 64MiB" ]]
	docker update --memory 32m --memory-swap 32m --pids-limit 55 --cpu-shares 300 box
	run -0 docker exec box sh -c 'cd /sys/fs/cgroup; cat memory/memory.limit_in_bytes pids/pids.max cpu/cpu.shares 2>/dev/null || cat memory.max pids.max'
	[[ "$output" == $'33554432\n55'* ]]
	docker run -d --name running busybox sh -c 'i=0; while [ $i -lt 3 ]; do echo l$i; i=$((i + 1)); sleep 0.2; done' 3>&-
	run -0 timeout 60 "$DOCKER" logs -f running
	[ "$output" = $'l0\nl1\nl2' ]
}

@test "limits are runc's" {
	engine_requires memory pids cpu cpuset
	local show='cd /sys/fs/cgroup; cat memory/memory.limit_in_bytes memory/memory.soft_limit_in_bytes pids/pids.max cpu/cpu.shares cpu/cpu.cfs_quota_us cpuset/cpuset.cpus'
	[ "$BOX" = v1 ] || show='cd /sys/fs/cgroup; cat memory.max memory.low pids.max cpu.weight cpu.max cpuset.cpus'
	alike dock --rm --memory 64m --memory-reservation 32m --pids-limit 44 --cpu-shares 512 --cpus 0.5 --cpuset-cpus 0 busybox sh -c "$show"
	[[ "$output" == *67108864*44* ]]
}

@test "out of memory: 137, and said to be that" {
	engine_requires memory
	run -137 docker run --name box --memory 24m --memory-swap 24m busybox sh -c 'x=a; while :; do x=$x$x; done'
	until_true says docker inspect --format '{{.State.OOMKilled}}' box -- true
}

@test "pause, unpause; exec in a paused one is refused" {
	docker run -d --name box busybox sleep 1000 3>&-
	docker pause box
	[ "$(docker inspect --format '{{.State.Status}}' box)" = paused ]
	run docker exec box true
	[ "$status" != 0 ]
	docker unpause box
	docker exec box true
	docker pause box
	docker rm -f box
}

@test "stop and kill: signals, grace, exit codes are runc's" {
	stopped() {
		docker run --runtime "$1" -d --name stopped "${flags[@]}" busybox sh -c "$2" >/dev/null 3>&-
		until_true says docker logs stopped -- ready
		docker "${how[@]}" stopped >/dev/null
		docker wait stopped
		docker rm stopped >/dev/null
	}
	flags=() how=(stop -t 30)
	alike stopped 'trap "exit 3" TERM; echo ready; while :; do sleep 0.1; done'
	[ "$output" = 3 ]
	how=(stop -t 1)
	alike stopped 'echo ready; exec sleep 1000'
	[ "$output" = 137 ]
	flags=(--stop-signal INT) how=(stop -t 30)
	alike stopped 'trap "exit 4" INT; echo ready; while :; do sleep 0.1; done'
	[ "$output" = 4 ]
	flags=() how=(kill)
	alike stopped 'echo ready; exec sleep 1000'
	how=(kill -s USR1)
	alike stopped 'trap "exit 5" USR1; echo ready; while :; do sleep 0.1; done'
	[ "$output" = 5 ]
	docker run -d --name host --pid host busybox sh -c 'sleep 4321 & sleep 4321 & wait' 3>&-
	until_true eval '[ "$(pgrep -fxc "sleep 4321")" = 2 ]'
	docker stop -t 0 host
	until_true eval '! pgrep -fx "sleep 4321"'
}

@test "restart policies, restart, start -a, wait, rename" {
	docker run -d --name again --restart on-failure:2 busybox false 3>&-
	until_true says docker inspect --format '{{.RestartCount}} {{.State.Status}}' again -- "2 exited"
	docker run -d --name always --restart always busybox sleep 1000 3>&-
	kill -9 "$(docker inspect --format '{{.State.Pid}}' always)"
	until_true says docker inspect --format '{{.RestartCount}} {{.State.Status}}' always -- "1 running"
	docker restart -t 0 always
	docker exec always true
	docker create --name made busybox sh -c 'echo made; exit 3'
	run -3 docker start -a made
	[ "$output" = made ]
	docker rename made other
	[ "$(docker wait other)" = 3 ]
}

@test "--init with clade-init as docker-init reaps, forwards and hands on the exit code" {
	run -7 docker run --rm --init busybox sh -c 'cat /proc/1/cmdline | tr "\0" " "; exit 7'
	[[ "$output" == "/sbin/docker-init -- sh -c"* ]]
	docker run -d --name box --init busybox sleep 1000 3>&-
	docker exec box sh -c 'sh -c "sleep 0.1 & exit"'
	until_true says docker exec box sh -c 'cd /proc; echo [0-9]* | wc -w' -- 5
	docker stop -t 60 box
	[ "$(docker inspect --format '{{.State.ExitCode}}' box)" = 143 ]
	typed=$'=>[#]\necho g""o; sleep 1000\\r=>go\n\\x03=>[#]\nexit 8\\r=>'
	run -8 terminal "$DOCKER" run --rm -it --init busybox sh
}

@test "-it: sizes, job control, detach and attach" {
	typed=$'=>[#]\ntty; stty size\\r=>24 80\nexit 3\\r=>'
	run -3 terminal sh -c 'stty rows 24 cols 80; exec "$@"' - "$DOCKER" run --rm -it busybox sh
	[[ "$output" == *"/dev/pts/0"* ]]
	alike dock --rm -t busybox sh -c 'test -t 0 && test -t 1 && test -t 2 && ls /dev/console && tty'
	typed=$'=>[#]\necho in\\r=>in\n\\x10\\x11=>'
	run terminal "$DOCKER" run -it --name box busybox sh
	[ "$(docker inspect --format '{{.State.Status}}' box)" = running ]
	typed=$'\\r=>[#]\nexit 5\\r=>'
	run -5 terminal "$DOCKER" attach box
}

@test "build: RUN steps, their failure, the image runs" {
	mkdir ctx
	printf '%s\n' 'FROM busybox' 'RUN echo built >/file && id >/id' 'USER web' 'RUN id -u >/tmp/uid' 'CMD cat /file /tmp/uid' >ctx/Dockerfile
	docker build -q -t built ctx
	run -0 docker run --rm built
	[ "$output" = $'built\n1000' ]
	printf '%s\n' 'FROM busybox' 'RUN exit 9' >ctx/Dockerfile
	run docker build ctx
	[ "$status" != 0 ]
	[[ "$output" == *"non-zero code: 9"* ]]
	docker run --name box busybox sh -c 'echo x >/new' 3>&-
	[[ "$(docker diff box)" == *"A /new"* ]]
	docker cp box:/new copy
	[ "$(cat copy)" = x ]
	docker commit box image
	run -0 docker run --rm image cat /new
	[ "$output" = x ]
	docker rmi -f image built
}

@test "networks: none, host, bridge with a published port, another container's" {
	alike dock --rm --network none busybox ip -o link show
	run -0 docker run --rm --network host busybox readlink /proc/self/ns/net
	[ "$output" = "$(readlink /proc/self/ns/net)" ]
	docker run -d --name web -p 127.0.0.1:8099:80 busybox sh -c 'mkdir /w; echo served >/w/index.html; exec httpd -f -p 80 -h /w' 3>&-
	until_true says busybox wget -qO- http://127.0.0.1:8099/ -- served
	run -0 docker run --rm --network container:web busybox wget -qO- http://127.0.0.1/
	[ "$output" = served ]
	docker network create net
	docker run -d --name named --network net busybox sleep 1000 3>&-
	run -0 docker run --rm --network net busybox ping -c 1 -W 20 named
	docker rm -f named
	docker network rm net
}

@test "namespaces: --pid=host, --pid=container, --ipc=container, --cgroupns" {
	docker run -d --name first --ipc shareable busybox sleep 1234 3>&-
	run -0 docker run --rm --pid container:first --ipc container:first busybox ps
	[[ "$output" == *"sleep 1234"* ]]
	run -0 docker run --rm --pid host busybox ps
	[[ "$output" == *"sleep 1234"* && "$output" == *dockerd* ]]
	run -0 docker run --rm --cgroupns host busybox cat /proc/self/cgroup
	[[ "$output" == */docker/* ]]
	run -0 docker run --rm --cgroupns private busybox cat /proc/self/cgroup
	[[ "$output" != */docker/* ]]
}

@test "health check" {
	docker run -d --name box --health-cmd 'test -e /healthy' --health-interval 200ms --health-retries 1 busybox sleep 1000 3>&-
	until_true says docker inspect --format '{{.State.Health.Status}}' box -- unhealthy
	docker exec box touch /healthy
	until_true says docker inspect --format '{{.State.Health.Status}}' box -- healthy
}

@test "the daemon's restart finds its containers again (live-restore)" {
	docker run -d --name box busybox sleep 1000 3>&-
	sed -i 's/^{/{ "live-restore": true,/' /etc/docker/daemon.json
	kill -HUP "$(cat /run/docker.pid)"
	until_true says docker info --format '{{.LiveRestoreEnabled}}' -- true
	kill "$(cat /run/docker.pid)"
	until_true eval '! pgrep -x dockerd'
	dockerd >>/run/clade-test/dockerd.log 2>&1 3>&- &
	until_true docker version
	[ "$(docker inspect --format '{{.State.Status}}' box)" = running ]
	docker exec box true
	docker stop -t 0 box
}

@test "clade's views name Docker's containers" {
	docker run -d --name web busybox sh -c 'sleep 1234 & exec sleep 5678' 3>&-
	pid=$(docker inspect --format '{{.State.Pid}}' web)
	run -0 $BIN/clade pid "$pid"
	[[ "$output" == *web* ]]
	run -0 $BIN/clade tree web
	[[ "$output" == *"sleep 5678"*"sleep 1234"* ]]
	run -0 $BIN/clade ps -A -o pid,ctr,runtime,args
	[[ "$output" == *"$pid"*web*docker*"sleep 5678"* ]]
	run -0 $BIN/clade ns
	[[ "$output" == *web* ]]
	docker run -d --name entered --pid host busybox sleep 4567 3>&-
	run -0 $BIN/clade ps -A -o ctr,args
	[[ "$output" == *entered*"sleep 4567"* ]]
}

@test "clade zombies and reap on a Docker container with its seccomp profile" {
	docker run -d --name ubuntu busybox sleep 1000000 3>&-
	docker exec ubuntu sh -c 'sh -c "sleep 0.1 & exit"'
	until_true eval '$BIN/clade zombies ubuntu | grep -q sleep'
	run -1 $BIN/clade zombies ubuntu
	[[ "$output" == *ubuntu*adopted* ]]
	run -0 $BIN/clade reap ubuntu
	[[ "$output" == *"1 of 1 reaped"* ]]
	run -0 docker exec ubuntu ps
	[[ "$output" != *"[sleep]"* && "$output" == *"sleep 1000000"* ]]
	docker exec ubuntu true
}
