#!/usr/bin/env bats
# Mounts as the runtime specification has them: each option of its table, order, targets, propagation, id maps.

load helpers
setup() {
	clade_setup
	make_rootfs
	mkdir bundle
	(cd bundle && clade-oci spec)
	jq '.process.terminal = false | .root = {path: "'"$PWD"'/rootfs"} | .process.args = ["cat", "/proc/self/mountinfo"]' bundle/config.json >base.json
}
teardown() {
	[ -z "$(clade-oci --root "$PWD/oci" list -q)" ] || return 1
	clade_teardown
}
with() {
	jq "$@" base.json >bundle/config.json
	run clade-oci --root "$PWD/oci" run -b bundle "$BATS_TEST_NUMBER-mounts"
}
# info TARGET: its line of mountinfo in $output; flags and fields of it
info() { awk -v t="$1" '$5 == t' <<<"$output" | tail -n 1; }
attributes() { info "$1" | cut -d' ' -f6 | tr ',' '\n'; }
super() { info "$1" | sed 's/.* - //' | cut -d' ' -f3 | tr ',' '\n'; }
group() { info "$1" | cut -d' ' -f7- | sed 's/ *- .*//'; }
has() { "$1" "$2" | grep -qx "$3" || { echo "$2: no $3 in: $(info "$2")"; false; }; }
lacks() { ! "$1" "$2" | grep -qx "$3" || { echo "$2: $3 in: $(info "$2")"; false; }; }

@test "mounts: every option for a filesystem of its own" {
	local all='async atime defaults dev diratime dirsync exec iversion lazytime loud mand noatime nodev nodiratime noexec noiversion nolazytime nomand norelatime nostrictatime nosuid nosymfollow relatime ro rw silent strictatime suid symfollow sync'
	with --arg all "$all" '.mounts += ($all | split(" ") | map({destination: ("/m/" + .), type: "tmpfs", source: "tmpfs", options: [.]}))'
	[ "$status" = 0 ] || { echo "$output"; false; }
	local o
	for o in $all; do [ -n "$(info "/m/$o")" ] || { echo "no /m/$o"; false; }; done
	for o in nosuid nodev noexec noatime nodiratime nosymfollow ro; do has attributes /m/$o $o; done
	for o in dev suid exec diratime rw symfollow defaults async; do
		lacks attributes /m/$o nodev
		lacks attributes /m/$o nosuid
		lacks attributes /m/$o noexec
		lacks attributes /m/$o nodiratime
		lacks attributes /m/$o nosymfollow
		has attributes /m/$o rw
	done
	for o in atime relatime norelatime nostrictatime defaults; do has attributes /m/$o relatime; done
	lacks attributes /m/strictatime relatime
	lacks attributes /m/strictatime noatime
	for o in sync dirsync lazytime; do has super /m/$o $o; done
	lacks super /m/async sync
	lacks super /m/nolazytime lazytime
}

@test "mounts: every option for a bind, and its recursive form" {
	mkdir -p data/in
	mount -t tmpfs none data/in
	local all='ro nosuid nodev noexec noatime nodiratime nosymfollow strictatime relatime'
	with --arg all "$all" --arg d "$PWD/data" '.mounts += ($all | split(" ") | map({destination: ("/b/" + .), source: $d, options: ["rbind", .]}, {destination: ("/r/" + .), source: $d, options: ["rbind", "r" + .]}))'
	umount data/in
	[ "$status" = 0 ] || { echo "$output"; false; }
	local o
	for o in $all; do
		[ $o = strictatime ] || has attributes /b/$o $o
		[ $o = strictatime ] || has attributes /r/$o $o
		# what lies beneath follows the recursive form alone
		case $o in
		strictatime) lacks attributes /r/$o/in relatime ;;
		relatime) has attributes /r/$o/in relatime ;;
		*)
			lacks attributes /b/$o/in $o
			has attributes /r/$o/in $o
			;;
		esac
	done
}

@test "mounts: the recursive forms that lift what was set" {
	mkdir -p data/in
	mount -t tmpfs -o ro,nosuid,nodev,noexec,noatime,nodiratime none data/in
	with --arg d "$PWD/data" '.mounts += ("rrw rsuid rdev rexec ratime rdiratime rnorelatime rnostrictatime rsymfollow" | split(" ") | map({destination: ("/r/" + .), source: $d, options: ["rbind", .]}))'
	umount data/in
	[ "$status" = 0 ] || { echo "$output"; false; }
	has attributes /r/rrw/in rw
	lacks attributes /r/rsuid/in nosuid
	lacks attributes /r/rdev/in nodev
	lacks attributes /r/rexec/in noexec
	lacks attributes /r/rdiratime/in nodiratime
	for o in ratime rnorelatime rnostrictatime; do has attributes /r/$o/in relatime; done
	has attributes /r/rdev/in nosuid
	lacks attributes /r/rsymfollow/in nosymfollow
}

