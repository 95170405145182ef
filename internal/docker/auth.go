package docker

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"os/exec"
	"strings"

	"github.com/moby/moby/api/pkg/authconfig"
	"github.com/moby/moby/api/types/registry"

	"github.com/acalocal/acalocal/internal/container"
)

// storedAuth is one entry of auths in the docker CLI's config.json.
type storedAuth struct {
	Auth          string `json:"auth"` // base64 of user:password
	Username      string `json:"username"`
	Password      string `json:"password"`
	IdentityToken string `json:"identitytoken"`
	RegistryToken string `json:"registrytoken"`
}

// hubServer is the name under which the docker CLI keeps the credentials of
// Docker Hub.
const hubServer = "https://index.docker.io/v1/"

// registryAuth returns the header that logs the engine in to a registry: with
// the credentials given, else the user's own, else as nobody.
func (e *Engine) registryAuth(ctx context.Context, domain string, given *container.Credentials) (string, error) {
	if given != nil {
		return authconfig.Encode(registry.AuthConfig{
			Username: given.Username, Password: given.Password, ServerAddress: given.Server,
		})
	}
	server := domain
	if domain == "docker.io" {
		server = hubServer
	}
	auth, err := e.config.auth(ctx, server)
	if err != nil { // the image may be public
		e.log.Warn().Err(err).Str("registry", domain).Msg("stored credentials not used")
		return "", nil
	}
	if auth == (registry.AuthConfig{}) {
		return "", nil
	}
	return authconfig.Encode(auth)
}

// auth returns the user's credentials for a registry, empty when there are
// none.
func (c *cliConfig) auth(ctx context.Context, server string) (registry.AuthConfig, error) {
	helper := c.CredsStore
	if h, ok := c.CredHelpers[hostOf(server)]; ok {
		helper = h
	}
	if helper != "" {
		auth, err := askHelper(ctx, helper, server)
		if err != nil || auth != (registry.AuthConfig{}) {
			return auth, err
		}
	}
	stored, ok := c.Auths[server]
	for name, a := range c.Auths {
		if !ok && hostOf(name) == hostOf(server) {
			stored, ok = a, true
		}
	}
	return stored.decode(server)
}

// hostOf returns the host in a name that may have a scheme and a path.
func hostOf(server string) string {
	_, rest, found := strings.Cut(server, "://")
	if !found {
		rest = server
	}
	host, _, _ := strings.Cut(rest, "/")
	return host
}

// decode returns the entry as the engine takes it.
func (a storedAuth) decode(server string) (registry.AuthConfig, error) {
	if a == (storedAuth{}) {
		return registry.AuthConfig{}, nil
	}
	user, password := a.Username, a.Password
	if a.Auth != "" {
		b, err := base64.StdEncoding.DecodeString(a.Auth)
		if err != nil {
			return registry.AuthConfig{}, fmt.Errorf("credentials of %s in docker configuration: %w", server, err)
		}
		user, password, _ = strings.Cut(strings.TrimRight(string(b), "\x00"), ":")
	}
	return registry.AuthConfig{
		Username: user, Password: password, ServerAddress: server,
		IdentityToken: a.IdentityToken, RegistryToken: a.RegistryToken,
	}, nil
}

// helperNotFound is how helpers say that they have nothing, on stdout.
const helperNotFound = "credentials not found"

// tokenUser is the user name by which helpers mark an identity token.
const tokenUser = "<token>"

// askHelper runs docker-credential-NAME. See
// https://github.com/docker/docker-credential-helpers#development.
func askHelper(ctx context.Context, helper, server string) (registry.AuthConfig, error) {
	cmd := exec.CommandContext(ctx, "docker-credential-"+helper, "get")
	cmd.Stdin = strings.NewReader(server)
	var said, complaint bytes.Buffer
	cmd.Stdout, cmd.Stderr = &said, &complaint
	if err := cmd.Run(); err != nil {
		if strings.Contains(said.String(), helperNotFound) {
			return registry.AuthConfig{}, nil
		}
		return registry.AuthConfig{}, fmt.Errorf("credential helper %s: %w: %s", helper, err, bytes.TrimSpace(complaint.Bytes()))
	}
	var answer struct{ Username, Secret string }
	if err := json.Unmarshal(said.Bytes(), &answer); err != nil {
		return registry.AuthConfig{}, fmt.Errorf("credential helper %s: %w", helper, err)
	}
	auth := registry.AuthConfig{Username: answer.Username, Password: answer.Secret, ServerAddress: server}
	if answer.Username == tokenUser {
		auth = registry.AuthConfig{IdentityToken: answer.Secret, ServerAddress: server}
	}
	return auth, nil
}
