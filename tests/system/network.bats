#!/usr/bin/env bats
# Networks with a bridge: made, shown, removed; containers on them, by address and by name.

load helpers
load net
setup() {
	[ "$(id -u)" = 0 ] || skip "bridges are root's"
	net_setup
}
teardown() { net_teardown; }

state() { in_box sh -c 'find "$CLADE_ROOT" -name netavark -type f; find "$CLADE_ROOT/leases" -type l; ip -br link | grep clade'; }
has_no_wires() { ! state | grep -q .; }

# What aardvark-dns does not know it asks of a server that never answers here: how long that takes
no_wait=(--dns-option timeout:1 --dns-option attempts:1)

@test "network: containers on one know each other by name and alias; outsiders do not" {
	in_box clade network create one
	in_box clade run -d --name web --net one --network-alias www host sh -c "$(server 80 hi)" >/dev/null
	run -0 in_box clade run --rm "${no_wait[@]}" --name other --net one host sh -c \
		'i=0; until socat -T1 - TCP:web:80 </dev/null 2>/dev/null || [ $i = 50 ]; do i=$((i+1)); sleep 0.1; done; getent hosts www; hostname -i'
	[[ "$output" == hi*"10.90.0.2"*www* ]]
	in_box clade rename web heinz
	until_true in_box clade run --rm "${no_wait[@]}" --net one host getent hosts heinz
	run in_box clade run --rm "${no_wait[@]}" --net one host getent hosts web
	[ "$status" != 0 ]
	in_box clade network create two
	run in_box clade run --rm "${no_wait[@]}" --net two host getent hosts heinz
	[ "$status" != 0 ]
	run -0 in_box clade run --rm --net bridge host sh -c 'ip -br -4 addr show eth0; cat /etc/resolv.conf'
	[[ "$output" == *10.87.0.2/16* ]]
	[[ "$output" == *"nameserver 192.0.2.53"* ]]
}

@test "network: a published port, from outside and from the host itself; nobody else gets it" {
	local port
	port=$(free_port in_box)
	in_box clade run -d --name web --net bridge -p "$port:80" -p "127.0.0.1:$((port + 1)):81/udp" host sh -c "$(server 80 hi)" >/dev/null
	until_true answers "http://127.0.0.1:$port/" hi
	until_true answers "http://192.0.2.10:$port/" hi
	run -0 in_box clade port web
	[ "${lines[0]}" = "80/tcp -> 0.0.0.0:$port" ]
	[ "${lines[1]}" = "81/udp -> 127.0.0.1:$((port + 1))" ]
	run -0 in_box clade ps --format ports
	[[ "$output" == *"0.0.0.0:$port->80/tcp, 127.0.0.1:$((port + 1))->81/udp"* ]]
	run in_box clade run --rm --net bridge -p "$port:80" host true
	[ "$status" = 125 ]
	[[ "$output" == *"Address already in use"* ]]
	run in_box socat -T1 TCP-LISTEN:"$port" STDOUT
	[[ "$output" == *"Address already in use"* ]]
	run -0 in_box clade inspect web
	[ "$(jq -r '.[0].NetworkSettings.Ports["80/tcp"][0].HostPort' <<<"$output")" = "$port" ]
	[ "$(jq -r '.[0].NetworkSettings.Networks.bridge.IPAddress' <<<"$output")" = 10.87.0.2 ]
}

