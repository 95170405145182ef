package config

import (
	"strings"

	"github.com/acalocal/acalocal/emulator/aca"
)

// resource is one resource of a definition as it takes effect, without the
// values of secrets. It is a definition itself.
type resource struct {
	name   string
	value  any // a pointer to a type of package aca
	origin func(path string) Origin
}

// resources are those of the definition: each app with its resiliency policy,
// then the environment and what belongs to it, then jobs.
func (d *Definition) resources() []resource {
	var out []resource
	add := func(name string, value any, o *origins) { out = append(out, resource{name, value, o.of}) }
	for i := range d.Apps {
		a := &d.Apps[i]
		add(a.Name, a.Effective(), &a.origin)
		if r := a.Resiliency; r != nil {
			policy := r.ResiliencyPolicy
			policy.Type = "Microsoft.App/containerApps/resiliencyPolicies"
			policy.Name = a.Name + "/" + orElse(policy.Name, "default")
			add(policy.Name, &policy, &r.origin)
		}
	}
	if env := d.Environment.effective(); env != nil {
		add(env.Name, env, &origins{tree: d.Environment.tree})
	}
	for i := range d.Environment.StorageResources {
		s := &d.Environment.StorageResources[i]
		add(s.Name, s.effective(), &s.origin)
	}
	for i := range d.Environment.RouteConfigs {
		c := &d.Environment.RouteConfigs[i]
		effective := c.HTTPRouteConfig
		effective.Type = "Microsoft.App/managedEnvironments/httpRouteConfigs"
		add(c.Name, &effective, &c.origin)
	}
	for i := range d.Jobs {
		add(d.Jobs[i].Name, d.Jobs[i].effective(), &d.Jobs[i].origin)
	}
	return out
}

// Effective is the app after defaults, without the values of secrets. It is a
// definition itself.
func (a *App) Effective() *aca.ContainerApp {
	app := a.Clone()
	app.ApplyDefaults()
	for i := range app.Properties.Configuration.Secrets {
		s := &app.Properties.Configuration.Secrets[i]
		if _, ok := a.SecretValue(s.Name); ok && s.KeyVaultURL == "" {
			s.Value = redacted
		}
	}
	return app
}

func (e *Environment) effective() *aca.ManagedEnvironment {
	if e.Resource == nil {
		return nil
	}
	env := e.Resource.Clone()
	env.Type = "Microsoft.App/managedEnvironments"
	p := &env.Properties
	if logs := p.AppLogsConfiguration; logs != nil && logs.LogAnalyticsConfiguration != nil {
		redact(&logs.LogAnalyticsConfiguration.SharedKey)
	}
	redact(&p.DaprAIInstrumentationKey)
	redact(&p.DaprAIConnectionString)
	for _, free := range []map[string]any{p.AppInsightsConfiguration, p.OpenTelemetryConfiguration, p.CustomDomainConfiguration} {
		redactFree(free)
	}
	return env
}

func (s *Storage) effective() *aca.EnvironmentStorage {
	storage := s.Clone()
	storage.Type = "Microsoft.App/managedEnvironments/storages"
	if f := storage.Properties.AzureFile; f != nil {
		redact(&f.AccountKey)
	}
	return storage
}

func (j *Job) effective() *aca.Job {
	job := j.Clone()
	job.ApplyDefaults()
	for i := range job.Properties.Configuration.Secrets {
		redact(&job.Properties.Configuration.Secrets[i].Value)
	}
	return job
}

func redact(secret *string) {
	if *secret != "" {
		*secret = redacted
	}
}

// redactFree hides the secrets in what an environment says about telemetry and
// certificates: connection strings, certificates, the key of a service, and the
// value, but not the key, of a header.
func redactFree(tree any) {
	switch tree := tree.(type) {
	case map[string]any:
		header := field(tree, "value") != nil
		for key, value := range tree {
			text, isText := value.(string)
			switch name := strings.ToLower(key); {
			case !isText:
				redactFree(value)
			case text != "" && (secretKeys[name] || name == "key" && !header):
				tree[key] = redacted
			}
		}
	case []any:
		for _, item := range tree {
			redactFree(item)
		}
	}
}

var secretKeys = map[string]bool{"connectionstring": true, "certificatevalue": true, "certificatepassword": true, "value": true}
