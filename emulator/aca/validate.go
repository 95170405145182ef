package aca

import (
	"fmt"
	"slices"
	"strings"
)

// Validate reports everything Azure would refuse in the app, all at once, in
// ACA's words and with its codes where they are known, and as warnings what it
// accepts but does not do as written. It does not change the app and does not
// need ApplyDefaults to have run.
//
// Not checked, because Azure asks others for it: whether images, registries,
// key vaults, storages and certificates exist.
func (a *ContainerApp) Validate() []Problem {
	v := &validator{app: a, secrets: map[string]bool{}}
	v.name()
	v.identity()
	v.configuration(&a.Properties.Configuration, "properties.configuration")
	v.template(&a.Properties.Template, "properties.template")
	return v.problems
}

type validator struct {
	problems
	app     *ContainerApp
	secrets map[string]bool // names defined
}

func (v *validator) name() {
	name := v.app.Name
	if appNameRule.ok(name) {
		return
	}
	p := v.errorf("name", "ContainerAppInvalidName", "Invalid ContainerApp name '%s'. A name must consist of lower case alphanumeric "+
		"characters or '-', start with an alphabetic character, and end with an alphanumeric character and cannot have '--'. "+
		"The length must be between 2 and 32 characters inclusive.", clip(name))
	if name != "" {
		p.Hint = fmt.Sprintf("for example %q", ValidAppName(name))
	}
}

func (v *validator) identity() {
	id := v.app.Identity
	if id == nil {
		return
	}
	user := strings.Contains(id.Type, "UserAssigned")
	if user && len(id.UserAssignedIdentities) == 0 {
		v.errorf("identity.userAssignedIdentities", codeInvalidValue, "the identity type %s needs at least one user-assigned identity", id.Type).
			Hint = `write userAssignedIdentities: {"<resource id>": {}}`
	}
	if !user && len(id.UserAssignedIdentities) > 0 {
		v.errorf("identity.type", codeInvalidValue, "user-assigned identities are listed but the type is %q", id.Type).
			Hint = "set type: UserAssigned"
	}
}

func (v *validator) configuration(c *Configuration, path Path) {
	v.secretList(c.Secrets, path.Field("secrets"))
	v.registries(c.Registries, path.Field("registries"))
	if c.ActiveRevisionsMode == Labels && c.TargetLabel == "" {
		v.errorf(path.Field("targetLabel"), codeInvalidValue, "the revisions mode Labels needs a targetLabel")
	}
	if c.TargetLabel != "" && !labelNameRule.ok(c.TargetLabel) {
		v.badLabel(path.Field("targetLabel"), c.TargetLabel)
	}
	v.rangeOf(path.Field("maxInactiveRevisions"), c.MaxInactiveRevisions, 0, 100)
	v.rangeOf(path.Field("revisionTransitionThreshold"), c.RevisionTransitionThreshold, 1, 100)
	if c.Ingress != nil {
		v.ingress(c, c.Ingress, path.Field("ingress"))
	}
	v.dapr(c.Dapr, path.Field("dapr"))
}

const codeInvalidValue = "ContainerAppInvalidValue"

// rangeOf reports a number outside of min to max; nil is not given.
func (v *validator) rangeOf(path Path, n *int, min, max int) bool {
	if n == nil || min <= *n && *n <= max {
		return true
	}
	v.errorf(path, codeInvalidValue, "%d is out of range", *n).Hint = fmt.Sprintf("%d to %d", min, max)
	return false
}

// port reports a number that is no port and tries to guess the meant one: a
// doubled or added digit is the usual mistake.
func (v *validator) port(path Path, n int) bool {
	if 1 <= n && n <= 65535 {
		return true
	}
	p := v.errorf(path, codeInvalidValue, "%d is not a port", n)
	p.Hint = "ports are 1 to 65535"
	if n > 65535 {
		p.Hint += fmt.Sprintf("; did you mean %d?", shorterPort(n))
	}
	return false
}

func shorterPort(n int) int {
	known := []int{8080, 8000, 3000, 5000, 8081, 8443, 80, 443}
	digits := fmt.Sprint(n)
	for _, port := range known {
		if distance(digits, fmt.Sprint(port), 2) == 1 {
			return port
		}
	}
	for n > 65535 {
		n /= 10
	}
	return n
}

// once reports the second use of a name in one list.
type once map[string]bool

func (o once) again(name string) bool {
	seen := o[name]
	o[name] = true
	return seen
}

