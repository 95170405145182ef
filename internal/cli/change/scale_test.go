package change

import (
	"encoding/json"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/acalocal/acalocal/emulator/aca"
)

func TestScaleRule(t *testing.T) {
	f := func(e ScaleRuleEdit, want string) {
		t.Helper()
		rule, err := ScaleRule(e)
		text, _ := json.Marshal(rule) // of strings alone
		if got := string(text); err != nil && err.Error() != want || err == nil && got != want {
			t.Errorf("%+v: got %s, %v; want %s", e, got, err, want)
		}
	}
	f(ScaleRuleEdit{Name: "a", Concurrency: new(5)}, `{"name":"a","http":{"metadata":{"concurrentRequests":"5"}}}`)
	f(ScaleRuleEdit{Name: "a", Type: "TCP", Concurrency: new(5)}, `{"name":"a","tcp":{"metadata":{"concurrentConnections":"5"}}}`)
	f(ScaleRuleEdit{Name: "q", Type: "azure-queue", Metadata: []string{"queueName=q", "query=a=b"}, Auth: []string{"connection=key"}},
		`{"name":"q","custom":{"type":"azure-queue","metadata":{"query":"a=b","queueName":"q"},"auth":[{"secretRef":"key","triggerParameter":"connection"}]}}`)
	f(ScaleRuleEdit{Type: "http"}, "a scale rule needs a name")
	f(ScaleRuleEdit{Name: "q", Type: "cpu", Concurrency: new(5)}, "a rule of type cpu has no concurrency: only http and tcp rules have")
	f(ScaleRuleEdit{Name: "a", Concurrency: new(5), Metadata: []string{"concurrentRequests=6"}}, `the metadata "concurrentRequests" is given twice`)
	f(ScaleRuleEdit{Name: "a", Metadata: []string{"x"}}, `"x" is no metadata: write KEY=value`)
	f(ScaleRuleEdit{Name: "a", Auth: []string{"x="}}, `"x=" is no authentication: write PARAMETER=SECRET`)
	f(ScaleRuleEdit{Name: "a", Auth: []string{"x=s", "x=t"}}, `the parameter "x" is given twice`)
}

func TestMountSecrets(t *testing.T) {
	f := func(volumes, mounts, want string) {
		t.Helper()
		var vs []aca.Volume
		for _, v := range strings.Fields(volumes) {
			name, kind, _ := strings.Cut(v, ":")
			vs = append(vs, aca.Volume{Name: name, StorageType: kind})
		}
		var ms []aca.VolumeMount
		for _, m := range strings.Fields(mounts) {
			ms = append(ms, aca.VolumeMount{VolumeName: m, MountPath: "/old"})
		}
		gotVolumes, gotMounts, err := MountSecrets(vs, ms, "/new")
		var words []string
		for _, v := range gotVolumes {
			words = append(words, v.Name+":"+v.StorageType)
		}
		for _, m := range gotMounts {
			words = append(words, m.VolumeName+"@"+m.MountPath)
		}
		if got := strings.Join(words, " ") + errorText(err); got != want {
			t.Errorf("%s, %s: got %q, want %q", volumes, mounts, got, want)
		}
		if len(ms) > 0 && ms[0].MountPath != "/old" {
			t.Errorf("%s, %s: the list that came in was changed", volumes, mounts)
		}
	}
	f("", "", "secret-volume:Secret secret-volume@/new")
	f("secret-volume:Secret", "", "secret-volume:Secret secret-volume-2:Secret secret-volume-2@/new")
	f("s:Secret", "s", "s:Secret s@/new")
	f("d:EmptyDir", "d", "the container's mount d is no volume of secrets")
	f("s:Secret d:EmptyDir", "s d", "the container has more than one mount")
}

func TestTags(t *testing.T) {
	f := func(entries, want string) {
		t.Helper()
		got, err := Tags(map[string]string{"a": "1", "b": "2"}, strings.Split(entries, " "))
		var words []string
		for _, key := range slices.Sorted(maps.Keys(got)) {
			words = append(words, key+"="+got[key])
		}
		if text := strings.Join(words, " ") + errorText(err); text != want {
			t.Errorf("%s: got %q, want %q", entries, text, want)
		}
	}
	f("b=3 c=x=y d", "a=1 b=3 c=x=y d=")
	f("", "a=1 b=2")
	f("=x", `"=x" is no tag: write KEY=value`)
}
