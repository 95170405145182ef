package aca

import (
	"reflect"
	"strings"
	"sync"
)

// foreignKeys explains keys that people bring from elsewhere: Kubernetes, the
// portal, compose, older schemas of ACA.
var foreignKeys = map[string]string{
	"exec":            "only httpGet and tcpSocket probes exist on Azure Container Apps",
	"grpc":            "only httpGet and tcpSocket probes exist on Azure Container Apps",
	"ports":           "a container has no ports; set properties.configuration.ingress.targetPort",
	"containerPort":   "a container has no ports; set properties.configuration.ingress.targetPort",
	"environment":     "the variables of a container are called env",
	"envFrom":         "list each variable under env; a secret is taken with secretRef",
	"valueFrom":       "a secret is taken with secretRef: <name of the secret>",
	"secretKeyRef":    "a secret is taken with secretRef: <name of the secret>",
	"imagePullPolicy": "Azure always pulls; there is no such setting",
	"securityContext": "Azure Container Apps has no security context; set USER in the image",
	"workingDir":      "set WORKDIR in the image",
	"entrypoint":      "command replaces the image's ENTRYPOINT, args its CMD",
	"replicas":        "set scale.minReplicas and scale.maxReplicas",
	"kubeEnvironmentId": "this is the schema of 2021; the key is environmentId now, " +
		"the type Microsoft.App/containerApps",
	"limits":   "requests and limits are the same on Azure; write cpu and memory directly under resources",
	"requests": "requests and limits are the same on Azure; write cpu and memory directly under resources",
	"emptyDir": "write storageType: EmptyDir",
	"secret":   "write storageType: Secret and, to pick single ones, secrets: [{secretRef: …, path: …}]",
}

// kubernetesProbes are met in published ACA files; Azure drops them without a
// word, so they must not stop a file that deploys.
var kubernetesProbes = map[string]ProbeType{
	"livenessProbe":  Liveness,
	"readinessProbe": Readiness,
	"startupProbe":   Startup,
}

// unknownKey reports a key that the type does not have, with the best advice.
func (d *decoder) unknownKey(path Path, key string, t reflect.Type) {
	ours := isOurs(t)
	if kind, ok := kubernetesProbes[key]; ok && ours {
		p := d.warnf(path, "%s is a key of Kubernetes; Azure ignores it and the container has no such probe", key)
		p.OnKey = true
		p.Hint = "write it as an item of probes with type: " + string(kind)
		return
	}
	p := d.errorf(path, codeInvalidSchema, "unknown key %q", clip(key))
	p.OnKey = true
	p.Hint = adviseKey(key, t, ours)
	for _, f := range Fields(t) {
		if !f.ReadOnly && foldKey(f.Name) == foldKey(key) {
			p.Replace = f.Name // target_port can only mean targetPort
		}
	}
}

// isOurs is false for types of other packages, which decode their files with
// Decode, too.
func isOurs(t reflect.Type) bool { return t.PkgPath() == reflect.TypeFor[ContainerApp]().PkgPath() }

// adviseKey says what to write instead of a key that t does not have; ours is
// false for types of other packages, which the advice about ACA is not for.
func adviseKey(key string, t reflect.Type, ours bool) string {
	if hint, ok := foreignKeys[key]; ok && ours {
		return hint
	}
	var names []string
	for _, f := range Fields(t) {
		if !f.ReadOnly {
			names = append(names, f.Name)
		}
	}
	near, ok := Nearest(key, names)
	if ok && foldKey(near) == foldKey(key) {
		return didYouMean(key, names)
	}
	if homes := homesOf(key); appTypes()[t] && len(homes) > 0 {
		return "this key belongs under " + strings.Join(homes, " or ")
	}
	return didYouMean(key, names)
}

// homesOf lists the places of a container app where a key exists, shallow
// ones only: a key met in half the tree has no home worth naming.
func homesOf(key string) []string {
	homes := appHomes()[strings.ToLower(key)]
	if len(homes) > 2 {
		return nil
	}
	return homes
}

var appHomes = sync.OnceValue(func() map[string][]string {
	homes := map[string][]string{}
	walkTypes(reflect.TypeFor[ContainerApp](), "", func(parent Path, f Field) {
		if !f.ReadOnly && parent != "" {
			key := strings.ToLower(f.Name)
			homes[key] = append(homes[key], string(parent))
		}
	})
	return homes
})

// appTypes are the types a container app is made of; advice about places in one
// is of no use elsewhere.
var appTypes = sync.OnceValue(func() map[reflect.Type]bool {
	types := map[reflect.Type]bool{reflect.TypeFor[ContainerApp](): true}
	walkTypes(reflect.TypeFor[ContainerApp](), "", func(_ Path, f Field) {
		elem := f.Type
		for elem.Kind() == reflect.Pointer || elem.Kind() == reflect.Slice {
			elem = elem.Elem()
		}
		types[elem] = true
	})
	return types
})

// walkTypes calls visit for every field below t; items of lists have the path
// of their list with [] behind it.
func walkTypes(t reflect.Type, path Path, visit func(parent Path, f Field)) {
	for _, f := range Fields(t) {
		visit(path, f)
		elem, below := f.Type, path.Field(f.Name)
		for elem.Kind() == reflect.Pointer || elem.Kind() == reflect.Slice {
			if elem.Kind() == reflect.Slice {
				below += "[]"
			}
			elem = elem.Elem()
		}
		if elem.Kind() == reflect.Struct {
			walkTypes(elem, below, visit)
		}
	}
}
