#!/usr/bin/env bats
# clade-oci beside Debian's runc where an engine, a script or a person could tell them apart: every flag of runc's help, the
# codes of wrong words and of wrong configurations, keys and types of what is printed, the log, the pid file, what is left
# behind. What differs on purpose stands here with its reason, and in docs/engines.md. States: oci_like_runc.bats.

load helpers
setup() {
	clade_setup
	make_rootfs
	mkdir bundle
	(cd bundle && clade-oci spec)
	jq '.process.terminal = false | .root = {path: "'"$PWD"'/rootfs"} | .process.args = ["sleep", "1000"]' bundle/config.json >new && mv new bundle/config.json
	id=peer-$BATS_TEST_NUMBER
}
teardown() {
	local rt one
	for rt in runc clade-oci; do
		for one in $($rt --root "$PWD/$rt" list -q); do $rt --root "$PWD/$rt" delete -f "$one"; done
	done
	[ -z "$(ls clade-oci)" ] || return 1
	clade_teardown
}

# twins: the container of both
twins() {
	local rt
	for rt in runc clade-oci; do
		"$rt" --root "$PWD/$rt" run -d -b bundle --pid-file "pid.$rt" "$id" </dev/null >/dev/null 2>&1 3>&-
	done
}

# code RT WORD...: its exit code; what it says stays in said.RT
code() {
	local rt=$1 code=0
	shift
	timeout 60 "$rt" --root "$PWD/$rt" "$@" >"said.$rt" 2>&1 </dev/null 3>&- || code=$?
	echo $code
}

# same WORD...: both have the same exit code. differ THEIRS OURS REASON WORD...: they have those two.
same() {
	local theirs ours
	theirs=$(code runc "$@")
	ours=$(code clade-oci "$@")
	[ "$theirs" = "$ours" ] || unlike "$theirs" "$ours" "$*"
}
differ() {
	local theirs ours want="$1 $2"
	shift 3
	theirs=$(code runc "$@")
	ours=$(code clade-oci "$@")
	[ "$theirs $ours" = "$want" ] || unlike "$theirs" "$ours" "$*"
}
unlike() {
	printf '%s\n  runc:      %s %s\n  clade-oci: %s %s\n' "$3" "$1" "$(tail -n 1 said.runc)" "$2" "$(tail -n 1 said.clade-oci)" >>unlike
}
# all the lines said the same
alike() {
	[ ! -e unlike ] || { cat unlike; return 1; }
}

# flags_of CMD: "--name", "--name value" or "-n" for each of runc's help; without CMD the global ones
flags_of() {
	runc ${1:+"$1"} --help | sed -n '/OPTIONS:/,$p' | sed -nE 's/^ +(-.*)/\1/p' | sed -E 's/ {2,}.*//' |
		while IFS= read -r line; do
			value=
			[[ "$line" != *" value"* ]] || value=" value"
			grep -oE -- '(^| )--?[a-z0-9-]+' <<<"$line" | sed "s/^ *//; s/\$/$value/"
		done
}

@test "peer: every flag of runc's help is known, with a value where runc wants one, without where it does not" {
	local cmd flag value n=0
	for cmd in create run start state kill delete list ps exec pause resume update events features spec checkpoint restore; do
		while read -r flag value; do
			n=$((n + 1))
			if [ -n "$value" ]; then
				code clade-oci "$cmd" "$flag" >/dev/null
				grep -q "needs a value" said.clade-oci || { echo "$cmd $flag"; cat said.clade-oci; false; }
				continue
			fi
			# a flag that is known is not what is wrong here
			[ "$(code clade-oci "$cmd" "$flag" --bogus)" != 0 ] || { [[ "$flag" =~ ^--?h(elp)?$ ]]; continue; }
			grep -q -- "--bogus" said.clade-oci || { echo "$cmd $flag"; cat said.clade-oci; false; }
		done < <(flags_of "$cmd")
	done
	while read -r flag value; do
		n=$((n + 1))
		if [ -n "$value" ]; then
			code clade-oci "$flag" >/dev/null
			grep -q "needs a value" said.clade-oci
		else
			code clade-oci "$flag" list >/dev/null
			! grep -q "unknown flag" said.clade-oci
		fi || { echo "$flag"; cat said.clade-oci; false; }
	done < <(flags_of)
	[ $n -gt 90 ] # runc's help was understood
}

