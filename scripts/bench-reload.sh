#!/usr/bin/env bash
# Measures the time from saving a file to its new text answering through the
# edge, by sync and by rebuild, beside "docker build", stop, "docker run" and
# asking until the same app answers, with the CPU and memory of the definition.
# All in one run and in turn, so that a busy machine slows all: only the ratios
# mean anything on another machine. Fails when a reload takes more than half of
# docker's time.
#
# Usage: scripts/bench-reload.sh [ROUNDS]
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
. scripts/lib.sh

rounds=${1:-5}
limit=50 # percent of docker's time that a reload may take

need python3 python3
docker_ready || die "Docker does not answer" "start it or set DOCKER_HOST"
PATH=$PWD/bin:$PATH
work=$(mktemp -d)
ACALOCAL_STATE_DIR=$work/state
ACALOCAL_ENVIRONMENT=benchreload
export ACALOCAL_STATE_DIR ACALOCAL_ENVIRONMENT
image=acalocal-bench-reload
up='' container=''

finish() {
	local code=$?
	if [ -n "$up" ]; then
		kill -INT "$up" 2>/dev/null || true # it may have ended
		wait "$up" || true
	fi
	acalocal down >/dev/null 2>&1 || true # the usual case: nothing runs
	[ -z "$container" ] || docker rm -f "$container" >/dev/null
	docker image ls -q --filter "label=$image" | sort -u | xargs -r docker image rm -f >/dev/null
	rm -rf "$work"
	exit "$code"
}
trap finish EXIT
trap 'exit 130' INT TERM

now() { date +%s%3N; } # ms
median() { sort -n | awk '{ v[NR] = $1 } END { print v[int((NR + 1) / 2)] }'; }

# save DIR WORD writes the word into the greeting of the app in DIR.
save() { sed -i "s/message=\"Hello[^\"]*\"/message=\"Hello $2\"/" "$work/$1/src/app.py"; }

# until_says URL WORD asks until the answer has the word.
until_says() {
	python3 scripts/until.py "$1" "Hello $2\"" || die "$1 does not say $2" "$(tail -n 5 "$work/err")"
}

# by_sync N saves a file that is copied last.
by_sync() {
	save app "sync$1"
	until_says "$url/" "sync$1"
}

# by_rebuild N saves the Dockerfile, too.
by_rebuild() {
	echo "# $1" >>"$work/app/Dockerfile"
	save app "rebuild$1"
	until_says "$url/" "rebuild$1"
}

# by_docker N builds a copy, which acalocal does not follow, stops and runs.
by_docker() {
	save plain "docker$1"
	docker build -q --label "$image" -t "$image" "$work/plain" >/dev/null 2>"$work/err-docker" || die "docker build failed" "$(tail -n 5 "$work/err-docker")"
	[ -z "$container" ] || docker rm -f "$container" >/dev/null
	container=$(docker run -d --cpus 0.5 --memory 1g -p 127.0.0.1:0:8000 "$image")
	until_says "http://$(docker port "$container" 8000/tcp)/" "docker$1"
}

cp -r examples/python-flask "$work/app"
sed -i 's/periodSeconds: 5/periodSeconds: 1/' "$work/app/containerapp.yaml"
step "start the example"
acalocal up "$work/app" >"$work/out" 2>"$work/err" &
up=$!
for ((i = 0; i < 600; i++)); do
	grep -q 'is ready at' "$work/out" && break
	sleep 0.1
done
url=$(app_url python-flask)

cp -r "$work/app" "$work/plain"
step "in turn, milliseconds"
printf '%6s %8s %8s %8s\n' round sync rebuild docker
for ((n = 1; n <= rounds; n++)); do
	printf '%6d' "$n"
	for way in sync rebuild docker; do
		begin=$(now)
		"by_$way" "$n"
		took=$(($(now) - begin))
		echo "$took" >>"$work/took-$way"
		printf ' %8d' "$took"
	done
	echo
done

step "where the time of the reloads went"
grep -E '^(synced|built|reloaded)' "$work/err"
step "medians of $rounds"
docker=$(median <"$work/took-docker") missed=0
printf 'docker   %6d ms\n' "$docker"
for way in sync rebuild; do
	took=$(median <"$work/took-$way")
	percent=$((100 * took / docker))
	verdict=ok
	((percent <= limit)) || verdict=MISSED missed=1
	printf '%-8s %6d ms  %d%% of docker, at most %d%%: %s\n' "$way" "$took" "$percent" "$limit" "$verdict"
done
exit "$missed"
