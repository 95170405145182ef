// Its own module, so that neither acalocal nor the benchmark carries the
// WebSocket libraries it tests against.
module github.com/acalocal/acalocal/bench/ingress/websocket

go 1.26.8

require github.com/acalocal/acalocal v0.0.0

require (
	github.com/coder/websocket v1.8.15 // indirect
	github.com/gorilla/websocket v1.5.3 // indirect
)

replace github.com/acalocal/acalocal => ../../..