@test "peer: identifiers and wrong words have runc's codes, and nothing is made" {
	local cmd bad
	for cmd in create run start state kill delete ps exec pause resume update events; do
		for bad in "" . .. / a/b a/ "a b" $'a\nb' ü -x "$(printf 'a%.0s' {1..1025})"; do
			same "$cmd" "$bad"
			[ $cmd != create ] || [ "$bad" = -x ] || same create -b bundle -- "$bad"
		done
		same "$cmd"
		same "$cmd" -- -x
		same "$cmd" --bogus x
		[ $cmd = exec ] || [ $cmd = ps ] || same "$cmd" x y z
	done
	same list extra
	same list -f
	differ 1 0 "an empty value is one not given" list --format=
	same list --quiet=maybe
	same features --bogus
	same spec --bundle nothing
	same spec --bogus
	same state --all x
	same help
	same h
	same help kill
	same help bogus
	same exec --help
	same -v
	same -
	same --root
	same --log
	same --criu criu list
	same --log-format "" list
	same --log "" list
	same --rootless "" list
	same --debug=x list
	alike
	[ -z "$(ls clade-oci)" ]
	[ ! -e config.json ]
}

@test "peer: flags of create and exec: an empty value is one not given, as engines' templates have it" {
	same run -d -b bundle --pid-file "" --console-socket "" "$id"
	same create -b "" x
	same create -b bundle --no-pivot=x x
	same create -b bundle --preserve-fds x x
	same create -b bundle --preserve-fds "" x
	same create -b bundle --preserve-fds 99999999999 x
	same create -b bundle --pid-file bundle x
	same create -b bundle/config.json x
	same exec --cwd "" "$id" true
	same exec -u "" "$id" true
	same exec -p "" "$id" true
	same exec --pid-file "" "$id" true
	same exec --console-socket "" "$id" true
	same exec -e "" "$id" true
	same exec -g "" "$id" true
	same exec --cap "" "$id" true
	same exec --cap KILL "$id" true
	same exec --cgroup "" "$id" true
	same exec -u : "$id" true
	same exec -u 0: "$id" true
	same exec -u 0:0:0 "$id" true
	same exec -u 4294967295 "$id" true
	same exec -u root "$id" true
	same exec -- "$id" true
	same exec "$id" -- true
	same exec "$id" ""
	same exec "$id" .
	same exec -p bundle "$id"
	same exec -p /dev/null "$id"
	differ 0 1 "a negative count is a mistake: runc passes none on" create -b bundle --preserve-fds -1 x
	differ 0 255 "the same" exec --preserve-fds -1 "$id" true
	differ 0 255 "runc takes the lower 32 bits: of 4294967296 it makes root" exec -u 4294967296 "$id" true
	differ 0 255 "the same" exec -g 99999999999 "$id" true
	alike
	! clade-oci --root "$PWD/clade-oci" state x
}

@test "peer: kill's words" {
	local word
	jq '.process.args = ["sh", "-c", "trap \"exit 3\" 15; while :; do sleep 1000 & wait; done"]' bundle/config.json >new && mv new bundle/config.json
	twins
	for word in SIGCONT CONT 18 cont sigcont -1 -9 x 65 128 9999 SIG EXIT NULL 0x9 "9 " SIGUNUSED 0 SIGWINCH WINCH 28 IO SIGIO URG CHLD; do same kill "$id" "$word"; done
	for word in RTMIN+3 SIGRTMIN+3 rtmin+3 RTMAX-2; do
		[ "$(code runc kill "$id" $word)" = 1 ]
		code=$(code clade-oci kill "nothing" $word)
		[ "$code" = 1 ]
		grep -q "does not exist" said.clade-oci # the word is known: systemd in a container is ended by SIGRTMIN+3
	done
	differ 0 1 "a signal's number has one form" kill "$id" 00
	differ 0 1 "the same" kill "$id" +18
	alike
	[ "$(clade-oci --root "$PWD/clade-oci" state "$id" | jq -r .status)" = running ]
	same kill "$id" ""
	alike
	# an empty word is TERM; the shell may only now be where it minds it
	ended() {
		clade-oci --root "$PWD/clade-oci" kill "$id" "" || :
		[ "$(clade-oci --root "$PWD/clade-oci" state "$id" | jq -r .status)" = stopped ]
	}
	until_true ended
}

