// Command gen puts the agent's executables into internal/agent/bin, for the
// platforms of Docker Engines, so that a release carries them.
package main

import (
	"bytes"
	"compress/gzip"
	"context"
	"fmt"
	"os"
	"path/filepath"

	"github.com/acalocal/acalocal/internal/agent"
)

func main() {
	if err := removeOld(); err != nil {
		fmt.Fprintln(os.Stderr, "gen:", err)
		os.Exit(1)
	}
	for _, arch := range []string{"amd64", "arm64"} {
		if err := generate(arch); err != nil {
			fmt.Fprintln(os.Stderr, "gen:", err)
			os.Exit(1)
		}
	}
}

func removeOld() error {
	old, err := filepath.Glob("bin/*.gz")
	if err != nil {
		return err
	}
	for _, name := range old {
		if err := os.Remove(name); err != nil {
			return err
		}
	}
	return nil
}

// generate runs in internal/agent, as go generate does.
func generate(arch string) error {
	dir, err := os.MkdirTemp("", "acalocal-agent-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	out := filepath.Join(dir, "agent")
	if err := agent.Build(context.Background(), dir, out, arch); err != nil {
		return err
	}
	b, err := os.ReadFile(out)
	if err != nil {
		return err
	}
	var z bytes.Buffer
	w, err := gzip.NewWriterLevel(&z, gzip.BestCompression)
	if err != nil {
		return err
	}
	if _, err := w.Write(b); err != nil {
		return err
	}
	if err := w.Close(); err != nil {
		return err
	}
	return os.WriteFile(filepath.Join("bin", agent.CarriedName(arch)), z.Bytes(), 0o644)
}
