#!/usr/bin/env bats
# clade-oci --systemd-cgroup against a stand-in for systemd on a bus of its own (tests/systemd/systemd_mock.c).

load helpers
setup_file() {
	local top=$BATS_TEST_DIRNAME/../..
	# shellcheck disable=SC2046
	cc -O1 -D_GNU_SOURCE -o "$BATS_FILE_TMPDIR/systemd_mock" "$top/tests/systemd/systemd_mock.c" $(pkg-config --cflags --libs libsystemd)
}
setup() {
	clade_setup
	make_rootfs
	mkdir bundle
	(cd bundle && clade-oci spec)
	slice=cladetest$BATS_TEST_NUMBER.slice
	edit '.process.terminal = false | .root = {path: "'"$PWD"'/rootfs"} | .process.args = ["sleep", "1000"] | .linux.cgroupsPath = "'"$slice"':oci:one"'
	roots=()
	for root in /sys/fs/cgroup/systemd /sys/fs/cgroup/unified /sys/fs/cgroup; do
		[ ! -e $root/cgroup.procs ] || roots+=($root)
	done
	unit=oci-one.scope
}
teardown() {
	local id root
	for id in $(rt list -q); do rt delete -f "$id"; done
	[ -z "${mock_pid-}" ] || kill "$mock_pid"
	[ -z "${bus_pid-}" ] || kill "$bus_pid"
	rm -rf "$XDG_RUNTIME_DIR"
	[ -z "$(ls oci 2>/dev/null)" ] || return 1
	# as with runc, slices stay in hierarchies that systemd does not work with: they may carry limits of others
	[ -z "$(find /sys/fs/cgroup -maxdepth 5 -path "*cladetest$BATS_TEST_NUMBER*.scope*")" ] || return 1
	find /sys/fs/cgroup -depth -type d -name "cladetest$BATS_TEST_NUMBER*.slice" -exec rmdir {} + 2>/dev/null || :
	clade_teardown
}
edit() { jq "$@" bundle/config.json >new.json && mv new.json bundle/config.json; }
# rt ARG...: clade-oci where /run/systemd/system says that systemd is there, and a bus of ours is the system's
rt() {
	unshare -m sh -c 'mkdir -p /run/systemd && mount -t tmpfs none /run/systemd && mkdir /run/systemd/system && exec "$@"' - \
		clade-oci --root "$PWD/oci" "$@"
}
# systemd MODE: the bus and the stand-in
systemd() {
	export XDG_RUNTIME_DIR
	XDG_RUNTIME_DIR=$(mktemp -d /tmp/clade-bus.XXXXXX)
	export DBUS_SYSTEM_BUS_ADDRESS=unix:path=$XDG_RUNTIME_DIR/bus DBUS_SESSION_BUS_ADDRESS=unix:path=$XDG_RUNTIME_DIR/bus
	dbus-daemon --session --nofork --nopidfile --address "$DBUS_SYSTEM_BUS_ADDRESS" 3>&- >bus.log 2>&1 &
	bus_pid=$!
	until_true test -S "$XDG_RUNTIME_DIR/bus"
	"$BATS_FILE_TMPDIR/systemd_mock" "$1" "${roots[@]}" >calls 2>mock.err 3>&- &
	mock_pid=$!
	until_true grep -q ready calls
}
# calls_of METHOD: what the stand-in was asked, on one line
calls_of() { awk -v m="Member=$1" '/Member=/ { on = index($0, m " ") || $0 ~ m "$" } on' calls | tr -s ' \n' ' '; }
# has_property TYPE "NAME" VALUE in the call
has() { [[ "$(calls_of "${2:-StartTransientUnit}")" == *"$1"* ]] || { calls_of "${2:-StartTransientUnit}"; false; }; }