@test "peer: update's words" {
	local flag value
	twins
	for flag in cpu-period cpu-quota cpu-rt-period cpu-rt-runtime memory memory-reservation memory-swap; do
		for value in "" x -2 1x 99999999999999999999; do same update --$flag "$value" "$id"; done
	done
	for value in 64m 1.5g; do
		same update --cpu-quota $value "$id"
		same update --cpu-share $value "$id"
		same update --pids-limit $value "$id"
		same update --memory-reservation $value "$id"
	done
	for value in 0 x 99 0- -; do same update --cpuset-cpus $value "$id"; done
	same update --cpuset-cpus "" --cpuset-mems "" "$id"
	same update -r
	same update -r "" "$id"
	same update "$id" more
	for value in '{}' '{"memory": {"limit": 67108864}}' '{"pids": {"limit": 30}}' '{"pids": 30}' '[]' 'x' '' '{"cpu": {"period": 1}}'; do
		printf '%s' "$value" >resources
		theirs=0 ours=0
		runc --root "$PWD/runc" update -r - "$id" <resources >said.runc 2>&1 || theirs=$?
		clade-oci --root "$PWD/clade-oci" update -r - "$id" <resources >said.clade-oci 2>&1 || ours=$?
		[ $theirs = $ours ] || unlike $theirs $ours "update -r - <<<'$value'"
		same update -r resources "$id"
	done
	# 10 to 1000: without the blkio controller runc takes anything, as it writes nothing
	run -1 clade-oci --root "$PWD/clade-oci" update --blkio-weight 5 "$id"
	[[ "$output" == *"is not in 10..1000"* ]]
	alike
}

# types: each path of a JSON text with its type, lists as one
types() { jq -r 'paths as $p | "\($p | map(if type == "number" then "#" else . end) | join(".")) \(getpath($p) | type)"' | sort -u; }

@test "peer: keys and types of state, list, ps, events" {
	local rt words
	twins
	for words in "state $id" "list -f json" "ps -f json $id" "events --stats $id"; do
		for rt in runc clade-oci; do
			# shellcheck disable=SC2086
			"$rt" --root "$PWD/$rt" $words | types >"types.$rt"
		done
		case $words in
		events*)
			# every key of runc's is there with its type; devices that were read from and the host's counters differ
			# and nobody was found who reads the CPUs' counters in two halves, beside their sums
			sed -i '/^data.cpu.usage.percpu_/d; /^data.\(blkio\|intel_rdt\|network_interfaces\|hugetlb\|cpuset\|memory.raw\)/d' types.runc
			grep -vxFf types.clade-oci types.runc >missing || :
			[ ! -s missing ] || { cat missing; false; }
			[ "$(wc -l <types.runc)" -gt 15 ]
			;;
		*)
			# "owner" is omitted nowhere, "annotations" by both where there are none
			diff types.runc types.clade-oci
			[ -s types.runc ]
			;;
		esac
	done
	jq '.annotations = {"a": "b"}' bundle/config.json >new && mv new bundle/config.json
	for rt in runc clade-oci; do
		"$rt" --root "$PWD/$rt" delete -f "$id"
		"$rt" --root "$PWD/$rt" create -b bundle "$id" </dev/null >/dev/null 2>&1 3>&-
		"$rt" --root "$PWD/$rt" state "$id" | types >"types.$rt"
	done
	diff types.runc types.clade-oci
	grep -q "annotations.a string" types.runc
}

@test "peer: features has all that runc's has, spec makes what runc's makes" {
	local rt
	for rt in runc clade-oci; do
		"$rt" features | types | grep -v '^annotations' >"types.$rt"
		mkdir "spec-$rt"
		(cd "spec-$rt" && "$rt" spec && ! "$rt" spec 2>/dev/null && stat -c %a config.json >mode)
		jq -S 'del(.hostname, .ociVersion)
			| del(.process.capabilities.ambient)                       # runc has left them out since 1.2
			| .linux.namespaces |= (map(select(.type != "cgroup")) | sort_by(.type))' "spec-$rt/config.json" >"spec.$rt"
	done
	grep -vxFf types.clade-oci types.runc >missing || :
	[ ! -s missing ] || { cat missing; false; }
	[ "$(wc -l <types.runc)" -gt 15 ]
	diff spec.runc spec.clade-oci
	# a list has what runc's has, too
	for key in hooks mountOptions linux.namespaces linux.capabilities linux.seccomp.actions linux.seccomp.operators; do
		runc features | jq -r ".$key[]" | sort >theirs
		clade-oci features | jq -r ".$key[]" | sort >ours
		grep -vxFf ours theirs >missing || :
		[ ! -s missing ] || { echo "$key"; cat missing; false; }
	done
}

