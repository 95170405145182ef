package docker

import (
	"crypto/sha256"
	"crypto/tls"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"

	"github.com/docker/go-connections/tlsconfig"
	"github.com/moby/moby/client"

	"github.com/acalocal/acalocal/internal/container"
)

// cliConfig is the docker CLI's config.json, as far as it matters here.
type cliConfig struct {
	dir            string
	CurrentContext string                 `json:"currentContext"`
	Auths          map[string]storedAuth  `json:"auths"`
	CredsStore     string                 `json:"credsStore"`
	CredHelpers    map[string]string      `json:"credHelpers"`
	Proxies        map[string]proxyConfig `json:"proxies"`
}

// loadConfig reads the configuration of the user's docker CLI. A user without
// one has an empty one.
func loadConfig() (*cliConfig, error) {
	c := &cliConfig{dir: os.Getenv("DOCKER_CONFIG")}
	if c.dir == "" {
		home, err := os.UserHomeDir()
		if err != nil { // a service account: the CLI goes without, too
			return c, nil
		}
		c.dir = filepath.Join(home, ".docker")
	}
	name := filepath.Join(c.dir, "config.json")
	b, err := os.ReadFile(name)
	if errors.Is(err, fs.ErrNotExist) {
		return c, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read docker configuration: %w", err)
	}
	if err := json.Unmarshal(b, c); err != nil {
		return nil, fmt.Errorf("read docker configuration %s: %w", name, err)
	}
	return c, nil
}

// location is where an engine is and how to talk to it.
type location struct {
	host       string
	tlsDir     string // ca.pem, cert.pem, key.pem; "" = none
	skipVerify bool
	fromEnv    bool // DOCKER_TLS_VERIFY and DOCKER_CERT_PATH apply
}

// defaultContext is the name of the context that stands for no context.
const defaultContext = "default"

// resolve finds the engine in the docker CLI's order: an explicit host or
// context, DOCKER_HOST, DOCKER_CONTEXT, the current context, the default
// socket. See https://docs.docker.com/engine/manage-resources/contexts/.
func (c *cliConfig) resolve(host, name string) (location, error) {
	if host == "" && name == "" {
		host = os.Getenv("DOCKER_HOST")
	}
	if host != "" {
		return location{host: host, fromEnv: true}, nil
	}
	for _, candidate := range []string{name, os.Getenv("DOCKER_CONTEXT"), c.CurrentContext, defaultContext} {
		if candidate != "" {
			name = candidate
			break
		}
	}
	if name == defaultContext {
		return location{host: client.DefaultDockerHost, fromEnv: true}, nil
	}
	return c.context(name)
}

// context reads the named docker context.
func (c *cliConfig) context(name string) (location, error) {
	sum := sha256.Sum256([]byte(name))
	id := hex.EncodeToString(sum[:])
	b, err := os.ReadFile(filepath.Join(c.dir, "contexts", "meta", id, "meta.json"))
	if errors.Is(err, fs.ErrNotExist) {
		return location{}, container.Errorf(container.CodeUnreachable,
			`list contexts with "docker context ls"`, "there is no docker context %q", name)
	}
	if err != nil {
		return location{}, fmt.Errorf("read docker context %q: %w", name, err)
	}
	var meta struct {
		Endpoints map[string]struct {
			Host          string
			SkipTLSVerify bool
		}
	}
	if err := json.Unmarshal(b, &meta); err != nil {
		return location{}, fmt.Errorf("read docker context %q: %w", name, err)
	}
	endpoint := meta.Endpoints["docker"]
	if endpoint.Host == "" {
		return location{}, container.Errorf(container.CodeUnreachable,
			`choose another with "docker context use"`, "the docker context %q names no Docker Engine", name)
	}
	l := location{host: endpoint.Host, skipVerify: endpoint.SkipTLSVerify}
	tls := filepath.Join(c.dir, "contexts", "tls", id, "docker")
	if _, err := os.Stat(tls); err == nil {
		l.tlsDir = tls
	}
	return l, nil
}

// client makes a client that talks to the engine; it does not connect yet.
func (l location) client() (*client.Client, error) {
	opts := []client.Opt{client.WithAPIVersionFromEnv()}
	switch {
	case isSSH(l.host):
		dial, err := sshDialer(l.host)
		if err != nil {
			return nil, err
		}
		opts = append(opts, client.WithHost("http://"+client.DummyHost), client.WithDialContext(dial))
	case l.fromEnv:
		opts = append(opts, client.WithTLSClientConfigFromEnv(), client.WithHost(l.host))
	default:
		secure, err := l.withTLS()
		if err != nil {
			return nil, err
		}
		opts = append(opts, secure, client.WithHost(l.host))
	}
	c, err := client.New(opts...)
	if err != nil {
		return nil, container.Errorf(container.CodeUnreachable,
			"a host looks like unix:///var/run/docker.sock, tcp://host:2376 or ssh://user@host",
			"cannot use docker host %q: %w", l.host, err)
	}
	return c, nil
}

// withTLS applies the certificates of a context. Those that are absent are left
// to the defaults, as the CLI does.
func (l location) withTLS() (client.Opt, error) {
	if l.tlsDir == "" {
		return nil, nil
	}
	existing := func(name string) string {
		name = filepath.Join(l.tlsDir, name)
		if _, err := os.Stat(name); err != nil {
			return ""
		}
		return name
	}
	config, err := tlsconfig.Client(tlsconfig.Options{
		CAFile:             existing("ca.pem"),
		CertFile:           existing("cert.pem"),
		KeyFile:            existing("key.pem"),
		ExclusiveRootPools: true,
		InsecureSkipVerify: l.skipVerify,
		MinVersion:         tls.VersionTLS12,
	})
	if err != nil {
		return nil, fmt.Errorf("certificates of docker context: %w", err)
	}
	return client.WithHTTPClient(&http.Client{
		Transport:     &http.Transport{TLSClientConfig: config},
		CheckRedirect: client.CheckRedirect,
	}), nil
}
