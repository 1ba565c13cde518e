#!/usr/bin/env bats
# Files between a container and the host, running or not.
# bats file_tags=user

load helpers
setup() {
	clade_setup
	make_rootfs
	image oci rootfs
}
teardown() { images_teardown; }

# sleeper NAME [OPTION...]: a container of the image that stays
sleeper() {
	local name=$1
	shift
	clade run -d --net none --name "$name" "$@" oci:oci sleep 1000 >/dev/null
}

@test "cp: a file and a folder out and in, running, stopped and only created" {
	mkdir -p tree/sub
	echo one >tree/sub/one
	ln -s sub/one tree/link
	clade create --net none --name created oci:oci true >/dev/null
	sleeper running
	clade create --net none --name stopped oci:oci true >/dev/null
	clade start -a stopped
	for c in created running stopped; do
		run -0 clade cp tree $c:/data
		[[ "$output" == "Successfully copied "*"to $c:/data" ]]
		run -0 clade cp -q $c:/data "out-$c"
		[ -z "$output" ]
		diff -r tree "out-$c"
		[ "$(readlink "out-$c/link")" = sub/one ]
		run -0 clade cp $c:/data/sub/one file-$c
		[ "$(cat file-$c)" = one ]
		[ "$(stat -c %u file-$c)" = "$(id -u)" ]
	done
	run -0 clade exec running cat /data/sub/one
	[ "$output" = one ]
	run -0 clade exec running stat -c %u:%g /data/sub/one
	[ "$output" = 0:0 ]
}

@test "cp: docker's rules of what goes where" {
	mkdir -p dir
	echo a >dir/a
	echo b >b
	sleeper one
	# a folder into one that is there, and what is in it
	clade exec one mkdir /there
	clade cp -q dir one:/there
	clade exec one test -f /there/dir/a
	clade cp -q dir/. one:/there
	clade exec one test -f /there/a
	# a folder that is not there is made; a file keeps its name, or gets one
	clade cp -q dir one:/new
	clade exec one test -f /new/a
	clade cp -q b one:/there
	clade exec one test -f /there/b
	clade cp -q b one:/there/renamed
	clade exec one test -f /there/renamed
	# over a file; not into a folder that is not there; not a folder over a file
	echo bb >b
	clade cp -q b one:/there/b
	run -0 clade exec one cat /there/b
	[ "$output" = bb ]
	run -125 clade cp b one:/absent/
	[[ "$output" == *"no such directory"* ]]
	run -125 clade cp b one:/absent/b
	[[ "$output" == *"No such file or directory"* ]]
	run -125 clade cp dir one:/there/b
	[[ "$output" == *"cannot copy a directory to a file"* ]]
	run -125 clade cp one:/absent .
	[[ "$output" == *"one:/absent: No such file or directory"* ]]
	run -125 clade cp one:/a one:/b
	[[ "$output" == *"between containers"* ]]
	run -125 clade cp b dir
	[[ "$output" == *"has to be CONTAINER:PATH"* ]]
}

@test "cp: links as they are, or with -L what they lead to; a destination that is a link" {
	sleeper one
	clade exec one sh -c 'mkdir /d; echo x >/d/x; ln -s /d/x /link; ln -s d /dirlink; ln -s /d/made /dangling'
	clade cp -q one:/link .
	[ "$(readlink link)" = /d/x ]
	clade cp -qL one:/link followed
	[ "$(cat followed)" = x ]
	echo y >y
	clade cp -q y one:/dirlink
	clade exec one test -f /d/y
	clade cp -q y one:/link
	run -0 clade exec one cat /d/x
	[ "$output" = y ]
	clade exec one test -L /link
	clade cp -q y one:/dangling
	clade exec one test -f /d/made
}

@test "cp: tar streams, in and out" {
	mkdir -p s/in
	echo 1 >s/in/1
	sleeper one
	clade exec one sh -c 'mkdir /real; ln -s /real /to'
	tar -C s -cf - . | clade cp - one:/to
	clade exec one test -f /real/in/1
	clade cp one:/real/in - >out.tar
	run -0 tar -tf out.tar
	[ "$output" = "$(printf 'in/\nin/1')" ]
	tar -C s -czf - in | clade cp - one:/
	clade exec one test -f /in/1
	run -125 clade cp - one:/absent <out.tar
	# an entry that leads out
	python3 - <<-'PY'
	import tarfile, io
	t = tarfile.open("evil.tar", "w")
	i = tarfile.TarInfo("../../escape"); i.size = 1
	t.addfile(i, io.BytesIO(b"x"))
	t.close()
	PY
	run -125 clade cp - one:/to <evil.tar
	[[ "$output" == *"leads out"* ]]
}

