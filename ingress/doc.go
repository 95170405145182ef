// Package ingress is the edge of an environment: the proxy that stands where
// the Envoy of Azure Container Apps stands, and behaves like it.
//
// A request finds its way in four steps, each a file of its own:
//
//	Host ─▶ hostEntry (compile.go) ─▶ policy (policy.go) ─▶ revision by weight,
//	label or name (pick.go) ─▶ endpoint, or wait for one (hold.go)
//
// The control plane describes the whole of routing as one value, a Table, and
// publishes it with Apply. Requests read the current table once and keep it.
// What must outlive a table (requests in flight, waiting requests, connection
// pools) is kept by revision and replica name and carried over.
//
// Who writes what: Apply is the only writer of tables and endpoint sets;
// requests only count themselves in and out with atomics. Nothing on the
// request path takes a lock while a replica is ready.
package ingress
