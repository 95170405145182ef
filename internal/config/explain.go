package config

import (
	"fmt"

	"github.com/acalocal/acalocal/emulator/aca"
)

// explainKind says what a document is when it is not what we read.
func explainKind(k kind, t *tree) aca.Problem {
	object, _ := t.root.(map[string]any)
	switch k {
	case kindKubernetes:
		return aca.Problem{Path: "kind", OnKey: true,
			Message: fmt.Sprintf("this is a Kubernetes manifest (%s), not a container app", text(object, "kind")),
			Hint:    "Azure Container Apps has its own format: type: Microsoft.App/containerApps with properties.configuration and properties.template; acalocal init writes one"}
	case kindARM:
		return aca.Problem{Path: "resources", OnKey: true, Message: "this is an ARM template in YAML; Azure takes them in JSON", Hint: "give the JSON"}
	default:
		return aca.Problem{Message: "this is not a container app", Hint: "it begins with type: Microsoft.App/containerApps and has properties.configuration and properties.template"}
	}
}

// upgradeLegacy turns the schema of 2021 (Microsoft.Web/containerApps) into
// today's, in place, and says what it did.
func upgradeLegacy(t *tree) []aca.Problem {
	object, ok := t.root.(map[string]any)
	if !ok {
		return nil
	}
	found := []aca.Problem{{Path: "type", Severity: aca.SeverityWarning,
		Message: "this is the schema of 2021, which Azure no longer takes",
		Hint:    "write type: Microsoft.App/containerApps, and environmentId instead of kubeEnvironmentId"}}
	object["type"] = "Microsoft.App/containerApps"
	properties, ok := field(object, "properties").(map[string]any)
	if !ok {
		return found
	}
	if id, ok := properties["kubeEnvironmentId"]; ok {
		delete(properties, "kubeEnvironmentId")
		properties["environmentId"] = id
		t.move("properties.kubeEnvironmentId", "properties.environmentId")
	}
	return append(found, moveDapr(t, properties)...)
}

// moveDapr: the schema of 2021 had dapr in the template, with components.
func moveDapr(t *tree, properties map[string]any) []aca.Problem {
	template, ok := field(properties, "template").(map[string]any)
	if !ok || template["dapr"] == nil {
		return nil
	}
	dapr := template["dapr"]
	delete(template, "dapr")
	configuration, ok := field(properties, "configuration").(map[string]any)
	if !ok {
		configuration = map[string]any{}
		properties["configuration"] = configuration
	}
	configuration["dapr"] = dapr
	t.move("properties.template.dapr", "properties.configuration.dapr")
	settings, ok := dapr.(map[string]any)
	if !ok || settings["components"] == nil {
		return nil
	}
	delete(settings, "components")
	return []aca.Problem{{Path: "properties.template.dapr.components", OnKey: true, Severity: aca.SeverityWarning,
		Message: "Dapr components belong to the environment since 2022; these are not read"}}
}
