package config

import (
	"fmt"
	"path/filepath"
	"strings"

	"github.com/acalocal/acalocal/emulator/aca"
)

// composeAzure is x-azure-deployment of a service: what compose passes over
// and Azure takes
// (https://learn.microsoft.com/azure/container-apps/compose-agent).
type composeAzure struct {
	Image            string                 `json:"image,omitempty"`
	Resources        *composeAzureResources `json:"resources,omitempty"`
	Scale            *composeAzureScale     `json:"scale,omitempty"`
	Ingress          *composeAzureIngress   `json:"ingress,omitempty"`
	WorkloadProfiles *composeAzureProfiles  `json:"workloadProfiles,omitempty"`
}

type composeAzureResources struct {
	CPU    float64 `json:"cpu,omitempty"`
	Memory string  `json:"memory,omitempty" aca:"scalar"` // Gi, with or without the unit
}

type composeAzureScale struct {
	MinReplicas *int `json:"minReplicas,omitempty"`
	MaxReplicas *int `json:"maxReplicas,omitempty"`
}

type composeAzureIngress struct {
	External      *bool `json:"external,omitempty"`
	AllowInsecure *bool `json:"allowInsecure,omitempty"`
}

type composeAzureProfiles struct {
	WorkloadProfileType string `json:"workloadProfileType,omitempty"`
}

// azureKey is the key of composeAzure in a service.
const azureKey = "x-azure-deployment"

// azure puts x-azure-deployment over what the rest of the service says.
func (c *composeReader) azure(container *aca.Container) {
	a := c.service.Azure
	if a == nil {
		return
	}
	const at = "properties.template.containers[0]"
	if a.Image != "" {
		container.Image = a.Image
		delete(c.app.Builds, container.Name)
		c.app.noBuild(container.Name)
		c.from(at+".image", azureKey, "image")
	}
	if r := a.Resources; r != nil {
		c.azureResources(container, r)
	}
	if s := a.Scale; s != nil {
		scale := c.app.Properties.Template.Scale
		if scale == nil {
			scale = &aca.Scale{}
			c.app.Properties.Template.Scale = scale
		}
		set(&scale.MinReplicas, s.MinReplicas)
		set(&scale.MaxReplicas, s.MaxReplicas)
		for _, key := range []string{"minReplicas", "maxReplicas"} {
			if c.tree.has(string(c.path.Field(azureKey).Field("scale").Field(key))) {
				c.from("properties.template.scale."+key, azureKey, "scale", key)
			}
		}
	}
	if in := a.Ingress; in != nil {
		c.azureIngress(in)
	}
	if p := a.WorkloadProfiles; p != nil && p.WorkloadProfileType != "" {
		c.app.Properties.WorkloadProfileName = p.WorkloadProfileType
		c.from("properties.workloadProfileName", azureKey, "workloadProfiles", "workloadProfileType")
	}
}

// set replaces a number when there is one to replace it.
func set(to **int, n *int) {
	if n != nil {
		*to = n
	}
}

func (c *composeReader) azureResources(container *aca.Container, r *composeAzureResources) {
	if container.Resources == nil {
		container.Resources = &aca.Resources{}
	}
	const at = "properties.template.containers[0].resources"
	if r.CPU != 0 {
		container.Resources.CPU = r.CPU
		c.from(at+".cpu", azureKey, "resources", "cpu")
	}
	if r.Memory != "" {
		container.Resources.Memory = strings.TrimSuffix(r.Memory, "Gi") + "Gi"
		c.from(at+".memory", azureKey, "resources", "memory")
	}
}

func (c *composeReader) azureIngress(in *composeAzureIngress) {
	const at = "properties.configuration.ingress"
	ingress := c.app.Properties.Configuration.Ingress
	if ingress == nil {
		ingress = &aca.Ingress{}
		c.app.Properties.Configuration.Ingress = ingress
		c.from(at, azureKey, "ingress")
	}
	if in.External != nil {
		ingress.External = *in.External
		c.from(at+".external", azureKey, "ingress", "external")
	}
	if in.AllowInsecure != nil {
		ingress.AllowInsecure = *in.AllowInsecure
		c.from(at+".allowInsecure", azureKey, "ingress", "allowInsecure")
	}
}

// secretVariables makes a secret of the app, and a variable of its name, of
// every secret of the service whose content is a file; underscores become
// dashes, as az has it. What has no file az leaves out.
// Before is how many variables stand before them.
func (c *composeReader) secretVariables(before int) []aca.EnvVar {
	var vars []aca.EnvVar
	for i, form := range c.service.Secrets {
		at := c.path.Field("secrets").Index(i)
		source, name := composeSecretName(form)
		definition, ok := c.secrets[source].(map[string]any)
		if !ok {
			c.errorf(at, "the secret %q is not defined under secrets of the file", source)
			continue
		}
		file := text(definition, "file")
		if file == "" {
			c.problems = append(c.problems, aca.Problem{Path: string(at), Severity: aca.SeverityWarning,
				Message: fmt.Sprintf("the secret %q has no file; az containerapp compose create leaves it out, and so is it here", source)})
			continue
		}
		content, err := readReferenced(absFrom(filepath.Dir(c.source.file), file))
		if err != nil {
			c.errorf(at, "%v", err)
			continue
		}
		c.loader.def.Files = append(c.loader.def.Files, content.file)
		secrets := &c.app.Properties.Configuration.Secrets
		path := fmt.Sprintf("properties.configuration.secrets[%d]", len(*secrets))
		*secrets = append(*secrets, aca.Secret{Name: name, Value: strings.TrimSuffix(strings.TrimSuffix(string(content.text), "\n"), "\r")})
		variable := fmt.Sprintf("properties.template.containers[0].env[%d]", before+len(vars))
		for _, p := range []string{path, path + ".name", path + ".value", variable, variable + ".name", variable + ".secretRef"} {
			c.tree.move(string(at), p)
		}
		vars = append(vars, aca.EnvVar{Name: name, SecretRef: name})
	}
	return vars
}

// composeSecretName is the name of a secret in the file, and of the app's.
func composeSecretName(form any) (source, name string) {
	object, ok := form.(map[string]any)
	if !ok {
		source = plainText(form)
		return source, strings.ReplaceAll(source, "_", "-")
	}
	source = text(object, "source")
	return source, strings.ReplaceAll(orElse(text(object, "target"), source), "_", "-")
}
