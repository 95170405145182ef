package core

import (
	"fmt"

	"github.com/acalocal/acalocal/emulator/aca"
)

// checkSecrets refuses to remove a secret that a revision which stays active
// refers to: its next replica could not be made. A secret goes after the
// revisions that use it
// (learn.microsoft.com/azure/container-apps/manage-secrets). In single mode the
// change itself ends the revision before.
func checkSecrets(a *app, spec aca.ContainerApp) error {
	if a == nil || a.removed || modeOf(spec) == aca.Single {
		return nil
	}
	defined := map[string]bool{}
	for _, s := range spec.Properties.Configuration.Secrets {
		defined[s.Name] = true
	}
	for _, rev := range a.revisions {
		if !rev.active {
			continue
		}
		if name, user := missingSecret(&rev.template, defined); name != "" {
			return &aca.Error{
				Code:    "ContainerAppSecretRefNotFound",
				Message: fmt.Sprintf("SecretRef '%s' defined for %s of the active revision '%s' not found. Deactivate the revision before its secret is removed.", name, user, rev.name),
				Target:  "properties.configuration.secrets",
			}
		}
	}
	return nil
}

// missingSecret is the first secret that a template refers to and that is not
// defined, and who refers to it.
func missingSecret(t *aca.Template, defined map[string]bool) (name, user string) {
	for _, list := range [][]aca.Container{t.InitContainers, t.Containers} {
		for _, c := range list {
			for _, v := range c.Env {
				if v.SecretRef != "" && !defined[v.SecretRef] {
					return v.SecretRef, "container '" + c.Name + "'"
				}
			}
		}
	}
	for _, v := range t.Volumes {
		for _, s := range v.Secrets {
			if s.SecretRef != "" && !defined[s.SecretRef] {
				return s.SecretRef, "volume '" + v.Name + "'"
			}
		}
	}
	return "", ""
}
