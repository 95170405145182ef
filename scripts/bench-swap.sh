#!/usr/bin/env bash
# Swaps in new revisions of the Flask example under a constant load, keep-alive
# and fresh connections mixed, and fails when a request is lost.
#
# Usage: scripts/bench-swap.sh [SWAPS] [RATE]
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
. scripts/lib.sh

swaps=${1:-100}
rate=${2:-500} # requests per second

docker_ready || die "Docker does not answer" "start it or set DOCKER_HOST"
PATH=$PWD/bin:$PATH
work=$(mktemp -d)
ACALOCAL_STATE_DIR=$work/state
ACALOCAL_ENVIRONMENT=benchswap
export ACALOCAL_STATE_DIR ACALOCAL_ENVIRONMENT

finish() {
	local code=$?
	acalocal down >/dev/null 2>&1 || true # the usual case: nothing runs
	rm -rf "$work"
	exit "$code"
}
trap finish EXIT
trap 'exit 130' INT TERM

cp -r examples/python-flask "$work/app"
sed -i 's/periodSeconds: 5/periodSeconds: 1/' "$work/app/containerapp.yaml"
step "start the example"
acalocal up -d "$work/app"
step "$swaps swaps under $rate requests/s"
acalocal verify --swaps "$swaps" --rate "$rate" --path /health
