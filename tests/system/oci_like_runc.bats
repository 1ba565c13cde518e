#!/usr/bin/env bats
# The same words given to Debian's runc and to clade-oci, in each state of a container: the same exit code, the same form of
# what is printed, and the words that engines look for. The containers are twins of one bundle.

load helpers
setup() {
	clade_setup
	make_rootfs
	mkdir bundle empty
	(cd bundle && clade-oci spec)
	jq '.process.terminal = false | .root = {path: "'"$PWD"'/rootfs"} | .process.args = ["sleep", "1000"]' bundle/config.json >new && mv new bundle/config.json
	id=twin-$BATS_TEST_NUMBER
}
teardown() {
	local rt one
	for rt in runc clade-oci; do
		for one in $($rt --root "$PWD/$rt" list -q); do $rt --root "$PWD/$rt" delete -f "$one"; done
	done
	[ -z "$(ls clade-oci)" ] || return 1
	clade_teardown
}

# into STATE: brings both twins there
into() {
	local rt
	for rt in runc clade-oci; do
		local r=("$rt" --root "$PWD/$rt")
		[ "$1" != none ] || continue
		"${r[@]}" create -b bundle "$id" </dev/null >/dev/null 2>&1 3>&-
		[ "$1" != created ] || continue
		"${r[@]}" start "$id"
		case $1 in
		paused) "${r[@]}" pause "$id" ;;
		stopped)
			"${r[@]}" kill "$id" KILL
			until_true is "$rt" stopped
			;;
		esac
	done
}
is() { [ "$("$1" --root "$PWD/$1" state "$id" | jq -r .status)" = "$2" ]; }

# one RT WORD...: its code, whether it printed, and whether it complained; "ID" among the words is the container's
one() {
	local rt=$1 code=0
	shift
	timeout 30 "$rt" --root "$PWD/$rt" "${@//ID/$id}" >"out.$rt" 2>"err.$rt" </dev/null 3>&- || code=$?
	# a usage text of runc's own on standard output is not compared
	[ $code = 0 ] || : >"out.$rt"
	echo "code $code, $([ -s "out.$rt" ] && echo output || echo no output), $([ $code != 0 ] && [ -s "err.$rt" ] && echo a reason || echo no reason)"
}

