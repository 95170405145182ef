// Package kql runs the Kusto Query Language over column blocks.
//
// It knows no store. A caller hands it a [Catalog] that resolves table names
// and scans their rows as typed column blocks; [Query] answers with typed
// columns again:
//
//	text ─lex, parse─▶ syntax ─bind─▶ plan of typed operators ─open, next─▶ blocks ─▶ Result
//
// Everything is decided before the first row is read: names, overloads,
// result types and result names. What the text gets wrong is reported as
// [Diagnostics] carrying the codes, texts and spans of the public Kusto
// language service, so editors and people see what they know from Azure.
//
// Each operator lives in one file, op_*.go, with its syntax, its binding and
// its run-time side by side, and is one line in the operator table. Each
// function is one line in a fn_*.go table, each aggregate one in agg_*.go.
package kql
