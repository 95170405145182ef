package docker

import (
	"context"
	"fmt"
	"maps"
	"strings"
	"time"

	"github.com/containerd/errdefs"
	apicontainer "github.com/moby/moby/api/types/container"
	"github.com/moby/moby/api/types/network"
	"github.com/moby/moby/client"

	"github.com/acalocal/acalocal/internal/container"
	"github.com/acalocal/acalocal/internal/version"
)

// Create implements container.Runtime.
func (e *Engine) Create(ctx context.Context, s container.Spec) (container.ID, error) {
	name := s.Key.Name(s.Env)
	opts, err := e.createOptions(ctx, name, s)
	if err != nil {
		return "", e.wrap(err, "create container %s", name)
	}
	create := e.create
	if s.Key.Role == container.RoleHolder {
		create = e.createOurs
	}
	r, err := create(ctx, opts)
	if errdefs.IsConflict(err) {
		id, err := e.existing(ctx, name, opts.Config.Labels)
		if err != nil {
			return "", err
		}
		return id, e.join(ctx, s, id)
	}
	if err != nil {
		return "", e.wrap(err, "create container %s", name)
	}
	for _, w := range r.Warnings {
		e.log.Debug().Str("container", name).Str("warning", w).Msg("engine warns about a container")
	}
	return container.ID(r.ID), e.join(ctx, s, container.ID(r.ID))
}

// makeWithin bounds how long the engine may take to make one thing.
const makeWithin = time.Minute

// whole is ctx for a call by which the engine makes something: one that has
// begun is waited for when ctx is done. The engine would finish it, too, and
// what it made would stay when all of the environment has been removed
// meanwhile.
func whole(ctx context.Context) (context.Context, context.CancelFunc) {
	if ctx.Err() != nil {
		return ctx, func() {}
	}
	return context.WithTimeout(context.WithoutCancel(ctx), makeWithin)
}

// create creates a container.
func (e *Engine) create(ctx context.Context, opts client.ContainerCreateOptions) (client.ContainerCreateResult, error) {
	ctx, cancel := whole(ctx)
	defer cancel()
	return e.client.ContainerCreate(ctx, opts)
}

// join puts a holder, and with it its replica, on the further network. One that
// is there already stays.
func (e *Engine) join(ctx context.Context, s container.Spec, id container.ID) error {
	if e.options.Network == "" || s.Key.Role != container.RoleHolder {
		return nil
	}
	_, err := e.client.NetworkConnect(ctx, e.options.Network, client.NetworkConnectOptions{Container: string(id)})
	switch {
	case err == nil, errdefs.IsConflict(err), errdefs.IsPermissionDenied(err) && strings.Contains(err.Error(), "already exists in network"):
		return nil
	case errdefs.IsNotFound(err):
		return container.Errorf(container.CodeNotFound, "look for it with \"docker network ls\"", "join network %s: %w", e.options.Network, err)
	}
	return e.wrap(err, "join network %s", e.options.Network)
}

// existing returns the container of that name when it is the wanted one.
func (e *Engine) existing(ctx context.Context, name string, labels map[string]string) (container.ID, error) {
	r, err := e.client.ContainerInspect(ctx, name, client.ContainerInspectOptions{})
	if err != nil {
		return "", e.wrap(err, "create container %s", name)
	}
	for k, want := range labels {
		// Another release of acalocal makes no other container.
		if k != container.LabelVersion && r.Container.Config.Labels[k] != want {
			return "", container.Errorf(container.CodeConflict, fmt.Sprintf(`remove it with "docker rm -f %s"`, name),
				"create container %s: the name is taken by another container", name)
		}
	}
	return container.ID(r.Container.ID), nil
}

