package deploy

import (
	"github.com/acalocal/acalocal/emulator"
	"github.com/acalocal/acalocal/internal/config"
)

// Request is an app as the emulator wants it, secrets filled in from this
// machine.
func Request(app *config.App, built []string) emulator.ApplyRequest {
	definition := *app.Clone()
	values := map[string]string{}
	secrets := definition.Properties.Configuration.Secrets
	for i := range secrets {
		value, ok := app.SecretValue(secrets[i].Name)
		switch {
		case !ok:
		case secrets[i].KeyVaultURL != "":
			values[secrets[i].Name] = value.Reveal()
		default:
			secrets[i].Value = value.Reveal()
		}
	}
	req := emulator.ApplyRequest{App: definition, HostPort: app.Local.HostPort, LocalImages: built, Directories: Directories(app), SecretValues: values, Telemetry: app.Local.Telemetry}
	if app.Resiliency != nil {
		req.Resiliency = &app.Resiliency.ResiliencyPolicy
	}
	return req
}
