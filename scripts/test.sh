#!/usr/bin/env bash
# Everything CI checks, in the order in which it is cheapest to fail.
#
# Docker tests fail where Docker is absent; ACALOCAL_DOCKER=0 leaves them out,
# for a machine that has none.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
. scripts/lib.sh

# As the program is built, here and in the Makefile, without cgo too where the
# race detector needs none: vet, tests and builds then share what is compiled,
# which is most of the time on a machine that starts with nothing.
export GOFLAGS="${GOFLAGS:+$GOFLAGS }-trimpath -tags=grpcnotrace"

step "tools"
command -v go >/dev/null || die "Go is missing" "install the version named in go.mod"
need git git
need gcc gcc libc6-dev # the race detector links with it
need curl curl # the suites of the edge, with the next two
need openssl openssl
need python3 python3
go version

step "build"
make build

step "lint"
make lint

step "unit tests, with the race detector"
make race

step "the log page in Chromium"
need chromium chromium
make page-test

step "simulation"
make sim SEEDS="${SEEDS:-250}" # a fortieth of "make sim": CI has 25 minutes for all

step "the edge against other people's suites"
make suites

step "other systems" # vet has compiled them; "make cross" builds all, with linux/arm64, for a release
make cross PLATFORMS="darwin/arm64 windows/arm64"

if [ "${ACALOCAL_DOCKER:-1}" = 0 ]; then
	step "Docker tests left out: ACALOCAL_DOCKER=0"
else
	step "Docker tests"
	make docker-test
fi

step "all passed"