func (v *validator) dapr(d *Dapr, path Path) {
	if d == nil || !d.Enabled {
		return
	}
	if d.AppID == "" {
		v.warnf(path, "dapr is enabled without an appId; other apps cannot call this one through it").Hint = "set appId"
	}
	if d.AppPort != nil {
		v.port(path.Field("appPort"), *d.AppPort)
	}
	v.rangeOf(path.Field("httpMaxRequestSize"), d.HTTPMaxRequestSize, 1, 1<<20)
	v.rangeOf(path.Field("httpReadBufferSize"), d.HTTPReadBufferSize, 1, 1<<20)
}

func (v *validator) badLabel(path Path, label string) {
	v.errorf(path, codeInvalidValue, "%q is not a label", clip(label)).Hint = "lower case letters, digits and dashes, beginning with a " +
		"letter, ending in a letter or digit, no '--', at most 64; for example " + fmt.Sprintf("%q", labelNameRule.mend(label, "blue"))
}

func (v *validator) secretList(secrets []Secret, path Path) {
	seen := once{}
	for i, s := range secrets {
		at := path.Index(i)
		v.secrets[s.Name] = true
		switch {
		case !secretNameRule.ok(s.Name):
			v.errorf(at.Field("name"), "ContainerAppInvalidSecretName", "Invalid secret name '%s'. A secret name must consist of lower case "+
				"alphanumeric characters or '-', and must start and end with an alphanumeric character.", clip(s.Name)).
				Hint = fmt.Sprintf("for example %q", secretNameRule.mend(s.Name, "secret"))
		case seen.again(s.Name):
			v.errorf(at.Field("name"), codeInvalidValue, "the secret %q is defined twice", s.Name)
		}
		if s.Value == "" && (s.KeyVaultURL == "" || s.Identity == "") {
			v.errorf(at, "ContainerAppSecretInvalid", "Invalid Request: Container app secret(s) with name(s) '%s' are invalid: "+
				"value or keyVaultUrl and identity should be provided.", s.Name)
		}
		if s.Value != "" && s.KeyVaultURL != "" {
			v.errorf(at, codeInvalidValue, "the secret %q has both a value and a keyVaultUrl", s.Name).Hint = "keep one of them"
		}
		if s.KeyVaultURL != "" && !strings.HasPrefix(s.KeyVaultURL, "https://") {
			v.errorf(at.Field("keyVaultUrl"), codeInvalidValue, "%q is not a key vault secret", clip(s.KeyVaultURL)).
				Hint = "it looks like https://<vault>.vault.azure.net/secrets/<name>"
		}
	}
}

// secretRef reports a reference to a secret that is not defined.
func (v *validator) secretRef(path Path, ref, container string) {
	if ref == "" || v.secrets[ref] {
		return
	}
	v.errorf(path, "ContainerAppSecretRefNotFound", "SecretRef '%s' defined for container '%s' not found.", clip(ref), container).
		Hint = v.secretHint(ref)
}

func (v *validator) secretHint(ref string) string {
	var names []string
	for name := range v.secrets {
		names = append(names, name)
	}
	slices.Sort(names)
	if len(names) == 0 {
		return "define it under properties.configuration.secrets"
	}
	if near, ok := Nearest(ref, names); ok {
		return fmt.Sprintf("did you mean %q?", near)
	}
	return "defined are " + strings.Join(names, ", ")
}

func (v *validator) registries(registries []Registry, path Path) {
	seen := once{}
	for i, r := range registries {
		at := path.Index(i)
		switch {
		case r.Server == "":
			v.errorf(at, codeInvalidValue, "the registry has no server")
		case seen.again(r.Server):
			v.errorf(at.Field("server"), codeInvalidValue, "the registry %q is listed twice", r.Server)
		}
		if r.Identity != "" && (r.Username != "" || r.PasswordSecretRef != "") {
			v.errorf(at, codeInvalidValue, "the registry %q has both an identity and a user name", r.Server).Hint = "keep one of them"
		}
		if r.Username != "" && r.PasswordSecretRef == "" {
			v.errorf(at, codeInvalidValue, "the registry %q has a user name but no passwordSecretRef", r.Server)
		}
		if ref := r.PasswordSecretRef; ref != "" && !v.secrets[ref] {
			v.errorf(at.Field("passwordSecretRef"), "ContainerAppSecretRefNotFound", "SecretRef '%s' defined for registry '%s' not found.",
				clip(ref), r.Server).Hint = v.secretHint(ref)
		}
	}
}
