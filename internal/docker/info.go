package docker

import (
	"cmp"
	"context"
	"slices"
	"strings"
	"time"

	apicontainer "github.com/moby/moby/api/types/container"
	"github.com/moby/moby/client"

	"github.com/acalocal/acalocal/internal/container"
)

// Info is what there is to know about an engine, for people.
type Info struct {
	Host          string // as DOCKER_HOST
	Version       string // of the engine
	APIVersion    string // both sides agreed on
	OS            string // "Debian GNU/Linux 12 (bookworm)", "Docker Desktop"
	Kernel        string
	Architecture  string // GOARCH
	Rootless      bool
	Desktop       bool   // containers run in a virtual machine of Docker Desktop
	CgroupVersion string // "1" or "2"
	CgroupDriver  string
	StorageDriver string
	CPUs          int
	Memory        int64 // bytes
	SwapLimit     bool  // false: the kernel cannot hold memory without swap
	BuildKit      bool
	Clock         time.Time // the engine's, when it answered
	ClockRead     time.Time // ours, at the same moment
	Disk          DiskUsage
	Warnings      []string // the engine's own
}

// DiskUsage is what the engine's objects take, in bytes.
type DiskUsage struct{ Images, Containers, Volumes, BuildCache int64 }

// Info asks the engine about itself. Disk usage is counted by the engine at
// each call and may take seconds on one with many images.
func (e *Engine) Info(ctx context.Context) (Info, error) {
	r, err := e.client.Info(ctx, client.InfoOptions{})
	if err != nil {
		return Info{}, e.wrap(err, "ask engine about itself")
	}
	now := time.Now()
	i := r.Info
	info := Info{
		Host: e.host, Version: i.ServerVersion, APIVersion: e.client.ClientVersion(),
		OS: i.OperatingSystem, Kernel: i.KernelVersion, Architecture: cmp.Or(goarch[i.Architecture], i.Architecture),
		Rootless: hasRootless(i.SecurityOptions), Desktop: strings.Contains(i.OperatingSystem, "Docker Desktop"),
		CgroupVersion: cmp.Or(i.CgroupVersion, "1"), CgroupDriver: i.CgroupDriver, StorageDriver: i.Driver,
		CPUs: i.NCPU, Memory: i.MemTotal, SwapLimit: i.SwapLimit,
		BuildKit: e.hasBuildKit(ctx) == nil,
		Clock:    parseTime(i.SystemTime), ClockRead: now,
		Warnings: i.Warnings,
	}
	info.Disk, err = e.diskUsage(ctx)
	return info, err
}

func hasRootless(options []string) bool {
	return slices.ContainsFunc(options, func(o string) bool { return strings.HasPrefix(o, "name=rootless") })
}

func (e *Engine) diskUsage(ctx context.Context) (DiskUsage, error) {
	u, err := e.client.DiskUsage(ctx, client.DiskUsageOptions{Containers: true, Images: true, Volumes: true, BuildCache: true})
	if err != nil {
		return DiskUsage{}, e.wrap(err, "ask engine for its disk usage")
	}
	return DiskUsage{
		Images:     u.Images.TotalSize,
		Containers: u.Containers.TotalSize,
		Volumes:    u.Volumes.TotalSize,
		BuildCache: u.BuildCache.TotalSize,
	}, nil
}

// Environment is what an engine holds of one environment.
type Environment struct {
	Name       string
	Schema     string   // version of the labels; SchemaVersion when they are ours
	Containers int      // all of them, holders too
	Running    int      // of Containers
	Networks   []string // names
	Volumes    []string // names
}

// Environments lists what the engine holds of any environment, sorted by name:
// those that run, and what dead daemons have left.
func (e *Engine) Environments(ctx context.Context) ([]Environment, error) {
	found := environments{}
	if err := e.findContainers(ctx, found); err != nil {
		return nil, err
	}
	if err := e.findNetworks(ctx, found); err != nil {
		return nil, err
	}
	if err := e.findVolumes(ctx, found); err != nil {
		return nil, err
	}
	all := make([]Environment, 0, len(found))
	for _, env := range found {
		all = append(all, *env)
	}
	slices.SortFunc(all, func(a, b Environment) int { return strings.Compare(a.Name, b.Name) })
	return all, nil
}

// environments collects what belongs to each environment.
type environments map[string]*Environment

// of returns the environment that labels name.
func (m environments) of(labels map[string]string) *Environment {
	name := labels[container.LabelEnv]
	if m[name] == nil {
		m[name] = &Environment{Name: name, Schema: labels[container.LabelSchema]}
	}
	return m[name]
}

// ours selects what carries the label of any environment.
func ours() client.Filters { return make(client.Filters).Add("label", container.LabelEnv) }

func (e *Engine) findContainers(ctx context.Context, found environments) error {
	list, err := e.client.ContainerList(ctx, client.ContainerListOptions{All: true, Filters: ours()})
	if err != nil {
		return e.wrap(err, "list containers")
	}
	for _, c := range list.Items {
		env := found.of(c.Labels)
		env.Containers++
		if c.State == apicontainer.StateRunning {
			env.Running++
		}
	}
	return nil
}

func (e *Engine) findNetworks(ctx context.Context, found environments) error {
	list, err := e.client.NetworkList(ctx, client.NetworkListOptions{Filters: ours()})
	if err != nil {
		return e.wrap(err, "list networks")
	}
	for _, n := range list.Items {
		env := found.of(n.Labels)
		env.Networks = append(env.Networks, n.Name)
	}
	return nil
}

func (e *Engine) findVolumes(ctx context.Context, found environments) error {
	list, err := e.client.VolumeList(ctx, client.VolumeListOptions{Filters: ours()})
	if err != nil {
		return e.wrap(err, "list volumes")
	}
	for _, v := range list.Items {
		env := found.of(v.Labels)
		env.Volumes = append(env.Volumes, v.Name)
	}
	return nil
}
