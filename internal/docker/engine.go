// Package docker runs containers in a Docker Engine: it implements the ports
// container.Runtime and container.Builder.
//
// A replica's holder is a container in the environment's network that runs
// acalocal's agent; the replica's containers join its network namespace. No
// port is published and no address has to be reachable: probes, and where need
// be requests, go over the standard streams of the holder, which every engine
// carries, a remote or rootless one too.
package docker

import (
	"context"
	"sync"

	"github.com/moby/moby/api/types/system"
	"github.com/moby/moby/client"
	"github.com/rs/zerolog"

	"github.com/acalocal/acalocal/internal/container"
)

// Options say which engine to use and how.
type Options struct {
	// Host is the engine's address, as DOCKER_HOST; "" resolves it as the
	// docker CLI does.
	Host string
	// Context is the name of a docker context; "" resolves it as the docker
	// CLI does. Host wins over it.
	Context string
	// CacheDir keeps an agent that had to be built; "" is the user's own
	// cache directory.
	CacheDir string
	// StopFirstOnly makes Stop signal only the first process of a container,
	// as the docker CLI does. ACA signals all of them.
	StopFirstOnly bool
	// Network is a further network of the engine that replicas join, so that
	// their containers reach by name what others have put there; "" is none.
	Network string
	// Log receives what is worth knowing and has no caller to return it to.
	// The zero value discards it.
	Log zerolog.Logger
}

// Engine is one Docker Engine. All methods may be called concurrently.
type Engine struct {
	client   *client.Client
	host     string
	facts    system.Info
	config   *cliConfig
	options  Options
	log      zerolog.Logger
	agents   agentPool
	gates    gateSet
	resting  statusCache
	reach    reachability
	entries  entryCache
	holder   string     // guarded by holderMu; name of the holder image, once it was needed
	envMu    sync.Mutex // one EnsureEnvironment or RemoveEnvironment at a time
	holderMu sync.Mutex // one import of the holder image at a time
}

var _ container.Runtime = (*Engine)(nil)

// New connects to the engine and settles on an API version both sides speak.
// Failures carry the codes CodeUnreachable and CodePermission.
func New(ctx context.Context, o Options) (*Engine, error) {
	config, err := loadConfig()
	if err != nil {
		return nil, err
	}
	where, err := config.resolve(o.Host, o.Context)
	if err != nil {
		return nil, err
	}
	c, err := where.client()
	if err != nil {
		return nil, err
	}
	e := &Engine{client: c, host: where.host, config: config, options: o, log: o.Log}
	if err := e.greet(ctx); err != nil {
		_ = c.Close() // nothing is under way
		return nil, err
	}
	return e, nil
}

// greet settles the API version and reads what does not change while the
// engine runs.
func (e *Engine) greet(ctx context.Context) error {
	if _, err := e.client.Ping(ctx, client.PingOptions{NegotiateAPIVersion: true}); err != nil {
		return e.connectError(err)
	}
	info, err := e.client.Info(ctx, client.InfoOptions{})
	if err != nil {
		return e.wrap(err, "ask engine about itself")
	}
	if info.Info.OSType != "linux" {
		return container.Errorf(container.CodePlatform, "switch Docker to Linux containers",
			"the Docker Engine at %s runs %s containers", e.host, info.Info.OSType)
	}
	e.facts = info.Info
	return nil
}

// Close ends all connections to agents and waits until nothing of the engine's
// runs any more. It touches no container. Contexts of calls under way must be
// cancelled by their owners.
func (e *Engine) Close() error {
	e.gates.close()
	e.agents.close()
	return e.client.Close()
}

// Host is the address of the engine, such as "unix:///var/run/docker.sock".
func (e *Engine) Host() string { return e.host }
