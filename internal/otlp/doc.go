// Package otlp sends the rows of a log store to an OpenTelemetry collector, as
// log records by OTLP over HTTP.
//
//	store ─rows from where sending stopped─▶ batch (512 rows, 1 MiB, 1 s) ─▶ POST /v1/logs ─▶ place kept in a file
//
// The store is the queue: while the collector does not answer, rows wait there,
// and what its retention removes meanwhile is counted and told. A batch is tried
// again until it is taken or refused for good
// (https://opentelemetry.io/docs/specs/otlp/#failures), so a collector may see
// rows twice: after its answer was lost, or after a crash.
package otlp