@test "network: create, ls, inspect, rm, prune" {
	in_box clade network create --subnet 10.99.0.0/24 --gateway 10.99.0.254 --ip-range 10.99.0.64/26 --ipv6 --label a=b net-1
	in_box clade network create --internal net-2
	run -0 in_box clade network ls --format '{{.Name}}'
	[ "$output" = "$(printf 'bridge\nnet-1\nnet-2\nhost\nnone\nprivate')" ] || [ "$output" = "$(printf 'bridge\nnet-2\nnet-1\nhost\nnone\nprivate')" ]
	run -0 in_box clade network inspect net-1
	[ "$(jq -r '.[0].IPAM.Config[0] | .Subnet + " " + .Gateway + " " + .IPRange' <<<"$output")" = "10.99.0.0/24 10.99.0.254 10.99.0.64-10.99.0.127" ]
	[ "$(jq -r '.[0].Labels.a' <<<"$output")" = b ]
	in_box clade run -d --name one --net net-1 --ip 10.99.0.7 --mac-address 02:01:02:03:04:05 host sleep 1000 >/dev/null
	run -0 in_box clade exec one sh -c 'ip -br addr show eth0; cat /sys/class/net/eth0/address; tail -n 2 /etc/hosts'
	[[ "$output" == *10.99.0.7/24*02:01:02:03:04:05*10.99.0.7* ]]
	run -0 in_box clade run --rm --net net-1 host ip -br -4 addr show eth0
	[[ "$output" == *10.99.0.64/24* ]]
	run -0 in_box clade run --rm --net net-2 host ip route
	[[ "$output" != *default* ]]
	run in_box clade network rm net-1
	[ "$status" = 1 ]
	[[ "$output" == *"in use by container one"* ]]
	run -0 in_box clade network prune -f
	[ "$output" = net-2 ]
	in_box clade rm -f one
	run -0 in_box clade network rm net-1
	run in_box clade network inspect net-1
	[ "$status" = 1 ]
	[[ "$output" == *"no such network: net-1"* ]]
}

@test "network: what is wrong is said, and nothing is made" {
	local words message
	in_box clade network create --subnet 10.99.0.0/24 taken
	while IFS='|' read -r words message; do
		# shellcheck disable=SC2086 # words on purpose
		run in_box clade network create $words
		[ "$status" != 0 ] || { echo "$words: $status $output"; false; }
		[[ "$output" == *"$message"* ]] || { echo "$words: $output"; false; }
	done <<-'X'
		taken|already exists
		host|already means
		bridge|already means
		../x|invalid network name
		-- -x|invalid network name
		--subnet 10.99.0.0/16 n|overlaps with network taken
		--subnet 192.0.2.0/24 n|overlaps with an address of the host
		--subnet 10.1.2.3 n|a network as 10.1.2.0/24 is wanted
		--subnet 10.1.2.0/33 n|a network as 10.1.2.0/24 is wanted
		--subnet 10.1.2.0/31 n|no room for a container
		--subnet 10.1.0.0/24 --gateway 10.2.0.1 n|is in no --subnet
		--subnet 10.1.0.0/24 --gateway 10.1.0.255 n|no machine's
		--subnet 10.1.0.0/24 --ip-range 10.0.0.0/8 n|is in no --subnet
		--driver macvlan n|only bridge is known
	X
	run -0 in_box clade network ls -q --filter driver=bridge
	[ "$(wc -l <<<"$output")" = 2 ]
	while IFS='|' read -r words message; do
		# shellcheck disable=SC2086 # words on purpose
		run in_box clade run --rm $words host true
		[ "$status" = 125 ] || { echo "$words: $status $output"; false; }
		[[ "$output" == *"$message"* ]] || { echo "$words: $output"; false; }
	done <<-'X'
		--net nowhere|no such network: nowhere
		--net taken --ip 10.98.0.1|in no subnet
		--net taken --ip 10.99.0.1|is no container's
		--net taken --ip 10.99.0.255|is no container's
		--net taken --ip x|an address is wanted
		--net taken --mac-address 02|six bytes
		--net bridge --ip 10.87.0.9|made with `clade network create`
		--net taken --net none|cannot be used together
		--net taken --net taken|given twice
	X
	[ -z "$(ids)" ]
}

