package home

import (
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestOpenFindsTheStateDirectory(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("Windows has neither XDG directories nor HOME")
	}
	f := func(state, xdg, want string) {
		t.Helper()
		t.Setenv("ACALOCAL_STATE_DIR", state)
		t.Setenv("XDG_STATE_HOME", xdg)
		t.Setenv("HOME", "/home/me")
		h, err := Open()
		if err != nil || h.Dir() != want {
			t.Errorf("%q, %q: got %s, %v; want %s", state, xdg, h.Dir(), err, want)
		}
	}
	f("", "", "/home/me/.local/state/acalocal")
	f("", "/xdg", "/xdg/acalocal")
	f("", "relative/is/ignored", "/home/me/.local/state/acalocal")
	f("/state", "/xdg", "/state")
}

func TestFilesOfAnEnvironment(t *testing.T) {
	e := At("/s").Environment("dev")
	got := []string{e.Dir(), e.Lock(), e.LogFile(), e.History(), e.Logs(), e.Socket()}
	want := []string{"/s/dev", "/s/dev/lock", "/s/dev/daemon.log", "/s/dev/history", "/s/dev/logs", "/s/dev/api.sock"}
	for i := range want {
		want[i] = filepath.FromSlash(want[i])
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestSocketPathsStayShort(t *testing.T) {
	deep := filepath.Join(t.TempDir(), strings.Repeat("deep/", 30))
	one, two := At(deep).Environment("one").Socket(), At(deep).Environment("two").Socket()
	if len(one) >= 100 || one == two {
		t.Errorf("got %s and %s, want two short paths", one, two)
	}
	if again := At(deep).Environment("one").Socket(); again != one {
		t.Errorf("got %s, then %s; want the same each time", one, again)
	}
}

func TestCreateAndRemoveLeaveNothing(t *testing.T) {
	f := func(root string) {
		t.Helper()
		e := At(root).Environment("dev")
		if err := e.Create(); err != nil {
			t.Fatal(err)
		}
		for _, dir := range []string{e.Dir(), filepath.Dir(e.Socket())} {
			info, err := os.Stat(dir)
			if err != nil {
				t.Fatal(err)
			}
			if mode := info.Mode().Perm(); runtime.GOOS != "windows" && mode != 0o700 {
				t.Errorf("%s has mode %o, want 700", dir, mode)
			}
		}
		if names, err := At(root).Environments(); err != nil || !cmp.Equal(names, []string{"dev"}) {
			t.Errorf("environments: %v, %v", names, err)
		}
		if err := e.Remove(); err != nil {
			t.Fatal(err)
		}
		for _, path := range []string{root, filepath.Dir(e.Socket())} {
			if _, err := os.Stat(path); !os.IsNotExist(err) {
				t.Errorf("%s is left (%v)", path, err)
			}
		}
	}
	f(filepath.Join(t.TempDir(), "state"))
	f(filepath.Join(t.TempDir(), strings.Repeat("deep/", 30), "state"))
}

func TestRemoveKeepsTheDirectoryTheUserGave(t *testing.T) {
	f := func(root string, kept bool) {
		t.Helper()
		t.Setenv("ACALOCAL_STATE_DIR", root)
		h, err := Open()
		if err != nil {
			t.Fatal(err)
		}
		one, two := h.Environment("one"), h.Environment("two")
		for _, step := range []func() error{one.Create, two.Create, two.Create, one.Remove, two.Remove} {
			if err := step(); err != nil {
				t.Fatal(err)
			}
		}
		left, err := os.ReadDir(root)
		if kept != (err == nil) || len(left) != 0 {
			t.Errorf("%s: got %v, %v; want it kept: %v", root, left, err, kept)
		}
	}
	f(t.TempDir(), true)
	f(filepath.Join(t.TempDir(), "made"), false)
}

func TestRemoveKeepsOtherEnvironments(t *testing.T) {
	h := At(filepath.Join(t.TempDir(), "state"))
	for _, name := range []string{"one", "two"} {
		if err := h.Environment(name).Create(); err != nil {
			t.Fatal(err)
		}
	}
	if err := h.Environment("one").Remove(); err != nil {
		t.Fatal(err)
	}
	if names, err := h.Environments(); err != nil || !cmp.Equal(names, []string{"two"}) {
		t.Errorf("environments: %v, %v", names, err)
	}
}

func TestNoStateDirectoryMeansNoEnvironments(t *testing.T) {
	if names, err := At(filepath.Join(t.TempDir(), "none")).Environments(); err != nil || names != nil {
		t.Errorf("got %v, %v", names, err)
	}
}
