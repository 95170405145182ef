#!/usr/bin/env bash
# Measures the time from saving a file to its new text answering through the
# edge, by sync and by rebuild, beside "docker build", stop, "docker run" and
# asking until the same app answers, with the CPU and memory of the definition.
# All in one run: only the ratios mean anything on another machine.
#
# Usage: scripts/bench-reload.sh [ROUNDS]
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
. scripts/lib.sh

rounds=${1:-5}

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

# until_says URL WORD asks until the answer has the word, 60 s at most.
until_says() {
	local deadline=$((SECONDS + 60))
	until curl -s --max-time 5 "$1" | grep -q "Hello $2\""; do
		[ $SECONDS -lt $deadline ] || die "$1 does not say $2" "$(tail -n 5 "$work/err")"
		sleep 0.02
	done
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

step "sync: a file that is copied last"
for ((n = 1; n <= rounds; n++)); do
	begin=$(now)
	save app "sync$n"
	until_says "$url/" "sync$n"
	echo $(($(now) - begin))
done | tee "$work/sync"
step "rebuild: the Dockerfile, too"
for ((n = 1; n <= rounds; n++)); do
	begin=$(now)
	echo "# $n" >>"$work/app/Dockerfile"
	save app "rebuild$n"
	until_says "$url/" "rebuild$n"
	echo $(($(now) - begin))
done | tee "$work/rebuild"
# Of a copy, which acalocal does not follow.
cp -r "$work/app" "$work/plain"
step "docker build, stop, run, ask"
for ((n = 1; n <= rounds; n++)); do
	begin=$(now)
	save plain "docker$n"
	docker build -q --label "$image" -t "$image" "$work/plain" >/dev/null 2>"$work/err-docker" || die "docker build failed" "$(tail -n 5 "$work/err-docker")"
	[ -z "$container" ] || docker rm -f "$container" >/dev/null
	container=$(docker run -d --cpus 0.5 --memory 1g -p 127.0.0.1:0:8000 "$image")
	until_says "http://$(docker port "$container" 8000/tcp)/" "docker$n"
	echo $(($(now) - begin)) >>"$work/docker"
	tail -n 1 "$work/docker"
done

sync=$(median <"$work/sync") rebuild=$(median <"$work/rebuild") docker=$(median <"$work/docker")
step "medians of $rounds"
printf 'sync     %6d ms  %d%% of docker\nrebuild  %6d ms  %d%% of docker\ndocker   %6d ms\n' \
	"$sync" $((100 * sync / docker)) "$rebuild" $((100 * rebuild / docker)) "$docker"
step "where the time of the reloads went"
grep '^reloaded' "$work/err"
