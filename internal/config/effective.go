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
	if p.AppInsightsConfiguration != nil {
		redact(&p.AppInsightsConfiguration.ConnectionString)
	}
	if p.OpenTelemetryConfiguration != nil {
		redactDestinations(p.OpenTelemetryConfiguration.DestinationsConfiguration)
	}
	redactCustomDomain(p.CustomDomainConfiguration)
	return env
}

func redactDestinations(d *aca.DestinationsConfiguration) {
	if d == nil {
		return
	}
	if d.DataDogConfiguration != nil {
		redact(&d.DataDogConfiguration.Key)
	}
	for i := range d.OTLPConfigurations {
		for j := range d.OTLPConfigurations[i].Headers {
			redact(&d.OTLPConfigurations[i].Headers[j].Value)
		}
	}
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

// redactCustomDomain hides the certificate of an environment's domain.
func redactCustomDomain(tree map[string]any) {
	for key, value := range tree {
		text, _ := value.(string)
		if name := strings.ToLower(key); text != "" && (name == "certificatevalue" || name == "certificatepassword") {
			tree[key] = redacted
		}
	}
}
