package docker

import (
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
)

// playSSH names the variable that makes this test binary the remote end of
// "ssh … docker system dial-stdio": an address to connect to.
const playSSH = "ACALOCAL_TEST_SSH_TO"

// dialStdio carries standard input and output to addr, as the docker CLI does.
func dialStdio(addr string) int {
	conn, err := net.Dial("tcp", addr)
	if err != nil {
		fmt.Fprintln(os.Stderr, "Permission denied (publickey).")
		return 255
	}
	go func() {
		_, _ = io.Copy(conn, os.Stdin) // ends with the caller
		_ = conn.(*net.TCPConn).CloseWrite()
	}()
	if _, err := io.Copy(os.Stdout, conn); err != nil {
		return 1
	}
	return 0
}

// fakeSSH puts an ssh into the path that leads to addr.
func fakeSSH(t *testing.T, addr string) {
	t.Helper()
	if runtime.GOOS == "windows" {
		t.Skip("the fake is a shell script")
	}
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	script := fmt.Sprintf("#!/bin/sh\necho \"$@\" >> %s/args\nexec env %s=%s %s\n", dir, playSSH, addr, self)
	if err := os.WriteFile(filepath.Join(dir, "ssh"), []byte(script), 0o755); err != nil {
		t.Fatal(err)
	}
	t.Setenv("PATH", dir+string(os.PathListSeparator)+os.Getenv("PATH"))
}

func TestEngineBehindSSH(t *testing.T) {
	listed := make(chan struct{}, 1)
	_, host := playEngine(t, "1.41", "linux", map[string]http.HandlerFunc{
		"/containers/json": func(w http.ResponseWriter, _ *http.Request) {
			listed <- struct{}{}
			fmt.Fprintln(w, "[]")
		},
	})
	fakeSSH(t, strings.TrimPrefix(host, "tcp://"))
	e, err := New(t.Context(), Options{Host: "ssh://me@there"})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := e.List(t.Context(), "dev"); err != nil {
		t.Error(err)
	}
	<-listed
	if err := e.Close(); err != nil {
		t.Error(err)
	}
}

func TestSSHThatFailsIsQuoted(t *testing.T) {
	dockerHome(t, "{}")
	fakeSSH(t, "127.0.0.1:1")
	_, err := New(t.Context(), Options{Host: "ssh://me@there"})
	if want := "no Docker Engine answers at ssh://me@there: ssh: Permission denied (publickey)."; err == nil || err.Error() != want {
		t.Errorf("%v, want %s", err, want)
	}
}
