#!/usr/bin/env bats
# bats file_tags=user
# clade-oci as a normal user, with what `spec --rootless` writes, and with subordinate ids. Run as root, too, it must do no harm.

load helpers
setup() {
	clade_setup
	make_rootfs
	mkdir -p rootfs/{proc,dev,sys,tmp}
	mkdir bundle
	(cd bundle && clade-oci spec --rootless)
	RT=(clade-oci --root "$PWD/oci")
	edit '.process.terminal = false | .root = {path: "'"$PWD"'/rootfs"}'
}
teardown() {
	local one
	for one in $("${RT[@]}" list -q); do "${RT[@]}" delete -f "$one"; done
	clade_teardown
}
edit() { jq "$@" bundle/config.json >new.json && mv new.json bundle/config.json; }

@test "rootless: run, as root of one's own namespace" {
	edit '.root.readonly = true | .process.args = ["sh", "-c", "id -u; hostname; touch /x 2>&1; cat /proc/self/uid_map"]'
	run -0 "${RT[@]}" run -b bundle one
	[[ "${lines[0]}" = 0 && "${lines[1]}" = clade && "${lines[2]}" == *"Read-only"* ]]
	[[ "${lines[3]}" =~ ^\ *0\ +$(id -u)\ +1$ ]]
}

@test "rootless: create, start, exec, ps, kill, delete" {
	edit '.process.args = ["sleep", "1000"]'
	"${RT[@]}" create -b bundle --pid-file pid two </dev/null >/dev/null 2>&1 3>&-
	"${RT[@]}" start two
	[ "$("${RT[@]}" state two | jq -r .status)" = running ]
	[ "$("${RT[@]}" state two | jq -r .owner)" = "$(id -un)" ]
	run -5 "${RT[@]}" exec two sh -c 'id -u; exit 5'
	[ "$output" = 0 ]
	"${RT[@]}" kill two KILL
	until_true eval '[ "$("${RT[@]}" state two | jq -r .status)" = stopped ]'
	"${RT[@]}" delete two
	[ ! -e "/proc/$(cat pid)/exe" ]
}

@test "rootless: a range of subordinate ids, by newuidmap" {
	command -v newuidmap >/dev/null || skip "no newuidmap"
	local first
	first=$(awk -F: -v u="$(id -un)" '$1 == u { print $2; exit }' /etc/subuid)
	[ -n "$first" ] || first=300000
	edit --argjson u "$(id -u)" --argjson g "$(id -g)" --argjson f "$first" '.linux.uidMappings = [{containerID: 0, hostID: $u, size: 1}, {containerID: 1, hostID: $f, size: 1000}] | .linux.gidMappings = [{containerID: 0, hostID: $g, size: 1}, {containerID: 1, hostID: $f, size: 1000}]
		| .process.user = {uid: 7, gid: 8, additionalGids: [9]} | .process.args = ["sh", "-c", "id -u; id -g; id -G; wc -l </proc/self/uid_map"]'
	run -0 "${RT[@]}" run -b bundle three
	[ "${lines[*]}" = "7 8 8 9 2" ]
	edit '.process.user.uid = 5000'
	run -1 "${RT[@]}" run -b bundle three
	[[ "$output" == *"is not mapped"* ]]
}

@test "rootless: without a user namespace, with limits that may not be set: a sentence" {
	[ "$(id -u)" != 0 ] || skip "root may do all this"
	jq '.linux.namespaces |= map(select(.type != "user")) | del(.linux.uidMappings, .linux.gidMappings)' bundle/config.json >new.json
	run -1 "${RT[@]}" run -b bundle -f "$PWD/new.json" four
	[[ "$output" == *"without privileges a container needs a user namespace"* ]]
	jq '.linux.resources = {pids: {limit: 10}}' bundle/config.json >new.json
	run -1 "${RT[@]}" run -b bundle -f "$PWD/new.json" four
	[[ "$output" == *"may not make cgroups"* ]]
	[ -z "$(ls oci 2>/dev/null)" ]
}

# A rootless engine runs us so, in the host's network: what we leave there we cannot come back to.
@test "rootless: as root of a user namespace that is there already, with a new network" {
	edit '.linux.namespaces |= (map(select(.type != "user" and .type != "network")) + [{type: "network"}]) | del(.linux.uidMappings, .linux.gidMappings) | .process.args = ["busybox", "ip", "-o", "link"]'
	run -0 unshare --user --map-root-user --mount "${RT[@]}" run -b bundle five
	echo "$output"
	[ "${#lines[@]}" = 1 ]
	[[ "$output" == *"lo: <LOOPBACK,UP,"* ]]
}
