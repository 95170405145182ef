package daemon

import (
	"bufio"
	"cmp"
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"strconv"
	"sync"
	"sync/atomic"

	"github.com/acalocal/acalocal/ingress"
	"github.com/acalocal/acalocal/internal/api"
	"github.com/acalocal/acalocal/internal/home"
)

// defaultAPIPort is the port of the local API when nobody asked for another.
const defaultAPIPort = 8079

// access is what an environment remembers of its local API, so that links,
// connection strings and scripts outlive a daemon.
type access struct {
	Port  int    `json:"port"`
	Token string `json:"token"`
}

// apiPort is the loopback port of the local API and the pages. It answers
// http and, with a certificate of the local authority, https: Azure's clients
// send no token without TLS.
type apiPort struct {
	net.Listener
	token string
}

// openAPIPort opens the wanted port; without one, the port this environment
// had before, else the usual one, else a free one. It is on loopback unless bind
// says otherwise, whatever the edge listens on.
func openAPIPort(files home.Environment, bind string, wanted int) (*apiPort, error) {
	kept, err := readAccess(files)
	if err != nil {
		return nil, err
	}
	p := &apiPort{token: kept.Token}
	if p.token == "" {
		p.token = api.NewToken()
	}
	for _, port := range candidates(wanted, kept.Port) {
		p.Listener, err = net.Listen("tcp", net.JoinHostPort(cmp.Or(bind, "127.0.0.1"), strconv.Itoa(port)))
		if err == nil {
			break
		}
	}
	if err != nil {
		return nil, fmt.Errorf("open the port of the local API: %w", err)
	}
	now := access{p.Addr().(*net.TCPAddr).Port, p.token}
	if now == kept {
		return p, nil
	}
	if err := writeAccess(files, now); err != nil {
		return nil, errors.Join(err, p.Close())
	}
	return p, nil
}

// candidates are the ports to try, in order.
func candidates(wanted, kept int) []int {
	switch {
	case wanted == AnyPort:
		return []int{0}
	case wanted != 0:
		return []int{wanted}
	case kept != 0:
		return []int{kept, defaultAPIPort, 0}
	}
	return []int{defaultAPIPort, 0}
}

// url is the base URL of the local API.
func (p *apiPort) url() string {
	addr := p.Addr().(*net.TCPAddr)
	if addr.IP.IsUnspecified() {
		return fmt.Sprintf("http://127.0.0.1:%d", addr.Port)
	}
	return "http://" + addr.String()
}

// listener takes connections with and without TLS.
func (p *apiPort) listener(source ingress.CertificateSource) net.Listener {
	return &eitherListener{p.Listener, tlsConfig(source)}
}

func readAccess(files home.Environment) (a access, err error) {
	text, err := os.ReadFile(files.Access())
	if errors.Is(err, fs.ErrNotExist) {
		return a, nil
	}
	if err != nil {
		return a, fmt.Errorf("read the port of the local API: %w", err)
	}
	// A file that was cut short says nothing: there will be a new token.
	if json.Unmarshal(text, &a) != nil {
		return access{}, nil
	}
	return a, nil
}

func writeAccess(files home.Environment, a access) error {
	text, err := json.Marshal(a)
	if err != nil {
		panic("bug: numbers and text do not encode: " + err.Error())
	}
	if err := os.WriteFile(files.Access(), append(text, '\n'), 0o600); err != nil {
		return fmt.Errorf("keep the port of the local API: %w", err)
	}
	return nil
}

// tlsConfig serves certificates for loopback names: "localhost" for callers
// that use an address.
func tlsConfig(source ingress.CertificateSource) *tls.Config {
	return &tls.Config{
		NextProtos: []string{"http/1.1"},
		GetCertificate: func(hello *tls.ClientHelloInfo) (*tls.Certificate, error) {
			if hello.ServerName == "" {
				return source("localhost")
			}
			return source(hello.ServerName)
		},
	}
}

// tlsHandshake is the type of the record that begins TLS (RFC 8446, 5.1).
const tlsHandshake = 22

// eitherListener is a listener whose callers may speak TLS or not: their first
// byte says which.
type eitherListener struct {
	net.Listener
	config *tls.Config
}

// Accept returns at once: the first byte is looked at by who reads.
func (l *eitherListener) Accept() (net.Conn, error) {
	c, err := l.Listener.Accept()
	if err != nil {
		return nil, err
	}
	return &eitherConn{Conn: c, config: l.config}, nil
}

// eitherConn is a connection that is found to be TLS, or not, by its first
// Read or Write. Deadlines are those of the connection below.
type eitherConn struct {
	net.Conn
	config *tls.Config

	once  sync.Once
	found atomic.Pointer[net.Conn]
	err   error // set before found
}

// settle waits for the first byte.
func (c *eitherConn) settle() (net.Conn, error) {
	c.once.Do(func() {
		r := bufio.NewReaderSize(c.Conn, 16)
		first, err := r.Peek(1)
		var found net.Conn = &peekedConn{c.Conn, r}
		if err == nil && first[0] == tlsHandshake {
			found = tls.Server(found, c.config)
		}
		c.err = err
		c.found.Store(&found)
	})
	return *c.found.Load(), c.err
}

func (c *eitherConn) Read(b []byte) (int, error) {
	found, err := c.settle()
	if err != nil {
		return 0, err
	}
	return found.Read(b)
}

func (c *eitherConn) Write(b []byte) (int, error) {
	found, err := c.settle()
	if err != nil {
		return 0, err
	}
	return found.Write(b)
}

// Close also ends a wait for the first byte.
func (c *eitherConn) Close() error {
	if found := c.found.Load(); found != nil {
		return (*found).Close()
	}
	return c.Conn.Close()
}

// peekedConn is a connection of which the first bytes were looked at.
type peekedConn struct {
	net.Conn
	r *bufio.Reader
}

func (c *peekedConn) Read(b []byte) (int, error) { return c.r.Read(b) }
