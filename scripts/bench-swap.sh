#!/usr/bin/env bash
# Swaps in new revisions of an app under a constant load, keep-alive and fresh
# connections mixed. Fails when a request is lost or reset, or when the p99
# during swaps is above twice the p99 at rest plus what the app's own start takes.
#
# The app is bench/swap, which bears the load on little CPU. Another one, at a
# rate that it bears, is given by its directory, which has a containerapp.yaml
# and a Dockerfile: scripts/bench-swap.sh 20 50 examples/python-flask
#
# Usage: scripts/bench-swap.sh [SWAPS] [RATE] [DIR]
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
. scripts/lib.sh

swaps=${1:-100}
rate=${2:-500} # requests per second
dir=${3:-bench/swap}

need python3 python3
docker_ready || die "Docker does not answer" "start it or set DOCKER_HOST"
PATH=$PWD/bin:$PATH
work=$(mktemp -d)
ACALOCAL_STATE_DIR=$work/state
ACALOCAL_ENVIRONMENT=benchswap
export ACALOCAL_STATE_DIR ACALOCAL_ENVIRONMENT

container=''
finish() {
	local code=$?
	[ -z "$container" ] || docker rm -f "$container" >/dev/null
	acalocal down >/dev/null 2>&1 || true # the usual case: nothing runs
	rm -rf "$work"
	exit "$code"
}
trap finish EXIT
trap 'exit 130' INT TERM

now() { date +%s%3N; } # ms

cp -r "$dir" "$work/app"
[ "$dir" != bench/swap ] || CGO_ENABLED=0 go build -C bench/swap -ldflags '-s -w' -o "$work/app/swap" .
sed -i 's/periodSeconds: 5/periodSeconds: 1/' "$work/app/containerapp.yaml"
step "start the app of $dir"
acalocal up -d "$work/app"
app=$(sed -n 's/^name: *//p' "$work/app/containerapp.yaml")
image=$(acalocal app show -n "$app" --json | grep -o '"image": *"[^"]*"' | head -n 1 | cut -d '"' -f 4)

step "how long its start takes by itself"
for _ in 1 2 3 4 5; do
	container=$(docker create --cpus 0.5 --memory 1g -p 127.0.0.1:0:8000 "$image")
	begin=$(now)
	docker start "$container" >/dev/null
	python3 scripts/until.py "http://$(docker port "$container" 8000/tcp)/health" "" || die "the app does not answer" "$(docker logs "$container" 2>&1 | tail -n 5)"
	echo $(($(now) - begin))
	docker rm -f "$container" >/dev/null
	container=''
done | tee "$work/starts"
start=$(sort -n "$work/starts" | sed -n 3p)

step "$swaps swaps under $rate requests/s"
code=0
acalocal verify --swaps "$swaps" --rate "$rate" --path /health --json >"$work/report" || code=$?
[ -s "$work/report" ] || die "there is no report"
python3 - "$work/report" "$start" <<'END' || code=1
import json, sys

report, start = json.load(open(sys.argv[1])), int(sys.argv[2])
rest, during = report["atRest"], report["duringChanges"]
for name, times in ("at rest", rest), ("during swaps", during):
    print(f"{name:<13} {times['requests']:>7} requests  p50 {times['p50ms']:.1f} ms  p99 {times['p99ms']:.1f} ms  max {times['maxms']:.1f} ms")
for finding in report.get("findings", [])[:20]:
    print(json.dumps(finding))
for line in report.get("causes", []) + report.get("failedSteps", []):
    print(line)
failed = len(report.get("failedSteps", []))
limit = 2 * rest["p99ms"] + start
ok = True
for text, good in (
    (f"{report['lost']} of {report['requests']} requests lost or reset, limit 0", report["lost"] == 0),
    (f"{failed} of {report['steps']} swaps failed, limit 0", failed == 0),
    (f"p99 during swaps {during['p99ms']:.1f} ms, limit 2 x {rest['p99ms']:.1f} ms at rest + {start} ms of the start", during["p99ms"] <= limit),
):
    print(("ok: " if good else "MISSED: ") + text)
    ok = ok and good
sys.exit(0 if ok else 1)
END
exit "$code"
