#!/usr/bin/env bash
# tools.sh - install what conformance.sh and bench-ingress.sh need.
#
#   tools.sh DIR suites    h2spec and gRPC's interop programs
#   tools.sh DIR peers     Caddy and Traefik; CADDY=off and TRAEFIK=off leave one out
#   tools.sh DIR debian    testssl.sh, slowhttptest, nginx, HAProxy, by apt-get
#
# Programs in Go come from the module proxy and are built into DIR, once; put it
# in front of PATH. Caddy takes minutes to build, Traefik more.
set -euo pipefail
dir=$(mkdir -p "${1:?directory for the programs}" && cd "$1" && pwd)
export GOBIN=$dir GOWORK=off GOFLAGS="-trimpath ${GOFLAGS-}"

# install NAME MODULE builds a program, unless it is here.
install() { [ -x "$dir/$1" ] || { echo "build $1"; go install "$2"; }; }

# interop KIND builds the server or client of gRPC's interop tests.
interop() {
	local name=grpc-interop-$1
	[ -x "$dir/$name" ] || { echo "build $name"; GOBIN=$dir/interop go install "google.golang.org/grpc/interop/$1@v1.85.0" && mv "$dir/interop/$1" "$dir/$name"; }
}

# traefik is built from a copy: its module has replacements, which "go install"
# refuses, and lacks the files of its web interface, which it embeds.
traefik() {
	local version=v3.6.12 src copy
	[ ! -x "$dir/traefik" ] || return 0
	echo "build traefik"
	copy=$(mktemp -d)
	trap 'rm -rf "$copy"' EXIT
	src=$(cd "$copy" && go mod download -json "github.com/traefik/traefik/v3@$version" | python3 -c 'import json,sys; print(json.load(sys.stdin)["Dir"])')
	cp -r "$src" "$copy/src"
	chmod -R u+w "$copy/src"
	mkdir -p "$copy/src/webui/static"
	echo "no web interface" > "$copy/src/webui/static/index.html"
	cd "$copy/src" && go build -o "$dir/traefik" ./cmd/traefik
}

case ${2:-} in
suites)
	install h2spec github.com/summerwind/h2spec/cmd/h2spec@v2.2.1+incompatible
	interop server
	interop client ;;
peers) # the measurement goes on without a peer that cannot be had, and says so
	[ "${CADDY-}" = off ] || install caddy github.com/caddyserver/caddy/v2/cmd/caddy@v2.11.9 || echo "caddy could not be built" >&2
	[ "${TRAEFIK-}" = off ] || (traefik) || echo "traefik could not be built" >&2 ;;
debian)
	DEBIAN_FRONTEND=noninteractive apt-get -qq install --no-install-recommends testssl.sh slowhttptest nginx-light haproxy >/dev/null ;;
*)
	sed -n '2,10p' "${BASH_SOURCE[0]}"
	exit 2 ;;
esac
