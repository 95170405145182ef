// Package acalocal runs apps in the rules of Azure Container Apps from any test
// that uses testcontainers-go: revisions, probes, the edge, logs and events as
// they are there.
//
//	c, err := acalocal.Run(ctx, "acalocal:dev", acalocal.WithFile("containerapp.yaml"))
//	testcontainers.CleanupContainer(t, c)
//	…
//	url, err := c.URL(ctx, "web")
//
// The container has the socket of the engine it runs on, and starts the apps
// beside itself. It speaks acalocal's HTTP API and nothing else, so the version
// of this module and of the image may differ.
package acalocal

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"

	"github.com/moby/moby/api/types/container"
	"github.com/testcontainers/testcontainers-go"
	tcexec "github.com/testcontainers/testcontainers-go/exec"
	"github.com/testcontainers/testcontainers-go/wait"
)

const (
	apiPort      = "8079/tcp"
	edgePort     = "8080/tcp"
	firstAppPort = 8081
	// appPorts is how many apps can be reached at an address of their own.
	appPorts = 10
)

// Container is a running environment.
type Container struct {
	testcontainers.Container
	environment string
	token       string
	http        *http.Client
}

// Run starts acalocal from an image and applies the apps of the options, which
// it does not wait for: see WaitReady.
func Run(ctx context.Context, img string, opts ...testcontainers.ContainerCustomizer) (*Container, error) {
	var id [4]byte
	_, _ = rand.Read(id[:]) // never fails: https://pkg.go.dev/crypto/rand#Read
	environment := fmt.Sprintf("tc-%x", id)
	settings := settings{}
	for _, opt := range opts {
		if o, ok := opt.(Option); ok {
			if err := o(&settings); err != nil {
				return nil, fmt.Errorf("acalocal: %w", err)
			}
		}
	}
	ports := []string{apiPort, edgePort}
	for i := range appPorts {
		ports = append(ports, fmt.Sprintf("%d/tcp", firstAppPort+i))
	}
	variables := map[string]string{"ACALOCAL_API_LISTEN": "0.0.0.0"}
	if settings.network != "" {
		variables["ACALOCAL_NETWORK"] = settings.network
	}
	if settings.timeScale != 0 {
		variables["ACALOCAL_TIME_SCALE"] = fmt.Sprint(settings.timeScale)
	}
	socket := testcontainers.MustExtractDockerSocket(ctx)
	defaults := []testcontainers.ContainerCustomizer{
		testcontainers.WithExposedPorts(ports...),
		testcontainers.WithEnv(variables),
		testcontainers.WithCmd("serve", "--env", environment),
		testcontainers.WithHostConfigModifier(func(h *container.HostConfig) {
			h.Binds = append(h.Binds, socket+":/var/run/docker.sock")
		}),
		testcontainers.WithWaitStrategy(wait.ForLog("is ready; the API is at").WithStartupTimeout(time.Minute)),
	}
	ctr, err := testcontainers.Run(ctx, img, append(defaults, opts...)...)
	var c *Container
	if ctr != nil {
		c = &Container{Container: ctr, environment: environment, http: &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}}
	}
	if err != nil {
		return c, fmt.Errorf("run acalocal: %w", err)
	}
	if err := c.readToken(ctx); err != nil {
		return c, err
	}
	for _, app := range settings.apps {
		if _, err := c.Apply(ctx, app, settings.local...); err != nil {
			return c, err
		}
	}
	return c, nil
}

// readToken asks in the container, which is where only its owner gets to.
func (c *Container) readToken(ctx context.Context) error {
	code, out, err := c.Exec(ctx, []string{"acalocal", "api", "--token", "--env", c.environment}, tcexec.Multiplexed())
	if err != nil {
		return fmt.Errorf("ask acalocal for its token: %w", err)
	}
	text, err := io.ReadAll(out)
	if err != nil {
		return fmt.Errorf("ask acalocal for its token: %w", err)
	}
	if code != 0 {
		return fmt.Errorf("ask acalocal for its token: exit code %d: %s", code, text)
	}
	c.token = strings.TrimSpace(string(text))
	return nil
}

// Environment is the name of the environment.
func (c *Container) Environment() string { return c.environment }

// APIEndpoint is the base URL of the HTTP API and the token it wants, as
// "Authorization: Bearer TOKEN". Requests must name a loopback host: where the
// engine is another machine, set their Host to "localhost".
func (c *Container) APIEndpoint(ctx context.Context) (url, token string, err error) {
	url, err = c.PortEndpoint(ctx, apiPort, "http")
	return url, c.token, err
}

// EdgeEndpoint is the URL that stands for port 80 of the environment: requests
// name an app in their Host, as "web.<environment>.localhost".
func (c *Container) EdgeEndpoint(ctx context.Context) (string, error) {
	return c.PortEndpoint(ctx, edgePort, "http")
}

// URL is where an app with external ingress answers, "" being the only app. It
// stands for the app's https address, with TLS already ended.
func (c *Container) URL(ctx context.Context, app string) (string, error) {
	s, err := c.status(ctx)
	if err != nil {
		return "", err
	}
	for _, a := range s.Apps {
		if a.Name != app && (app != "" || len(s.Apps) > 1) {
			continue
		}
		if a.Local.Port == 0 {
			return "", fmt.Errorf("app %s has no external http ingress", a.Name)
		}
		if a.Local.Port >= firstAppPort+appPorts {
			return "", fmt.Errorf("app %s is one of more than %d: it has no address of its own; see EdgeEndpoint", a.Name, appPorts)
		}
		return c.PortEndpoint(ctx, fmt.Sprintf("%d/tcp", a.Local.Port), "http")
	}
	return "", fmt.Errorf("there is no app %q", app)
}

// Terminate drains and removes the apps, and then the container.
func (c *Container) Terminate(ctx context.Context, opts ...testcontainers.TerminateOption) error {
	var err error
	if c.token != "" {
		err = c.shutdown(ctx)
	}
	return errors.Join(err, c.Container.Terminate(ctx, opts...))
}

// shutdown asks the environment to remove everything and waits for its end. A
// container that has ended already has nothing to remove.
func (c *Container) shutdown(ctx context.Context) error {
	state, err := c.State(ctx)
	if err != nil || !state.Running {
		return nil //nolint:nilerr // Terminate says what is wrong with a container that is gone
	}
	if err := c.call(ctx, http.MethodPost, "shutdown?remove=true", nil, nil); err != nil {
		return fmt.Errorf("remove the apps: %w", err)
	}
	return wait.ForExit().WithExitTimeout(2*time.Minute).WaitUntilReady(ctx, c.Container)
}

var _ testcontainers.Container = (*Container)(nil)
