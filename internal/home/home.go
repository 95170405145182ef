// Package home knows where acalocal keeps its files.
//
//	$ACALOCAL_STATE_DIR, else $XDG_STATE_HOME/acalocal, else ~/.local/state/acalocal
//	└── <environment>/
//	    ├── lock        held by the one daemon of the environment
//	    ├── api.sock    the control socket
//	    ├── access.json the port and token of the local API
//	    ├── daemon.log  what a detached daemon says
//	    ├── history/    revisions, one file each
//	    └── logs/       the log store
//
// Everything is readable by its owner only.
package home

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"sort"
	"time"

	"github.com/gofrs/flock"
)

// DefaultEnvironment is the name of the environment nobody named.
const DefaultEnvironment = "dev"

// Home is the root of all state.
type Home struct {
	dir   string
	given bool // by the user, who may have made the directory
}

// Open finds the state directory. It creates nothing.
func Open() (Home, error) {
	if dir := os.Getenv("ACALOCAL_STATE_DIR"); dir != "" {
		abs, err := filepath.Abs(dir)
		return Home{dir: abs, given: true}, err
	}
	if dir := os.Getenv("XDG_STATE_HOME"); filepath.IsAbs(dir) {
		return Home{dir: filepath.Join(dir, "acalocal")}, nil
	}
	if runtime.GOOS == "windows" {
		dir, err := os.UserCacheDir()
		if err != nil {
			return Home{}, fmt.Errorf("find the state directory: %w", err)
		}
		return Home{dir: filepath.Join(dir, "acalocal")}, nil
	}
	dir, err := os.UserHomeDir()
	if err != nil {
		return Home{}, fmt.Errorf("find the state directory: %w (set ACALOCAL_STATE_DIR)", err)
	}
	return Home{dir: filepath.Join(dir, ".local", "state", "acalocal")}, nil
}

// At is a Home below dir, for tests and embedded emulators.
func At(dir string) Home { return Home{dir: dir} }

// Tests is where the environments of tests live while they run: apart from the
// user's own, so that no command takes one for another, and in one place, so
// that what a killed test leaves is found again.
func Tests() Home {
	return At(filepath.Join(os.TempDir(), fmt.Sprintf("acalocal-%d", os.Getuid()), "tests"))
}

// Dir is the root directory.
func (h Home) Dir() string { return h.dir }

// Environment returns the files of one environment.
func (h Home) Environment(name string) Environment {
	return Environment{Name: name, dir: filepath.Join(h.dir, name), given: h.given}
}

