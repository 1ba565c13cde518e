#!/usr/bin/env bats
# The seed scenarios: what clade is for, typed as a person types it.

load helpers
setup() { clade_setup; make_rootfs; }
teardown() {
	local pid
	for pid in "${children[@]}"; do kill -9 "$pid" 2>/dev/null || :; done
	clade_teardown
}
children=()

nspid() { awk '/^NSpid:/ { $1 = ""; print substr($0, 2) }' "/proc/$1/status"; }
state_of() { awk '/^State:/ { print $2 }' "/proc/$1/status" 2>/dev/null; }
parent_of() { awk '/^PPid:/ { print $2 }' "/proc/$1/status"; }
child_of() { pgrep -P "$1" | head -n 1; }

@test "1: an orphan on the host goes to the nearest subreaper or init, and is reaped there" {
	bash -c 'bash -c "echo \$\$ >inner; sleep 60 & echo \$! >sleep; wait" & echo $! >outer; wait' 3>&- &
	local top=$!
	children+=("$top")
	until_true test -s sleep
	local inner sleep
	inner=$(cat inner) sleep=$(cat sleep)
	children+=("$sleep")
	[ "$(parent_of "$sleep")" = "$inner" ]
	kill -9 "$inner"
	until_true eval '[ "$(parent_of "$sleep")" != "$inner" ]'
	run -0 --separate-stderr clade tree "$sleep"
	[[ "$output" == "$sleep sleep 60"* ]]
	kill "$sleep"
	until_true test ! -e "/proc/$sleep"
	kill -9 "$top" 2>/dev/null || :
}

@test "2: two servers at the same time, each PID 1 of its own, neither sees the other" {
	command -v nginx >/dev/null && command -v apache2 >/dev/null || skip "nginx and apache2 are not installed"
	mkdir conf
	printf 'daemon off; pid /tmp/n.pid; error_log stderr; events {} http { access_log off; server { listen 8080; } client_body_temp_path /tmp/a; proxy_temp_path /tmp/b; fastcgi_temp_path /tmp/c; uwsgi_temp_path /tmp/d; scgi_temp_path /tmp/e; }\n' >conf/nginx.conf
	printf 'ServerName x\nListen 8080\nPidFile /tmp/a.pid\nErrorLog /dev/stderr\nLoadModule mpm_event_module /usr/lib/apache2/modules/mod_mpm_event.so\nLoadModule authz_core_module /usr/lib/apache2/modules/mod_authz_core.so\nMutex file:/tmp\n' >conf/apache.conf
	clade run -d --rm --name nginx -v "$PWD/conf:/conf:ro" host nginx -c /conf/nginx.conf
	clade run -d --rm --name httpd -v "$PWD/conf:/conf:ro" host apache2 -DFOREGROUND -f /conf/apache.conf
	until_true sh -c 'clade exec nginx ps -ef | grep -q "worker process"'
	run -0 clade exec nginx ps -ef
	[[ "${lines[1]}" =~ root\ +1\ .*"nginx: master" ]]
	[[ "$output" == *"nginx: worker"* ]]
	[[ "$output" != *apache2* && "$output" != *bats* ]]
	until_true sh -c 'clade exec httpd ps -ef | grep -q "1 .*apache2"'
	run -0 clade exec httpd ps -ef
	[[ "$output" != *nginx* ]]
	# 3: the host sees both families under its own numbers
	run -0 clade tree
	[[ "$output" == *"nginx: master"*"container nginx"* ]]
	[[ "$output" == *"apache2"*"container httpd"* ]]
	local master
	master=$(init_of nginx)
	[[ "$(ps -p "$master" -o args=)" == "nginx: master"* ]]
	[[ "$output" == *"$master/1 nginx: master"* ]]
	clade rm -f nginx httpd
}

