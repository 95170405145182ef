// Package version names the build that is running.
package version

import "runtime/debug"

// Version is the released version, set with -ldflags; "dev" in a plain build.
var Version = "dev"

// Commit returns the revision the binary was built from, shortened to twelve
// characters, or "" when the build did not record one.
func Commit() string {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return ""
	}
	for _, s := range info.Settings {
		if s.Key == "vcs.revision" && len(s.Value) >= 12 {
			return s.Value[:12]
		}
	}
	return ""
}
