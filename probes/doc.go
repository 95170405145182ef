// Package probes runs the startup, readiness and liveness probes of containers
// by the rules of Kubernetes and with the rhythm of Azure Container Apps.
//
// A Prober is told the whole list of probes that should be running (Set) and
// keeps one worker for each. A worker asks its Checker, counts the answers with
// a Tracker and tells the receiver about failed attempts and crossed thresholds.
//
//	Set ─▶ list ─▶ Run: one worker per (replica, container, kind)
//	                      │ tick at StartedAt + n*Period
//	                      ├─▶ Checker.Check      inside the replica
//	                      ├─▶ Tracker.Observe    pure
//	                      └─▶ report(Report)     failures and edges only
//
// What a probe knows of a container it forgets when the container restarts.
// What a report means (restart it, take it out of rotation) is decided by
// whoever receives it.
package probes