func (e *Engine) createOptions(ctx context.Context, name string, s container.Spec) (client.ContainerCreateOptions, error) {
	labels := container.EncodeLabels(s.Env, s.Key)
	labels[container.LabelVersion] = version.Version
	maps.Copy(labels, s.Labels)
	if s.Key.Role == container.RoleHolder {
		return holderOptions(name, s, labels), nil
	}
	mounts, err := e.mounts(ctx, s)
	if err != nil {
		return client.ContainerCreateOptions{}, err
	}
	return client.ContainerCreateOptions{
		Name: name,
		Config: &apicontainer.Config{
			Image:      s.Image,
			Entrypoint: s.Entrypoint,
			Cmd:        s.Cmd,
			Env:        s.Variables,
			Labels:     labels,
			// ACA runs no HEALTHCHECK of an image; it has probes.
			Healthcheck: &apicontainer.HealthConfig{Test: []string{"NONE"}},
		},
		HostConfig: &apicontainer.HostConfig{
			NetworkMode:   apicontainer.NetworkMode("container:" + holderName(s)),
			LogConfig:     appLog,
			RestartPolicy: apicontainer.RestartPolicy{Name: apicontainer.RestartPolicyDisabled},
			Resources:     e.resources(s),
			Binds:         mounts.binds,
			Mounts:        mounts.mounts,
		},
	}, nil
}

// holderName returns the name of the holder of a container's replica.
func holderName(s container.Spec) string {
	k := container.Key{Replica: s.Key.Replica, Role: container.RoleHolder, Attempt: 1}
	return k.Name(s.Env)
}

// appLog keeps the output of a container until it is removed, with nanoseconds
// and the stream, on every engine. Files are rotated only to save the disk from
// a runaway: engine 20.10 repeats megabytes to a follower when it rotates, see
// decision 0604.
var appLog = apicontainer.LogConfig{
	Type:   "json-file",
	Config: map[string]string{"max-size": "10g", "max-file": "2", "mode": "blocking"},
}

// resources limits a container. ACA has no swap. An engine refuses more CPUs
// than it has, while a template that asks for four must run on a laptop with
// two, so the engine's count is the most anyone gets.
func (e *Engine) resources(s container.Spec) apicontainer.Resources {
	cpus := s.CPU
	if n := float64(e.facts.NCPU); n > 0 && cpus > n {
		cpus = n
	}
	return apicontainer.Resources{
		NanoCPUs:   int64(cpus * 1e9),
		Memory:     s.Memory,
		MemorySwap: s.Memory,
	}
}

// holderOptions describes a holder.
func holderOptions(name string, s container.Spec, labels map[string]string) client.ContainerCreateOptions {
	return client.ContainerCreateOptions{
		Name:       name,
		Config:     holderConfig(s.Hostname, labels),
		HostConfig: holderHost(s.Env),
		NetworkingConfig: &network.NetworkingConfig{EndpointsConfig: map[string]*network.EndpointSettings{
			networkName(s.Env): {Aliases: s.Aliases},
		}},
	}
}

// holderHost puts an agent into the environment's network, with no more rights
// than it takes to listen on a port below 1024.
func holderHost(env string) *apicontainer.HostConfig {
	return &apicontainer.HostConfig{
		NetworkMode:    apicontainer.NetworkMode(networkName(env)),
		LogConfig:      apicontainer.LogConfig{Type: "none"}, // the stream carries traffic, not text
		RestartPolicy:  apicontainer.RestartPolicy{Name: apicontainer.RestartPolicyDisabled},
		CapDrop:        []string{"ALL"},
		CapAdd:         []string{"NET_BIND_SERVICE"},
		SecurityOpt:    []string{"no-new-privileges"},
		ReadonlyRootfs: true,
		// Engines from 20.10 on let everyone bind every port; on ACA a user
		// that is not root gets EACCES below 1024, see
		// azureossd.github.io/2024/06/10/Container-Apps-Ports-under-1024.
		Sysctls: map[string]string{"net.ipv4.ip_unprivileged_port_start": "1024"},
	}
}

// holderConfig keeps standard input open for whoever attaches next.
func holderConfig(hostname string, labels map[string]string) *apicontainer.Config {
	return &apicontainer.Config{
		Hostname:     hostname,
		Labels:       labels,
		OpenStdin:    true,
		AttachStdin:  true,
		AttachStdout: true,
		AttachStderr: true,
	}
}
