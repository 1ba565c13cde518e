#!/usr/bin/env bats
# Flags as who knows docker types them: taken with docker's meaning, or refused by name.

load helpers
setup() { clade_setup; make_rootfs; }
teardown() { clade_teardown; }

@test "flags: labels of files, annotations, an empty value is none" {
	printf '# none\n\ntier=db\nalone\nonce=file\n' >labels
	clade run -d --name box --label-file labels --label once=typed --annotation a.b=c=d --hostname '' --workdir '' --cidfile '' --userns '' \
		dir:rootfs sleep 1000
	[ "$(clade inspect -f '{{json .Config.Labels}}' box)" = '{"tier":"db","alone":"","once":"typed"}' ]
	[ "$(clade inspect -f '{{index .Spec.annotations "a.b"}} {{.Config.WorkingDir}}' box)" = "c=d /" ]
	[ -n "$(clade ps -q --filter label=tier=db)" ]
	printf 'B=2\nA=1\n' >env
	[ "$(clade exec --env-file env -e A=3 box sh -c 'echo $A$B')" = 32 ]
	run -125 clade exec --env-file nothing box true
	[[ "$output" == *--env-file* ]]
}

@test "flags: what is not known or not possible is refused by name, and nothing stays" {
	printf 'a b=c\n' >labels
	while IFS='|' read -r words message; do
		# shellcheck disable=SC2086 # words on purpose
		run -125 clade run --rm $words dir:rootfs true
		[[ "$output" == *"$message"* ]] || { echo "$words: $output"; false; }
	done <<-'X'
		--gpus all|unknown flag: --gpus
		--isolation=x|unknown flag: --isolation
		--label-file labels|line 1 has no usable name
		--label-file nothing|--label-file
		--annotation x|NAME=VALUE is wanted
		--annotation =x|NAME=VALUE is wanted
		--annotation clade.overlay.lower=/etc|begin with clade.
		--platform linux/arm64|--platform linux/arm64
		--userns auto|--userns auto
		--link other|know each other by name
		--shm-size=-1|--shm-size
		--security-opt label=type:x|label=type:x
	X
}

@test "flags: inspect finds what has the name, --type says which kind" {
	image app.tar --docker --tag app:1 rootfs
	clade load -qi app.tar
	clade run -d --name box app:1 sleep 1000
	[ "$(clade inspect -f '{{.Name}}' box)" = /box ]
	[ "$(clade inspect -f '{{json .RepoTags}}' app:1)" = '["app:1"]' ]
	[ "$(clade inspect --type image -f '{{.Os}}' app:1)" = linux ]
	run -1 clade inspect --type network nothing
	run -1 clade inspect --type container app:1
	run -1 clade inspect --type image box
	run -125 clade inspect --type nothing box
	run -1 clade inspect neither
	[[ "$output" == *"no such container: neither"* ]]
	clade rm -f box
	clade rmi app:1
}

@test "flags: ps filters by image, network and age" {
	image app.tar --docker --tag app:1 rootfs
	clade load -qi app.tar
	clade create --name first --net none dir:rootfs true
	clade create --name second app:1 true
	clade create --name third dir:rootfs true
	names() { clade ps -a --format '{{.Names}}' --filter "$1" | xargs; }
	[ "$(names before=second)" = first ]
	[ "$(names since=second)" = third ]
	[ "$(names since=first)" = "third second" ]
	[ "$(names ancestor=app)" = second ]
	[ "$(names ancestor=app:1)" = second ]
	[ "$(names ancestor="$(clade images -q)")" = second ]
	[ -z "$(names ancestor=ap)" ]
	[ "$(names network=none)" = first ]
	run -125 clade ps --filter before=nobody
	[[ "$output" == *nobody* ]]
	clade rm first second third
	clade rmi app:1
}

@test "flags: update takes CPU time and swap as docker does" {
	clade run -d --name box -m 64m dir:rootfs sleep 1000
	run -125 clade update --cpu-quota x box
	[[ "$output" == *--cpu-quota* ]]
	clade update --cpu-period 50000 --cpu-quota 25000 box
	local id
	id=$(clade ps -q --no-trunc)
	run cat "$(find /sys/fs/cgroup -path "*/clade/$id/cpu.cfs_quota_us" -o -path "*/clade/$id/cpu.max" 2>/dev/null | head -n 1)"
	[[ "$output" == 25000* ]]
}

@test "flags: --attach connects the streams it names, and no other" {
	run -3 --separate-stderr clade run --rm -a stdout dir:rootfs sh -c 'echo out; echo err >&2; exit 3'
	[ "$output" = out ]
	[ -z "$stderr" ]
	run -0 --separate-stderr clade run --rm -a STDERR dir:rootfs sh -c 'echo out; echo err >&2'
	[ -z "$output" ]
	[ "$stderr" = err ]
	run -0 clade run --rm -i -a stdin -a stdout dir:rootfs cat <<<"typed"
	[ "$output" = typed ]
	run -0 clade run --rm -i -a stdout dir:rootfs cat <<<"typed"
	[ -z "$output" ]
	# what nobody is shown is in the log all the same
	clade run --name box -a stderr dir:rootfs echo logged
	[ "$(clade logs box)" = logged ]
	run -125 clade run --rm -a other dir:rootfs true
	[[ "$output" == *"--attach other: stdin, stdout or stderr is wanted"* ]]
	run -125 clade run --rm -d -a stdout dir:rootfs true
	[[ "$output" == *"cannot be used together"* ]]
}