@test "mounts: propagation of a bind, with and without what lies beneath" {
	mkdir -p data/in
	mount -t tmpfs none data/in
	with --arg d "$PWD/data" '.mounts += ("shared slave private unbindable rshared rslave rprivate runbindable" | split(" ") | map({destination: ("/p/" + .), source: $d, options: ["rbind", .]}))'
	umount data/in
	[ "$status" = 0 ] || { echo "$output"; false; }
	[[ "$(group /p/shared)" == shared:* ]]
	[ -z "$(group /p/shared/in)" ]
	[[ "$(group /p/rshared/in)" == shared:* ]]
	[[ "$(group /p/unbindable)" == unbindable ]]
	[[ "$(group /p/runbindable/in)" == unbindable ]]
	[ -z "$(group /p/private)$(group /p/rprivate/in)" ]
	[[ "$(group /p/slave)$(group /p/rslave/in)" != *shared* ]]
}

@test "mounts: bind takes one, rbind all; remount changes what is there; unknown words go to the filesystem" {
	mkdir -p data/in
	mount -t tmpfs none data/in
	with --arg d "$PWD/data" '.mounts += [{destination: "/one", source: $d, options: ["bind"]}, {destination: "/all", source: $d, options: ["rbind"]}, {destination: "/type", type: "bind", source: $d, options: []},
		{destination: "/t", type: "tmpfs", source: "x", options: ["size=3m", "nr_inodes=77"]}, {destination: "/t", type: "tmpfs", source: "x", options: ["remount", "ro", "noexec"]}]'
	umount data/in
	[ "$status" = 0 ] || { echo "$output"; false; }
	[ -z "$(info /one/in)$(info /type/in)" ]
	[ -n "$(info /all/in)" ]
	has attributes /t ro
	has attributes /t noexec
	has super /t size=3072k
	has super /t nr_inodes=77
	with '.mounts += [{destination: "/t", type: "tmpfs", source: "x", options: ["no_such_option"]}]'
	[[ "$status" = 1 && "$output" == *no_such_option* ]]
	with --arg d "$PWD/data" '.mounts += [{destination: "/t", source: $d, options: ["bind", "no_such_option"]}]'
	[[ "$status" = 1 && "$output" == *no_such_option* ]]
}

@test "mounts: in the order given; relative targets and sources; missing targets are made" {
	mkdir -p bundle/here
	echo content >bundle/file
	with '.process.args = ["sh", "-c", "mount | grep \" /a\"; cat /a/b/file; ls /a/b/c; ls -d /rel/below"] | .mounts += [
		{destination: "/a", type: "tmpfs", source: "first"}, {destination: "/a/b", type: "tmpfs", source: "second"}, {destination: "/a/b/c", type: "bind", source: "here", options: ["bind"]},
		{destination: "/a/b/file", type: "bind", source: "file", options: ["bind"]}, {destination: "rel/below", type: "tmpfs", source: "third"}]'
	[ "$status" = 0 ] || { echo "$output"; false; }
	[[ "${lines[0]}" == *"is relative, which is deprecated"* ]]
	[[ "$output" == *"first on /a type"*"second on /a/b type"*content*/rel/below* ]]
	with '.mounts += [{destination: "/x", type: "bind", source: "not-there", options: ["bind"]}]'
	[[ "$status" = 1 && "$output" == *not-there* ]]
}

@test "mounts: id maps of a mount's own, of the container's, recursive, and what is wrong about them" {
	local dir
	dir=$(mktemp -d /tmp/clade-mounts.XXXXXX)
	chmod 755 "$dir"
	mkdir -p "$dir/data/in"
	touch "$dir/data/file"
	mount -t tmpfs none "$dir/data/in"
	touch "$dir/data/in/file"
	local maps='[{containerID: 0, hostID: 5000, size: 10}]'
	with --arg d "$dir/data" '.process.args = ["sh", "-c", "stat -c %u:%g /i/file /i/in/file /r/file /r/in/file"] | .mounts += [
		{destination: "/i", source: $d, options: ["rbind", "idmap"], uidMappings: '"$maps"', gidMappings: '"$maps"'}, {destination: "/r", source: $d, options: ["rbind", "ridmap"], uidMappings: '"$maps"', gidMappings: '"$maps"'}]'
	[ "$status" = 0 ] || { umount "$dir/data/in"; echo "$output"; false; }
	[ "${lines[*]}" = "5000:5000 0:0 5000:5000 5000:5000" ] || { umount "$dir/data/in"; echo "$output"; false; }
	umount "$dir/data/in"
	# without maps: the container's own
	mv rootfs "$dir/rootfs"
	mkdir -p "$dir/rootfs"/{proc,dev,sys,i}
	with --arg d "$dir" '.root.path = $d + "/rootfs" | .linux.namespaces += [{type: "user"}] | .linux.uidMappings = [{containerID: 0, hostID: 100000, size: 1000}] | .linux.gidMappings = .linux.uidMappings
		| .process.args = ["stat", "-c", "%u:%g", "/i/file"] | .mounts += [{destination: "/i", source: ($d + "/data"), options: ["bind", "idmap"]}]'
	[ "$output" = 0:0 ] || { echo "$output"; false; }
	mv "$dir/rootfs" rootfs
	with --arg d "$dir/data" '.mounts += [{destination: "/i", source: $d, options: ["bind", "idmap"]}]'
	[[ "$status" = 1 && "$output" == *"needs a user namespace"* ]]
	with --arg d "$dir/data" '.mounts += [{destination: "/i", source: $d, options: ["bind", "idmap"], uidMappings: '"$maps"'}]'
	[[ "$status" = 1 && "$output" == *"only set together"* ]]
	rm -rf "$dir"
}

