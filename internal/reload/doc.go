// Package reload decides what a saved file asks for, and does it while newer
// saves come in.
//
//	batch ─▶ Run: cancels what is under way, adds what it left undone
//	      ─▶ Decide: sync or rebuild, and why
//	      ─▶ the caller builds, applies, and waits for the new revision
//
// A sync lays the changed files over the image of the last rebuild, in one
// layer; it is right only where a build would do nothing else. Whatever Decide
// is not sure of is a rebuild.
package reload