# same: lines of "WORD... [| PHRASE that both say]" from standard input; all that differ are shown
same() {
	local line words phrase theirs ours failed=0
	while IFS='|' read -r line phrase; do
		read -ra words <<<"$line"
		[ ${#words[@]} != 0 ] || continue
		theirs=$(one runc "${words[@]}")
		ours=$(one clade-oci "${words[@]}")
		if [ "$theirs" != "$ours" ]; then
			printf '%s\n  runc:      %s\n  clade-oci: %s\n' "$line" "$theirs $(head -c 300 err.runc)" "$ours $(head -c 300 err.clade-oci)"
			failed=1
		fi
		phrase=${phrase# }
		if [ -n "$phrase" ] && ! { grep -qi -- "$phrase" err.runc && grep -qi -- "$phrase" err.clade-oci; }; then
			printf '%s: who does not say "%s"?\n' "$line" "$phrase"
			cat err.runc err.clade-oci
			failed=1
		fi
	done
	return $failed
}

@test "like runc: without a container" {
	mkfifo fifo
	same <<-'END'
		bogus
		--bogus list
		create
		create a b
		create --bogus a
		create -b bundle a/b | invalid container ID
		create -b bundle .. | invalid container ID
		create -b bundle a@b | invalid container ID
		create -b nothing ID | no such file or directory
		create -b empty ID
		create -b bundle --pid-file nothing/pid ID | no such file or directory
		create -b bundle --preserve-fds 40 ID | preserved-fd
		create -b bundle --preserve-fds many ID
		create -b bundle --console-socket nothing ID | cannot use console socket
		run -b bundle --console-socket nothing ID | cannot use console socket
		run
		state
		state a b
		state ID | does not exist
		start
		start ID | does not exist
		kill
		kill ID | does not exist
		kill -a ID KILL | does not exist
		delete
		delete ID | does not exist
		delete -f ID
		pause ID | does not exist
		resume ID | does not exist
		exec
		exec ID true | does not exist
		exec --bogus ID true
		exec --preserve-fds many ID true
		ps ID | does not exist
		ps
		events --stats ID | does not exist
		update --memory 10000000 ID | does not exist
		list
		list -q
		list -f xml | invalid format option
		--log nothing/log list | no such file or directory
		--log-format xml list
		--root /etc/passwd list | not a directory
		--root /etc/passwd create -b bundle ID | not a directory
		--version
		--help
	END
	[ -z "$(ls clade-oci 2>/dev/null)" ]
}

@test "like runc: of a created one" {
	into created
	same <<-'END'
		create -b bundle ID | container with given ID already exists
		run -b bundle ID | container with given ID already exists
		resume ID | container not paused
		kill ID BOGUS | unknown signal
		kill ID 9999
		kill ID 65
		kill ID 0
		ps ID
		ps -f json ID
		ps ID --bogus
		ps ID -o comm
		events --stats ID
		update --pids-limit 20 ID
		exec ID true
		pause ID
		state ID
		exec ID true | cannot exec in a paused container
		start ID | cannot start a container in the paused state
		delete ID | not stopped: paused
		resume ID
		state ID
		start ID
		exec ID true
		start ID | cannot start an already running container
	END
}

@test "like runc: of a running one" {
	into running
	same <<-'END'
		start ID | cannot start an already running container
		delete ID | not stopped: running
		resume ID | container not paused
		exec ID
		exec ID /nothing | no such file or directory
		exec ID nothing | executable file not found in
		exec ID /etc/passwd | permission denied
		exec ID /etc | permission denied
		exec ID false
		exec ID busybox sh -c exit
		exec ID kill -9 0
		exec --cwd /nothing ID true | no such file or directory
		exec --cwd nothing ID true | absolute
		exec --cwd /etc/passwd ID true | not a directory
		exec -u 1:2 ID id
		exec -u web ID id
		exec -u -1 ID id
		exec -u 1:x ID id
		exec -g 5 -g 6 ID id
		exec -g x ID id
		exec -g -1 ID id
		exec --cap CAP_BOGUS ID id | CAP_BOGUS
		exec -e A=1 ID env
		exec -e A ID env
		exec -e =A ID env
		exec -t -d ID true | cannot allocate tty
		exec --console-socket nothing ID true | cannot use console socket
		exec -p nothing ID | no such file or directory
		exec --pid-file nothing/pid ID sleep 1000 | no such file or directory
		exec -d --pid-file nothing/pid ID sleep 1000 | no such file or directory
		exec --preserve-fds 40 ID true | preserved-fd
		exec --cgroup nothing ID true | no such file or directory
		exec --cgroup ../a ID true
		ps -f xml ID | invalid format option
		events --interval 0s ID | duration interval must be greater than 0
		events --interval -5s ID | greater than 0
		events --interval x ID
		events x y
		update ID
		update --memory x ID
		update --pids-limit x ID
		update --cpu-period 10 ID | invalid argument
		update --cpuset-cpus 999 ID
		update -r nothing ID | no such file or directory
		update -r /etc/passwd ID
		update -r - ID
		kill ID 0
		kill ID cont
		list
		state ID
	END
	# what failed has left nothing that runs
	[ "$(clade-oci --root "$PWD/clade-oci" ps -f json "$id" | jq length)" = 1 ]
}

@test "like runc: of a paused one" {
	into paused
	same <<-'END'
		pause ID | container not running
		start ID | cannot start a container in the paused state
		exec ID true | cannot exec in a paused container
		delete ID | not stopped: paused
		events --stats ID
		ps -f json ID
		kill ID TERM
		state ID
		resume ID
		resume ID | container not paused
	END
}

@test "like runc: of a stopped one" {
	into stopped
	same <<-'END'
		create -b bundle ID | container with given ID already exists
		start ID | cannot start a container that has stopped
		kill ID KILL | container not running
		kill -a ID KILL
		exec ID true | cannot exec in a stopped container
		pause ID | container not running
		resume ID | container not paused
		ps ID
		ps -f json ID
		events --stats ID | not running
		update --pids-limit 20 ID | container not running
		state ID
		list
		delete ID
		delete ID | does not exist
		state ID | does not exist
	END
}

# form TEXT: numbers and times made alike
form() { sed -E "s/[0-9]{4}-[0-9-]+T[0-9:.]+Z( *)/TIME /; s/CREATED +/CREATED /; s/(^|[^a-z0-9-])[0-9]+/\1N/g; s/N +/N /g"; }

@test "like runc: state, list and ps have its form" {
	into running
	for words in "state $id" "list" "list -q" "ps $id -o pid,comm" "ps -f json $id" "ps -f table $id -o pid,args"; do
		# shellcheck disable=SC2086
		runc --root "$PWD/runc" $words | form >theirs
		# shellcheck disable=SC2086
		clade-oci --root "$PWD/clade-oci" $words | sed "s|clade-oci|runc|g; s/\"owner\": \"root\"/\"owner\": \"\"/" | form >ours
		sed -i 's/"ociVersion": "[^"]*"/V/' theirs ours
		diff theirs ours
	done
}

@test "like runc: what cannot be written to standard output is a failure; a closed one is nobody's file" {
	into running
	for words in "state $id" list "ps $id" "ps -f json $id" "events --stats $id" "events --interval 10ms $id"; do
		# shellcheck disable=SC2086
		run -1 timeout 30 bash -c 'exec "$@" >/dev/full' - clade-oci --root "$PWD/clade-oci" $words
		[[ "$output" == *"no space left on device"* ]]
	done
	clade-oci --root "$PWD/clade-oci" exec "$id" busybox sh -c 'readlink /proc/$$/fd/0; readlink /proc/$$/fd/2' <&- 2>&- >links
	[ "$(sort -u links)" = /dev/null ]
	clade-oci --root "$PWD/clade-oci" --log log list <&- >&- 2>&-
	run -1 bash -c 'exec "$@" 2>&-' - clade-oci --root "$PWD/clade-oci" --log log state nothing
	[ "$(wc -l <log)" = 1 ]
}