@test "cp: the container's links lead nowhere on the host" {
	mkdir outside
	echo secret >outside/secret
	sleeper one
	clade exec one /bin/busybox ln -s "$PWD/outside" /out
	run -125 clade cp one:/out/secret .
	[ ! -e secret ]
	echo x >x
	run -125 clade cp x one:/out/x
	[ ! -e outside/x ]
	clade exec one /bin/busybox ln -s "../../../../../../../../../../../$PWD/outside/new" /file
	run clade cp x one:/file
	[ ! -e outside/new ]
	# what comes out as a link is not written through
	clade exec one sh -c 'mkdir /t; ln -s '"$PWD"'/outside /t/d'
	clade cp -q one:/t .
	clade exec one sh -c 'rm /t/d; mkdir /t/d; echo y >/t/d/secret' 
	run -125 clade cp one:/t/. t
	[ "$(cat outside/secret)" = secret ]
}

@test "cp: links that are swapped meanwhile never lead outside" {
	mkdir outside
	sleeper one
	clade exec one mkdir /a
	clade exec -d one /bin/busybox sh -c "while :; do busybox ln -sfn $PWD/outside /a/t; busybox rm -f /a/t; busybox mkdir /a/t; busybox rm -rf /a/t; done"
	mkdir -p load/t
	for i in {1..20}; do echo $i >load/t/$i; done
	for i in {1..15}; do
		clade cp -q load/. one:/a 2>/dev/null || :
		tar -C load -cf - t | clade cp - one:/a 2>/dev/null || :
	done
	[ -z "$(ls -A outside)" ]
}

@test "cp: modes, times, hard links and holes arrive; -a keeps the owner" {
	sleeper one
	clade exec one sh -c 'mkdir /h; echo x >/h/a; chmod 640 /h/a 2>/dev/null || /bin/busybox chmod 640 /h/a
		/bin/busybox ln /h/a /h/b; touch -d "2001-02-03 04:05:06" /h/a; dd if=/dev/zero of=/h/big bs=1 count=1 seek=50M 2>/dev/null; /bin/busybox chown 7:8 /h/a'
	clade cp -qa one:/h .
	[ "$(stat -c %a h/a)" = 640 ]
	[ "$(stat -c %i h/a)" = "$(stat -c %i h/b)" ]
	[ "$(TZ=UTC stat -c %y h/a)" = "2001-02-03 04:05:06.000000000 +0000" ]
	[ "$(stat -c %s h/big)" -gt 50000000 ]
	[ "$(stat -c %b h/big)" -lt 1000 ]
	[ "$(id -u)" != 0 ] || [ "$(stat -c %u:%g h/a)" = 7:8 ]
	clade cp -q h/a one:/plain
	run -0 clade exec one stat -c %u:%g:%a /plain
	[ "$output" = 0:0:640 ]
}

@test "cp: what is mounted is there, also while it does not run; a folder as image, and the host's files" {
	mkdir bound
	echo b >bound/b
	clade create --net none --name cc -v "$PWD/bound:/mnt" oci:oci true >/dev/null
	clade cp -q cc:/mnt/b got
	[ "$(cat got)" = b ]
	echo n >n
	clade cp -q n cc:/mnt/n
	[ "$(cat bound/n)" = n ]
	clade create --net none --name dd "dir:$PWD/rootfs" true >/dev/null
	clade cp -q dd:/etc/passwd p
	diff p rootfs/etc/passwd
	clade cp -q n dd:/n
	[ "$(cat rootfs/n)" = n ]
	clade run -d --net none --name host host sleep 1000 >/dev/null
	clade cp -q n host:/etc/clade-test-n
	run -0 clade exec host cat /etc/clade-test-n
	[ "$output" = n ]
	[ ! -e /etc/clade-test-n ]
	clade stop -t 0 host
	run -125 clade cp host:/etc/clade-test-n .
	[[ "$output" == *"went with its end"* ]]
}
