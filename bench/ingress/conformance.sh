#!/usr/bin/env bash
# conformance.sh - hold the edge to other people's tests, and write down how it did.
#
#   conformance.sh EDGE [PART ...] > docs/conformance.md    EDGE is the acalocal binary
#
# Parts are raw, http2, grpc, websocket, tls, slow and, with SPEED=quick or full,
# speed; all by default. With KEEP=DIR each part is kept there, and parts that do
# not run are taken from there: so the page can be made in several goes.
#
# Everything runs on the loopback address and is bounded. What is not installed
# is left out, and the report says so; tools.sh installs it. "make conformance"
# does both and all, "make suites" what CI checks.
#
# The exit code is 1 if a suite has a failure that is not among the exceptions
# below.
set -euo pipefail
edge=$(realpath "${1:?path of the acalocal binary}")
shift
all=(raw http2 grpc websocket tls slow ${SPEED:+speed})
parts=("$@")
[ $# -gt 0 ] || parts=("${all[@]}")
for p in "${parts[@]}"; do [[ " ${all[*]} " = *" $p "* ]] || { echo "conformance.sh: no part $p; parts are ${all[*]}" >&2; exit 2; }; done
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
dir=$(mktemp -d)
pids=()
cleanup() { for p in "${pids[@]}"; do kill "$p" 2>/dev/null || true; done; wait 2>/dev/null || true; rm -rf "$dir"; }
trap cleanup EXIT
failed=0
H2SPEC=${H2SPEC:-$(command -v h2spec || true)}
GRPC_SERVER=${GRPC_SERVER:-$(command -v grpc-interop-server || true)}
GRPC_CLIENT=${GRPC_CLIENT:-$(command -v grpc-interop-client || true)}

# h2spec cases the edge fails, and why that stands. All four are net/http's.
exceptions=(
  "Sends multiple values of SETTINGS_INITIAL_WINDOW_SIZE|net/http takes a setting that comes twice in one frame for an attack and closes the connection"
  "Sends a HEADERS frame that contains the connection-specific header field|answered with 400 instead of a stream error: RFC 9113, 8.1.1 allows an answer before the stream ends"
  "Sends a HEADERS frame that contains the TE header field with any value other than \"trailers\"|answered with 400 instead of a stream error, as above"
  "Sends invalid connection preface|without TLS the port also speaks HTTP/1.1, so the preface is a bad HTTP/1.1 request: 400, then closed"
)

# h2spec cases that a fast answer may overtake, by their number. One that fails
# is run alone up to five times, and has to pass.
races=(
  "Sends multiple WINDOW_UPDATE frames increasing the flow control window to above 2^31-1 on a stream|http2/6.9.1/3|the app may have answered before the second frame comes, and RFC 9113, 8.1 lets the stream then end without an error"
)

(cd "$here" && GOWORK=off go build -o "$dir/ingressbench" .)
free() { python3 -c 'import socket; s=socket.socket(); s.bind(("127.0.0.1",0)); print(s.getsockname()[1])'; }
P=$(free) T=$(free) C=$(free) B=$(free) B2=$(free) G=$(free)
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -keyout "$dir/key.pem" -out "$dir/cert.pem" -days 30 \
  -subj /CN=bench.local -addext subjectAltName=DNS:bench.local,DNS:localhost,IP:127.0.0.1 2>/dev/null
"$dir/ingressbench" backend -h1 127.0.0.1:$B -h2 127.0.0.1:$B2 & pids+=($!)
"$edge" edge --listen 127.0.0.1:$P --tls 127.0.0.1:$T --cert "$dir/cert.pem" --key "$dir/key.pem" --backend 127.0.0.1:$B >/dev/null & pids+=($!)
edgepid=$!
if [ -n "$GRPC_SERVER" ]; then
  "$GRPC_SERVER" -port "$G" 2>/dev/null & pids+=($!)
  "$edge" edge --h2c 127.0.0.1:$C --h2-backend 127.0.0.1:$G >/dev/null & pids+=($!)
fi
for _ in $(seq 100); do curl -sko /dev/null "https://127.0.0.1:$T/0" && break; sleep 0.1; done

raw() {
echo "## Raw HTTP/1.1"
echo
local peers=() # without speed tables nobody asks how others do
[ -n "${SPEED:-}" ] || peers=(NGINX=off HAPROXY=off CADDY=off TRAEFIK=off)
if env "${peers[@]}" INGRESS_CMD="$edge edge --listen {plain} --tls {tls} --h2c {h2c} --cert {cert} --key {key} --backend {backend} --h2-backend {h2backend}" \
   "$dir/ingressbench" probe -strict ingress > "$dir/probe.txt" 2>&1; then :; else failed=1; fi
echo "Framing, smuggling, syntax, Host, hop-by-hop fields, pipelining and broken apps, as raw bytes (\`bench-ingress.sh probe\`)."
echo "Rows show cases that somebody failed."
sed -n '/^| case/,$p' "$dir/probe.txt" | sed '1i\\'
}

h2spec_run() { # name, flags
  "$H2SPEC" $2 -S -h 127.0.0.1 -p "$3" -P /1k > "$dir/h2spec.txt" 2>&1 || true
  echo "| $1 | $(grep -E '^[0-9]+ tests' "$dir/h2spec.txt") |"
  sed -n '/^Failures:/,$p' "$dir/h2spec.txt" | grep '×' | sed 's/^.*× [0-9]*: //' > "$dir/failures.txt" || true
  while read -r line; do
    known=
    for e in "${exceptions[@]}"; do [ "${e%%|*}" = "$line" ] && known=1; done
    for e in "${races[@]}"; do
      IFS='|' read -r name number reason <<< "$e"
      [ "$name" != "$line" ] || ! h2spec_again "$number" "$2" "$3" || { known=1; raced+=("*$line*: $reason. It passes alone."); }
    done
    [ -n "$known" ] || { echo "unexpected h2spec failure ($1): $line" >&2; failed=1; }
  done < "$dir/failures.txt"
}
h2spec_again() { # number, flags, port
  for _ in 1 2 3 4 5; do
    "$H2SPEC" "$1" $2 -S -h 127.0.0.1 -p "$3" -P /1k < /dev/null > "$dir/h2spec-again.txt" 2>&1 && return 0
  done
  return 1
}
http2() {
local raced=()
echo "## HTTP/2 (h2spec, strict)"
echo
if [ -n "$H2SPEC" ]; then
  echo "| listener | result |"; echo "|---|---|"
  h2spec_run "TLS" "-t -k" "$T"
  h2spec_run "without TLS (h2c)" "" "$P"
  echo; echo "Exceptions, all of them net/http's:"; echo
  for e in "${exceptions[@]}"; do echo "- *${e%%|*}*: ${e#*|}."; done
  for e in "${raced[@]}"; do echo "- $e"; done
else echo "Not run: h2spec is not installed."; fi
}

grpc() {
echo "## gRPC interop"
echo
if [ -n "$GRPC_SERVER" ] && [ -n "$GRPC_CLIENT" ]; then
  ok=0 bad=
  for c in empty_unary large_unary client_streaming server_streaming ping_pong empty_stream timeout_on_sleeping_server cancel_after_begin \
           cancel_after_first_response status_code_and_message special_status_message custom_metadata unimplemented_method unimplemented_service; do
    if timeout 30 "$GRPC_CLIENT" -server_host 127.0.0.1 -server_port "$C" -test_case $c > "$dir/grpc.txt" 2>&1; then ok=$((ok+1)); else bad="$bad $c"; failed=1; fi
  done
  echo "$ok of 14 cases pass.${bad:+ Failed:$bad.}"
else echo "Not run: grpc-interop-server and grpc-interop-client are not installed."; fi
}

websocket() {
echo "## WebSocket"
echo
if (cd "$here/websocket" && GOWORK=off go test -count=1 -timeout 100s . > "$dir/ws.txt" 2>&1); then
  echo "github.com/coder/websocket and github.com/gorilla/websocket, each at either end: text, binary, fragments, ping and pong, close codes,"
  echo "1 MiB messages, eight connections at once, Close frames when a replica stops: pass."
else echo "Failed:"; echo; sed 's/^/    /' "$dir/ws.txt"; failed=1; fi
}

tls() {
echo "## TLS (testssl.sh)"
echo
if command -v testssl >/dev/null; then
  (cd "$dir" && timeout 900 testssl --quiet --warnings off --color 0 -p -P -s -f -U -4 --jsonfile "$dir/tls.json" "https://127.0.0.1:$T" > "$dir/tls.txt" 2>&1) || true
  python3 - "$dir/tls.json" <<'PY' || failed=1
import json,sys,collections
rows=json.load(open(sys.argv[1]))
n=collections.Counter(r['severity'] for r in rows)
print("Protocols, ciphers, forward secrecy and the known attacks: " + ", ".join(f"{n[s]} {s}" for s in ("OK","INFO","LOW","MEDIUM","HIGH","CRITICAL") if n[s])+".")
print("(The certificate's own trust is not looked at: it is a test certificate.)")
bad=[r for r in rows if r['severity'] in ("MEDIUM","HIGH","CRITICAL","WARN")]
for r in bad: print(f"- {r['severity']} {r['id']}: {r['finding']}")
sys.exit(any(r['severity']!="WARN" or r['id']=="scanTime" for r in bad))  # scanTime: it was cut off
PY
else echo "Not run: testssl.sh is not installed."; fi
}

slow() {
echo "## Slow clients (slowhttptest)"
echo
if command -v slowhttptest >/dev/null; then
  echo "500 connections for 20 s each; between them an ordinary request every second."
  echo; echo "| attack | ordinary requests answered | slowest | memory of the edge, before and at most |"; echo "|---|---|---|---|"
  rss() { awk '/^VmRSS/{print int($2/1024)}' "/proc/$edgepid/status"; }
  for mode in "-H slow head" "-B slow body" "-X slow read"; do
    local before most=0 good=0 asked=0 worst=0 t m
    before=$(rss)
    (cd "$dir" && timeout 40 slowhttptest ${mode%% *} -c 500 -r 200 -i 2 -l 20 -p 3 -u "http://127.0.0.1:$P/64k" > "$dir/slow.txt" 2>&1) & s=$!
    while kill -0 $s 2>/dev/null; do
      t=$(curl -so /dev/null -m 5 -w '%{time_total}' "http://127.0.0.1:$P/1k") && good=$((good+1)) || true
      asked=$((asked+1)); m=$(rss); [ "$m" -gt "$most" ] && most=$m
      worst=$(python3 -c "print(max($worst,$t))"); sleep 1
    done
    wait $s || true
    [ "$good" = "$asked" ] || failed=1
    echo "| ${mode#* } | $good of $asked | ${worst} s | $before MB, $most MB |"
  done
else echo "Not run: slowhttptest is not installed."; fi
}

speed() {
  echo "## Speed"
  echo
  echo "\`bench-ingress.sh $SPEED\`: every peer in turn with the same work, on this machine's $(nproc) cores, which also carry load and backend."
  echo "CPU per request of the proxy's own processes is the figure to trust; ratios of one run compare, figures of two runs do not."
  export INGRESS_CMD="$edge edge --listen {plain} --tls {tls} --h2c {h2c} --cert {cert} --key {key} --backend {backend} --h2-backend {h2backend}"
  local p base=${SPEED_BASE:-nethttp}
  for p in nginx haproxy caddy traefik; do
    command -v $p >/dev/null || [ -x /usr/sbin/$p ] || echo "Not measured: $p, which is not installed."
  done
  [ "$base" != caddy ] || command -v caddy >/dev/null || base=nethttp
  echo
  "$here/bench-ingress.sh" "$SPEED" -base "$base" 2>/dev/null | sed -n '/^###/,$p'
  echo
  echo "### h1-rate at 2,000 requests/s (\`-rate 2000 -rounds 5 -d 2s\`)"
  echo
  "$dir/ingressbench" run -base "$base" -peers "ingress,$base" -rounds 5 -d 2s -rate 2000 -only h1-rate 2>/dev/null | grep '^|'
}

keep=${KEEP:-$dir/parts}
mkdir -p "$keep"
for p in "${parts[@]}"; do
  echo "$(date +%T) $p" >&2
  "$p" > "$keep/$p.md"
done

echo "# Conformance of the edge"
echo
echo "Made by \`bench/ingress/conformance.sh\`; the edge is \`acalocal edge\` in front of the backend of \`bench/ingress\`."
for p in "${all[@]}"; do
  [ ! -f "$keep/$p.md" ] || { echo; cat "$keep/$p.md"; }
done
exit $failed