// Environments returns the names that have a directory, sorted.
func (h Home) Environments() ([]string, error) {
	entries, err := os.ReadDir(h.dir)
	if errors.Is(err, os.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	var names []string
	for _, e := range entries {
		if e.IsDir() {
			names = append(names, e.Name())
		}
	}
	sort.Strings(names)
	return names, nil
}

// Environment is the files of one environment.
type Environment struct {
	Name  string
	dir   string
	given bool // the root is the user's choice
}

// Dir is the environment's directory.
func (e Environment) Dir() string { return e.dir }

// Lock is the file the environment's daemon holds locked.
func (e Environment) Lock() string { return filepath.Join(e.dir, "lock") }

// ExistingLock is the lock for those who look at an environment that may be on
// its way out: taking it makes no file, which would be left in a directory that
// is just being removed, and fails with fs.ErrNotExist when there is none.
func (e Environment) ExistingLock() *flock.Flock {
	return flock.New(e.Lock(), flock.SetFlag(os.O_RDWR))
}

// EngineFile names the container engine that the environment of a test uses.
func (e Environment) EngineFile() string { return filepath.Join(e.dir, "engine") }

// LogFile is where a detached daemon writes its own log.
func (e Environment) LogFile() string { return filepath.Join(e.dir, "daemon.log") }

// Access is the file that keeps the port and the token of the local API.
func (e Environment) Access() string { return filepath.Join(e.dir, "access.json") }

// History is the directory of saved revisions.
func (e Environment) History() string { return filepath.Join(e.dir, "history") }

// Begun is the file that says when the environment began.
func (e Environment) Begun() string { return filepath.Join(e.dir, "begun") }

// OTLP is the file that keeps the place up to which rows of the log store have
// been sent to a collector. It goes with the store.
func (e Environment) OTLP() string { return filepath.Join(e.dir, "otlp.json") }

// Logs is the directory of the log store.
func (e Environment) Logs() string { return filepath.Join(e.dir, "logs") }

// Socket is the path of the control socket. Paths of unix sockets are limited
// to about a hundred bytes, so a deep state directory moves the socket into
// the system's temporary directory, under a name derived from the path.
func (e Environment) Socket() string {
	path := filepath.Join(e.dir, "api.sock")
	if len(path) < 100 {
		return path
	}
	return filepath.Join(os.TempDir(), fmt.Sprintf("acalocal-%d-%08x", os.Getuid(), hash(e.dir)), "api.sock")
}

// Claim is a lock file that daemons of the environment share whatever their
// state directory is, as long as they are this user's and use this engine.
func (e Environment) Claim(engine string) string {
	return filepath.Join(os.TempDir(), fmt.Sprintf("acalocal-%d", os.Getuid()), fmt.Sprintf("%s-%08x.lock", e.Name, hash(engine)))
}

// madeMark stands in a root that ACALOCAL_STATE_DIR names when acalocal made
// it; without the mark the root was there before and is not ours to remove.
const madeMark = ".made-by-acalocal"

func (e Environment) root() string { return filepath.Dir(e.dir) }

// Create makes the environment's directory and that of its socket.
func (e Environment) Create() error {
	_, err := os.Stat(e.root())
	made := errors.Is(err, os.ErrNotExist)
	for _, dir := range []string{e.dir, filepath.Dir(e.Socket())} {
		if err := os.MkdirAll(dir, 0o700); err != nil {
			return fmt.Errorf("create the state directory: %w", err)
		}
	}
	if !made || !e.given {
		return nil
	}
	if err := os.WriteFile(filepath.Join(e.root(), madeMark), nil, 0o600); err != nil {
		return fmt.Errorf("mark the state directory: %w", err)
	}
	return nil
}

// Remove deletes all files of the environment, and the root when it is empty;
// a root that ACALOCAL_STATE_DIR names stays when it was there before Create.
func (e Environment) Remove() error {
	if s := filepath.Dir(e.Socket()); s != e.dir {
		if err := os.RemoveAll(s); err != nil {
			return err
		}
	}
	entries, err := os.ReadDir(e.dir)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	for _, entry := range entries {
		path := filepath.Join(e.dir, entry.Name())
		if path == e.Lock() {
			continue // the last of the files: Released waits for it
		}
		if err := os.RemoveAll(path); err != nil {
			return err
		}
	}
	if err := os.RemoveAll(e.dir); err != nil {
		return err
	}
	return e.removeRoot()
}

// Released waits until no process holds the environment any more: its files
// are removed then, if its daemon was asked to. It returns ctx's error when
// that is done before.
func (e Environment) Released(ctx context.Context) error {
	lock := e.ExistingLock()
	_, err := lock.TryLockContext(ctx, 10*time.Millisecond)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("wait for the lock of environment %s: %w", e.Name, err)
	}
	return lock.Unlock()
}

// removeRoot removes a root of ours in which nothing is left.
func (e Environment) removeRoot() error {
	if e.given {
		left, err := os.ReadDir(e.root())
		if err != nil || len(left) != 1 || left[0].Name() != madeMark {
			return nil // it is not ours, or somebody still uses it
		}
		if err := os.Remove(filepath.Join(e.root(), madeMark)); err != nil {
			return err
		}
	}
	_ = os.Remove(e.root()) // succeeds only when empty, which is what is wanted
	return nil
}

func hash(s string) uint32 {
	h := uint32(2166136261)
	for _, b := range []byte(s) {
		h = (h ^ uint32(b)) * 16777619
	}
	return h
}