@test "peer: the log is one object a line, the last one is the reason; the pid file is a number" {
	local rt
	twins
	for rt in runc clade-oci; do
		[[ "$(cat pid.$rt; echo x)" =~ ^[0-9]+x$ ]]
		stat -c '%a %F' pid.$rt >>modes
		for words in "state nothing" "create -b nothing x" "exec $id nothing" "start $id" "delete $id" "kill $id BOGUS"; do
			# shellcheck disable=SC2086
			! "$rt" --root "$PWD/$rt" --log "log.$rt" --log-format json $words </dev/null >/dev/null 2>"err.$rt" 3>&-
			tail -n 1 "log.$rt" | jq -e '(keys == ["level", "msg", "time"]) and .level == "error" and (.time | test("^[0-9-]{10}T[0-9:]{8}"))'
			grep -qF -- "$(tail -n 1 "log.$rt" | jq -r .msg | head -c 40)" "err.$rt"
		done
		"$rt" --root "$PWD/$rt" --log "text.$rt" state nothing 2>/dev/null || :
		grep -qE 'time="?[^ ]+"? level=error msg=' "text.$rt"
		stat -c '%a' "log.$rt" >>modes
	done
	[ "$(sed -n 1,2p modes)" = "$(sed -n 3,4p modes)" ] || { cat modes; false; }
}

# config CODE_OF_RUNC CODE_OF_OURS FILTER: run of a bundle with that change; nothing of it is there afterwards
config() {
	local theirs ours
	rm -rf other
	mkdir other
	jq "$3" bundle/config.json >other/config.json
	theirs=$(code runc run -b other "$id")
	ours=$(code clade-oci run -b other "$id")
	[ "$theirs $ours" = "$1 $2" ] || unlike "$theirs" "$ours" "$3"
	[ -z "$(ls clade-oci)" ] || { echo "left by $3"; return 1; }
}

@test "peer: configurations that both take and that both refuse" {
	local filter want
	jq '.process.args = ["true"]' bundle/config.json >new && mv new bundle/config.json
	while read -r want filter; do
		config "$want" "$want" "$filter"
	done <<-'END'
		0 .
		1 .process.args = []
		1 del(.process.args)
		1 .process.args = [""]
		1 .process.args = ["nothing"]
		1 .process.args = ["/etc/passwd"]
		1 .process.args = ["false"]
		1 .process.cwd = ""
		1 .process.cwd = "x"
		0 .process.cwd = "/made/here"
		1 del(.process)
		1 del(.root)
		1 .root.path = "nothing"
		1 .root.path = "/etc/passwd"
		1 .ociVersion = 1
		1 .linux.namespaces |= map(select(.type != "uts"))
		1 .linux.namespaces += [{"type": "pid"}]
		1 .linux.namespaces += [{"type": "bogus"}]
		1 .linux.namespaces |= map(if .type == "network" then .path = "/proc/1/ns/ipc" else . end)
		1 .linux.namespaces |= map(if .type == "network" then .path = "/nothing" else . end)
		1 .process.rlimits = [{"type": "RLIMIT_BOGUS", "hard": 1, "soft": 1}]
		1 .process.user.uid = -1
		1 .process.user.uid = 4294967295
		1 .process.user.gid = 4294967295
		1 .process.user.additionalGids = [4294967295]
		1 .process.user.uid = 4294967296
		0 .process.user.additionalGids = [5, 6]
		1 .process.noNewPrivileges = "x"
		1 .mounts += [{"destination": "/x", "type": "bogus", "source": "x"}]
		1 .mounts += [{"destination": "/x", "type": "bind", "source": "/nothing", "options": ["bind"]}]
		1 .mounts += [{"destination": "/proc/x", "type": "tmpfs", "source": "x"}]
		1 .linux.rootfsPropagation = "bogus"
		0 .linux.maskedPaths += ["/nothing"]
		0 .linux.readonlyPaths += ["/nothing"]
		0 .linux.sysctl = {"net.ipv4.ip_forward": "1"}
		1 .linux.sysctl = {"bogus": "1"}
		1 .linux.devices = [{"path": "/dev/x", "type": "z", "major": 1, "minor": 3}]
		1 .linux.cgroupsPath = "/" | .linux.resources.memory.limit = "x"
		1 .linux.resources.memory.limit = -5
		1 .linux.seccomp = {"defaultAction": "SCMP_ACT_BOGUS"}
		1 .linux.seccomp = {"defaultAction": "SCMP_ACT_ALLOW", "architectures": ["BOGUS"]}
		0 .linux.seccomp = {"defaultAction": "SCMP_ACT_ALLOW", "syscalls": [{"names": ["bogus"], "action": "SCMP_ACT_ERRNO"}]}
		1 .hooks = {"prestart": [{"path": "/nothing"}]}
		1 .hooks = {"prestart": [{"path": "/bin/false"}]}
		1 .hooks = {"createRuntime": [{"path": "/bin/false"}]}
		1 .annotations = {"a": 1}
		0 .annotations = {"a": ""}
		0 .bogus = 1
		1 []
	END
	alike
}

