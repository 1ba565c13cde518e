#!/usr/bin/env bats
# Prometheus' metrics: what promtool says of them, over HTTP, and scraped by prometheus.
# bats file_tags=user

load helpers
setup() { clade_setup; make_rootfs; servers=(); PACKAGING=$BATS_TEST_DIRNAME/../../packaging; }
teardown() {
	[ ${#servers[@]} = 0 ] || kill "${servers[@]}" 2>/dev/null || :
	clade_teardown
}

serve() { # WHERE: clade metrics --listen; $url is where it is
	clade metrics --listen "$1" >url 2>listen.err 3>&- &
	servers+=($!)
	until_true grep -q /metrics url
	url=$(cat url)
}
zombie_in() {
	clade exec "$1" sh -c 'sh -c "sleep 0.1 & exit"'
	until_true eval '[ "$(clade zombies --json "'"$1"'" 2>/dev/null | jq length)" -ge 1 ]'
}
get() { curl -sg --max-time 60 "$@"; }
says() { get "$url" | grep -qE "$1"; }

@test "promtool finds nothing to say, and every number of one reading is there" {
	clade run -d --name box dir:rootfs sleep 1000
	zombie_in box
	clade metrics 2>/dev/null >out.prom
	promtool check metrics <out.prom
	grep -qE '^clade_zombies\{pidns="[0-9]+",container="box",runtime="clade",pod="",namespace="",origin="adopted",fault="init"\} 1$' out.prom
	grep -qE '^clade_zombie_oldest_seconds\{[^}]*container="box"[^}]*\} [0-9.]+$' out.prom
	grep -qE '^clade_pidns_processes\{[^}]*container="box"[^}]*level="1"\} 2$' out.prom
	grep -qE '^clade_pidns_threads\{' out.prom
	grep -qE '^clade_undying_namespaces [0-9]+$' out.prom
	! grep -q _total out.prom
}

@test "--textfile: whole or not at all, and readable" {
	clade metrics --textfile out.prom 2>/dev/null
	promtool check metrics <out.prom
	[ "$(find . -name 'out.prom*' | wc -l)" = 1 ]
	run -125 clade metrics --textfile /no/such/folder/x
	# what is no file of ours to replace: a device, a link
	mkfifo pipe
	ln -s out.prom link
	run -125 clade metrics --textfile pipe
	[[ "$output" == *"not a regular file"* ]]
	[ -p pipe ]
	run -125 clade metrics --textfile link
	[ -L link ]
	run -125 clade metrics --textfile x --listen :0
}

@test "HTTP: GET and HEAD of /metrics, nothing else; on the loopback unless told" {
	serve :0
	[[ "$url" == http://127.0.0.1:*/metrics ]]
	get "$url" | promtool check metrics
	[[ "$(get -I "$url")" == *"200 OK"*"text/plain; version=0.0.4"* ]]
	[ "$(get -o /dev/null -w '%{http_code}' -X POST -d x "$url")" = 405 ]
	[ "$(get -o /dev/null -w '%{http_code}' "${url%metrics}else")" = 404 ]
	[ "$(get -o /dev/null -w '%{http_code}' "${url%metrics}")" = 200 ]
	# the address is taken
	run -125 clade metrics --listen "$(sed -E 's,http://(.*)/metrics,\1,' url)"
	[[ "$output" == *"Address already in use"* ]]
	run -125 clade metrics --listen nowhere
	run -125 clade metrics --listen localhost:1
	run -125 clade metrics --listen 127.0.0.1:99999
}

@test "HTTP on IPv6" {
	[ -e /proc/net/if_inet6 ] && grep -q ^00000000000000000000000000000001 /proc/net/if_inet6 || skip "this machine has no IPv6 loopback"
	serve '[::1]:0'
	[[ "$url" == http://\[::1\]:*/metrics ]]
	says '^clade_scan_seconds '
}

@test "silent clients do not keep others out for ever" {
	serve :0
	local port
	port=$(sed -E 's,.*:([0-9]+)/.*,\1,' url)
	python3 - "$port" <<-'EOF' 3>&- &
		import socket, sys, time
		held = []
		for _ in range(60):
		    s = socket.socket()
		    s.connect(("127.0.0.1", int(sys.argv[1])))
		    held.append(s)
		print("held", flush=True)
		time.sleep(1000)
	EOF
	servers+=($!)
	until_true says '^clade_scan_seconds '
}

@test "what happens is counted while it listens" {
	serve :0
	grep -q "process connector" listen.err && skip "this user may not hear of processes"
	clade run -d --name box dir:rootfs sleep 1000
	get "$url" >before
	zombie_in box
	clade exec box sh -c 'exit 77' || :
	until_true says '^clade_exits_total\{code="77"\} [1-9]'
	says '^clade_orphans_total [1-9]'
	says '^clade_adopted_total\{reaper="init"\} [1-9]'
	says '^clade_reaped_total\{by="parent"\} [1-9]'
	says '^clade_events_lost_total [0-9]'
}

@test "prometheus scrapes it, and the alert rules are right" {
	promtool check rules "$PACKAGING/prometheus/clade.rules.yml"
	(cd "$PACKAGING/prometheus" && promtool test rules clade.rules.test.yml)
	jq -e '.panels | length > 5' "$PACKAGING/grafana/clade.json"
	clade run -d --name box dir:rootfs sleep 1000
	zombie_in box
	serve :0
	local port target
	target=$(sed -E 's,http://(.*)/metrics,\1,' url)
	port=$(python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
	cat >prometheus.yml <<-EOF
		global: { scrape_interval: 1s }
		rule_files: ["$(realpath "$PACKAGING")/prometheus/clade.rules.yml"]
		scrape_configs:
		  - job_name: clade
		    static_configs: [{ targets: ["$target"] }]
	EOF
	promtool check config prometheus.yml
	prometheus --config.file=prometheus.yml --storage.tsdb.path=data --web.listen-address="127.0.0.1:$port" --log.level=error 3>&- 2>prometheus.err &
	servers+=($!)
	query() { get -G --data-urlencode "query=$1" "http://127.0.0.1:$port/api/v1/query"; }
	until_true eval 'query "clade_zombies{container=\"box\",fault=\"init\"}" | jq -e ".data.result[0].value[1] == \"1\""'
	until_true eval 'query "up{job=\"clade\"}" | jq -e ".data.result[0].value[1] == \"1\""'
	# every expression of the dashboard is one that prometheus takes
	jq -r '.panels[].targets[].expr' "$PACKAGING/grafana/clade.json" | sed 's/\$[a-z]*/.*/g' | while read -r expr; do
		# polled, as above: a server that has just started may answer otherwise for a moment
		until_true eval 'query "$expr" | jq -e ".status == \"success\""' || exit 1
	done
}
