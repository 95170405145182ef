package runtimetest

import (
	"errors"
	"fmt"
	"net/http"
	"syscall"
	"time"

	"bufio"

	"github.com/google/go-cmp/cmp"

	"github.com/acalocal/acalocal/internal/container"
)

func sharesNamespace(b *bench) {
	a := b.agent(b.holder())
	b.run(Serves, 1)
	b.waitPort(a, 8080)
	r, err := a.Check(b.ctx, container.Check{Port: 8080, Timeout: 5 * time.Second})
	b.must("check", err)
	if !r.OK {
		b.Errorf("the holder does not reach its replica: %+v", r)
	}
}

func restartKeepsNamespace(b *bench) {
	holder := b.holder()
	a := b.agent(holder)
	first := b.run(Serves, 1)
	b.waitPort(a, 8080)
	before, _ := b.status(holder)
	b.must("stop", b.Runtime.Stop(b.ctx, first, 0))
	b.must("remove", b.Runtime.Remove(b.ctx, first))
	b.run(Serves, 2)
	b.waitPort(a, 8080)
	after, _ := b.status(holder)
	if after.State != container.Running || after.Address != before.Address {
		b.Errorf("a restart changed the holder from %+v to %+v", before, after)
	}
}

// checks compares whole results, their durations and words aside.
func checks(b *bench) {
	a := b.agent(b.holder())
	b.run(Serves, 1)
	b.waitPort(a, 8080)
	for _, c := range []struct {
		name  string
		check container.Check
		want  container.CheckResult
	}{
		{"connect", container.Check{Port: 8080}, container.CheckResult{OK: true}},
		{"connection refused", container.Check{Port: 9999}, container.CheckResult{Status: "1"}},
		{"request", container.Check{Port: 8080, Scheme: "HTTP", Path: "/"}, container.CheckResult{OK: true, Status: "200"}},
		{"request refused", container.Check{Port: 9999, Scheme: "HTTP", Path: "/"}, container.CheckResult{}},
	} {
		c.check.Timeout = 5 * time.Second
		got, err := a.Check(b.ctx, c.check)
		b.must("check", err)
		if !got.OK && got.Detail == "" {
			b.Errorf("%s: a failure without words", c.name)
		}
		got.Duration, got.Detail = 0, ""
		if diff := cmp.Diff(c.want, got); diff != "" {
			b.Errorf("%s (-want +got):\n%s", c.name, diff)
		}
	}
}

func listeners(b *bench) {
	a := b.agent(b.holder())
	b.run(Serves, 1)
	private := b.spec(Private, 1)
	private.Key.Container = "side"
	id, err := b.Runtime.Create(b.ctx, private)
	b.must("create sidecar", err)
	b.must("start sidecar", b.Runtime.Start(b.ctx, id))
	b.waitPort(a, 8080)
	b.waitPort(a, 8081)
	got, err := a.Listeners(b.ctx)
	b.must("listeners", err)
	want := []container.Listener{{Port: 8080}, {Port: 8081, Loopback: true}}
	if diff := cmp.Diff(want, got); diff != "" {
		b.Errorf("listeners (-want +got):\n%s", diff)
	}
}

func dials(b *bench) {
	a := b.agent(b.holder())
	b.run(Serves, 1)
	b.waitPort(a, 8080)
	conn, err := a.Dial(b.ctx, "127.0.0.1", 8080)
	b.must("dial", err)
	defer conn.Close()
	if _, err := fmt.Fprint(conn, "GET / HTTP/1.1\r\nHost: web\r\n\r\n"); err != nil {
		b.Fatal(err)
	}
	resp, err := http.ReadResponse(bufio.NewReader(conn), nil)
	b.must("read answer", err)
	resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		b.Errorf("answer is %s", resp.Status)
	}
	if c, err := a.Dial(b.ctx, "127.0.0.1", 9999); !errors.Is(err, syscall.ECONNREFUSED) {
		b.Errorf("dial a closed port: %v %v, want connection refused", c, err)
	}
}
