#!/usr/bin/env bash
# Measures what a cold start through the edge adds to the container's own: the
# same image and command, started by "docker run" until it answers, and at zero
# behind the edge until the request that wakes it is answered. Both in one run,
# in turn, so that a busy machine slows both.
#
# Usage: scripts/bench-cold.sh [ROUNDS] [IMAGE]
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
. scripts/lib.sh

rounds=${1:-15}
image=${2:-python:3.11-slim}
limit=300 # milliseconds that the edge may add, by the median

docker_ready || die "Docker does not answer" "start it or set DOCKER_HOST"
PATH=$PWD/bin:$PATH
work=$(mktemp -d)
ACALOCAL_STATE_DIR=$work/state
ACALOCAL_ENVIRONMENT=benchcold
# The cool-down is short so that zero comes soon; the edge's limit of 240 s is
# eight seconds then.
ACALOCAL_TIME_SCALE=30
export ACALOCAL_STATE_DIR ACALOCAL_ENVIRONMENT ACALOCAL_TIME_SCALE

container=
finish() {
	local code=$?
	[ -z "$container" ] || docker rm -f "$container" >/dev/null 2>&1 || true
	acalocal down >/dev/null 2>&1 || true # the usual case: nothing runs
	rm -rf "$work"
	exit "$code"
}
trap finish EXIT
trap 'exit 130' INT TERM

cat >"$work/containerapp.yaml" <<EOF
name: cold
properties:
  configuration:
    ingress: { external: true, targetPort: 8000 }
  template:
    containers:
      - { name: cold, image: "$image", command: [python3, -m, http.server, "8000"], resources: { cpu: 0.5, memory: 1Gi } }
    scale: { minReplicas: 0, maxReplicas: 1, cooldownPeriod: 15 }
EOF

now() { date +%s%3N; }

# run_alone prints the milliseconds of "docker run" until the program answers.
run_alone() {
	local began address
	began=$(now)
	container=$(docker run -d --cpus 0.5 --memory 1g "$image" python3 -m http.server 8000)
	address=$(docker inspect -f '{{range .NetworkSettings.Networks}}{{.IPAddress}}{{end}}' "$container")
	until curl -sf -o /dev/null "http://$address:8000/"; do sleep 0.005; done
	echo $(($(now) - began))
	docker rm -f "$container" >/dev/null
	container=
}

containers() { docker ps -aq --filter label=dev.acalocal.environment=benchcold "$@" | wc -l; }

# at_zero waits until nothing of the app runs and its next replica, a holder and
# a container, is created.
at_zero() {
	until [ "$(containers)" = 2 ] && [ "$(containers --filter status=created)" = 2 ]; do sleep 0.2; done
}

# run_cold prints the milliseconds of a request that wakes the app.
run_cold() {
	local began
	at_zero
	began=$(now)
	curl -sf -o /dev/null "$url"
	echo $(($(now) - began))
}

median() { sort -n | awk '{ v[NR] = $1 } END { print v[int((NR + 1) / 2)] }'; }

step "start the app, let it go to zero"
acalocal up -d "$work" >/dev/null
url=$(acalocal status --json | sed -n 's/.*"url": "\(http:[^"]*\)".*/\1/p' | head -1)
step "$rounds rounds"
for _ in $(seq "$rounds"); do
	run_alone >>"$work/alone"
	run_cold >>"$work/cold"
done
alone=$(median <"$work/alone")
cold=$(median <"$work/cold")
echo "docker run until it answers, median: $alone ms"
echo "request that wakes the app, median:  $cold ms"
echo "added by the edge:                   $((cold - alone)) ms (at most $limit)"
echo "parts of the last cold starts:"
acalocal logs query 'ContainerAppSystemLogs_CL | where Reason_s == "ColdStart" | top 3 by TimeGenerated desc | project Log_s' | sed 's/^/  /'
[ $((cold - alone)) -le "$limit" ] || die "a cold start through the edge adds $((cold - alone)) ms to the container's own" "make the machine quiet and look at the parts above"
