// Package logsink keeps what the apps of one environment print, what the
// platform says about them and what the edge served, and answers queries and
// tails over it.
//
// Rows are kept in five tables: console lines, system events, edge requests,
// what apps send to Application Insights, and metrics (AzureMetrics). Each row is stored once and shown
// under several names: the custom log tables (ContainerAppConsoleLogs_CL), the
// resource-specific ones (ContainerAppConsoleLogs), ContainerAppHTTPLogs, and
// AppRequests, AppDependencies, AppTraces, AppExceptions, AppEvents with their
// classic names (requests).
//
//	Ingest, AppendEvent, AppendRequests
//	       │ rows, bounded per caller
//	       ▼
//	ingest goroutine ── WAL record, one fsync for all who wait ──▶ durable
//	       │ open block (memory)
//	       ▼ full
//	seal goroutine ── column block, appended to a mapped segment ──▶ WAL freed
//
// A row that a call has acknowledged survives the death of the process at any
// instruction, and is never stored twice: the position in a container's stream
// is part of the same WAL record as the rows it covers. Readers work on a
// snapshot and never wait for the writer, nor it for them. The files are
// described byte by byte in DESIGN.md.
package logsink
