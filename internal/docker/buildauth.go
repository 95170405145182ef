package docker

import (
	"context"

	"github.com/moby/buildkit/session/auth"
	"google.golang.org/grpc"
)

// buildAuth gives a build the user's registry credentials, for the images it
// starts from. BuildKit fetches tokens itself then.
type buildAuth struct {
	auth.UnimplementedAuthServer
	engine *Engine
}

// Register implements session.Attachable.
func (b *buildAuth) Register(s *grpc.Server) { auth.RegisterAuthServer(s, b) }

// Credentials implements auth.AuthServer.
func (b *buildAuth) Credentials(ctx context.Context, r *auth.CredentialsRequest) (*auth.CredentialsResponse, error) {
	server := r.Host
	if server == "registry-1.docker.io" {
		server = hubServer
	}
	a, err := b.engine.config.auth(ctx, server)
	if err != nil { // the image may be public
		b.engine.log.Warn().Err(err).Str("registry", r.Host).Msg("stored credentials not used")
		return &auth.CredentialsResponse{}, nil
	}
	if a.IdentityToken != "" {
		return &auth.CredentialsResponse{Secret: a.IdentityToken}, nil
	}
	return &auth.CredentialsResponse{Username: a.Username, Secret: a.Password}, nil
}
