#!/usr/bin/env bash
# Runs every fuzz target of the module, one after the other.
#
# Usage: scripts/fuzz.sh [TIME], TIME as -fuzztime takes it
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
. scripts/lib.sh

git grep -hn --untracked -E '^func Fuzz' -- '*_test.go' >/dev/null || die "no fuzz target found"
while IFS=: read -r file target; do
	step "$target in $(dirname "$file")"
	go test "./$(dirname "$file")" -run '^$' -fuzz "^$target\$" -fuzztime "${1:-10s}"
done < <(git grep --untracked -E '^func Fuzz' -- '*_test.go' ':!bench' | sed -E 's/^([^:]*):func (Fuzz[A-Za-z0-9_]*).*/\1:\2/')
