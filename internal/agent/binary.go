package agent

import (
	"bytes"
	"compress/gzip"
	"context"
	"crypto/sha256"
	"embed"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
)

//go:generate go run ./gen

// carried holds the executables put there by go generate, one compressed file
// per platform: a released acalocal has them, a plain build need not.
//
//go:embed bin
var carried embed.FS

// source is the program itself: what it takes to build one that is not
// carried, with any Go toolchain and nothing else.
//
//go:embed cmd/agent/main.go holder/*.go mux/*.go standin/*.go
var source embed.FS

// modulePath is what the packages of source import each other by.
const modulePath = "github.com/acalocal/acalocal"

// ErrNoBinary says that this build carries no agent for a platform, and that
// none can be built on this machine.
var ErrNoBinary = errors.New("no agent")

// Binary returns the agent's executable for linux on arch (a GOARCH). It is
// the one this build carries, or is built from the sources in this build when
// there is a Go toolchain; the result of that is kept in cacheDir ("" = the
// user's cache directory).
func Binary(ctx context.Context, arch, cacheDir string) ([]byte, error) {
	b, err := carriedBinary(arch)
	if !errors.Is(err, fs.ErrNotExist) {
		return b, err
	}
	if cacheDir == "" {
		if cacheDir, err = userCache(); err != nil {
			return nil, err
		}
	}
	name := filepath.Join(cacheDir, "agent-linux-"+arch+"-"+SourceDigest())
	if b, err = os.ReadFile(name); !errors.Is(err, fs.ErrNotExist) {
		return b, err
	}
	return buildInto(ctx, name, arch)
}

func userCache() (string, error) {
	dir, err := os.UserCacheDir()
	if err != nil {
		return "", fmt.Errorf("find a place for the agent: %w", err)
	}
	return filepath.Join(dir, "acalocal"), nil
}

// CarriedName is the name below bin of the compressed executable for arch. It
// names the sources, so that one left over from others is never used.
func CarriedName(arch string) string {
	return "agent-linux-" + arch + "-" + SourceDigest() + ".gz"
}

func carriedBinary(arch string) ([]byte, error) {
	f, err := carried.Open("bin/" + CarriedName(arch))
	if err != nil {
		return nil, err
	}
	defer f.Close()
	z, err := gzip.NewReader(f)
	if err != nil {
		return nil, fmt.Errorf("carried agent: %w", err)
	}
	size, err := unpackedSize(f)
	if err != nil {
		return nil, fmt.Errorf("carried agent: %w", err)
	}
	b := bytes.NewBuffer(make([]byte, 0, size+bytes.MinRead)) // growing would leave several times as much behind
	if _, err := b.ReadFrom(z); err != nil {
		return nil, fmt.Errorf("carried agent: %w", err)
	}
	return b.Bytes(), nil
}

// unpackedSize reads what gzip notes at the end of a file (RFC 1952, ISIZE).
func unpackedSize(f fs.File) (int, error) {
	info, err := f.Stat()
	if err != nil {
		return 0, err
	}
	at, ok := f.(io.ReaderAt)
	if !ok {
		return 0, errors.New("bug: an embedded file cannot be read at a place")
	}
	var size [4]byte
	if _, err := at.ReadAt(size[:], info.Size()-int64(len(size))); err != nil {
		return 0, err
	}
	return int(binary.LittleEndian.Uint32(size[:])), nil
}

// SourceDigest identifies the sources of the agent and the toolchain they are
// for, in twelve hex digits.
func SourceDigest() string {
	h := sha256.New()
	fmt.Fprintln(h, runtime.Version())
	for _, name := range sourceFiles() {
		b, err := source.ReadFile(name)
		if err != nil {
			panic("bug: embedded file vanished: " + err.Error())
		}
		fmt.Fprintln(h, name, len(b))
		h.Write(b)
	}
	return hex.EncodeToString(h.Sum(nil))[:12]
}

// sourceFiles lists the files the agent is built of, sorted.
func sourceFiles() []string {
	var names []string
	for _, dir := range []string{"cmd/agent", "holder", "mux", "standin"} {
		entries, err := source.ReadDir(dir)
		if err != nil {
			panic("bug: embedded directory vanished: " + err.Error())
		}
		for _, e := range entries {
			if !strings.HasSuffix(e.Name(), "_test.go") {
				names = append(names, path.Join(dir, e.Name()))
			}
		}
	}
	slices.Sort(names)
	return names
}

// buildInto builds the agent and keeps it under name.
func buildInto(ctx context.Context, name, arch string) ([]byte, error) {
	dir, err := os.MkdirTemp("", "acalocal-agent-")
	if err != nil {
		return nil, fmt.Errorf("build agent: %w", err)
	}
	defer os.RemoveAll(dir)
	out := filepath.Join(dir, "agent")
	if err := Build(ctx, dir, out, arch); err != nil {
		return nil, err
	}
	b, err := os.ReadFile(out)
	if err != nil {
		return nil, fmt.Errorf("build agent: %w", err)
	}
	return b, keep(name, b)
}

// keep writes b to name so that nobody ever sees half of it.
func keep(name string, b []byte) error {
	if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
		return fmt.Errorf("keep agent: %w", err)
	}
	f, err := os.CreateTemp(filepath.Dir(name), ".agent-")
	if err != nil {
		return fmt.Errorf("keep agent: %w", err)
	}
	_, err = f.Write(b)
	err = errors.Join(err, f.Close())
	if err == nil {
		err = os.Rename(f.Name(), name)
	}
	if err != nil {
		return fmt.Errorf("keep agent: %w", errors.Join(err, os.Remove(f.Name())))
	}
	return nil
}

// Build writes the sources to dir and the executable for linux on arch to the
// file out, with the Go toolchain of this machine.
func Build(ctx context.Context, dir, out, arch string) error {
	tool, err := exec.LookPath("go")
	if err != nil {
		return fmt.Errorf("%w for linux/%s in this build, and no Go toolchain to make it", ErrNoBinary, arch)
	}
	if err := writeSource(dir); err != nil {
		return fmt.Errorf("build agent: %w", err)
	}
	cmd := exec.CommandContext(ctx, tool, "build", "-trimpath", "-buildvcs=false", "-ldflags=-s -w", "-o", out, "./internal/agent/cmd/agent")
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "GOOS=linux", "GOARCH="+arch, "CGO_ENABLED=0", "GOFLAGS=", "GOWORK=off", "GOTOOLCHAIN=local")
	var said bytes.Buffer
	cmd.Stdout, cmd.Stderr = &said, &said
	if err := cmd.Run(); err != nil {
		return fmt.Errorf("build agent: %w: %s", err, bytes.TrimSpace(said.Bytes()))
	}
	return nil
}

func writeSource(dir string) error {
	mod := "module " + modulePath + "\n\ngo 1.26\n"
	if err := os.WriteFile(filepath.Join(dir, "go.mod"), []byte(mod), 0o644); err != nil {
		return err
	}
	for _, name := range sourceFiles() {
		b, err := source.ReadFile(name)
		if err != nil {
			return err
		}
		file := filepath.Join(dir, "internal", "agent", filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
			return err
		}
		if err := os.WriteFile(file, b, 0o644); err != nil {
			return err
		}
	}
	return nil
}
