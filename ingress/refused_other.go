//go:build !windows

package ingress

// isSystemRefused reports a refused connection that syscall.ECONNREFUSED does
// not cover.
func isSystemRefused(error) bool { return false }
