# shellcheck shell=bash
# What every system test begins and ends with: its own state folder, and a check that nothing stays.
# A file says `load helpers`; its setup is `clade_setup`, its teardown `clade_teardown`.

BIN=${CLADE_BIN:-$BATS_TEST_DIRNAME/../../build/bin}
export PATH=$BIN:$PATH
bats_require_minimum_version 1.5.0

clade_setup() {
	cd "$BATS_TEST_TMPDIR" || return 1
	export CLADE_ROOT=$BATS_TEST_TMPDIR/state CLADE_DATA=$BATS_TEST_TMPDIR/data
	umask 022
}

# until_true COMMAND...: polls it for at most 30 s, which a busy machine may need
until_true() {
	local end=$((SECONDS + 30))
	until "$@" >/dev/null 2>&1; do
		[ $SECONDS -lt $end ] || { echo "waited in vain for: $*" >&2; return 1; }
		sleep 0.02
	done
}

# descendants PID: the PIDs of all its descendants
descendants() {
	local child
	for child in $(pgrep -P "$1"); do
		echo "$child"
		descendants "$child"
	done
}

# below PID PATTERN: those of its descendants whose whole command line is like PATTERN; fails where there is none
below() { pgrep -P "$(echo "$1" "$(descendants "$1")" | xargs | tr ' ' ,)" -x -f "$2"; }

# gone PID...: none of them runs; who is only not reaped yet does not run
gone() {
	local pid
	for pid in "$@"; do
		! grep -qs '^State:.[^ZX]' "/proc/$pid/status" || return 1
	done
}

# free_port [IN...]: a port of loopback that nobody has, outside of the range that the kernel gives away by itself; IN... goes before
# the program that looks for it
free_port() {
	"$@" python3 -c 'import random, socket
for port in random.sample(range(20000, 32768), 1000):
	try:
		socket.create_server(("127.0.0.1", port)).close()
		print(port)
		break
	except OSError:
		pass'
}

# A small root filesystem: busybox and nothing else.
make_rootfs() {
	local dir=${1:-rootfs} applet
	mkdir -p "$dir/bin" "$dir/etc"
	cp "$(command -v busybox)" "$dir/bin/busybox"
	for applet in sh true false sleep ls cat ps echo mount id hostname kill touch mkdir env pwd head wc stat tr yes tty stty \
		readlink grep dd setsid tail test; do
		ln -sf busybox "$dir/bin/$applet"
	done
	echo "root:x:0:0:root:/root:/bin/sh" >"$dir/etc/passwd"
	echo "web:x:1000:1001:w:/home/web:/bin/sh" >>"$dir/etc/passwd"
	printf 'root:x:0:\nwww:x:1001:\nextra:x:77:web\n' >"$dir/etc/group"
}

# image OUT [OPTION...] LAYER...: image.py says how
image() {
	python3 "$BATS_TEST_DIRNAME/image.py" "$@"
}

ids() {
	[ ! -d "$CLADE_ROOT" ] || (cd "$CLADE_ROOT" && find . -maxdepth 1 -regex '\./[0-9a-f]+' -printf '%f\n')
}

# Everything a test's containers could leave: processes of a minder, cgroups, mounts, state.
leftovers() {
	local id
	pgrep -af "clade-keep.* $CLADE_ROOT " || :
	pgrep -af "pasta.* $CLADE_ROOT/" || :
	grep " $CLADE_ROOT" /proc/self/mounts || :
	for id in "${seen_ids[@]}"; do
		find /sys/fs/cgroup -maxdepth 4 -type d -name "$id" 2>/dev/null
	done
	ids
	find "$CLADE_ROOT/names" "$CLADE_DATA/containers" "$CLADE_DATA/tmp" -mindepth 1 -maxdepth 1 2>/dev/null
}

no_leftovers() {
	[ -z "$(leftovers)" ]
}

# Ends what the test left running on purpose, then nothing may be there any more.
clade_teardown() {
	local id
	seen_ids=()
	for id in $(ids); do
		seen_ids+=("$id")
		clade rm -f "$id" >/dev/null 2>&1 || :
	done
	if ! until_true no_leftovers; then
		echo "left behind:" >&2
		leftovers >&2
		return 1
	fi
}

# For files with images. Unpacked by a normal user, layers are files of its subordinate ids: only clade removes them.
images_teardown() {
	clade_teardown || return 1
	clade system prune -af >/dev/null
}

# A terminal: `terminal COMMAND...` runs it in one and types what stands in $typed, line by line, each when the line before
# has shown what stands behind its "=>". Prints everything that was shown; its exit code is the command's.
terminal() {
	python3 "$BATS_TEST_DIRNAME/terminal.py" "$typed" "$@"
}

# PID of a container's init on this host
init_of() {
	clade ps -a --format names,pid | awk -v n="$1" '$1 == n { print $2 }'
}
