package core

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"

	"github.com/acalocal/acalocal/emulator/aca"
	"github.com/acalocal/acalocal/internal/container"
)

// holderSpec is the holder of a replica. Its label holds what a later daemon
// needs to carry on when everything but the engine is lost.
func (s *State) holderSpec(r *replica) container.Spec {
	return container.Spec{
		Env:      s.o.Environment,
		Key:      r.holder.key,
		Hostname: r.name,
		Labels: map[string]string{
			container.LabelState: s.label(r),
			labelRoll:            strconv.Itoa(r.roll),
			labelPort:            strconv.Itoa(r.port),
			labelHash:            r.hash,
		},
	}
}

// Labels of a holder beside those every container has.
const (
	labelRoll = "dev.acalocal.roll" // restarts of the revision it was made for
	labelPort = "dev.acalocal.port" // target port it was made for
	labelHash = "dev.acalocal.hash" // replica-set hash
)

// memberSpec is the container of one attempt.
func (s *State) memberSpec(m *member) (container.Spec, error) {
	rev := m.rep.rev
	env, err := aca.ResolveEnv(aca.PlatformEnv(s.envFacts(m.rep)), m.spec.Env, secretsOf(rev.app))
	if err != nil {
		return container.Spec{}, err
	}
	spec := container.Spec{
		Env:        s.o.Environment,
		Key:        m.key,
		Image:      m.spec.Image,
		Entrypoint: aca.ExpandWords(m.spec.Command, env),
		Cmd:        aca.ExpandWords(m.spec.Args, env),
	}
	for _, v := range env {
		spec.Variables = append(spec.Variables, v.Name+"="+v.Value)
	}
	if res := m.spec.Resources; res != nil {
		spec.CPU = res.CPU
		if spec.Memory, err = aca.ParseMemory(res.Memory); err != nil && res.Memory != "" {
			return container.Spec{}, fmt.Errorf("container %s: memory %q: %w", m.spec.Name, res.Memory, err)
		}
	}
	spec.Mounts, err = s.mounts(m)
	return spec, err
}

func (s *State) envFacts(r *replica) aca.EnvFacts {
	a := r.rev.app
	f := aca.EnvFacts{App: a.spec.Name, Revision: r.rev.name, Replica: r.name, DNSSuffix: s.o.Domain, Telemetry: a.telemetry}
	if in := a.spec.Properties.Configuration.Ingress; in != nil {
		f.HasIngress, f.Internal, f.TargetPort = true, !in.External, in.TargetPort
	}
	return f
}

// secretsOf are the values of an app's secrets. A reference to a key vault that
// nobody gave a value is empty; a value that was lost with an earlier daemon is
// not known.
func secretsOf(a *app) aca.Secrets {
	values := valuesOf(a.spec)
	return func(name string) (string, bool) {
		value, ok := values(name)
		return value, ok || slices.Contains(a.unresolved, name)
	}
}

// valuesOf are the values that the secrets of a definition have.
func valuesOf(app aca.ContainerApp) aca.Secrets {
	return func(name string) (string, bool) {
		for _, secret := range app.Properties.Configuration.Secrets {
			if secret.Name == name {
				return secret.Value, secret.Value != ""
			}
		}
		return "", false
	}
}

// mounts are the volumes of a container: EmptyDir lives as long as the
// replica, Secret files are fixed when the replica starts. A directory of this
// machine may stand for any of them.
func (s *State) mounts(m *member) ([]container.Mount, error) {
	var out []container.Mount
	dirs := m.rep.rev.app.dirs
	for _, vm := range m.spec.VolumeMounts {
		v := findVolume(m.rep.rev.template.Volumes, vm.VolumeName)
		if v == nil {
			return nil, fmt.Errorf("container %s mounts volume %q, which is not defined", m.spec.Name, vm.VolumeName)
		}
		mount := container.Mount{Target: vm.MountPath, SubPath: vm.SubPath}
		dir := dirs.of(v)
		switch v.StorageType {
		case "", "EmptyDir":
			mount.Type, mount.Source = container.MountVolume, m.rep.name+"."+v.Name
		case "Secret":
			mount.Type, mount.ReadOnly, mount.Files = container.MountTmpfs, true, secretFiles(m.rep.rev.app.spec, *v)
		default: // AzureFile, NfsAzureFile: shared by all replicas, kept while the environment is
			mount.Type, mount.Source, mount.ReadOnly = container.MountVolume, "storage."+v.StorageName, dirs.readOnly(v)
		}
		if dir != "" {
			mount.Type, mount.Source, mount.Files = container.MountBind, dir, nil
		}
		out = append(out, mount)
	}
	return dirs.more(m.spec.Name, out), nil
}

