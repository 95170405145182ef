package config

import (
	"strings"

	"github.com/acalocal/acalocal/emulator/aca"
)

// kind is what a document turns out to be.
type kind int

const (
	kindUnknown kind = iota
	kindApp
	kindLegacyApp // the schema of 2021
	kindEnvironment
	kindJob
	kindRouteConfig
	kindStorage
	kindResiliency
	kindElsewhere // a resource of Azure that has no counterpart here
	kindKubernetes
	kindCompose
	kindAzd
	kindARM
	kindEmpty
)

// ownTypes are the resources that stand for themselves, and what apps were in
// 2021.
var ownTypes = []string{"microsoft.app/containerapps", "microsoft.app/managedenvironments", "microsoft.app/jobs", "microsoft.web/containerapps"}

// kindOf recognises a document by what stands in it, never by the name of its
// file: containerapp.yaml is what people call Kubernetes manifests, too.
func kindOf(root any) kind {
	if root == nil {
		return kindEmpty
	}
	object, ok := root.(map[string]any)
	if !ok {
		return kindUnknown
	}
	t, _, _ := strings.Cut(strings.ToLower(text(object, "type")), "@")
	if k, ok := childKinds[t]; ok {
		return k
	}
	if strings.HasPrefix(t, "microsoft.") {
		if _, near := aca.Nearest(t, ownTypes); !near {
			return kindElsewhere
		}
	}
	switch {
	case strings.HasPrefix(t, "microsoft.web/containerapps"):
		return kindLegacyApp
	case strings.HasPrefix(t, "microsoft.app/managedenvironments"):
		return kindEnvironment
	case strings.HasPrefix(t, "microsoft.app/jobs"):
		return kindJob
	case strings.HasPrefix(t, "microsoft.app/containerapps"):
		return kindApp
	}
	return kindOfKeys(object)
}

func kindOfKeys(object map[string]any) kind {
	if k := kindOfBare(object); k != kindUnknown {
		return k
	}
	properties, hasProperties := field(object, "properties").(map[string]any)
	services, hasServices := field(object, "services").(map[string]any)
	switch {
	case hasProperties && field(properties, "kubeEnvironmentId") != nil:
		return kindLegacyApp
	case hasProperties && field(properties, "template") == nil && field(properties, "appLogsConfiguration") != nil:
		return kindEnvironment
	case hasProperties:
		return kindApp
	case field(object, "resources") != nil && (field(object, "$schema") != nil || field(object, "contentVersion") != nil):
		return kindARM
	case text(object, "apiVersion") != "" && text(object, "kind") != "":
		return kindKubernetes
	case hasServices && hasHost(services):
		return kindAzd
	case hasServices:
		return kindCompose
	case field(object, "template") != nil || field(object, "configuration") != nil || field(object, "name") != nil:
		return kindApp // badly, but the messages will say how
	}
	return kindUnknown
}

// field is a key of an object without regard to case.
func field(object map[string]any, name string) any {
	if v, ok := object[name]; ok {
		return v
	}
	for key, v := range object {
		if strings.EqualFold(key, name) {
			return v
		}
	}
	return nil
}

func text(object map[string]any, name string) string {
	s, _ := field(object, name).(string)
	return s
}

func hasHost(services map[string]any) bool {
	for _, s := range services {
		if service, ok := s.(map[string]any); ok && text(service, "host") != "" {
			return true
		}
	}
	return false
}
