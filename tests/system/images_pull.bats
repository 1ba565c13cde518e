#!/usr/bin/env bats
# clade pull: images of a registry (docker-registry on loopback), by skopeo.
# bats file_tags=user

load helpers
setup() { clade_setup; make_rootfs; export XDG_RUNTIME_DIR=$BATS_TEST_TMPDIR; }
teardown() {
	[ ! -e registry.pid ] || kill "$(cat registry.pid)"
	images_teardown
}

# registry [tls]: starts one; its address in $registry. tls: with a certificate and a password, clade:secret
registry() {
	local port
	port=$(python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
	registry=127.0.0.1:$port
	{
		echo "version: 0.1"
		echo "log: {level: error, accesslog: {disabled: true}}"
		echo "storage: {filesystem: {rootdirectory: $PWD/registry}, delete: {enabled: true}}"
		echo "http:"
		echo "  addr: $registry"
		if [ "${1-}" = tls ]; then
			openssl req -x509 -newkey rsa:2048 -nodes -keyout key.pem -out cert.pem -days 2 -subj /CN=registry \
				-addext subjectAltName=IP:127.0.0.1 2>/dev/null
			mkdir -p certs && cp cert.pem certs/ca.crt
			htpasswd -Bbc passwords clade secret 2>/dev/null
			echo "  tls: {certificate: $PWD/cert.pem, key: $PWD/key.pem}"
			echo "auth: {htpasswd: {realm: test, path: $PWD/passwords}}"
		fi
	} >registry.yml
	docker-registry serve registry.yml >registry.log 2>&1 3>&- &
	echo $! >registry.pid
	until_true bash -c "exec 9<>/dev/tcp/127.0.0.1/$port"
}

# push LAYOUT NAME [OPTION...]
push() {
	skopeo copy -q "${@:3}" "oci:$1" "docker://$registry/$2"
}

@test "pull: an image by its tag, by its digest, again, and run" {
	registry
	image oci --config '{"Cmd": ["cat", "/layer-1"]}' rootfs many:1
	push oci app:1 --dest-tls-verify=false
	run -0 clade pull --tls-verify=false "$registry/app:1"
	[[ "${lines[0]}" == "1: Pulling from $registry/app" ]]
	[ "$(grep -c 'Pull complete' <<<"$output")" = 2 ]
	[[ "$output" == *"Status: Downloaded newer image for $registry/app:1"* ]]
	[ "${lines[-1]}" = "$registry/app:1" ]
	[ "$(clade run --net none --rm "$registry/app:1")" = 1 ]
	run -0 clade pull --tls-verify=false "$registry/app:1"
	[[ "$output" == *"Image is up to date"* ]]
	digest=$(clade images --format '{{.Digest}}')
	[[ $digest == sha256:* ]]
	clade rmi "$registry/app:1"
	run -0 clade run --net none --rm --tls-verify=false "$registry/app@$digest"
	[ "${lines[-1]}" = 1 ]
	[ "$(clade images --format '{{.Repository}} {{.Tag}}')" = "$registry/app <none>" ]
}

@test "pull: a short name is what registries.conf says" {
	registry
	image oci --config '{"Cmd": ["cat", "/layer-1"]}' rootfs many:1
	push oci team/app:1 --dest-tls-verify=false
	export CONTAINERS_REGISTRIES_CONF=$PWD/registries.conf
	printf '[aliases]\n"tool" = "%s/team/app"\n' "$registry" >registries.conf
	run -0 clade pull --tls-verify=false tool:1
	[ "${lines[-1]}" = "$registry/team/app:1" ]
	[ "$(clade run --net none --rm --pull never tool:1)" = 1 ]
	clade rmi tool:1
	[ -z "$(clade images -q)" ]
	# searched for in turn; the first has nothing there
	printf 'unqualified-search-registries = ["127.0.0.1:1",\n "%s"]\n' "$registry" >registries.conf
	run -0 clade run --net none --rm --tls-verify=false team/app:1
	[ "${lines[-1]}" = 1 ]
	[ "$(clade images --format '{{.Repository}}')" = "$registry/team/app" ]
	printf '[aliases]\n"tool" = "nowhere"\n' >registries.conf
	run -125 clade pull tool
	[[ "$output" == *"short name tool"*"no registry"* ]]
}

@test "pull: run fetches what is missing, --pull says when" {
	registry
	image first --config '{"Cmd": ["echo", "first"]}' rootfs
	image second --config '{"Cmd": ["echo", "second"]}' rootfs
	push first app --dest-tls-verify=false
	run -125 clade run --net none --rm --pull never --tls-verify=false "$registry/app"
	[[ "$output" == *"No such image: $registry/app"* ]]
	clade run --net none --rm --tls-verify=false "$registry/app" >out 2>err
	[ "$(cat out)" = first ]
	grep -q "Unable to find image '$registry/app:latest' locally" err
	push second app --dest-tls-verify=false
	[ "$(clade run --net none --rm -q "$registry/app")" = first ]
	[ "$(clade run --net none --rm -q --pull always --tls-verify=false "$registry/app")" = second ]
	# the old one dangles
	[ "$(clade images -q --filter dangling=true | wc -l)" = 1 ]
	run -125 clade run --pull sometimes "$registry/app"
}

@test "pull: TLS and a password, from an authentication file or the command line" {
	registry tls
	image oci rootfs
	push oci private/app:1 --dest-cert-dir certs --dest-creds clade:secret
	run -125 clade pull "$registry/private/app:1"
	[[ "$output" == *certificate* ]]
	run -125 clade pull --cert-dir certs "$registry/private/app:1"
	[[ "$output" == *"uthentication required"* || "$output" == *unauthorized* ]]
	run -125 clade pull --cert-dir certs --creds clade:wrong "$registry/private/app:1"
	clade pull -q --cert-dir certs --creds clade:secret "$registry/private/app:1"
	clade rmi "$registry/private/app:1"
	skopeo login --cert-dir certs -u clade -p secret --authfile auth.json "$registry"
	run -0 clade pull -q --cert-dir certs --authfile auth.json "$registry/private/app:1"
	[ "$output" = "$registry/private/app:1" ]
}

@test "pull: only the layers that are missing are fetched; layers are shared" {
	registry
	image one rootfs many:1
	image two rootfs many:2
	push one app:1 --dest-tls-verify=false
	push two app:2 --dest-tls-verify=false
	clade pull -q --tls-verify=false "$registry/app:1"
	run -0 clade pull --tls-verify=false "$registry/app:2"
	[ "$(grep -c 'Already exists' <<<"$output")" = 1 ]
	[ "$(grep -c 'Pull complete' <<<"$output")" = 1 ]
	[ "$(ls "$CLADE_DATA/layers" | wc -l)" = 3 ]
}

@test "pull: docker's manifest stays as it is, health check and ID with it" {
	registry
	image docker.tar --docker --config '{"Cmd": ["true"], "Healthcheck": {"Test": ["CMD", "true"]}}' rootfs >id
	skopeo copy -q --dest-tls-verify=false --format v2s2 docker-archive:docker.tar "docker://$registry/app:1"
	clade pull -q --tls-verify=false "$registry/app:1"
	[ "$(clade images -q --no-trunc)" = "$(cat id)" ]
	[ "$(clade image inspect "$registry/app:1" | jq -r '.[0].Config.Healthcheck.Test[0]')" = CMD ]
	clade run --net none --rm "$registry/app:1"
}

@test "pull: two at once fetch it once and both have it" {
	registry
	image oci rootfs big:20
	push oci app:1 --dest-tls-verify=false
	for i in 1 2 3; do
		clade pull --tls-verify=false "$registry/app:1" >"out$i" 2>&1 3>&- &
	done
	wait $(jobs -p | grep -v "$(cat registry.pid)")
	[ "$(cat out1 out2 out3 | grep -c 'Downloaded newer')" = 1 ]
	[ "$(cat out1 out2 out3 | grep -c 'Image is up to date')" = 2 ]
	clade run --net none --rm "$registry/app:1" true
	run -0 clade system check
}

@test "pull: killed at any moment, the next one finishes it" {
	registry
	image oci rootfs big:8
	push oci app:1 --dest-tls-verify=false
	for ms in 5 15 30 50 70 90 110 140 180 220 300; do
		clade pull --tls-verify=false "$registry/app:1" >/dev/null 2>&1 3>&- &
		pid=$!
		sleep "0.$(printf %03d "$ms")"
		kill -9 $pid 2>/dev/null || :
		wait $pid || :
		# what it left is no problem of the store
		run -0 clade system check
		[ $((ms % 20)) -ne 10 ] || clade image prune -af >/dev/null
	done
	clade pull -q --tls-verify=false "$registry/app:1"
	clade run --net none --rm "$registry/app:1" true
	clade image prune -f
	[ -z "$(find "$CLADE_DATA/tmp" -mindepth 1)" ]
	run -0 clade system check
}

@test "pull: a damaged blob is found, dropped and fetched again" {
	registry
	image oci rootfs
	push oci app:1 --dest-tls-verify=false
	clade pull -q --tls-verify=false "$registry/app:1"
	blob=$(jq -r '.[0].layers[0].blob' "$CLADE_DATA/images.json")
	clade save "$registry/app:1" >/dev/null
	cp "$CLADE_DATA/blobs/sha256/${blob#sha256:}" good
	clade rmi "$registry/app:1"
	# as long as it should be, and not what it should be: as after a power cut
	head -c "$(stat -c %s good)" /dev/zero >"$CLADE_DATA/blobs/sha256/${blob#sha256:}"
	run -125 clade pull --tls-verify=false "$registry/app:1"
	[[ "$output" == *"is damaged"*"pull it again"* ]]
	clade pull -q --tls-verify=false "$registry/app:1"
	clade run --net none --rm "$registry/app:1" true
}

@test "pull: a registry that lies is not believed" {
	registry
	image oci rootfs
	push oci app:1 --dest-tls-verify=false
	# another layer under the digest of this one
	layer=$(jq -r '.layers[0].digest' <<<"$(skopeo inspect --raw --tls-verify=false "docker://$registry/app:1")")
	data=$(find registry -path "*${layer#sha256:}/data")
	head -c "$(stat -c %s "$data")" /dev/zero >"$data"
	run -125 clade pull --tls-verify=false "$registry/app:1"
	[[ "$output" == *igest* ]]
	[ -z "$(clade images -q)" ]
	[ -z "$(find "$CLADE_DATA/layers" "$CLADE_DATA/tmp" -mindepth 1)" ]
}

@test "pull: an image for several platforms" {
	registry
	image oci --config '{"Cmd": ["echo", "mine"]}' rootfs
	image other --config '{"Cmd": ["echo", "other"]}' rootfs many:9
	python3 - <<-'END'
		import json, hashlib, os, shutil
		def top(d): return json.load(open(d + "/index.json"))["manifests"][0]
		for f in os.listdir("other/blobs/sha256"): shutil.copy("other/blobs/sha256/" + f, "oci/blobs/sha256/" + f)
		machine = {"x86_64": "amd64", "aarch64": "arm64"}[os.uname().machine]
		a, b = dict(top("oci"), platform={"os": "linux", "architecture": machine}), dict(top("other"), platform={"os": "linux", "architecture": "s390x"})
		data = json.dumps({"schemaVersion": 2, "mediaType": "application/vnd.oci.image.index.v1+json", "manifests": [b, a]}).encode()
		name = hashlib.sha256(data).hexdigest()
		open("oci/blobs/sha256/" + name, "wb").write(data)
		json.dump({"schemaVersion": 2, "manifests": [{"mediaType": "application/vnd.oci.image.index.v1+json", "digest": "sha256:" + name, "size": len(data)}]}, open("oci/index.json", "w"))
	END
	push oci app:1 --all --dest-tls-verify=false
	run -0 clade run --net none --rm oci:oci
	[ "$output" = mine ]
	[ "$(clade run --net none --rm -q --tls-verify=false "$registry/app:1")" = mine ]
	[ "$(clade run --net none --rm -q --tls-verify=false --platform linux/s390x "$registry/app:1")" = other ]
	run -125 clade pull --tls-verify=false --platform linux/riscv64 "$registry/app:1"
	[[ "$output" == *"no matching manifest for linux/riscv64"* ]]
}

@test "pull: what cannot be has its sentence" {
	registry
	run -125 clade pull --tls-verify=false "$registry/no/such:1"
	[[ "$output" == *"manifest unknown"* ]]
	run -125 clade pull UPPER
	[[ "$output" == *"must be lowercase"* ]]
	run -125 clade pull 'a b'
	[[ "$output" == *"invalid reference format"* ]]
	run -125 clade pull oci:x
	run -125 env PATH="$BIN" clade pull "$registry/x"
	[[ "$output" == *"needs skopeo"*"package skopeo"* ]]
	[ -z "$(find "$CLADE_DATA/tmp" -mindepth 1)" ]
}

@test "pull -a: every tag of a name" {
	registry
	image one rootfs many:1
	image two rootfs many:2
	push one team/app:1 --dest-tls-verify=false
	push two team/app:2 --dest-tls-verify=false
	push two team/other:3 --dest-tls-verify=false
	run -0 clade pull -q -a --tls-verify=false "$registry/team/app"
	[ "$(sort <<<"$output")" = "$(printf '%s\n' "$registry/team/app:1" "$registry/team/app:2")" ]
	[ "$(clade images --format '{{.Tag}}' | sort | xargs)" = "1 2" ]
	run -125 clade pull -a --tls-verify=false "$registry/team/app:1"
	[[ "$output" == *"all tags are asked for"* ]]
	run -125 clade pull -a --tls-verify=false "$registry/team/none"
	[[ "$output" == *"skopeo: "* ]]
}
