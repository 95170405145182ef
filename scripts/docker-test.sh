#!/usr/bin/env bash
# Runs the tests that need a Docker Engine, then looks for what they left.
#
# A test is one of them when its file reads ACALOCAL_DOCKER: set to 1 it must
# run, and fails where it otherwise skips.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
. scripts/lib.sh

docker_ready || die "Docker does not answer" "start it or set DOCKER_HOST; \"ACALOCAL_DOCKER=0 make test\" leaves these tests out"

mapfile -t packages < <(
	git grep -l --untracked ACALOCAL_DOCKER -- '*_test.go' | xargs -r -n 1 dirname | sort -u | sed 's|^|./|'
)
[ ${#packages[@]} -gt 0 ] || die "no test reads ACALOCAL_DOCKER" "the Docker tests have moved; see scripts/docker-test.sh"

left() { docker ps -aq --filter label=dev.acalocal.environment; docker network ls -q --filter label=dev.acalocal.environment; }
before=$(left | sort)
echo "packages: ${packages[*]}"
# One package at a time: they share the engine.
ACALOCAL_DOCKER=1 go test -count=1 -p 1 -timeout 20m "${packages[@]}"
after=$(left | sort)
[ "$before" = "$after" ] || die "the tests left containers or networks behind: $(comm -13 <(echo "$before") <(echo "$after") | tr '\n' ' ')"
