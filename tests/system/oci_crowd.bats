#!/usr/bin/env bats
# clade-oci beside a thousand tasks, where a ready mount namespace takes pivot_root's place (docs/decisions/crowd.md).

load helpers
setup() {
	clade_setup
	make_rootfs
	mkdir -p bundle rootfs/data rootfs/mnt data/inside
	(cd bundle && clade-oci spec)
	jq '.process.terminal = false | .root = {path: "'"$PWD"'/rootfs"} | .process.args = ["sh", "-c", "cut -d\" \" -f4- /proc/self/mountinfo | sed -e s/master:[0-9]*/M/ -e s/shared:[0-9]*/S/"]
		| .mounts += [{destination: "/data", source: "'"$PWD"'/data", type: "bind", options: ["rbind", "rshared"]},
			{destination: "/fixed", source: "tmpfs", type: "tmpfs", options: ["ro", "size=4k"]}]' bundle/config.json >new.json
	mv new.json bundle/config.json
	cat >crowd.py <<-'END'
		import sys, threading
		threading.stack_size(65536)
		end = threading.Event()
		for _ in range(1100): threading.Thread(target=end.wait, daemon=True).start()
		print("ready", flush=True)
		sys.stdin.read()
	END
	inside true || skip "cgroup v2 cannot be mounted here"
}
teardown() { clade_teardown; }
# In a mount namespace that shows cgroup v2 alone; the rest of the words is a script.
inside() {
	RT="clade-oci --root $PWD/oci" unshare --mount --propagation private sh -c '
		[ -e /sys/fs/cgroup/cgroup.controllers ] || { umount -R -l /sys/fs/cgroup && mount -t cgroup2 none /sys/fs/cgroup; } || exit 1
		mount -t tmpfs none /run && mkdir /run/clade-oci && eval "$1"' - "$1"
}
crowded() {
	inside 'mkfifo end ready
		python3 crowd.py <end >ready & exec 9>end; read -r _ <ready
		('"$1"'); code=$?; exec 9>&-; wait; rm -f end ready; exit $code'
}
has_template() { [ "$(printf '%s\n' 6.15 "$(uname -r)" | sort -V | head -1)" = 6.15 ]; }

@test "crowd: a container's mounts are the same, and pivot_root is not called" {
	mkdir -p rootfs/fixed
	# what others run may make a crowd, too: what is compared is told by --no-pivot, which is never of a template
	inside '$RT run --no-pivot -b bundle one' >alone
	crowded '$RT run -b bundle zero >/dev/null; strace -f -o trace $RT run -b bundle two && grep -c nsfs /proc/self/mountinfo >pins' >beside
	diff alone beside
	grep -q ' /data .* S ' beside
	grep -q ' /fixed ro' beside
	has_template || return 0
	! grep -q pivot_root trace
	[ "$(cat pins)" = 1 ]
}

@test "crowd: exec, a read-only root; what is mounted stays inside" {
	run -0 crowded '
		jq ".process.args = [\"sleep\", \"1000\"] | .root.readonly = true" bundle/config.json >new.json && mv new.json bundle/config.json
		$RT create -b bundle box </dev/null >/dev/null 2>&1 && $RT start box || exit 1
		$RT exec box sh -c "ls /data; touch /new 2>&1"
		$RT exec --cap CAP_SYS_ADMIN box sh -c "mount -t tmpfs none /mnt && ls / | head -1; mount --bind /fixed /data/inside; mount --bind /fixed /data"
		grep -c fixed /proc/self/mountinfo
		$RT delete -f box; $RT list -q'
	[ "${lines[0]}" = inside ]
	[[ "${lines[1]}" == *"Read-only file system"* ]]
	[ "${lines[2]}" = bin ]
	[ "${lines[3]}" = 0 ]
	[ "${#lines[@]}" = 4 ]
}

@test "crowd: the last delete after it takes the ready namespace away" {
	has_template || skip "needs Linux 6.15"
	[ "$(cut -d/ -f2 /proc/loadavg | cut -d' ' -f1)" -lt 450 ] || skip "others run a crowd just now"
	run -0 inside 'mkfifo end ready
		python3 crowd.py <end >ready & exec 9>end; read -r _ <ready
		$RT run -b bundle one >/dev/null; grep -c nsfs /proc/self/mountinfo
		exec 9>&-; wait; rm -f end ready
		$RT run -b bundle two >/dev/null; grep -c nsfs /proc/self/mountinfo; ls -A /run/clade-oci'
	[ "$output" = "1
0" ]
}
