package aca

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestExpand(t *testing.T) {
	lookup := func(name string) (string, bool) {
		value, ok := map[string]string{"A": "1", "EMPTY": ""}[name]
		return value, ok
	}
	for in, want := range map[string]string{
		"$(A)-x":      "1-x",
		"$(B)":        "$(B)",
		"$$(A)":       "$(A)",
		"pa$$word":    "pa$word",
		"a$":          "a$",
		"$(A":         "$(A",
		"$A":          "$A",
		"$(EMPTY)":    "",
		"$()":         "$()",
		"$(A)$(A)$$$": "11$$",
		"$($(A))":     "$($(A))",
	} {
		if got := Expand(in, lookup); got != want {
			t.Errorf("Expand(%q) = %q, want %q", in, got, want)
		}
	}
}

func TestResolveEnv(t *testing.T) {
	platform := []EnvVar{{Name: "CONTAINER_APP_NAME", Value: "web"}, {Name: "CONTAINER_APP_PORT", Value: "80"}}
	secrets := func(name string) (string, bool) { return "s$$3", name == "db" }
	user := []EnvVar{
		{Name: "LATER", Value: "$(URL)"},
		{Name: "URL", Value: "http://$(CONTAINER_APP_NAME)"},
		{Name: "DB", SecretRef: "db"},
		{Name: "CONTAINER_APP_PORT", Value: "81"},
		{Name: "URL", Value: "$(URL)/x"},
	}
	got, err := ResolveEnv(platform, user, secrets)
	if err != nil {
		t.Fatal(err)
	}
	want := []EnvVar{
		{Name: "CONTAINER_APP_NAME", Value: "web"},
		{Name: "CONTAINER_APP_PORT", Value: "81"},
		{Name: "LATER", Value: "$(URL)"},
		{Name: "URL", Value: "http://web/x"},
		{Name: "DB", Value: "s$3"},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("variables (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]string{"--name=web", "$(NO)"}, ExpandWords([]string{"--name=$(CONTAINER_APP_NAME)", "$(NO)"}, got)); diff != "" {
		t.Errorf("words (-want +got):\n%s", diff)
	}
	_, err = ResolveEnv(nil, []EnvVar{{Name: "X", SecretRef: "gone"}}, secrets)
	if want := `variable X: secret "gone" has no value`; err == nil || err.Error() != want {
		t.Errorf("error = %v, want %s", err, want)
	}
}

func TestPlatformEnv(t *testing.T) {
	facts := EnvFacts{App: "web", Revision: "web--a", Replica: "web--a-5-x", DNSSuffix: "dev.localhost", Internal: true, HasIngress: true,
		IdentityEndpoint: "http://localhost:12356/msi/token", IdentityHeader: "h", DaprEnabled: true, NoKubernetes: true}
	want := []EnvVar{
		{Name: "CONTAINER_APP_NAME", Value: "web"},
		{Name: "CONTAINER_APP_REVISION", Value: "web--a"},
		{Name: "CONTAINER_APP_REPLICA_NAME", Value: "web--a-5-x"},
		{Name: "CONTAINER_APP_HOSTNAME", Value: "web--a.internal.dev.localhost"},
		{Name: "CONTAINER_APP_ENV_DNS_SUFFIX", Value: "dev.localhost"},
		{Name: "CONTAINER_APP_PORT", Value: "23040"},
		{Name: "IDENTITY_ENDPOINT", Value: "http://localhost:12356/msi/token"},
		{Name: "IDENTITY_HEADER", Value: "h"},
		{Name: "MSI_ENDPOINT", Value: "http://localhost:12356/msi/token"},
		{Name: "MSI_SECRET", Value: "h"},
		{Name: "DAPR_HTTP_PORT", Value: "3500"},
		{Name: "DAPR_GRPC_PORT", Value: "50001"},
	}
	if diff := cmp.Diff(want, PlatformEnv(facts)); diff != "" {
		t.Errorf("variables (-want +got):\n%s", diff)
	}
	for _, v := range PlatformEnv(EnvFacts{App: "web"}) {
		if v.Name == "PORT" || v.Name == "CONTAINER_APP_PORT" {
			t.Errorf("%s is set without ingress", v.Name)
		}
	}
}

func FuzzExpand(f *testing.F) {
	f.Add("$(A)$$(B)$")
	f.Fuzz(func(t *testing.T, s string) {
		none := func(string) (string, bool) { return "", false }
		if got := Expand(s, none); len(got) > len(s) {
			t.Errorf("Expand(%q) = %q grew without a variable", s, got)
		}
	})
}
