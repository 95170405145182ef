// Package watch turns what happens to files into batches worth acting on.
//
//	system events ─▶ ignore rules ─▶ set of paths ─▶ quiet for a moment ─▶ Batch
//
// Editors save by renaming, write backups and lock files, and tools write many
// files at once: a Batch is what one such act comes to. When more changed than
// is worth naming, or the system lost count, a Batch says Rescan instead: look
// at everything.
package watch
