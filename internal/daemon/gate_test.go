package daemon

import (
	"fmt"
	"io"
	"net"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/acalocal/acalocal/ingress"
)

func TestGatesAreForTheNamesAppsCallEachOtherBy(t *testing.T) {
	web := ingress.App{Name: "web", External: true, Enabled: true, Revisions: []ingress.Revision{{Name: "web--r1"}}}
	back := ingress.App{Name: "back", Enabled: true, AdditionalPorts: []ingress.PortMapping{{TargetPort: 9000, ExposedPort: 9001}, {TargetPort: 7000}}}
	db := ingress.App{Name: "db", Enabled: true, Transport: ingress.TransportTCP, TargetPort: 5432}
	mq := ingress.App{Name: "mq", External: true, Enabled: true, Transport: ingress.TransportTCP, TargetPort: 5672}
	blue := ingress.App{Name: "blue", Enabled: true, Labels: []ingress.Label{{Name: "next", Revision: "blue--r1"}}}
	job := ingress.App{Name: "job"}
	for _, c := range []struct {
		name string
		apps []ingress.App
		want []gate
	}{
		{"a single app calls nobody", []ingress.App{web}, nil},
		{"short names and hosts", []ingress.App{job, web}, []gate{{"", []string{"web", "web--r1.x.localhost", "web.x.localhost"}, []int{80, 443}}}},
		{"a TCP app has a gate of its own", []ingress.App{db, job}, []gate{{"db", []string{"db"}, []int{5432}}}},
		{"an external TCP app has its host, too", []ingress.App{mq, job}, []gate{{"mq", []string{"mq", "mq.x.localhost"}, []int{5672}}}},
		{"labels have hosts", []ingress.App{blue, job}, []gate{{"", []string{"blue", "blue---next.internal.x.localhost", "blue.internal.x.localhost"}, []int{80, 443}}}},
		{"additional ports are with the other ports of the app", []ingress.App{back, job}, []gate{
			{"back", []string{"back", "back.internal.x.localhost"}, []int{80, 443, 9001, 7000}},
		}},
		{"no names without ingress", []ingress.App{job, job}, nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			got := gatesOf(ingress.Table{Domain: "x.localhost", Apps: c.apps})
			if diff := cmp.Diff(c.want, got, cmp.AllowUnexported(gate{})); diff != "" {
				t.Errorf("gates (-want +got):\n%s", diff)
			}
		})
	}
}

func TestConnectionsOfAGateGoToTheirPort(t *testing.T) {
	l := &fakeGate{conns: make(chan net.Conn), done: make(chan struct{})}
	parts := splitByPort(l, []int{80, 443})
	for _, port := range []int{443, 80} {
		go func() {
			client, server := net.Pipe()
			l.conns <- portConn{server, port}
			fmt.Fprint(client, port)
			client.Close()
		}()
		c, err := parts[port].Accept()
		if err != nil {
			t.Fatal(err)
		}
		if text, _ := io.ReadAll(c); string(text) != fmt.Sprint(port) {
			t.Errorf("the listener of port %d got a connection to %s", port, text)
		}
	}
	l.Close()
	if _, err := parts[80].Accept(); err == nil {
		t.Error("a part of a closed gate still accepts")
	}
}

type fakeGate struct {
	conns chan net.Conn
	done  chan struct{}
}

func (g *fakeGate) Accept() (net.Conn, error) {
	select {
	case c := <-g.conns:
		return c, nil
	case <-g.done:
		return nil, net.ErrClosed
	}
}
func (g *fakeGate) Close() error   { close(g.done); return nil }
func (g *fakeGate) Addr() net.Addr { return &net.TCPAddr{} }

type portConn struct {
	net.Conn
	port int
}

func (c portConn) LocalAddr() net.Addr { return &net.TCPAddr{Port: c.port} }
