#!/usr/bin/env bash
# Runs the tests that need a Docker Engine, then looks for what they left.
#
# They are found by the variable they read: ACALOCAL_DOCKER, set to 1, makes
# them run, and fail where they otherwise skip. A package counts when its tests
# name the variable, or import a package that does.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
. scripts/lib.sh

docker_ready || die "Docker does not answer" "start it or set DOCKER_HOST; \"ACALOCAL_DOCKER=0 make test\" leaves these tests out"

# dirs_naming PATHSPEC... prints the directories of files that name the variable.
dirs_naming() { git grep -l --untracked ACALOCAL_DOCKER -- "$@" | xargs -r -n 1 dirname | sort -u | sed 's|^|./|'; }

docker_packages() {
	local helpers
	dirs_naming '*_test.go' ':!testcontainers'
	mapfile -t helpers < <(dirs_naming '*.go' ':!*_test.go' | xargs -r go list)
	[ ${#helpers[@]} -gt 0 ] || return 0
	go list -f '{{.Dir}} {{join .TestImports " "}} {{join .XTestImports " "}}' ./... |
		grep -wF "$(printf '%s\n' "${helpers[@]}")" | cut -d ' ' -f 1 | sed "s|^$PWD|.|"
}
mapfile -t packages < <(docker_packages | sort -u)
[ ${#packages[@]} -gt 0 ] || die "no test reads ACALOCAL_DOCKER" "the Docker tests have moved; see scripts/docker-test.sh"

left() {
	docker ps -aq --filter label=dev.acalocal.environment
	docker network ls -q --filter label=dev.acalocal.environment
}
before=$(left | sort)
echo "packages: ${packages[*]}"
# One package at a time: they share the engine.
export CGO_ENABLED=0 # as "make build" has compiled all of it
ACALOCAL_DOCKER=1 go test -count=1 -p 1 -timeout 20m "${packages[@]}"
# The log page during a swap of containers: it is seen in Chromium.
if command -v chromium >/dev/null; then
	ACALOCAL_DOCKER=1 make page-test PAGE_TESTS=OfContainers
else
	echo "no chromium: the log page is not tested with containers"
fi
# A module of its own, against the image a user would run. Ryuk would be pulled,
# and what is left is looked for below. A file /.dockerenv makes the library look
# for ports beside the engine, which is on this machine all the same.
make image
export TESTCONTAINERS_RYUK_DISABLED="${TESTCONTAINERS_RYUK_DISABLED:-true}"
[ ! -e /.dockerenv ] || export TESTCONTAINERS_HOST_OVERRIDE="${TESTCONTAINERS_HOST_OVERRIDE:-127.0.0.1}"
(cd testcontainers && ACALOCAL_DOCKER=1 go test -count=1 -timeout 10m ./...)
added=$(comm -13 <(echo "$before") <(left | sort) | tr '\n' ' ')
[ -z "${added// /}" ] || die "the tests left containers or networks behind: $added"
