#!/usr/bin/env bats
# `features` is true: what it names is taken in a configuration (features.md, features-linux.md).

load helpers
setup() {
	clade_setup
	make_rootfs
	mkdir bundle
	(cd bundle && clade-oci spec)
	jq '.process.terminal = false | .root = {path: "'"$PWD"'/rootfs"} | .process.args = ["true"]' bundle/config.json >base.json
	clade-oci features >features.json
}
teardown() { clade_teardown; }
with() {
	jq "$@" base.json >bundle/config.json
	run clade-oci --root "$PWD/oci" run -b bundle "$BATS_TEST_NUMBER-features"
}
words() { jq -r "$1 | .[]" features.json; }

@test "features: both versions are taken, the lower one is not above the upper; nothing stands there that is not defined" {
	local v
	for v in $(jq -r '.ociVersionMin, .ociVersionMax' features.json); do
		with --arg v "$v" '.ociVersion = $v'
		[ "$status" = 0 ]
	done
	[ "$(jq -r '.ociVersionMin, .ociVersionMax' features.json | sort -V | head -n 1)" = "$(jq -r .ociVersionMin features.json)" ]
	[ "$(jq -r 'keys_unsorted | join(" ")' features.json)" = "ociVersionMin ociVersionMax hooks mountOptions linux annotations potentiallyUnsafeConfigAnnotations" ]
	[ "$(jq -r '.linux | keys | join(" ")' features.json)" = "apparmor capabilities cgroup intelRdt memoryPolicy mountExtensions namespaces netDevices seccomp selinux" ]
	jq -e '[.. | nulls] | length == 0' features.json
	jq -e '(.annotations | type == "object") and ([.annotations[] | type == "string"] | all) and .linux.mountExtensions.idmap.enabled' features.json
}

@test "features: every hook point, namespace, capability, action, operator, architecture, flag and memory policy it names is known" {
	local w
	for w in $(words .hooks); do
		with --arg w "$w" '.hooks[$w] = [{path: "relative"}]'
		[[ "$status" = 1 && "$output" == *"hooks.$w[0].path"* ]]
	done
	for w in $(words .linux.namespaces); do
		with --arg w "$w" '.linux.namespaces = [{type: $w}, {type: $w}]'
		[[ "$status" = 1 && "$output" == *"stands there twice"* ]]
	done
	with --slurpfile f features.json '.process.capabilities.bounding = $f[0].linux.capabilities'
	[[ "$status" = 0 && "$output" != *"is not known"* ]]
	with --slurpfile f features.json '.linux.seccomp = {defaultAction: "SCMP_ACT_ALLOW", architectures: $f[0].linux.seccomp.archs, listenerPath: "/x", flags: ($f[0].linux.seccomp.supportedFlags - ["SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV"]),
		syscalls: [($f[0].linux.seccomp.actions - ["SCMP_ACT_NOTIFY"])[] as $a | {names: ["swapon"], action: $a}, ($f[0].linux.seccomp.operators[] as $o | {names: ["swapoff"], action: "SCMP_ACT_ERRNO", args: [{index: 0, value: 7, op: $o}]})]}'
	[ "$status" = 0 ] || { echo "$output"; false; }
	for w in $(words .linux.memoryPolicy.modes); do
		with --arg w "$w" '.linux.memoryPolicy = {mode: $w, nodes: "x"}'
		[[ "$output" == *"linux.memoryPolicy.nodes"* ]]
	done
	with --slurpfile f features.json '.linux.memoryPolicy = {mode: "MPOL_BIND", nodes: "x", flags: $f[0].linux.memoryPolicy.flags}'
	[[ "$output" == *"linux.memoryPolicy.nodes"* ]]
}

@test "features: every mount option it names is known, and all of the specification's table are there" {
	local w table='async atime bind defaults dev diratime dirsync exec iversion lazytime loud mand noatime nodev nodiratime noexec noiversion nolazytime nomand norelatime nostrictatime nosuid nosymfollow private ratime rbind rdev rdiratime relatime remount rexec rnoatime rnodev rnodiratime rnoexec rnorelatime rnostrictatime rnosuid rnosymfollow ro rprivate rrelatime rro rrw rshared rslave rstrictatime rsuid rsymfollow runbindable rw shared silent slave strictatime suid symfollow sync tmpcopyup unbindable idmap ridmap'
	for w in $table; do words .mountOptions | grep -qx "$w" || { echo "$w is missing"; false; }; done
	# none of them is handed to the filesystem as an option of its own
	for w in $(words .mountOptions); do
		with --arg w "$w" --arg d "$PWD" '.mounts += [{destination: "/x", type: "tmpfs", source: $d, options: [$w]}]'
		[[ "$output" != *"Unknown parameter"* ]] || { echo "$w: $output"; false; }
	done
}
