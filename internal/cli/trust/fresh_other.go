//go:build !linux

package trust

// startFresh is needed on Linux only.
func startFresh() {}