@test "peer: configurations of which the specification says more than runc 1.1 does" {
	jq '.process.args = ["true"]' bundle/config.json >new && mv new bundle/config.json
	# refused by us: each a MUST or a range of the specification
	config 0 1 'del(.ociVersion)'
	config 0 1 '.ociVersion = "2.0.0"'
	config 0 1 '.ociVersion = "x"'
	config 0 1 '.process.rlimits += .process.rlimits'
	config 0 1 '.process.user.umask = 5110'
	config 0 1 '.linux.maskedPaths += ["x"]'
	config 0 1 '.linux.devices = [{"path": "dev/x", "type": "c", "major": 1, "minor": 3}]'
	config 0 1 '.linux.resources.devices += [{"allow": true, "access": "bogus"}]'
	config 0 1 '.linux.cgroupsPath = "/x/../y"'
	config 0 1 '.linux.seccomp = {}'
	config 0 1 '.linux.seccomp = {"defaultAction": "SCMP_ACT_ALLOW", "syscalls": [{"names": [], "action": "SCMP_ACT_ERRNO"}]}'
	config 0 1 '.linux.uidMappings = [{"containerID": 0, "hostID": 0, "size": 1}]'
	config 0 1 '.linux.personality = {"domain": "BOGUS"}'
	config 0 1 '.hooks = {"poststop": [{"path": "/bin/true", "timeout": 0}]}'
	config 0 1 '.annotations = {"": "x"}'
	config 2 1 null # runc crashes
	# taken by us: the specification gives them a meaning, or none that could be missed
	config 1 0 '.mounts = []'
	config 1 0 '.linux.rootfsPropagation = "unbindable"'
	config 1 0 '.process.env = ["X"]' # as execve(2) takes it
	config 1 0 '.process.env = null'  # the program is looked for where it is without PATH
	alike
}

@test "peer: clade.init puts an init before an unchanged program, which reaps and passes its code on" {
	run_it() { jq "$1" bundle/config.json >new && mv new bundle/config.json; }
	run_it '.annotations = {"clade.init": "true"} | .process.args = ["sh", "-c", "tr \"\\0\" \" \" </proc/1/cmdline; echo $$; exit 7"]'
	run -7 clade-oci --root "$PWD/clade-oci" run -b bundle "$id"
	[[ "${lines[0]}" == *init*"-- sh -c"* || "${lines[0]}" == *init*" sh -c"* ]] || { echo "$output"; false; }
	[[ "${lines[*]: -1}" != 1 ]]
	run_it '.annotations = {"clade.init": "false"}'
	run -7 clade-oci --root "$PWD/clade-oci" run -b bundle "$id"
	[[ "$output" == "sh -c "*$'1' ]] || { echo "$output"; false; }
	run_it '.annotations = {"clade.init": "maybe"}'
	run -1 clade-oci --root "$PWD/clade-oci" run -b bundle "$id"
	[[ "$output" == *"clade.init"* ]]
	[ -z "$(ls clade-oci)" ]
}
