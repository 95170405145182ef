// Package verify proves that changes of an app lose no request, or finds out
// which setting lets them.
//
//	load  ─▶ samples ┐
//	steps ─▶ spans   ├─▶ Judge ─▶ Report ─▶ text, JSON, JUnit
//	rows  ─▶ events  ┘
//
// The load is open: requests begin when they are due, whatever became of those
// before, and a request's time counts from when it was due. So an app that
// stalls is seen to stall. Judge is pure.
package verify
