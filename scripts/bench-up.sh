#!/usr/bin/env bash
# Measures what starting with acalocal costs, beside what Docker alone costs,
# in one run: only the ratios mean anything.
#
#   up      "acalocal up -d" to the first 200 through the edge, against
#           "docker run" and asking the same app until it answers 200
#   RSS     of the daemon with that app idle
#   size    of the stripped program
#   help    CPU time of "acalocal --help", against a program that says one line
#
# Fails when a limit is missed. Usage: scripts/bench-up.sh [ROUNDS]
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
. scripts/lib.sh

rounds=${1:-5}
max_ratio=150 # percent
max_rss=40    # MiB
max_size=40   # MiB
max_help=500  # percent of the program that says one line

docker_ready || die "Docker does not answer" "start it or set DOCKER_HOST"
PATH=$PWD/bin:$PATH
work=$(mktemp -d)
ACALOCAL_STATE_DIR=$work/state
ACALOCAL_ENVIRONMENT=bench
export ACALOCAL_STATE_DIR ACALOCAL_ENVIRONMENT
image=acalocal-bench-up

finish() {
	local code=$?
	acalocal down >/dev/null 2>&1 || true # the usual case: it is down already
	[ -z "${container:-}" ] || docker rm -f "$container" >/dev/null
	docker image rm "$image" >/dev/null 2>&1 || true # not built yet
	rm -rf "$work"
	exit "$code"
}
trap finish EXIT
trap 'exit 130' INT TERM

now() { date +%s%3N; } # ms
median() { sort -n | awk '{ v[NR] = $1 } END { print v[int((NR + 1) / 2)] }'; }

# until_200 URL asks until the answer is 200; 20 ms between two tries, 60 s at most.
until_200() {
	local end=$((SECONDS + 60))
	until [ "$(curl -s -o /dev/null -w '%{http_code}' "$1")" = 200 ]; do
		[ $SECONDS -lt $end ] || die "$1 did not answer 200 within 60 s"
		sleep 0.02
	done
}

docker_once() {
	local begin
	begin=$(now)
	# With the limits of the definition: half a core makes the same app slower.
	container=$(docker run -d --cpus 0.5 --memory 1g --memory-swap 1g -p 127.0.0.1::8000 "$image")
	until_200 "http://$(docker port "$container" 8000/tcp | head -n 1)/health"
	echo $(($(now) - begin)) >>"$work/docker"
	docker rm -f "$container" >/dev/null
	container=
}

acalocal_once() {
	local begin
	begin=$(now)
	acalocal up -d examples/python-flask >/dev/null 2>&1
	until_200 "$(app_url python-flask)/health"
	echo $(($(now) - begin)) >>"$work/acalocal"
}

step "images"
docker build -q -t "$image" examples/python-flask 2>/dev/null
acalocal up -d examples/python-flask >/dev/null 2>&1 # whatever is made once is made now
acalocal down >/dev/null 2>&1

step "$rounds rounds"
for ((i = 0; i < rounds; i++)); do
	docker_once
	acalocal_once
	[ $i -lt $((rounds - 1)) ] || break # the last one stays up for the RSS
	acalocal down >/dev/null 2>&1
done

step "figures"
sleep 3 # idle
pid=$(curl -sS --unix-socket "$ACALOCAL_STATE_DIR/bench/api.sock" http://localhost/acalocal/v1/info | grep -o '"pid": *[0-9]*' | grep -o '[0-9]*$')
rss=$(($(awk '/^VmRSS:/ { print $2 }' "/proc/$pid/status") / 1024))
acalocal down >/dev/null 2>&1
size=$(($(stat -c %s bin/acalocal) / 1048576))
cat >"$work/line.go" <<'END'
package main

import "os"

func main() { os.Stdout.WriteString("hello\n") }
END
CGO_ENABLED=0 go build -ldflags '-s -w' -o "$work/line" "$work/line.go"
TIMEFORMAT='%U %S'
cpu() { # COMMAND... prints how many µs of a core COMMAND takes, of 20 times
	{ time for ((i = 0; i < 20; i++)); do "$@" >/dev/null; done; } 2>&1 | awk '{ print int(($1 + $2) * 50000) }'
}
one=$(cpu "$work/line")
help=$(cpu acalocal --help)
with_docker=$(median <"$work/docker")
with_acalocal=$(median <"$work/acalocal")
ratio=$((with_acalocal * 100 / with_docker))

missed=0
figure() { # NAME VALUE LIMIT UNIT
	local verdict=ok
	[ "$2" -le "$3" ] || { verdict=missed; missed=1; }
	printf '%-28s %6d %-4s (at most %d) %s\n' "$1" "$2" "$4" "$3" $verdict
}
printf '%-28s %6d ms\n' "docker run to 200" "$with_docker"
printf '%-28s %6d ms\n' "acalocal up -d to 200" "$with_acalocal"
figure "ratio" "$ratio" $max_ratio %
figure "daemon RSS, one app idle" "$rss" $max_rss MiB
figure "program, stripped" "$size" $max_size MiB
printf '%-28s %6d µs\n' "CPU of a program, one line" "$one"
printf '%-28s %6d µs\n' "CPU of acalocal --help" "$help"
figure "ratio" $((help * 100 / one)) $max_help %
exit $missed
