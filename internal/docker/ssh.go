package docker

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/url"
	"os/exec"
	"strings"
	"sync"
	"time"

	"github.com/acalocal/acalocal/internal/container"
)

func isSSH(host string) bool { return strings.HasPrefix(host, "ssh://") }

// sshDialer dials an engine the way the docker CLI does for ssh:// hosts: the
// remote docker command carries one connection over its standard streams.
func sshDialer(host string) (func(ctx context.Context, network, addr string) (net.Conn, error), error) {
	args, err := sshArgs(host)
	if err != nil {
		return nil, err
	}
	return func(context.Context, string, string) (net.Conn, error) {
		// The connection outlives the dial, so its context must not end it.
		return startCommandConn(exec.Command("ssh", args...))
	}, nil
}

func sshArgs(host string) ([]string, error) {
	u, err := url.Parse(host)
	if err != nil || u.Hostname() == "" || u.Path != "" && u.Path != "/" {
		return nil, container.Errorf(container.CodeUnreachable, "an ssh host looks like ssh://user@host:22",
			"cannot use docker host %q", host)
	}
	args := []string{"-o", "ConnectTimeout=30", "-T"}
	if u.User != nil {
		args = append(args, "-l", u.User.Username())
	}
	if u.Port() != "" {
		args = append(args, "-p", u.Port())
	}
	return append(args, "--", u.Hostname(), "docker", "system", "dial-stdio"), nil
}

// sshSaid begins an error that quotes ssh.
const sshSaid = "ssh: "

// commandConn is a connection over the standard streams of a command.
type commandConn struct {
	io.Reader
	io.WriteCloser
	cmd   *exec.Cmd
	said  *bytes.Buffer // what the command says on stderr, complete once it ended
	close func() error
}

func startCommandConn(cmd *exec.Cmd) (net.Conn, error) {
	c := &commandConn{cmd: cmd, said: &bytes.Buffer{}}
	cmd.Stderr = c.said
	in, err := cmd.StdinPipe()
	if err != nil {
		return nil, err
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := cmd.Start(); err != nil {
		return nil, fmt.Errorf("dial over ssh: %w", err)
	}
	c.Reader, c.WriteCloser = out, in
	c.close = sync.OnceValue(c.end)
	return c, nil
}

// Read reads from the command; at its end the error carries what the command
// complained of.
func (c *commandConn) Read(p []byte) (int, error) {
	n, err := c.Reader.Read(p)
	if n == 0 && errors.Is(err, io.EOF) {
		_ = c.close() // for the complete stderr
		if said := bytes.TrimSpace(c.said.Bytes()); len(said) > 0 {
			return 0, fmt.Errorf(sshSaid+"%s", said)
		}
	}
	return n, err
}

// CloseWrite ends the input of the command.
func (c *commandConn) CloseWrite() error { return c.WriteCloser.Close() }

// Close ends the command and waits for it.
func (c *commandConn) Close() error { return c.close() }

func (c *commandConn) end() error {
	_ = c.WriteCloser.Close() // it may have ended by itself
	_ = c.cmd.Process.Kill()
	_ = c.cmd.Wait() // killed: its exit code says nothing
	return nil
}

func (c *commandConn) LocalAddr() net.Addr  { return sshAddr{} }
func (c *commandConn) RemoteAddr() net.Addr { return sshAddr{} }

// Deadlines do not work on pipes to a command; calls are ended by closing the
// connection, which the HTTP client does when their context ends.
func (c *commandConn) SetDeadline(time.Time) error      { return nil }
func (c *commandConn) SetReadDeadline(time.Time) error  { return nil }
func (c *commandConn) SetWriteDeadline(time.Time) error { return nil }

type sshAddr struct{}

func (sshAddr) Network() string { return "ssh" }
func (sshAddr) String() string  { return "ssh" }