@test "network: connect and disconnect a running container, and one that does not run" {
	in_box clade network create one
	in_box clade network create two
	in_box clade run -d --name box --net one host sleep 1000 >/dev/null
	in_box clade run -d --name far "${no_wait[@]}" --net two host sleep 1000 >/dev/null
	in_box clade network connect --alias boxen two box
	run -0 in_box clade exec box sh -c 'ip -br -4 addr show eth1; cat /etc/hosts'
	[[ "$output" == *10.90.1.3/24*10.90.0.2*10.90.1.3* ]]
	until_true in_box clade exec far getent hosts boxen
	run in_box clade network connect two box
	[[ "$output" == *"on network two already"* ]]
	in_box clade network disconnect one box
	run in_box clade exec box ip -br link show eth0
	[ "$status" != 0 ]
	in_box clade restart -t 0 box
	run -0 in_box clade exec box ip -br -4 addr
	[[ "$output" == *10.90.1.3/24* && "$output" != *10.90.0.* ]]
	in_box clade stop -t 0 box
	in_box clade network connect one box
	in_box clade start box
	run -0 in_box clade exec box ip -br -4 addr
	[[ "$output" == *10.90.1.*10.90.0.* || "$output" == *10.90.0.*10.90.1.* ]]
	in_box clade run -d --name alone host sleep 1000 >/dev/null
	run in_box clade network connect one alone
	[ "$status" = 125 ]
	[[ "$output" == *"only one that is on a bridge"* ]]
}

@test "network: several at once; the last that leaves takes the bridge away" {
	in_box clade network create one
	local i pids=()
	for i in $(seq 6); do
		in_box clade run -d --net one host sleep 1000 >/dev/null 3>&- &
		pids+=($!)
	done
	wait "${pids[@]}"
	run -0 in_box clade network inspect one
	[ "$(jq '[.[0].Containers[].IPv4Address] | unique | length' <<<"$output")" = 6 ]
	for i in $(ids); do in_box clade rm -f "$i" >/dev/null; done
	has_no_wires
}

@test "network: a namespace that others hold does not keep the bridge" {
	in_box clade network create one
	in_box clade run -d --name box --net one -p 8080:80 host sleep 1000 >/dev/null
	in_box nsenter --net --target "$(init_of box)" sh -c 'echo $$ >holder.pid; exec sleep 1000' 3>&- &
	until_true test -s holder.pid
	in_box clade rm -f box
	has_no_wires
	run -0 nsenter --net --target "$(cat holder.pid)" ip -br link
	[[ "$output" != *eth0* ]]
	in_box clade run -d --name box --net one host sleep 1000 >/dev/null
	in_box nsenter --net --target "$(init_of box)" sh -c 'echo $$ >second.pid; exec sleep 1000' 3>&- &
	until_true test -s second.pid
	kill -9 "$(pgrep -f "clade-keep.* $CLADE_ROOT ")"
	until_true eval 'in_box clade ps -a >/dev/null; has_no_wires'
	kill "$(cat holder.pid)" "$(cat second.pid)"
}

@test "network: what netavark could not take down is said, and the next command that looks does it" {
	in_box clade network create one
	in_box clade run -d --name box --net one -p 8080:80 host sleep 1000 >/dev/null
	mkdir broken
	printf '#!/bin/sh\necho out of order >&2; exit 1\n' >broken/netavark
	chmod +x broken/netavark
	PATH=$PWD/broken:$PATH run -0 in_box clade rm -f box
	[[ "$output" == *"netavark: out of order"* ]]
	state | grep -q clade
	PATH=$PWD/broken:$PATH run -0 in_box clade ps -a
	[[ "$output" != *"out of order"* ]]
	state | grep -q clade
	in_box clade ps -a
	has_no_wires
	[ -z "$(ls "$CLADE_ROOT/bridges-left")" ]
}

@test "network: the minder killed, clade killed in the middle: the next that looks takes it down" {
	in_box clade network create one
	in_box clade run -d --name box --net one -p 8080:80 host sleep 1000 >/dev/null
	kill -9 "$(pgrep -f "clade-keep.* $CLADE_ROOT ")"
	until_true eval 'in_box clade ps -a >/dev/null; has_no_wires'
	in_box clade rm -f box
	killed_midway --net one -p 8080:80
	until_true eval 'in_box clade ps -a >/dev/null; [ -z "$(ids)" ] || in_box clade rm -f $(ids); has_no_wires'
}
