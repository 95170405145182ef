package aca

import (
	"fmt"
	"strconv"
)

// EnvFacts is what the platform's own variables are made of. Empty fields of
// the second group leave their variables out.
type EnvFacts struct {
	App       string // name of the app
	Revision  string // full name of the revision
	Replica   string // full name of the replica
	DNSSuffix string // default domain of the environment, no leading dot
	Internal  bool   // ingress is internal, which shows in the host name

	TargetPort       int    // of the ingress; 0 means detected at run time
	HasIngress       bool   // without one there is no CONTAINER_APP_PORT
	IdentityEndpoint string // where a managed identity gets tokens
	IdentityHeader   string // the secret that endpoint asks for
	DaprEnabled      bool
	Telemetry        EnvironmentTelemetry // of the environment
	NoKubernetes     bool                 // leave out the variables Kubernetes leaves behind
}

// detectedPort is the platform's internal port that stands in
// CONTAINER_APP_PORT while the target port is detected.
const detectedPort = 23040

// PlatformEnv lists the variables that ACA sets in every container of a
// replica, in a fixed order. PORT is never among them, which is why apps that
// work in other clouds because of it fail on ACA
// (https://learn.microsoft.com/azure/container-apps/environment-variables).
func PlatformEnv(f EnvFacts) []EnvVar {
	env := []EnvVar{
		{Name: "CONTAINER_APP_NAME", Value: f.App},
		{Name: "CONTAINER_APP_REVISION", Value: f.Revision},
		{Name: "CONTAINER_APP_REPLICA_NAME", Value: f.Replica},
		{Name: "CONTAINER_APP_HOSTNAME", Value: f.hostName()},
		{Name: "CONTAINER_APP_ENV_DNS_SUFFIX", Value: f.DNSSuffix},
	}
	if f.HasIngress {
		env = append(env, EnvVar{Name: "CONTAINER_APP_PORT", Value: f.port()})
	}
	if f.IdentityEndpoint != "" {
		env = append(env,
			EnvVar{Name: "IDENTITY_ENDPOINT", Value: f.IdentityEndpoint},
			EnvVar{Name: "IDENTITY_HEADER", Value: f.IdentityHeader},
			EnvVar{Name: "MSI_ENDPOINT", Value: f.IdentityEndpoint},
			EnvVar{Name: "MSI_SECRET", Value: f.IdentityHeader},
		)
	}
	if f.DaprEnabled {
		env = append(env, EnvVar{Name: "DAPR_HTTP_PORT", Value: "3500"}, EnvVar{Name: "DAPR_GRPC_PORT", Value: "50001"})
	}
	env = append(env, f.Telemetry.Env()...)
	if !f.NoKubernetes {
		env = append(env, kubernetesEnv()...)
	}
	return env
}

// hostName is the FQDN of the revision, not of the app.
func (f EnvFacts) hostName() string {
	if f.Internal {
		return f.Revision + ".internal." + f.DNSSuffix
	}
	return f.Revision + "." + f.DNSSuffix
}

func (f EnvFacts) port() string {
	if f.TargetPort == 0 {
		return strconv.Itoa(detectedPort)
	}
	return strconv.Itoa(f.TargetPort)
}

// kubernetesEnv is what Kubernetes leaves behind in every container on ACA;
// nothing useful answers at that address.
func kubernetesEnv() []EnvVar {
	const host, port = "100.100.224.1", "443"
	url := "tcp://" + host + ":" + port
	return []EnvVar{
		{Name: "KUBERNETES_SERVICE_HOST", Value: host},
		{Name: "KUBERNETES_SERVICE_PORT", Value: port},
		{Name: "KUBERNETES_SERVICE_PORT_HTTPS", Value: port},
		{Name: "KUBERNETES_PORT", Value: url},
		{Name: "KUBERNETES_PORT_443_TCP", Value: url},
		{Name: "KUBERNETES_PORT_443_TCP_PROTO", Value: "tcp"},
		{Name: "KUBERNETES_PORT_443_TCP_PORT", Value: port},
		{Name: "KUBERNETES_PORT_443_TCP_ADDR", Value: host},
	}
}

// Secrets finds the value of a secret by name.
type Secrets func(name string) (value string, ok bool)

// ResolveEnv returns the variables a container starts with: the platform's,
// then the user's, which win over the platform's of the same name. Secret
// references are resolved and $(NAME) is expanded with the platform's
// variables and the user's earlier ones. A name given twice keeps its first
// place and takes its last value. A secret that is not there is an error.
func ResolveEnv(platform, user []EnvVar, secrets Secrets) ([]EnvVar, error) {
	env := envList{at: map[string]int{}}
	for _, v := range platform {
		env.set(v.Name, v.Value)
	}
	for _, v := range user {
		value := v.Value
		if v.SecretRef != "" {
			var ok bool
			if value, ok = secrets(v.SecretRef); !ok {
				return nil, fmt.Errorf("variable %s: secret %q has no value", v.Name, v.SecretRef)
			}
		}
		env.set(v.Name, Expand(value, env.lookup))
	}
	return env.vars, nil
}

// ExpandWords expands $(NAME) in a command or its arguments with the variables
// the container starts with.
func ExpandWords(words []string, env []EnvVar) []string {
	if words == nil {
		return nil
	}
	known := envList{at: map[string]int{}}
	for _, v := range env {
		known.set(v.Name, v.Value)
	}
	out := make([]string, len(words))
	for i, w := range words {
		out[i] = Expand(w, known.lookup)
	}
	return out
}

type envList struct {
	vars []EnvVar
	at   map[string]int
}

func (l *envList) set(name, value string) {
	i, ok := l.at[name]
	if !ok {
		i = len(l.vars)
		l.at[name] = i
		l.vars = append(l.vars, EnvVar{Name: name})
	}
	l.vars[i].Value = value
}

func (l *envList) lookup(name string) (string, bool) {
	i, ok := l.at[name]
	if !ok {
		return "", false
	}
	return l.vars[i].Value, true
}
