#!/usr/bin/env bats
# Networks of containers that have one of their own: outbound, published ports, files in /etc, other people's namespaces.
# bats file_tags=user

load helpers
load net
setup() { net_setup; }
teardown() { net_teardown; }

@test "net: the default has an address, a route, and files as docker writes them" {
	run -0 in_box clade run --rm --hostname box host sh -c 'cat /etc/hosts /etc/hostname; ip -br -4 addr; ip route'
	[[ "$output" == *"127.0.0.1"*"localhost"* ]]
	[[ "$output" == *"10.0.2.100"*"box"* ]]
	[[ "$output" == *"eth0"*"10.0.2.100/24"* ]]
	[[ "$output" == *"default via 10.0.2.2"* ]]
}

@test "net: a published port leads in, tcp and udp; port and ps tell of it; rm frees it" {
	local port
	port=$(free_port in_box)
	in_box clade run -d --name web -p "$port:80" -p "127.0.0.1:$port:53/udp" host sh -c "$(server 80 hi)" >/dev/null
	until_true answers "http://127.0.0.1:$port/" hi
	run -0 in_box clade port web 80
	[ "$output" = "0.0.0.0:$port" ]
	run -0 in_box clade ps --format ports
	[[ "$output" == *"0.0.0.0:$port->80/tcp, 127.0.0.1:$port->53/udp"* ]]
	run in_box clade port web 81
	[ "$status" = 1 ]
	run -0 in_box clade inspect web
	[ "$(jq -r '.[0].NetworkSettings.IPAddress' <<<"$output")" = 10.0.2.100 ]
	run in_box clade run --rm -p "$port:80" host true
	[ "$status" = 125 ]
	[[ "$output" == *"publish port 0.0.0.0:$port/tcp: Address already in use"* ]]
	in_box clade rm -f web
	run -0 in_box clade run --rm -p "$port:80" host true
}

@test "net: traffic goes out, and the host's own loopback stays its own" {
	local port
	port=$(free_port in_box)
	listen "$port" secret
	run in_box clade run --rm host sh -c "socat -T2 - TCP:10.0.2.2:$port,connect-timeout=2 </dev/null"
	[[ "$output" != *secret* ]]
}

@test "net: none has loopback alone, host is the host's, container: is the other's" {
	run -0 in_box clade run --rm --net none host sh -c 'ip -br link | wc -l; ip -br addr show lo'
	[ "${lines[0]}" = 1 ]
	[[ "$output" == *127.0.0.1* ]]
	run -0 in_box clade run --rm --net host host readlink /proc/self/ns/net
	[ "$output" = "$(in_box readlink /proc/self/ns/net)" ]
	in_box clade run -d --name one --add-host there:192.0.2.77 host sleep 1000 >/dev/null
	run -0 in_box clade run --rm --net container:one host sh -c 'readlink /proc/self/ns/net; cat /etc/hosts'
	[ "${lines[0]}" = "$(in_box clade exec one readlink /proc/self/ns/net)" ]
	[[ "$output" == *"192.0.2.77"*there* ]]
}

@test "net: resolv.conf and hosts follow the flags; what the user mounts is his own" {
	run -0 in_box clade run --rm --dns 192.0.2.9 --dns-search a.example --dns-search b.example --dns-option rotate host cat /etc/resolv.conf
	[[ "$output" == *"search a.example b.example"* ]]
	[[ "$output" == *"nameserver 192.0.2.9"* ]]
	[[ "$output" == *"options rotate"* ]]
	if [ -n "$ROOT_TEST" ]; then
		run -0 in_box clade run --rm host cat /etc/resolv.conf
		[ "$output" = "$(printf 'search example.org\nnameserver 192.0.2.53\noptions ndots:2')" ]
		in_box sh -c 'echo nameserver 127.0.0.53 >resolv'
		run -0 in_box clade run --rm host cat /etc/resolv.conf
		[ "$output" = "nameserver 10.0.2.3" ]
		run -0 in_box clade run --rm --add-host gw:host-gateway host cat /etc/hosts
		[[ "$output" == *"192.0.2.10"*gw* ]]
	fi
	echo mine >own
	run -0 in_box clade run --rm -v "$PWD/own:/etc/hosts" host cat /etc/hosts
	[ "$output" = mine ]
}

