# shellcheck shell=bash
# What every engine's file begins with: the programs as they would be installed, the images, and comparing with runc.
# All of it happens in a box of its own (tests/engines/box), which is what clears away in the end.

[ -n "${BOX:-}" ] || { echo "this file runs in a box: tests/engines/box bats $BATS_TEST_FILENAME" >&2 && exit 1; }
bats_require_minimum_version 1.5.0
ENGINES=$(dirname "$BATS_TEST_FILENAME")
BUILT=$(realpath "${CLADE_BIN:-$ENGINES/../../build/bin}")
BIN=/run/clade-test/bin
IMAGES=/run/clade-test/images

# The programs where a package would put them side by side, and clade-init under the names engines know an init by.
engine_setup_file() {
	mkdir -p $BIN $IMAGES
	cp -L "$BUILT"/clade* $BIN/
	cp $BIN/clade-init $BIN/catatonit
	cp $BIN/clade-init $BIN/docker-init
	CLADE_BIN=$BIN "$ENGINES/images" $IMAGES
	export CLADE_ROOT=/run/clade-test/state
}

# podman_conf FOLDER [LINE...]: podman's settings there, with clade-oci as the runtime and more lines of [engine]; anything is trusted
podman_conf() {
	local line
	echo '{ "default": [{ "type": "insecureAcceptAnything" }] }' >"$1/policy.json"
	cat >"$1/containers.conf" <<-END
		[engine]
		runtime = "clade-oci"
		cgroup_manager = "cgroupfs"
		events_logger = "file"
		runtime_supports_json = ["clade-oci", "crun", "runc"]
		$(for line in "${@:2}"; do echo "$line"; done)
		[engine.runtimes]
		clade-oci = ["$BIN/clade-oci"]
		[containers]
		init_path = "$BIN/catatonit"
	END
	# podman's own limit is refused, by runc too, where there is no controller for it
	[ "$BOX" = v1 ] || grep -qw pids /sys/fs/cgroup/cgroup.controllers || echo "pids_limit = 0" >>"$1/containers.conf"
}

# engine_requires v1|v2|CONTROLLER...: a test of what this machine's cgroups have not got is skipped, with that reason
engine_requires() {
	local what
	for what; do
		case $what in
		v1 | v2) [ "$BOX" = "$what" ] || skip "the box has cgroup $BOX, not $what" ;;
		*) [ -d "/sys/fs/cgroup/$what" ] || grep -qsw "$what" /sys/fs/cgroup/cgroup.controllers ||
			skip "cgroup $BOX here has no controller $what" ;;
		esac
	done
}

# until_true COMMAND...: polls it for at most 60 s, which a busy machine may need
until_true() {
	local end=$((SECONDS + 60))
	until "$@" >/dev/null 2>&1; do
		[ $SECONDS -lt $end ] || { echo "waited in vain for: $*" >&2; return 1; }
		sleep 0.05
	done
}

# says COMMAND... -- TEXT: its output is this text
says() {
	local command=()
	while [ "$1" != -- ]; do command+=("$1") && shift; done
	[ "$("${command[@]}" 2>/dev/null)" = "$2" ]
}

# terminal COMMAND...: see tests/system/terminal.py; $typed is what is typed and what must show
terminal() {
	python3 "$ENGINES/../system/terminal.py" "$typed" "$@"
}

# Fills $output, $stderr and $status as bats' run does, for which 127 is no answer like others
answer() {
	status=0
	output=$("$@" 2>/run/clade-test/stderr) || status=$?
	stderr=$(cat /run/clade-test/stderr)
}

# alike ENGINE ARG...: `ENGINE RUNTIME ARG...`, a function of the file, ends with one exit code and says one thing on its
# standard output under clade-oci and under runc, which stay in $status and $output for more to be asked of them.
alike() {
	local engine=$1 peer peer_stderr
	shift
	answer "$engine" runc "$@"
	peer="$output [$status]" peer_stderr=$stderr
	answer "$engine" clade-oci "$@"
	[ "$output [$status]" != "$peer" ] || return 0
	echo "$engine $*" >&2
	diff -U 1 --label runc --label clade-oci <(echo "$peer" && echo "$peer_stderr") <(echo "$output [$status]" && echo "$stderr") >&2
	output='' stderr=''
	return 1
}
