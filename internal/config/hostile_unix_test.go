//go:build unix

package config

import (
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

func TestFilesThatDefinitionsNameAreFiles(t *testing.T) {
	dir := writeFiles(t, map[string]string{"compose.yaml": "services:\n  web: {image: web:1, env_file: pipe, secrets: [s]}\nsecrets: {s: {file: pipe}}\n"})
	if err := syscall.Mkfifo(filepath.Join(dir, "pipe"), 0o600); err != nil {
		t.Skip("this file system has no named pipes:", err)
	}
	_, problems := Load(t.Context(), dir, Overrides{}) // would wait for a writer
	if n := strings.Count(problems.String(), "is not a file"); n != 2 {
		t.Errorf("%d problems name the pipe, want 2:\n%s", n, problems)
	}
}