func findVolume(volumes []aca.Volume, name string) *aca.Volume {
	for i := range volumes {
		if volumes[i].Name == name {
			return &volumes[i]
		}
	}
	return nil
}

func secretFiles(app aca.ContainerApp, v aca.Volume) map[string][]byte {
	files := map[string][]byte{}
	for _, secret := range app.Properties.Configuration.Secrets {
		if len(v.Secrets) == 0 {
			files[secret.Name] = []byte(secret.Value)
		}
		for _, sv := range v.Secrets {
			if sv.SecretRef != secret.Name {
				continue
			}
			path := sv.Path
			if path == "" {
				path = secret.Name
			}
			files[path] = []byte(secret.Value)
		}
	}
	return files
}

// pullSpec never pulls what was built here.
func (s *State) pullSpec(m *member) container.PullSpec {
	a := m.rep.rev.app
	p := PullSpec(a.spec, m.spec.Image)
	if a.local[m.spec.Image] {
		p.Policy = container.PullNever
	}
	return p
}

// PullSpec pulls an image that is missing, with the credentials of the app's
// registries.
func PullSpec(app aca.ContainerApp, image string) container.PullSpec {
	p := container.PullSpec{Image: image}
	secret := valuesOf(app)
	for _, reg := range app.Properties.Configuration.Registries {
		if reg.Username == "" || registryOf(image) != reg.Server {
			continue
		}
		password, _ := secret(reg.PasswordSecretRef)
		p.Credentials = &container.Credentials{Server: reg.Server, Username: reg.Username, Password: password}
	}
	return p
}

// registryOf is the registry part of an image name; short names are looked up
// at Docker Hub.
func registryOf(image string) string {
	for i, c := range image {
		switch c {
		case '/':
			return image[:i]
		case '@':
			return "docker.io"
		}
	}
	return "docker.io"
}

// unresolved are the references to a key vault that have no value here.
func unresolved(app aca.ContainerApp) []string {
	var names []string
	for _, s := range app.Properties.Configuration.Secrets {
		if s.KeyVaultURL != "" && s.Value == "" {
			names = append(names, s.Name)
		}
	}
	return names
}

// secretDigest tells whether the values of an app's secrets changed without
// keeping them.
func secretDigest(app aca.ContainerApp) string {
	if len(app.Properties.Configuration.Secrets) == 0 {
		return "none"
	}
	h := sha256.New()
	for _, secret := range app.Properties.Configuration.Secrets {
		fmt.Fprintf(h, "%q=%q\n", secret.Name, secret.Value)
	}
	return hex.EncodeToString(h.Sum(nil)[:8])
}

// redacted is an app without the values of its secrets.
func redacted(app aca.ContainerApp) aca.ContainerApp {
	secrets := make([]aca.Secret, len(app.Properties.Configuration.Secrets))
	for i, secret := range app.Properties.Configuration.Secrets {
		secret.Value = ""
		secrets[i] = secret
	}
	app.Properties.Configuration.Secrets = secrets
	return app
}

// saved is what a daemon needs to carry on with a after a crash.
func (a *app) saved() SavedApp {
	out := SavedApp{
		App:        redacted(a.spec),
		HostPort:   a.hostPort,
		Local:      sortedKeys(a.local),
		Dirs:       a.dirs,
		Created:    a.created,
		Modified:   a.modified,
		Made:       a.made,
		Serving:    a.serving,
		Secrets:    a.secrets,
		Removed:    a.removed,
		Stopped:    a.stopped,
		Unresolved: a.unresolved,
		Pending:    a.pending,
		Resiliency: a.resiliency,
		Telemetry:  a.telemetry,
	}
	for _, rev := range a.revisions {
		out.Revisions = append(out.Revisions, rev.saved())
	}
	return out
}

func (r *revision) saved() SavedRevision {
	return SavedRevision{
		Name: r.name, Created: r.created, Since: r.since, Left: r.left, Health: r.health,
		Active: r.active, EverReady: r.everReady, Restarts: r.restarts, Template: r.template,
	}
}

// label is saved for one replica's revision alone, as compact JSON.
func (s *State) label(r *replica) string {
	saved := r.rev.app.saved()
	saved.Revisions = []SavedRevision{r.rev.saved()}
	text, err := json.Marshal(saved)
	if err != nil {
		panic("bug: an app that was read cannot be written: " + err.Error())
	}
	return string(text)
}

func (s *State) save(a *app) { s.emit(SaveApp{a.saved()}) }
