#!/usr/bin/env bats
# Configurations made by the runtime-tools of the Open Container Initiative (Debian's
# golang-github-opencontainers-runtime-tools-dev), run by clade-oci, runc and crun. What clade-oci answers must be
# what runc answers; where it is not, the case stands in validation/exceptions with its reason and what runc and crun do.

load helpers
setup_file() {
	engine_setup_file
	mkdir -p /run/clade-test/{rootfs,cases,go}
	tar -C /run/clade-test/rootfs -xf <(tar -xOf $IMAGES/busybox.tar "$(tar -tf $IMAGES/busybox.tar | grep -v json)")
	GO111MODULE=off GOFLAGS='' GOPATH=/usr/share/gocode GOCACHE=/run/clade-test/go \
		go build -o /run/clade-test/validation "$ENGINES/validation/validation.go"
	/run/clade-test/validation cases /run/clade-test/cases /run/clade-test/rootfs >/run/clade-test/names
}

# answer_of RUNTIME CASE: what the container wrote, and how it ended: its code, or that the runtime refused
answer_of() {
	local code=0 dir=/run/clade-test/cases/$2
	(cd "$dir" && "$1" --log "$dir/log" --log-format json run --bundle . "case-$2") </dev/null >"$dir/out" 2>/dev/null 3>&- || code=$?
	cat "$dir/out"
	if jq -es 'any(.[]; .level == "error")' "$dir/log" >/dev/null 2>&1; then echo "[refused]"; else echo "[$code]"; fi
	rm -f "$dir/log"
	"$1" delete -f "case-$2" >/dev/null 2>&1 || :
}

@test "validation: every case is answered as runc answers it, or stands among the exceptions" {
	local name ours runcs cruns wrong=0
	while read -r name; do
		ours=$(answer_of $BIN/clade-oci "$name")
		runcs=$(answer_of runc "$name")
		cruns=$(answer_of crun "$name")
		if grep -q "^$name	" "$ENGINES/validation/exceptions"; then
			[ "$ours" != "$runcs" ] || { echo "$name: no exception any more" && wrong=1; }
		elif [ "$ours" != "$runcs" ]; then
			printf '%s\n' "$name differs" "--- clade-oci:" "$ours" "--- runc:" "$runcs" "--- crun:" "$cruns"
			wrong=1
		fi
	done </run/clade-test/names
	[ "$(wc -l </run/clade-test/names)" -gt 50 ]
	[ $wrong = 0 ]
}

@test "validation: the tools' validator has nothing against what clade-oci spec and clade create write" {
	cd "$BATS_TEST_TMPDIR"
	mkdir rootfs
	$BIN/clade-oci spec
	/run/clade-test/validation check config.json
	clade=$BIN/clade
	$clade create --name checked --memory 64m -v "$PWD/rootfs:/mnt" -e A=b --init dir:/run/clade-test/rootfs sleep 1
	/run/clade-test/validation check "$CLADE_ROOT"/*/config.json
	$clade rm checked
}