@test "systemd: a scope in the slice, its limits as properties, into all hierarchies, and gone with delete" {
	systemd good
	edit '.linux.resources = {memory: {limit: 67108864}, pids: {limit: 77}, cpu: {shares: 512, quota: 25000, period: 100000, cpus: "0"},
		devices: [{allow: false, access: "rwm"}, {allow: true, type: "c", major: 10, minor: 229, access: "rw"}]}'
	rt --systemd-cgroup create -b bundle one </dev/null >out 2>&1 3>&- || { cat out; false; }
	pid=$(rt state one | jq .pid)
	for root in "${roots[@]}"; do grep -qx "$pid" "$root/$slice/$unit/cgroup.procs"; done
	has "\"$unit\""
	has 'STRING "PIDs"; VARIANT "au" { ARRAY "u" { UINT32 '"$pid"';'
	has 'STRING "Slice"; VARIANT "s" { STRING "'"$slice"'"'
	has 'STRING "Delegate"; VARIANT "b" { BOOLEAN true'
	has 'STRING "TasksMax"; VARIANT "t" { UINT64 77'
	has 'STRING "CPUQuotaPerSecUSec"; VARIANT "t" { UINT64 250000'
	has 'STRING "AllowedCPUs"; VARIANT "ay" { ARRAY "y" { BYTE 1'
	has 'STRING "DevicePolicy"; VARIANT "s" { STRING "strict"'
	has 'STRING "/dev/char/10:229"; STRING "rw"'
	if [ -d /sys/fs/cgroup/unified ]; then
		has 'STRING "MemoryLimit"; VARIANT "t" { UINT64 67108864'
		has 'STRING "CPUShares"; VARIANT "t" { UINT64 512'
		[ "$(cat "/sys/fs/cgroup/pids/$slice/$unit/pids.max")" = 77 ]
		grep -qx "$pid" "/sys/fs/cgroup/memory/$slice/$unit/cgroup.procs"
	fi
	# what engines call without saying again who makes the cgroups
	rt start one
	run -0 rt exec one sh -c 'grep name=systemd: /proc/self/cgroup || cat /proc/self/cgroup'
	rt update --pids-limit 88 --cpu-quota 50000 one
	has 'STRING "TasksMax"; VARIANT "t" { UINT64 88' SetUnitProperties
	has 'STRING "CPUQuotaPerSecUSec"; VARIANT "t" { UINT64 500000' SetUnitProperties
	rt events --stats one | jq -e '.data.pids.limit == 88'
	rt delete -f one
	has "\"$unit\"" StopUnit
	[ ! -e "/proc/$pid/exe" ]
}

@test "systemd: properties from annotations, in GVariant's text form" {
	systemd good
	edit '.annotations = {"org.systemd.property.KillMode": "'"'mixed'"'", "org.systemd.property.TimeoutStopSec": "uint64 5", "org.systemd.property.CollectMode": "\"inactive-or-failed\"",
		"org.systemd.property.Conflicts": "['"'a.service', 'b.service'"']", "org.systemd.property.SendSIGHUP": "true", "org.systemd.property.OOMScoreAdjust": "-5", "org.systemd.property.TasksMax": "@t 99"}'
	rt --cgroup-manager systemd run -d -b bundle one </dev/null >out 2>&1 3>&- || { cat out; false; }
	has 'STRING "KillMode"; VARIANT "s" { STRING "mixed"'
	has 'STRING "TimeoutStopUSec"; VARIANT "t" { UINT64 5000000'
	has 'STRING "CollectMode"; VARIANT "s" { STRING "inactive-or-failed"'
	has 'STRING "Conflicts"; VARIANT "as" { ARRAY "s" { STRING "a.service"; STRING "b.service"'
	has 'STRING "SendSIGHUP"; VARIANT "b" { BOOLEAN true'
	has 'STRING "OOMScoreAdjust"; VARIANT "i" { INT32 -5'
	has 'STRING "TasksMax"; VARIANT "t" { UINT64 99'
	for bad in '"org.systemd.property.X": "1"' '"org.systemd.property.KillMode": "mixed"' '"org.systemd.property.KillMode": "[1, true]"' '"org.systemd.property.A/B": "1"' '"org.systemd.property.StopSec": "soon"'; do
		jq ".annotations = {$bad}" bundle/config.json >new.json
		run -1 rt --systemd-cgroup create -b bundle -f "$PWD/new.json" two
		[[ "$output" == *"property"* ]]
	done
}