@test "mounts: tmpcopyup, copy-symlink, src-nofollow, dest-nofollow" {
	mkdir -p rootfs/var/copied/deep
	echo x >rootfs/var/copied/deep/file
	chmod 700 rootfs/var/copied
	ln -s elsewhere link
	mkdir rootfs/target
	with --arg d "$PWD" '.process.args = ["sh", "-c", "cat /var/copied/deep/file; stat -c %a /var/copied; readlink /linked; touch /var/copied/new && echo writable"] | .mounts += [{destination: "/var/copied", type: "tmpfs", source: "t", options: ["tmpcopyup"]},
		{destination: "/linked", source: ($d + "/link"), options: ["bind", "copy-symlink"]}] | .root.readonly = false'
	[ "${lines[*]}" = "x 700 elsewhere writable" ] || { echo "$output"; false; }
	[ ! -e rootfs/var/copied/new ]
	with '.mounts += [{destination: "/x", type: "proc", source: "p", options: ["tmpcopyup"]}]'
	[ "$status" = 1 ]
}

@test "mounts: a filesystem's flags are no mistake of a bind, wherever they stand; other data is" {
	local flag
	mkdir data
	for flag in sync async dirsync lazytime nolazytime mand nomand iversion; do
		with --arg f $flag --arg d "$PWD/data" '.mounts += [{destination: "/data", source: $d, options: [$f, "bind", "ro"]}] | .process.args = ["sh", "-c", "grep -c \" /data ro,\" /proc/self/mountinfo"]'
		[ "$status $output" = "0 1" ] || { echo "$flag: $output"; false; }
	done
	with --arg d "$PWD/data" '.mounts += [{destination: "/data", source: $d, options: ["sync", "bind", "size=1m"]}]'
	[ "$status" = 1 ]
	[[ "$output" == *"no filesystem option (size)"* ]]
}

@test "mounts: the root's own propagation and read-only state" {
	local mode
	for mode in shared slave private unbindable rshared rslave rprivate runbindable; do
		with --arg m $mode '.linux.rootfsPropagation = $m'
		[ "$status" = 0 ] || { echo "$mode: $output"; false; }
		case $mode in
		*shared) [[ "$(group /)" == *shared:* ]] ;;
		*unbindable) [[ "$(group /)" == *unbindable* ]] ;;
		*private) [ -z "$(group /)" ] ;;
		*slave) [[ "$(group /)" != *shared:* ]] ;;
		esac || { echo "$mode: $(info /)"; false; }
	done
	# it is the root's own: what is mounted on it has what its options say
	for mode in shared slave private unbindable rshared; do
		with --arg m $mode --arg d "$PWD" '.linux.rootfsPropagation = $m | .mounts += [{destination: "/a", source: $d, options: ["bind", "shared"]}, {destination: "/b", source: $d, options: ["bind", "private"]}]'
		[ "$status" = 0 ] || { echo "$mode: $output"; false; }
		[[ "$(group /a)" == *shared:* && -z "$(group /b)" && "$(group /proc)" != *unbindable* ]] || { echo "$mode: $output"; false; }
	done
	with '.linux.rootfsPropagation = "runbindable"'
	[[ "$(group /proc)" == *unbindable* ]]
	with '.linux.rootfsPropagation = "sideways"'
	[ "$status" = 1 ]
	with '.root.readonly = true | .process.args = ["touch", "/x"]'
	[[ "$status" = 1 && "$output" == *"Read-only"* ]]
	with '.root.path = "/no/such/folder"'
	[ "$status" = 1 ]
}
