package aca

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestParseMemory(t *testing.T) {
	tests := []struct {
		in   string
		want int64
		err  string
	}{
		{"1Gi", 1 << 30, ""},
		{"0.5Gi", 1 << 29, ""},
		{"1.25Gi", 5 << 28, ""},
		{".5Gi", 1 << 29, ""},
		{"512Mi", 0, `memory "512Mi" has no unit Gi`},
		{"1.555Gi", 0, `memory "1.555Gi": "1.555" is not a number of at most two decimals`},
		{"0Gi", 0, `memory "0Gi": "0" is not a number above zero`},
		{"Gi", 0, `memory "Gi": "" is not a number above zero`},
		{"-1Gi", 0, `memory "-1Gi": "-1" is not a number of at most two decimals`},
		{"1e3Gi", 0, `memory "1e3Gi": "1e3" is not a number of at most two decimals`},
	}
	for _, test := range tests {
		got, err := ParseMemory(test.in)
		text := ""
		if err != nil {
			text = err.Error()
		}
		if got != test.want || text != test.err {
			t.Errorf("ParseMemory(%q) = %d, %q, want %d, %q", test.in, got, text, test.want, test.err)
		}
	}
}

func TestGracePeriod(t *testing.T) {
	zero := 0
	if got := (&Template{}).GracePeriod(); got != 30*time.Second {
		t.Errorf("default = %v", got)
	}
	if got := (&Template{TerminationGracePeriodSeconds: &zero}).GracePeriod(); got != 0 {
		t.Errorf("explicit zero = %v", got)
	}
}

func TestDefaultsReadLikeAGet(t *testing.T) {
	app, _ := DecodeJSON[ContainerApp]([]byte(`{"name":"web","properties":{"managedEnvironmentId":"/env","configuration":{"ingress":{"external":true,"targetPort":80}},
		"template":{"containers":[{"name":"app","image":"a"}],"volumes":[{"name":"v"}]}}}`))
	app.ApplyDefaults()
	n := func(i int) *int { return &i }
	want := ContainerApp{Name: "web", Type: "Microsoft.App/containerApps", Identity: &Identity{Type: "None"}, Properties: AppProperties{
		EnvironmentID: "/env", ManagedEnvironmentID: "/env", WorkloadProfileName: "Consumption",
		Configuration: Configuration{ActiveRevisionsMode: Single, MaxInactiveRevisions: n(100), Ingress: &Ingress{External: true, TargetPort: 80,
			Transport: TransportAuto, Traffic: []TrafficWeight{{LatestRevision: true, Weight: 100}}}},
		Template: Template{
			Containers: []Container{{Name: "app", Image: "a", Resources: &Resources{CPU: 0.5, Memory: "1Gi", EphemeralStorage: "2Gi"}}},
			Scale:      &Scale{MaxReplicas: n(10), CooldownPeriod: n(300), PollingInterval: n(30)},
			Volumes:    []Volume{{Name: "v", StorageType: "EmptyDir"}},
		},
	}}
	if diff := cmp.Diff(want, app); diff != "" {
		t.Errorf("app (-want +got):\n%s", diff)
	}
	twice := app.Clone()
	twice.ApplyDefaults()
	if diff := cmp.Diff(&app, twice); diff != "" {
		t.Errorf("a second time changes (-once +twice):\n%s", diff)
	}
}
