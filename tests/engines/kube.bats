#!/usr/bin/env bats
# Several containers brought up and down together on clade-oci: files of Kubernetes' by podman kube play, compose files by podman-compose.

load helpers
setup_file() {
	engine_setup_file
	podman_conf /etc/containers 'infra_image = "registry.k8s.io/pause:3.6"'
	podman load -q -i $IMAGES/busybox.tar
	podman load -q -i $IMAGES/pause.tar
}
setup() {
	cd "$BATS_TEST_TMPDIR"
	mkdir pages
	echo "from the pod" >pages/index.html
	cat >shop.yml <<-END
		apiVersion: v1
		kind: ConfigMap
		metadata: { name: settings }
		data: { GREETING: hello }
		---
		apiVersion: v1
		kind: Pod
		metadata: { name: shop, labels: { app: shop } }
		spec:
		  volumes:
		    - name: pages
		      hostPath: { path: $PWD/pages, type: Directory }
		  containers:
		    - name: web
		      image: localhost/busybox:latest
		      imagePullPolicy: Never
		      command: [httpd, -f, -p, "80", -h, /pages]
		      ports: [{ containerPort: 80, hostPort: 8085 }]
		      volumeMounts: [{ name: pages, mountPath: /pages, readOnly: true }]
		    - name: ask
		      image: localhost/busybox:latest
		      imagePullPolicy: Never
		      command: [sh, -c, 'while :; do wget -q -O - http://127.0.0.1/ && echo "\$GREETING"; sleep 1; done']
		      envFrom: [{ configMapRef: { name: settings } }]
	END
}
teardown() {
	[ ! -e compose.yml ] || compose down -t 0 >/dev/null 2>&1 || :
	podman kube play --down shop.yml >/dev/null 2>&1 || :
	podman pod rm -fa -t 0 >/dev/null 2>&1 || :
	until_true no_runtime_left
}

no_runtime_left() {
	[ -z "$(ls /run/clade-oci 2>/dev/null)" ] && [ -z "$(pgrep -x conmon)" ] &&
		[ -z "$(find /sys/fs/cgroup -type d -name 'libpod-*' 2>/dev/null)" ]
}
says_both() { podman logs shop-ask | grep -q "from the pod" && podman logs shop-ask | grep -q hello; }
compose() { podman-compose -p shop "$@"; }
asked() { [ "$(curl -s -m 2 "http://127.0.0.1:$1/")" = "from the pod" ]; }

@test "kube play: a pod of two containers with one network, a port, a folder and settings; down takes all of it away" {
	podman kube play shop.yml 3>&-
	[ "$(podman ps --filter pod=shop -q | wc -l)" = 3 ]
	until_true asked 8085
	until_true says_both
	# all of them are clade-oci's, in one network
	run -0 podman inspect --format '{{.OCIRuntime}}' shop-web shop-ask
	[ "$(sort -u <<<"$output")" = clade-oci ]
	[ "$(podman exec shop-web readlink /proc/self/ns/net)" = "$(podman exec shop-ask readlink /proc/self/ns/net)" ]
	# what was made can be written down, and played again
	podman kube generate -f again.yml shop
	podman kube play --down shop.yml
	[ -z "$(podman ps -aq)" ]
	until_true no_runtime_left
	sed -i 's/name: shop$/name: shop2/' again.yml
	podman kube play again.yml 3>&-
	until_true asked 8085
}

@test "compose: two services that know each other by name, a port, a volume; down takes all of it away" {
	cat >compose.yml <<-END
		version: "3"
		services:
		  web:
		    image: localhost/busybox:latest
		    command: [httpd, -f, -p, "80", -h, /pages]
		    volumes: ["$PWD/pages:/pages:ro"]
		    ports: ["8086:80"]
		    networks: [inner]
		  ask:
		    image: localhost/busybox:latest
		    command: [sh, -c, 'while :; do wget -q -O - http://web/ >>/answers/all && echo "\$\$GREETING"; sleep 1; done']
		    environment: { GREETING: hello }
		    volumes: ["answers:/answers"]
		    networks: [inner]
		    depends_on: [web]
		networks: { inner: {} }
		volumes: { answers: {} }
	END
	compose up -d 3>&-
	[ "$(podman ps -q | wc -l)" = 2 ]
	until_true asked 8086
	until_true eval 'podman logs shop_ask_1 | grep -q hello'
	until_true eval 'podman exec shop_ask_1 grep -q "from the pod" /answers/all'
	run -0 podman inspect --format '{{.OCIRuntime}}' shop_web_1 shop_ask_1
	[ "$(sort -u <<<"$output")" = clade-oci ]
	compose exec -T web ls /pages/index.html
	compose down -t 0
	[ -z "$(podman ps -aq)" ]
	until_true no_runtime_left
	[ "$(podman volume ls -q)" = shop_answers ]
	compose up -d 3>&-
	compose down -v -t 0
	[ -z "$(podman volume ls -q)" ]
}
