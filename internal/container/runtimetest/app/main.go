//go:build unix

// Command app is a containertest.Program come true: it does in a container
// what the program in its first argument, as JSON, says. Beyond that it can be
// asked to do something at once, for tests of a real engine: app do WORD...
package main

import (
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/signal"
	"strconv"
	"syscall"
	"time"

	"github.com/acalocal/acalocal/internal/container/containertest"
)

func main() {
	if len(os.Args) > 2 && os.Args[1] == "do" {
		os.Exit(do(os.Args[2], os.Args[3:]))
	}
	var p containertest.Program
	if err := json.Unmarshal([]byte(os.Args[1]), &p); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(2)
	}
	os.Exit(run(p))
}

func run(p containertest.Program) int {
	stopped := make(chan os.Signal, 1)
	signal.Notify(stopped, syscall.SIGTERM)
	if p.IgnoresStop {
		signal.Ignore(syscall.SIGTERM)
	}
	for _, line := range p.Prints {
		fmt.Println(line)
	}
	go serve(p)
	var ended <-chan time.Time
	if p.ExitAfter > 0 {
		ended = time.After(p.ExitAfter)
	}
	select {
	case <-stopped:
		return 0
	case <-ended:
		return p.ExitCode
	}
}

// serve answers HTTP on all ports of the program.
func serve(p containertest.Program) {
	<-time.After(p.ListenAfter)
	host := ""
	if p.Loopback {
		host = "127.0.0.1"
	}
	for _, port := range p.Listens {
		l, err := net.Listen("tcp", net.JoinHostPort(host, strconv.Itoa(port)))
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		go http.Serve(l, http.HandlerFunc(answer)) // until the process ends
	}
}

// answer says who asks; /status/CODE answers with that status, /bytes/COUNT with
// so many zero bytes.
func answer(w http.ResponseWriter, r *http.Request) {
	var code int
	var count int64
	if _, err := fmt.Sscanf(r.URL.Path, "/bytes/%d", &count); err == nil {
		_, _ = io.CopyN(w, zero{}, count) // the reader counts
		return
	}
	if _, err := fmt.Sscanf(r.URL.Path, "/status/%d", &code); err == nil {
		w.WriteHeader(code)
	}
	fmt.Fprintf(w, "%s %s %s %s\n", r.Method, r.Host, r.URL.Path, r.UserAgent())
}

type zero struct{}

func (zero) Read(p []byte) (int, error) {
	clear(p)
	return len(p), nil
}
