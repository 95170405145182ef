package aca

// ApplyDefaults fills in what Azure fills in when a definition leaves it out,
// so that the result reads like a GET of the app. Filled once, it changes
// nothing more. Probes are left alone: the hidden ones are never shown, see
// EffectiveProbes.
func (a *ContainerApp) ApplyDefaults() {
	if a.Type == "" {
		a.Type = "Microsoft.App/containerApps"
	}
	if a.Identity == nil {
		a.Identity = &Identity{Type: "None"}
	}
	a.Properties.applyDefaults()
}

func (p *AppProperties) applyDefaults() {
	if p.EnvironmentID == "" {
		p.EnvironmentID = p.ManagedEnvironmentID
	}
	p.ManagedEnvironmentID = p.EnvironmentID
	setDefault(&p.WorkloadProfileName, "Consumption")
	p.Configuration.applyDefaults()
	p.Template.applyDefaults()
}

func (c *Configuration) applyDefaults() {
	setDefault(&c.ActiveRevisionsMode, Single)
	setDefaultPtr(&c.MaxInactiveRevisions, 100)
	if c.Ingress != nil {
		c.Ingress.applyDefaults()
	}
	if c.Dapr != nil && c.Dapr.Enabled {
		setDefault(&c.Dapr.AppProtocol, "http")
		setDefault(&c.Dapr.LogLevel, "info")
	}
}

func (in *Ingress) applyDefaults() {
	setDefault(&in.Transport, TransportAuto)
	if len(in.Traffic) == 0 {
		in.Traffic = []TrafficWeight{{LatestRevision: true, Weight: 100}}
	}
	if in.Transport == TransportTCP {
		setDefault(&in.ExposedPort, in.TargetPort)
	}
	for i := range in.AdditionalPortMappings {
		m := &in.AdditionalPortMappings[i]
		setDefault(&m.ExposedPort, m.TargetPort)
	}
}

// ApplyDefaults is the same for a job.
func (j *Job) ApplyDefaults() {
	setDefault(&j.Type, "Microsoft.App/jobs")
	if j.Identity == nil {
		j.Identity = &Identity{Type: "None"}
	}
	setDefault(&j.Properties.WorkloadProfileName, "Consumption")
	t := &j.Properties.Template
	containerDefaults(t.InitContainers)
	containerDefaults(t.Containers)
	volumeDefaults(t.Volumes)
}

// DefaultCooldownPeriod and DefaultPollingInterval are those of a scale, in
// seconds.
const (
	DefaultCooldownPeriod  = 300
	DefaultPollingInterval = 30
)

func (t *Template) applyDefaults() {
	containerDefaults(t.InitContainers)
	containerDefaults(t.Containers)
	volumeDefaults(t.Volumes)
	if t.Scale == nil {
		t.Scale = &Scale{}
	}
	setDefaultPtr(&t.Scale.MaxReplicas, max(10, t.Scale.Min()))
	setDefaultPtr(&t.Scale.CooldownPeriod, DefaultCooldownPeriod)
	setDefaultPtr(&t.Scale.PollingInterval, DefaultPollingInterval)
}

func containerDefaults(containers []Container) {
	for i := range containers {
		c := &containers[i]
		if c.Resources == nil {
			c.Resources = &Resources{}
		}
		setDefault(&c.Resources.CPU, defaultCPU)
		setDefault(&c.Resources.Memory, defaultMemory)
		c.Resources.EphemeralStorage = EphemeralStorage(c.Resources.CPU)
	}
}

func volumeDefaults(volumes []Volume) {
	for i := range volumes {
		setDefault(&volumes[i].StorageType, "EmptyDir")
	}
}

// Min is the lower bound of the number of replicas: 0 when none is given.
func (s *Scale) Min() int {
	if s == nil || s.MinReplicas == nil {
		return 0
	}
	return *s.MinReplicas
}

// Max is the upper bound of the number of replicas: 10 when none is given.
func (s *Scale) Max() int {
	if s == nil || s.MaxReplicas == nil {
		return max(10, s.Min())
	}
	return *s.MaxReplicas
}

func setDefault[T comparable](field *T, value T) {
	var zero T
	if *field == zero {
		*field = value
	}
}

func setDefaultPtr[T any](field **T, value T) {
	if *field == nil {
		*field = &value
	}
}
