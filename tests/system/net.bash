# shellcheck shell=bash
# For tests of networks. As root everything happens in a network namespace made for each test, so that no bridge and no rule ever
# touches the machine's own; a normal user's networks change nothing outside anyway.
# Expects helpers; a file's setup is `net_setup`, its teardown `net_teardown`.

net_setup() {
	clade_setup
	ROOT_TEST=
	[ "$(id -u)" != 0 ] || { ROOT_TEST=1 && box_open; }
}
net_teardown() {
	local failed=0
	listener_end || failed=1
	if [ -n "$ROOT_TEST" ]; then box_close || failed=1; fi
	clade_teardown && return $failed
}

# A machine of its own: loopback, one way out that leads nowhere, the caller's mounts. `in_box COMMAND...` runs there.
box_open() {
	unshare --net --mount --propagation private sh -c 'echo $$ >box.pid; exec sleep 1000' 3>&- &
	BOX_JOB=$!
	until_true test -s box.pid
	BOX=$(cat box.pid)
	in_box sh -c 'ip link set lo up
		ip link add up0 type veth peer name up1
		ip addr add 192.0.2.10/24 dev up0
		ip link set up0 up; ip link set up1 up
		ip route add default via 192.0.2.1
		printf "nameserver 192.0.2.53\nsearch example.org\noptions ndots:2\n" >resolv; mount --bind resolv /etc/resolv.conf'
}
# Nothing of it may be left but the chains that netavark keeps for all; two that left it at once leave a moment after each other.
box_is_empty() {
	run in_box sh -c 'ip -br link | grep -vE "^(lo|up0|up1)"; iptables-save | grep -E "dnat name|10\.(87|9[0-9])\."
		find "$CLADE_ROOT/leases" -type l 2>/dev/null'
	[ -z "$output" ]
}
box_close() {
	local id
	for id in $(ids); do in_box clade rm -f "$id" >/dev/null 2>&1 || :; done
	until_true box_is_empty || { echo "left in the network: $output" >&2; kill "$BOX"; return 1; }
	kill "$BOX" 2>/dev/null || :
	wait "$BOX_JOB" 2>/dev/null || :
}
in_box() {
	if [ -n "$ROOT_TEST" ]; then nsenter --net --mount --target "$BOX" --wd="$PWD" "$@"; else "$@"; fi
}
answers() { [ "$(in_box curl -s --http0.9 -m 2 "$1")" = "$2" ]; }
server() { echo "socat TCP-LISTEN:$1,fork,reuseaddr SYSTEM:'echo $2'"; }
# listen PORT TEXT: a server on the machine's loopback until the test is over, whatever becomes of it. Its PID is its own: that of
# a function in the background would be a shell's.
listen() {
	# shellcheck disable=SC2016 # the inner shell's own words
	in_box sh -c 'echo $$ >"$1"; exec socat TCP-LISTEN:"$2",bind=127.0.0.1,fork,reuseaddr SYSTEM:"echo $3"' sh "$BATS_TEST_TMPDIR/listener.pid" "$@" 3>&- &
	until_true answers "http://127.0.0.1:$1/" "$2"
}
listener_gone() { ! kill -0 "$1" 2>/dev/null; }
listener_end() {
	local pid
	[ -s "$BATS_TEST_TMPDIR/listener.pid" ] || return 0
	pid=$(cat "$BATS_TEST_TMPDIR/listener.pid")
	kill "$pid" 2>/dev/null || :
	until_true listener_gone "$pid"
}
root_only() { [ -n "$ROOT_TEST" ] || skip "bridges are root's"; }

# killed_midway FLAG...: a run, killed at several moments; once clade itself, once its minder
killed_midway() {
	local delay who pid
	for delay in 0.00 0.01 0.02 0.03 0.05 0.08 0.12 0.2; do
		for who in clade keep; do
			rm -f mid.pid
			# shellcheck disable=SC2016 # the inner shell's own words
			in_box sh -c 'echo $$ >mid.pid; exec clade run --rm "$@" host sleep 0.1' sh "$@" >/dev/null 2>&1 3>&- &
			until_true test -s mid.pid
			sleep "$delay"
			pid=$(cat mid.pid)
			[ "$who" = clade ] || pid=$(pgrep -f "clade-keep.* $CLADE_ROOT ") || continue
			# shellcheck disable=SC2086 # several
			kill -9 $pid 2>/dev/null || :
		done
	done
	for pid in $(jobs -p); do [ "$pid" = "$BOX_JOB" ] || wait "$pid" || :; done
}
