package cli_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/acalocal/acalocal/internal/client"
	"github.com/rogpeppe/go-internal/testscript"
)

// engineProxy stands between acalocal and a Docker Engine that others use, and
// lets it hang or go away for one script alone.
type engineProxy struct {
	target   string // path of the engine's socket
	listener net.Listener

	mu      sync.Mutex
	refuses bool                  // guarded by mu; new connections are closed
	passes  chan struct{}         // guarded by mu; closed while bytes pass
	open    map[net.Conn]struct{} // guarded by mu
}

// defaultSocket is where an engine listens unless DOCKER_HOST says otherwise.
const defaultSocket = "/var/run/docker.sock"

func newEngineProxy(socket string) (*engineProxy, error) {
	target := defaultSocket
	if host := os.Getenv("DOCKER_HOST"); host != "" {
		path, ok := strings.CutPrefix(host, "unix://")
		if !ok {
			return nil, errors.New("the engine is not behind a unix socket")
		}
		target = path
	}
	l, err := net.Listen("unix", socket)
	if err != nil {
		return nil, err
	}
	p := &engineProxy{target: target, listener: l, passes: make(chan struct{}), open: map[net.Conn]struct{}{}}
	close(p.passes)
	go p.accept()
	return p, nil
}

func (p *engineProxy) accept() {
	for {
		c, err := p.listener.Accept()
		if err != nil {
			return // the script is over
		}
		go p.serve(c)
	}
}

func (p *engineProxy) serve(c net.Conn) {
	defer c.Close()
	p.mu.Lock()
	refuses := p.refuses
	p.mu.Unlock()
	if refuses {
		return
	}
	engine, err := net.Dial("unix", p.target)
	if err != nil {
		return
	}
	defer engine.Close()
	p.mu.Lock()
	p.open[c], p.open[engine] = struct{}{}, struct{}{}
	p.mu.Unlock()
	defer func() {
		p.mu.Lock()
		delete(p.open, c)
		delete(p.open, engine)
		p.mu.Unlock()
	}()
	var both sync.WaitGroup
	both.Go(func() { p.copy(engine, c) })
	both.Go(func() { p.copy(c, engine) })
	both.Wait()
}

// copy carries bytes one way, while bytes pass.
func (p *engineProxy) copy(to, from net.Conn) {
	buf := make([]byte, 32<<10)
	for {
		n, err := from.Read(buf)
		p.mu.Lock()
		passes := p.passes
		p.mu.Unlock()
		<-passes
		if n > 0 {
			if _, err := to.Write(buf[:n]); err != nil {
				return
			}
		}
		if err != nil {
			_ = to.(*net.UnixConn).CloseWrite() // the other end may be gone
			return
		}
	}
}

// set makes the engine hang, be away, or be there.
func (p *engineProxy) set(state string) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	select {
	case <-p.passes:
	default:
		close(p.passes) // what hung goes on, or finds its connection closed
	}
	p.refuses = false
	switch state {
	case "pass":
	case "hang":
		p.passes = make(chan struct{})
	case "away":
		p.refuses = true
		for c := range p.open {
			_ = c.Close() // that is the point
		}
	default:
		return fmt.Errorf("the engine cannot be told to %s", state)
	}
	return nil
}

// proxies are those of scripts that run, by their directory.
var proxies sync.Map

// closeProxies ends what scripts have left, when all of them are over.
func closeProxies() {
	proxies.Range(func(work, p any) bool {
		l := p.(*engineProxy).listener
		_ = p.(*engineProxy).set("away")
		_ = l.Close() // nobody is told
		_ = os.RemoveAll(filepath.Dir(l.Addr().String()))
		proxies.Delete(work)
		return true
	})
}

// engineCommand is
//
//	engine proxy           puts a proxy of its own before the engine for the rest of the script
//	engine hang|away|pass  lets it hang, be away, be there again
func engineCommand(ts *testscript.TestScript, _ bool, args []string) {
	work := ts.Getenv("WORK")
	if args[0] == "proxy" {
		dir, err := os.MkdirTemp("", "acalocal-engine") // a socket's path must be short
		ts.Check(err)
		p, err := newEngineProxy(filepath.Join(dir, "docker.sock"))
		ts.Check(err)
		proxies.Store(work, p)
		ts.Setenv("DOCKER_HOST", "unix://"+filepath.Join(dir, "docker.sock"))
		ts.Defer(func() { _ = p.set("pass") }) // the daemon is yet to be taken down
		return
	}
	p, ok := proxies.Load(work)
	if !ok {
		ts.Fatalf("there is no \"engine proxy\" yet")
	}
	ts.Check(p.(*engineProxy).set(args[0]))
}

// serveThrough is "answers APP PATH FOR": the app answers every request for so
// long, one each half second.
func serveThrough(ts *testscript.TestScript, _ bool, args []string) {
	span, err := time.ParseDuration(args[2])
	ts.Check(err)
	snap, err := client.New(scriptEnvironment(ts)).Snapshot(context.Background())
	ts.Check(err)
	app := snap.App(args[0])
	if app == nil {
		ts.Fatalf("there is no app %s", args[0])
	}
	c := http.Client{Timeout: patience}
	over := time.After(span)
	tick := time.NewTicker(500 * time.Millisecond)
	defer tick.Stop()
	for n := 1; ; n++ {
		resp, err := c.Get(app.Local.URL + args[1])
		ts.Check(err)
		_, err = io.Copy(io.Discard, resp.Body)
		resp.Body.Close()
		ts.Check(err)
		if resp.StatusCode != http.StatusOK {
			ts.Fatalf("request %d was answered %d", n, resp.StatusCode)
		}
		select {
		case <-tick.C:
		case <-over:
			return
		}
	}
}

// peakMemory is "peak MIB": the daemon has never held more memory than that.
func peakMemory(ts *testscript.TestScript, _ bool, args []string) {
	limit, err := strconv.Atoi(args[0])
	ts.Check(err)
	info, err := client.New(scriptEnvironment(ts)).Info(context.Background())
	ts.Check(err)
	f, err := os.Open(fmt.Sprintf("/proc/%d/status", info.PID))
	ts.Check(err)
	defer f.Close()
	in := bufio.NewScanner(f)
	for in.Scan() {
		words := strings.Fields(in.Text())
		if len(words) == 3 && words[0] == "VmHWM:" {
			kib, err := strconv.Atoi(words[1])
			ts.Check(err)
			ts.Logf("the daemon held at most %d MiB", kib>>10)
			if kib>>10 > limit {
				ts.Fatalf("the daemon held %d MiB, more than %d", kib>>10, limit)
			}
			return
		}
	}
	ts.Fatalf("no peak in /proc/%d/status", info.PID)
}