@test "systemd: subgroup, default slice and name, wrong paths" {
	systemd good
	edit '.annotations = {"run.oci.systemd.subgroup": "inner"}'
	rt --systemd-cgroup run -d -b bundle one </dev/null >out 2>&1 3>&- || { cat out; false; }
	pid=$(rt state one | jq .pid)
	for root in "${roots[@]}"; do grep -qx "$pid" "$root/$slice/$unit/inner/cgroup.procs"; done
	rt delete -f one
	for path in /a/b cladetest:x:y a.slice:b a.slice:b:c:d "a.slice:b:" a.slice:b:c.slice; do
		edit --arg p "$path" '.linux.cgroupsPath = $p'
		run -1 rt --systemd-cgroup create -b bundle one
		[[ "$output" == *"linux.cgroupsPath"* ]]
	done
	edit '.linux.cgroupsPath = "'"$slice"'::bare" | .annotations = {"run.oci.systemd.subgroup": "a/b"}'
	run -1 rt --systemd-cgroup create -b bundle one
	edit '.annotations = {}'
	rt --systemd-cgroup run -d -b bundle one </dev/null >out 2>&1 3>&- || { cat out; false; }
	has '"bare.scope"'
}

@test "systemd: a job that fails, one that never ends, no answer, a name that is taken" {
	export CLADE_SYSTEMD_TIMEOUT=2
	local mode
	for mode in failed stuck hang; do
		systemd $mode
		run -1 rt --systemd-cgroup create -b bundle one
		case $mode in
		failed) [[ "$output" == *"systemd: start unit $unit: systemd says that its job failed"* ]] ;;
		stuck) [[ "$output" == *"systemd does not finish its job"* ]] ;;
		hang) [[ "$output" == *"systemd does not answer"* ]] ;;
		esac
		run -1 rt state one
		[ -z "$(find /sys/fs/cgroup -maxdepth 4 -path "*$slice/$unit*")" ]
		kill $mock_pid $bus_pid
		rm -rf "$XDG_RUNTIME_DIR"
	done
	systemd exists
	rt --systemd-cgroup run -d -b bundle one </dev/null >out 2>&1 3>&- || { cat out; false; }
	[ -n "$(calls_of ResetFailedUnit)" ]
}

@test "systemd: none there, no bus there, a bus that says nothing" {
	run -1 clade-oci --root "$PWD/oci" --systemd-cgroup create -b bundle one
	[ -d /run/systemd/system ] || [[ "$output" == *"systemd does not run here"* ]]
	export DBUS_SYSTEM_BUS_ADDRESS=unix:path=$PWD/nothing CLADE_SYSTEMD_TIMEOUT=1 XDG_RUNTIME_DIR=
	run -1 rt --systemd-cgroup create -b bundle one
	[[ "$output" == *"D-Bus"* ]]
	python3 -c 'import socket, time; s = socket.socket(socket.AF_UNIX); s.bind("/tmp/clade-mute.'$$'"); s.listen(5); time.sleep(60)' 3>&- &
	local mute=$!
	until_true test -S /tmp/clade-mute.$$
	export DBUS_SYSTEM_BUS_ADDRESS=unix:path=/tmp/clade-mute.$$
	run -1 rt --systemd-cgroup create -b bundle one
	kill $mute
	rm -f /tmp/clade-mute.$$
	[[ "$output" == *"systemd"* ]]
	[ -z "$(rt list -q)" ]
}
