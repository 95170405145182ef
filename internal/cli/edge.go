package cli

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"os/signal"
	"strconv"
	"syscall"
	"time"

	"github.com/spf13/cobra"

	"github.com/acalocal/acalocal/ingress"
)

// edgeFlags are the flags of "acalocal edge".
type edgeFlags struct {
	listen, tls, h2c   string
	cert, key          string
	backend, h2Backend string
	timeScale          float64
	noRetries          bool
	hideReason         bool
}

// Names of the two apps of a stand-alone edge.
const (
	edgeApp   = "backend"
	edgeH2App = "h2-backend"
)

// edgeShutdown is how long requests in flight may take to end.
const edgeShutdown = 10 * time.Second

func newEdgeCommand(s Streams) *cobra.Command {
	var f edgeFlags
	cmd := &cobra.Command{
		Use:   "edge",
		Short: "Serve the edge in front of one fixed backend, without Docker",
		Long: `Serve the edge of Azure Container Apps in front of one fixed backend.

There is no environment and no container: whatever the Host, requests go to the
backend, with the headers, time limits, retries and error texts of the real
edge. Every listener is optional. An interrupt or SIGTERM lets requests in
flight end, for ten seconds at most.`,
		Example: `  acalocal edge --listen 127.0.0.1:8080 --backend 127.0.0.1:3000
  acalocal edge --tls 127.0.0.1:8443 --cert cert.pem --key key.pem --backend 127.0.0.1:3000
  acalocal edge --h2c 127.0.0.1:8081 --h2-backend 127.0.0.1:50051`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return runEdge(cmd.Context(), s, f) },
	}
	flags := cmd.Flags()
	flags.StringVar(&f.listen, "listen", "", "serve plain HTTP on `ADDR`")
	flags.StringVar(&f.tls, "tls", "", "serve HTTPS on `ADDR`; needs --cert and --key")
	flags.StringVar(&f.h2c, "h2c", "", "serve HTTP/2 without TLS on `ADDR`, for --h2-backend")
	flags.StringVar(&f.cert, "cert", "", "certificate `FILE` for --tls, PEM")
	flags.StringVar(&f.key, "key", "", "key `FILE` for --tls, PEM")
	flags.StringVar(&f.backend, "backend", "", "`ADDR` of the HTTP/1.1 backend")
	flags.StringVar(&f.h2Backend, "h2-backend", "", "`ADDR` of the HTTP/2 (h2c) backend")
	flags.Float64Var(&f.timeScale, "time-scale", 1, "divide the time limits by `N`: 60 turns 240 s into 4 s")
	flags.BoolVar(&f.noRetries, "no-retries", false, "never send a request a second time")
	flags.BoolVar(&f.hideReason, "no-reason", false, "leave the x-acalocal-reason header out")
	return cmd
}

func runEdge(ctx context.Context, s Streams, f edgeFlags) error {
	table, err := f.table()
	if err != nil {
		return misuse(err, `see "acalocal edge --help"`)
	}
	options, err := f.options()
	if err != nil {
		return failed(err, "--cert and --key name PEM files")
	}
	g, err := ingress.New(options)
	if err != nil {
		return err
	}
	if _, err := g.Apply(table); err != nil {
		return err
	}
	ctx, stop := signal.NotifyContext(ctx, os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := f.open(g, s); err != nil {
		return errors.Join(failed(err, "is another program using the address?"), g.Shutdown(ctx))
	}
	<-ctx.Done()
	stop() // a second signal ends the program at once
	end, cancel := context.WithTimeout(context.Background(), edgeShutdown)
	defer cancel()
	return g.Shutdown(end)
}

// table describes the fixed backends as apps.
func (f edgeFlags) table() (ingress.Table, error) {
	t := ingress.Table{Generation: 1, Domain: "edge.localhost"}
	switch {
	case f.listen == "" && f.tls == "" && f.h2c == "":
		return t, errors.New("there is nothing to listen on: give --listen, --tls or --h2c")
	case (f.listen != "" || f.tls != "") && f.backend == "":
		return t, errors.New("--listen and --tls need --backend")
	case f.h2c != "" && f.h2Backend == "":
		return t, errors.New("--h2c needs --h2-backend")
	case f.tls != "" && (f.cert == "" || f.key == ""):
		return t, errors.New("--tls needs --cert and --key")
	}
	for _, b := range []struct {
		name, addr string
		transport  ingress.Transport
	}{{edgeApp, f.backend, ingress.TransportAuto}, {edgeH2App, f.h2Backend, ingress.TransportHTTP2}} {
		if b.addr == "" {
			continue
		}
		app, err := fixedApp(b.name, b.addr, b.transport)
		if err != nil {
			return t, err
		}
		t.Apps = append(t.Apps, app)
	}
	return t, nil
}

// fixedApp is an app with one replica at addr.
func fixedApp(name, addr string, transport ingress.Transport) (ingress.App, error) {
	host, port, err := net.SplitHostPort(addr)
	if err != nil {
		return ingress.App{}, fmt.Errorf("backend %q is not HOST:PORT", addr)
	}
	if host == "localhost" || host == "" {
		host = "127.0.0.1"
	}
	number, err := strconv.ParseUint(port, 10, 16)
	if _, bad := netip.ParseAddr(host); bad != nil || err != nil {
		return ingress.App{}, fmt.Errorf("backend %q is not an IP address and a port", addr)
	}
	revision := name + "--0000001"
	return ingress.App{
		Name: name, External: true, Enabled: true, AllowInsecure: true, Transport: transport, TargetPort: int(number),
		Revisions: []ingress.Revision{{Name: revision, Endpoints: []ingress.Endpoint{
			{Replica: revision + "-fixed", Port: int(number), Addr: host},
		}}},
		Split: []ingress.Weight{{Revision: revision, Weight: 100}},
	}, nil
}

func (f edgeFlags) options() (ingress.Options, error) {
	o := ingress.Options{TimeScale: f.timeScale, HideReason: f.hideReason}
	if f.noRetries {
		o.Retries = -1
	}
	if f.tls == "" {
		return o, nil
	}
	cert, err := tls.LoadX509KeyPair(f.cert, f.key)
	if err != nil {
		return o, fmt.Errorf("load certificate: %w", err)
	}
	o.Certificates = func(string) (*tls.Certificate, error) { return &cert, nil }
	return o, nil
}

// open opens the listeners and says where they are.
func (f edgeFlags) open(g *ingress.Ingress, s Streams) error {
	for _, l := range []struct {
		scheme string
		spec   ingress.ListenSpec
	}{
		{"http", ingress.ListenSpec{Kind: ingress.HTTP, Addr: f.listen, App: edgeApp}},
		{"https", ingress.ListenSpec{Kind: ingress.HTTPS, Addr: f.tls, App: edgeApp}},
		{"h2c", ingress.ListenSpec{Kind: ingress.HTTP, Addr: f.h2c, App: edgeH2App}},
	} {
		if l.spec.Addr == "" {
			continue
		}
		addr, err := g.Listen(l.spec)
		if err != nil {
			return err
		}
		fmt.Fprintf(s.Out, "%s://%s\n", l.scheme, addr)
		fmt.Fprint(s.Err, exposed(addr.String()))
	}
	return nil
}