@test "4 and 5: a container in a container: one process, a PID at every level; inner ones see no outer" {
	# the programs of the build tree, as they are, in a folder both levels know
	local one=1001 two=1002 three=1003 pid init pids
	mkdir bin
	cp -L "$BIN"/* bin/
	clade run -d --name level1 --privileged -v "$PWD/bin:/clade-bin:ro" host sleep "$one"
	clade exec level1 /clade-bin/clade run -d --name level2 --privileged -v /clade-bin:/clade-bin:ro host sleep "$two"
	clade exec level1 /clade-bin/clade exec level2 /clade-bin/clade run -d --name level3 host sleep "$three"
	init=$(init_of level1)
	pid=$(below "$init" "sleep $three")
	mapfile -t pids < <(descendants "$init")
	read -ra numbers <<<"$(nspid "$pid")"
	[ "${#numbers[@]}" = 4 ]
	[ "${numbers[0]}" = "$pid" ]
	[ "${numbers[3]}" = 1 ]
	# clade says what the kernel says
	run -0 --separate-stderr clade tree "$pid"
	[[ "$output" == "$(tr ' \t' '//' <<<"${numbers[*]}") sleep $three"*"level 3]"* ]]
	# outer levels see inner ones, never the reverse
	run -0 clade exec level1 ps -ef
	[[ "$output" == *"sleep $three"* && "$output" == *"sleep $two"* ]]
	run -0 clade exec level1 /clade-bin/clade exec level2 ps -ef
	[[ "$output" == *"sleep $three"* && "$output" != *"sleep $one"* ]]
	# 6: the ancestor dies, and everything of it
	kill -9 "$init"
	until_true gone "$init" "${pids[@]}"
	remove_nested_cgroups
}

# What a killed family leaves in the cgroups it made below its own
remove_nested_cgroups() {
	find /sys/fs/cgroup -depth -type d -path '*/clade/*' -empty 2>/dev/null | while read -r d; do rmdir "$d" 2>/dev/null || :; done
	return 0
}

@test "5: as deep as the kernel lets, and a sentence past it" {
	mkdir bin
	cp -L "$BIN"/* bin/
	mkdir -p rootfs/same rootfs/lib rootfs/usr rootfs/lib64 rootfs/clade-bin rootfs/state
	cat >rootfs/bin/deeper <<-'END'
		#!/bin/sh
		# deeper LEVEL: one more container inside of this one, until it fails
		echo "level $1"
		exec /clade-bin/clade --root /state run --rm --privileged --net host --ipc host --uts host --tmpfs /state \
			-v /clade-bin:/clade-bin:ro -v /same:/same -v /usr:/usr:ro -v /lib:/lib:ro -v /lib64:/lib64:ro \
			dir:/same /bin/deeper $(($1 + 1))
	END
	chmod 755 rootfs/bin/deeper
	run clade run --rm --privileged --tmpfs /state -v "$PWD/bin:/clade-bin:ro" -v "$PWD/rootfs:/same" -v /usr:/usr:ro \
		-v /usr/lib:/lib:ro -v /usr/lib64:/lib64:ro dir:rootfs /bin/deeper 1
	echo "$output" | tail -n 5
	[ "$status" = 125 ]
	[[ "$output" == *"level 31"* ]]
	[[ "$output" == *"nested too deep (at most 32 levels)"* ]]
	until_true remove_nested_cgroups
}

@test "7: in a container orphans go to its init, not the host's; with --init they are reaped" {
	clade run -d --name plain dir:rootfs sleep 1000
	clade run -d --name with --init dir:rootfs sleep 1000
	local name orphan
	for name in plain with; do
		clade exec "$name" sh -c "sh -c 'sleep 1007 >/dev/null 2>&1 & exit'"
		until_true below "$(init_of "$name")" "sleep 1007"
		orphan=$(below "$(init_of "$name")" "sleep 1007")
		until_true eval '[ "$(parent_of "$orphan")" = "$(init_of "$name")" ]'
		kill "$orphan"
		if [ "$name" = with ]; then
			until_true test ! -e "/proc/$orphan"
		else
			until_true eval '[ "$(state_of "$orphan")" = Z ]'
		fi
	done
}

@test "8: an orphan of a deaf init becomes defunct; clade tree marks it, clade reap removes it, the init lives on" {
	clade run -d --rm --name ubuntu host sleep infinity
	clade exec ubuntu bash -c 'bash -c "sleep 0.3 & exit"'
	local init zombie
	init=$(init_of ubuntu)
	until_true eval '[ "$(ps --ppid "$init" -o stat= | grep -c Z)" = 1 ]'
	zombie=$(ps --ppid "$init" -o pid=,stat= | awk '$2 ~ /Z/ { print $1 }')
	run -0 --separate-stderr clade tree ubuntu
	[[ "$output" == *"$zombie/"*"sleep <defunct, exit 0>"* ]]
	until_true sh -c "clade reap ubuntu; test ! -e /proc/$zombie"
	kill -0 "$init"
	run -0 clade exec ubuntu true
}

@test "9: the host sees the zombie, and rm -f takes it away with the container" {
	clade run -d --rm --name ubuntu host sleep infinity
	clade exec ubuntu bash -c 'bash -c "sleep 0.1 & exit"'
	local init
	init=$(init_of ubuntu)
	until_true eval '[ "$(ps --ppid "$init" -o stat= | grep -c Z)" = 1 ]'
	run -0 clade rm -f ubuntu
	[ -z "$(ps --ppid "$init" -o pid=)" ]
	[ ! -e "/proc/$init" ] || [ "$(state_of "$init")" = "" ]
}

@test "10: tini and dumb-init work unchanged as a container's PID 1" {
	local init
	for init in tini dumb-init; do
		command -v $init >/dev/null || skip "$init is not installed"
		run -4 clade run --rm host "$init" -- sh -c '(sleep 0.1 &); sleep 0.4; ps -ef | grep -c "defunc[t]"; exit 4'
		[ "$output" = 0 ]
	done
}

@test "a container's seccomp filter does not keep its zombies from being reaped" {
	clade run -d --name ubuntu host sleep infinity
	grep -q '^Seccomp:.*2' "/proc/$(init_of ubuntu)/status"
	clade exec ubuntu sh -c 'sh -c "sleep 0.1 & exit"; sh -c "sleep 0.1 & exit"'
	until_true eval '[ "$(clade zombies --json ubuntu 2>/dev/null | jq length)" = 2 ]'
	run -0 clade reap ubuntu
	[[ "$output" == *"2 of 2 reaped"*"they will come again"*"--init"* ]]
	clade zombies ubuntu
	grep -q '^Seccomp:.*2' "/proc/$(init_of ubuntu)/status"
}
