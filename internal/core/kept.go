package core

import "github.com/acalocal/acalocal/emulator/aca"

// Kept is what only the emulator knows of an app: a definition that comes back
// from a reader of its state lacks it.
type Kept struct {
	// Secrets are the values of the app's secrets by name; a daemon that took
	// the app over from another one has none.
	Secrets map[string]string
	// HostPort is the app's loopback port, 0 without external ingress.
	HostPort int
	// Local are the images that are never pulled, in order.
	Local []string
	// Directories are those of this machine it uses.
	Directories Directories
	// Resiliency is its policy, a resource of its own; nil for none.
	Resiliency *aca.ResiliencyPolicy
	// Telemetry is that of the environment.
	Telemetry aca.EnvironmentTelemetry
}

// Kept returns what is kept of an app; ok is false when there is no such app.
func (s *State) Kept(name string) (k Kept, ok bool) {
	a := s.apps[name]
	if a == nil || a.removed {
		return Kept{}, false
	}
	k = Kept{Secrets: map[string]string{}, HostPort: a.hostPort, Local: sortedKeys(a.local), Directories: a.dirs, Resiliency: a.resiliency, Telemetry: a.telemetry}
	for _, secret := range a.spec.Properties.Configuration.Secrets {
		if secret.Value != "" {
			k.Secrets[secret.Name] = secret.Value
		}
	}
	return k, true
}

// Fill puts the values into the secrets that have none, in a list of its own.
func (k Kept) Fill(app *aca.ContainerApp) {
	secrets := make([]aca.Secret, len(app.Properties.Configuration.Secrets))
	for i, secret := range app.Properties.Configuration.Secrets {
		if secret.Value == "" && secret.KeyVaultURL == "" {
			secret.Value = k.Secrets[secret.Name]
		}
		secrets[i] = secret
	}
	app.Properties.Configuration.Secrets = secrets
}
