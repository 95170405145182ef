#!/usr/bin/env bash
# bench-ingress.sh - measure an HTTP ingress side by side with its peers.
#
#   bench-ingress.sh quick|full|ci|probe [flags of "ingressbench run" or "probe"]
#
#   quick   3 rounds of 1 s over the main scenarios (about 3 minutes)
#   full    7 rounds of 2 s over every scenario (about 40 minutes with all peers)
#   ci      5 rounds of 1 s of four scenarios, and exit 1 if a ratio in GOALS is missed
#   probe   HTTP/1.1 framing and smuggling cases through every peer (about 1 minute);
#           exit 1 if the ingress under test fails one
#
# The proxy under test is a command that stays in the foreground, listens and
# forwards everything to one backend. It is given in INGRESS_CMD with these
# placeholders; leave a listener's placeholder out if it has no such listener:
#
#   {plain} {tls} {h2c}      addresses to listen on (HTTP, HTTPS with ALPN h2 and http/1.1, h2c)
#   {backend} {h2backend}    HTTP/1.1 backend for {plain} and {tls}; h2c backend for {h2c}
#   {cert} {key}             PEM files for {tls} (host name bench.local)
#   {cpus} {dir}             number of cores; scratch folder (also the working directory)
#
#   INGRESS_CMD='acalocal edge --listen {plain} --tls {tls} --h2c {h2c}
#      --cert {cert} --key {key} --backend {backend} --h2-backend {h2backend}'  bench-ingress.sh quick
#
# Requests carry "Host: bench.local". Further candidates (say, the build of the
# base branch) go into PEER_<name>, with the same placeholders.
#
# Peers: NGINX, HAPROXY, CADDY, TRAEFIK give the path of a binary, or "off";
# unset, they are looked up in PATH and skipped when absent. NETHTTP=off drops
# the built-in net/http baseline. Configurations are generated; every peer gets
# the same work (see peers.go).
#
# GOALS: space separated SCENARIO:METRIC:PEER/PEER<=LIMIT (or >=), METRIC one of
# cpu (CPU), rps, p50, p99, sw (wake-ups), mem, all (memory of the whole proxy). Example: GOALS='h1-1k:cpu:ingress/nginx<=0.95'.
#
# How to read it: CPU per request of the proxy's own processes is the figure to
# trust; wall-clock figures share the machine with the load generator, the
# backend and whatever else runs. Rounds visit the peers in a new random order,
# ratios are of medians. Ratios of one run compare; figures of two runs do not.
# Load goes to the loopback address only and every run is bounded.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
mode=${1:-quick}
[ $# -gt 0 ] && shift
bin=$(mktemp -d)
trap 'rm -rf "$bin"' EXIT
(cd "$here" && GOWORK=off go build -o "$bin/ingressbench" .)
case $mode in
quick)
  "$bin/ingressbench" run -rounds 3 -d 1s \
    -only h1-1k,h1-64k,h1-rate,conn,tls-h1-1k,tls-h2-1k,grpc-h2c,ws-64,idle-1000,idle-2000 "$@" ;;
full)
  "$bin/ingressbench" run -rounds 7 -d 2s "$@" ;;
ci)
  : "${INGRESS_CMD:?set INGRESS_CMD}"
  export GOALS=${GOALS-h1-1k:cpu:ingress/nethttp<=0.40 tls-h1-1k:cpu:ingress/nethttp<=0.45 tls-h2-1k:cpu:ingress/nethttp<=0.30 h1-rate:cpu:ingress/nethttp<=0.50}
  "$bin/ingressbench" run -rounds 5 -d 1s -base nethttp -only h1-1k,h1-rate,tls-h1-1k,tls-h2-1k "$@" ;;
probe)
  if [ -n "${INGRESS_CMD:-}" ]; then set -- -strict ingress -v "$@"; fi
  "$bin/ingressbench" probe "$@" ;;
*)
  sed -n '2,20p' "${BASH_SOURCE[0]}"
  exit 2 ;;
esac
