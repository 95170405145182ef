# shellcheck shell=bash
# Shared by the scripts beside it; sourced, never run.

# step TEXT says what begins, with the seconds since the script did.
step() { printf '\n== %s (%ds)\n' "$*" "$SECONDS"; }

# die TEXT [HINT] ends the script with code 1.
die() {
	printf '%s: %s\n' "${0##*/}" "$1" >&2
	[ $# -lt 2 ] || printf 'hint: %s\n' "$2" >&2
	exit 1
}

# need COMMAND PACKAGE... installs PACKAGEs unless COMMAND is here.
need() {
	local command=$1
	shift
	command -v "$command" >/dev/null && return
	command -v apt-get >/dev/null || die "$command is missing" "install it and try again"
	[ "$(id -u)" = 0 ] || die "$command is missing" "run \"sudo apt-get install $*\" and try again"
	echo "installing $*"
	apt-get -qq update
	DEBIAN_FRONTEND=noninteractive apt-get -qq install --no-install-recommends "$@" >/dev/null
}

# docker_ready says whether a Docker Engine answers.
docker_ready() { docker version >/dev/null 2>&1; }

# app_url APP prints the loopback address of an app of the running environment.
app_url() {
	local url
	url=$(acalocal app show -n "$1" --json | grep -o '"url": *"http[^"]*"' | head -n 1 | cut -d '"' -f 4)
	[ -n "$url" ] || die "app $1 has no address" "look at \"acalocal status\""
	echo "${url%/}"
}
