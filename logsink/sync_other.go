//go:build !unix

package logsink

// syncDir does nothing where directories cannot be synced; there the file
// system journals names by itself.
func syncDir(string) error { return nil }