@test "net: what is wrong is said, and nothing is made" {
	local words
	while IFS='|' read -r words message; do
		# shellcheck disable=SC2086 # words on purpose
		run in_box clade run --rm $words host true
		[ "$status" = 125 ] || { echo "$words: $status $output"; false; }
		[[ "$output" == *"$message"* ]] || { echo "$words: $output"; false; }
	done <<-'X'
		-p 0:80|is no port
		-p 80:70000|is no port
		-p 80-90:80-95|not of the same length
		-p 1.2.3:80:80|is no address
		-p [::1:80:80|the ] of the address is missing
		-p 80:80/sctp|tcp or udp is wanted
		-p 80:80 --net none|cannot publish ports
		--net container:nobody|no such container
		--ip 1.2.3.4|made with `clade network create`
		--network-alias x|made with `clade network create`
		--mac-address 01:02:03:04:05:06 --net host|--mac-address
		--dns nine|an address is wanted
		--add-host one|NAME:ADDRESS
		--net host --net none|cannot be used together
	X
	[ -z "$(ids)" ]
}

@test "net: a range of a thousand ports, and random ones" {
	run -0 in_box clade run --rm -p 20000-20999:20000-20999 -p 81 -p 82 host true
}

@test "net: restart makes it anew; the minder or pasta killed leaves nothing" {
	local port id
	port=$(free_port in_box)
	in_box clade run -d --name web -p "$port:80" host sh -c "$(server 80 hi)" >/dev/null
	until_true answers "http://127.0.0.1:$port/" hi
	in_box clade restart -t 0 web
	until_true answers "http://127.0.0.1:$port/" hi
	id=$(ids)
	kill -9 "$(cat "$CLADE_ROOT/$id/pasta.pid")"
	in_box clade restart -t 0 web
	until_true answers "http://127.0.0.1:$port/" hi
	kill -9 "$(pgrep -f "clade-keep.* $CLADE_ROOT ")"
	until_true lost web
	in_box clade ps -a >/dev/null
	until_true no_pasta
	in_box clade rm -f web
	killed_midway -p "$port:80"
	until_true eval 'in_box clade ps -a >/dev/null; [ -z "$(ids)" ] || in_box clade rm -f $(ids); no_pasta'
}
lost() { in_box clade ps -a --format names,status | grep -q "^$1 .*lost"; }
no_pasta() { ! pgrep -f "pasta.* $CLADE_ROOT/"; }


@test "net: without pasta or /dev/net/tun a container that asked for nothing runs, once with a word; others say what is missing" {
	[ -n "$ROOT_TEST" ] || skip "what is hidden here is hidden by root's mounts"
	in_box mount --bind /dev/null /usr/bin/pasta
	run -0 --separate-stderr in_box clade run --rm host ip -br link
	[[ "$stderr" == *"only the loopback network"*"Debian package: passt"* ]]
	[ "$(wc -l <<<"$output")" = 1 ]
	run -0 --separate-stderr in_box clade run --rm host true
	[ -z "$stderr" ]
	for flags in "-p 80" "--net private" "--mac-address 02:02:02:02:02:02"; do
		# shellcheck disable=SC2086 # words on purpose
		run in_box clade run --rm $flags host true
		[ "$status" = 125 ]
		[[ "$output" == *"pasta, which is not installed (Debian package: passt)"* ]]
	done
	in_box umount /usr/bin/pasta
	mkdir empty
	in_box mount --bind empty /dev/net
	run in_box clade run --rm -p 80 host true
	[ "$status" = 125 ]
	[[ "$output" == *"needs /dev/net/tun"* ]]
	in_box umount /dev/net
	in_box ip route del default
	run -0 --separate-stderr in_box clade run --rm host true
	[ -z "$stderr" ]
	run in_box clade run --rm -p 80 host true
	[[ "$output" == *"default route"* ]]
}

@test "net: a container that is started again by its minder has its network and its port again" {
	local port
	port=$(free_port in_box)
	in_box clade run -d --name again --restart on-failure:3 --mac-address 02:03:04:05:06:07 -p "$port:80" host sh -c \
		'[ "$(cat /sys/class/net/eth0/address)" = 02:03:04:05:06:07 ] || exit 0; socat -T1 TCP-LISTEN:80,reuseaddr SYSTEM:"echo hi"; exit 1' >/dev/null
	for _ in 1 2 3; do until_true answers "http://127.0.0.1:$port/" hi; done
	in_box clade rm -f again
}

@test "net: -P publishes what is exposed, on any free port" {
	local port
	in_box clade run -d --name web -P --expose 80 --expose 81-82/udp host sh -c "$(server 80 hi)" >/dev/null
	run -0 in_box clade port web
	[ "$(wc -l <<<"$output")" = 3 ]
	port=$(in_box clade port web 80)
	until_true answers "http://127.0.0.1:${port##*:}/" hi
}
