package change

import (
	"errors"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/acalocal/acalocal/emulator/aca"
	"github.com/google/go-cmp/cmp"
)

// traffic reads "a=50 latest=50:blue".
func traffic(text string) []aca.TrafficWeight {
	var out []aca.TrafficWeight
	for _, word := range strings.Fields(text) {
		word, label, _ := strings.Cut(word, ":")
		ws, err := ParseWeights([]string{word}, false)
		if err != nil {
			panic(err)
		}
		w := aca.TrafficWeight{RevisionName: ws[0].Name, Weight: ws[0].Percent, Label: label}
		if ws[0].Name == "latest" {
			w.RevisionName, w.LatestRevision = "", true
		}
		out = append(out, w)
	}
	return out
}

func TestTraffic(t *testing.T) {
	f := func(current, revisions, labels, want, wantErr string) {
		t.Helper()
		set, err := ParseWeights(strings.Fields(revisions), false)
		if err != nil {
			t.Fatal(err)
		}
		byLabel, err := ParseWeights(strings.Fields(labels), true)
		if err != nil {
			t.Fatal(err)
		}
		before := traffic(current)
		got, err := Traffic(before, append(set, byLabel...))
		if text := errorText(err); text != wantErr {
			t.Errorf("%s + %s: error %q, want %q", current, revisions, text, wantErr)
		}
		if diff := cmp.Diff(traffic(want), got); diff != "" {
			t.Errorf("%s + %s %s (-want +got):\n%s", current, revisions, labels, diff)
		}
		if diff := cmp.Diff(traffic(current), before); diff != "" {
			t.Errorf("%s: the list that came in was changed:\n%s", current, diff)
		}
	}
	f("latest=100", "a=100", "", "a=100", "")
	f("latest=100", "a=50 b=50", "", "a=50 b=50", "")
	f("latest=100", "a=30", "", "latest=70 a=30", "")
	f("a=50 b=50", "A=20", "", "a=20 b=80", "")
	f("a=60 b=30 c=10", "a=0", "", "b=75 c=25", "")
	f("a=34 b=33 c=33", "d=50", "", "a=17 b=17 c=16 d=50", "")
	f("a=100", "latest=10", "", "a=90 latest=10", "")
	f("a=100:blue b=0:green", "", "green=100", "a=0:blue b=100:green", "")
	f("a=100:blue b=0:green", "", "green=25", "a=75:blue b=25:green", "")
	f("a=100", "a=60 b=41", "", "", "Traffic sums may not exceed 100.")
	f("a=100", "a=60", "", "", "the weights sum to 60 and nothing else takes the remaining 40")
	f("a=100", "a=50 A=50", "", "", "the weight of A is given twice")
	f("a=100", "", "gold=50", "", `No labels 'gold' assigned to any traffic weight.`)
}

func TestParseWeightsRefuses(t *testing.T) {
	f := func(entry string, want error) {
		t.Helper()
		got, err := ParseWeights([]string{entry}, false)
		if !errors.Is(err, want) || !strings.HasSuffix(err.Error(), strconv.Quote(entry)) {
			t.Errorf("%q: got %v, %v; want %v and the entry", entry, got, err, want)
		}
	}
	f("", ErrTrafficFormat)
	f("a", ErrTrafficFormat)
	f("=5", ErrTrafficFormat)
	f("a=", ErrTrafficWeight)
	f("a=x", ErrTrafficWeight)
	f("a=-1", ErrTrafficWeight)
	f("a=1.5", ErrTrafficWeight)
	f("a=101", ErrTrafficWeight)
}

func FuzzTrafficSumsTo100(f *testing.F) {
	f.Add(50, 50, 30)
	f.Add(1, 0, 99)
	f.Add(33, 33, 1)
	f.Fuzz(func(t *testing.T, a, b, set int) {
		if a < 0 || b < 0 || a > 100 || b > 100-a || set < 0 {
			t.Skip("the weights before the change are none that Azure accepts")
		}
		current := []aca.TrafficWeight{{RevisionName: "a", Weight: a}, {RevisionName: "b", Weight: b}, {LatestRevision: true, Weight: 100 - a - b}}
		out, err := Traffic(current, []Weight{{Name: "b", Percent: set}})
		if err != nil {
			return
		}
		sum := 0
		for _, w := range out {
			if w.Weight <= 0 {
				t.Errorf("%+v has an entry of nothing", out)
			}
			sum += w.Weight
		}
		if sum != 100 {
			t.Errorf("%+v sums to %d", out, sum)
		}
	})
}

func TestLabels(t *testing.T) {
	f := func(name string, got []aca.TrafficWeight, err error, want, wantErr string) {
		t.Helper()
		if text := errorText(err); text != wantErr {
			t.Errorf("%s: error %q, want %q", name, text, wantErr)
		}
		if diff := cmp.Diff(traffic(want), got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
	two := traffic("a=100:blue b=0:green")
	f("add to a new revision", AddLabel(two, "gold", "c"), nil, "a=100:blue b=0:green c=0:gold", "")
	f("add to the latest, which has no entry", AddLabel(two, "gold", "Latest"), nil, "a=100:blue b=0:green latest=0:gold", "")
	f("move", AddLabel(two, "green", "c"), nil, "a=100:blue c=0:green", "")
	f("replace", AddLabel(two, "gold", "a"), nil, "a=100:gold b=0:green", "")
	f("move onto one that has another", AddLabel(two, "blue", "b"), nil, "a=100 b=0:blue", "")
	got, err := RemoveLabel(two, "GREEN")
	f("remove", got, err, "a=100:blue", "")
	got, err = RemoveLabel(two, "gold")
	f("remove what is not there", got, err, "", "Please specify a label name with an associated traffic weight.")
	got, err = SwapLabels(two, "blue", "green")
	f("swap", got, err, "a=100:green b=0:blue", "")
	got, err = SwapLabels(two, "blue", "Blue")
	f("swap with itself", got, err, "", "Label names to be swapped must be different.")
	got, err = SwapLabels(two, "blue", "gold")
	f("swap with none", got, err, "", "Could not find label 'gold' in traffic.")
	got, err = SwapLabels(two, "silver", "gold")
	f("swap of none", got, err, "", "Could not find label 'silver' nor label 'gold' in traffic.")
	if diff := cmp.Diff(traffic("a=100:blue b=0:green"), two); diff != "" {
		t.Errorf("the list that came in was changed:\n%s", diff)
	}
}

func TestTrafficSteps(t *testing.T) {
	got := TrafficSteps(traffic("latest=100 a=0:blue c=0:old"), traffic("latest=40 a=0:green b=60 d=0:new"))
	want := []string{
		"send 40% of the requests to the latest ready revision instead of 100%",
		"label of a: blue becomes green (moves no weight, restarts nothing)",
		"send 60% of the requests to b",
		"label of d: none becomes new (moves no weight, restarts nothing)",
		"send nothing to c any more (it had 0%, label old)",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestEnv(t *testing.T) {
	f := func(e EnvEdit, want, wantErr string, wantMissing ...string) {
		t.Helper()
		current := []aca.EnvVar{{Name: "A", Value: "1"}, {Name: "B", SecretRef: "key"}}
		got, missing, err := Env(current, e)
		if !slices.Equal(missing, wantMissing) {
			t.Errorf("%+v: %q are missing, want %q", e, missing, wantMissing)
		}
		var text []string
		for _, v := range got {
			text = append(text, v.Name+"="+v.Value+strings.TrimSuffix("@"+v.SecretRef, "@"))
		}
		if s := strings.Join(text, " "); s != want || errorText(err) != wantErr {
			t.Errorf("%+v: got %q, %v; want %q, %q", e, s, err, want, wantErr)
		}
	}
	f(EnvEdit{}, "A=1 B=@key", "")
	f(EnvEdit{Set: []string{"C=3", "A=2"}}, "A=2 B=@key C=3", "")
	f(EnvEdit{Set: []string{"B=plain=text", "A=secretref:key"}}, "A=@key B=plain=text", "")
	f(EnvEdit{Remove: []string{"A"}}, "B=@key", "")
	f(EnvEdit{Remove: []string{"X", "a"}}, "B=@key", "", "X")
	f(EnvEdit{Set: []string{"a=2"}}, "A=2 B=@key", "")
	f(EnvEdit{Replace: []string{"X=9"}}, "X=9", "")
	f(EnvEdit{RemoveAll: true}, "", "")
	f(EnvEdit{RemoveAll: true, Set: []string{"X=9"}}, "X=9", "")
	f(EnvEdit{Set: []string{"X"}}, "", `"X" is no variable: write NAME=value or NAME=secretref:SECRET`)
}

func TestRestrictions(t *testing.T) {
	home := aca.IPSecurityRestriction{Name: "home", IPAddressRange: "10.0.0.0/8", Action: "Allow"}
	office := aca.IPSecurityRestriction{Name: "office", IPAddressRange: "192.168.0.0/16", Action: "Allow"}
	rules := []aca.IPSecurityRestriction{home}
	got, err := SetRestriction(rules, office)
	if diff := cmp.Diff([]aca.IPSecurityRestriction{home, office}, got); err != nil || diff != "" {
		t.Errorf("add: %v (-want +got):\n%s", err, diff)
	}
	moved := home
	moved.IPAddressRange = "10.1.0.0/16"
	got, err = SetRestriction(rules, moved)
	if diff := cmp.Diff([]aca.IPSecurityRestriction{moved}, got); err != nil || diff != "" {
		t.Errorf("replace: %v (-want +got):\n%s", err, diff)
	}
	deny := office
	deny.Action = "Deny"
	if _, err = SetRestriction(rules, deny); errorText(err) != "rule office would deny and rule home would allow: all rules must have the same action" {
		t.Errorf("mixed: got %v", err)
	}
	if got, err = RemoveRestriction(rules, "home"); err != nil || len(got) != 0 || !slices.Equal(rules, []aca.IPSecurityRestriction{home}) {
		t.Errorf("remove: got %v, %v", got, err)
	}
	if _, err = RemoveRestriction(rules, "x"); errorText(err) != "Ip restriction name 'x' does not exist." {
		t.Errorf("remove none: got %v", err)
	}
}

func errorText(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}

func TestMerge(t *testing.T) {
	n := func(i int) *int { return &i }
	app := aca.ContainerApp{Name: "web", Tags: map[string]string{"team": "a"}, Properties: aca.AppProperties{
		Configuration: aca.Configuration{ActiveRevisionsMode: aca.Multiple, Ingress: &aca.Ingress{External: true, TargetPort: 8000}},
		Template:      aca.Template{RevisionSuffix: "old", Containers: []aca.Container{{Name: "web", Image: "web:1"}, {Name: "side", Image: "side:1"}}, Scale: &aca.Scale{MinReplicas: n(1)}},
	}}
	over := aca.ContainerApp{Name: "other", Tags: map[string]string{"tier": "b"}, Properties: aca.AppProperties{
		Configuration: aca.Configuration{Ingress: &aca.Ingress{External: true, TargetPort: 9000}},
		Template:      aca.Template{Containers: []aca.Container{{Name: "web", Image: "web:2"}}, Scale: &aca.Scale{MaxReplicas: n(4)}},
	}}
	got, err := Merge(app, over)
	if err != nil {
		t.Fatal(err)
	}
	want := aca.ContainerApp{Name: "web", Tags: map[string]string{"team": "a", "tier": "b"}, Properties: aca.AppProperties{
		Configuration: aca.Configuration{ActiveRevisionsMode: aca.Multiple, Ingress: &aca.Ingress{External: true, TargetPort: 9000}},
		Template:      aca.Template{Containers: []aca.Container{{Name: "web", Image: "web:2"}}, Scale: &aca.Scale{MinReplicas: n(1), MaxReplicas: n(4)}},
	}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestIngressFields(t *testing.T) {
	before := &aca.Ingress{External: true, TargetPort: 8000, Fqdn: "web.local.localhost", Traffic: traffic("latest=100")}
	after := &aca.Ingress{External: true, TargetPort: 9000, AllowInsecure: true, StickySessions: &aca.StickySessions{Affinity: "sticky"}, Traffic: traffic("a=100")}
	if diff := cmp.Diff([]string{"allowInsecure", "stickySessions"}, IngressFields(before, after)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if got := IngressFields(before, before); got != nil {
		t.Errorf("an ingress differs from itself in %v", got)
	}
}

func TestSuffix(t *testing.T) {
	for suffix, ok := range map[string]bool{
		"": true, "v2": true, "9x": true, "a-b-c": true, "a": true, strings.Repeat("a", 65): true,
		"-a": false, "a-": false, "a--b": false, "A": false, "a_b": false, "a.b": false, "a b": false, "é": false, "-": false,
	} {
		if err := Suffix(suffix); (err == nil) != ok {
			t.Errorf("%q: got %v", suffix, err)
		}
	}
	want := "Invalid Container App revision suffix 'A'. A revision suffix must consist of lower case alphanumeric characters or '-', " +
		"start with a letter or number, end with an alphanumeric character and cannot have '--'."
	if got := errorText(Suffix("A")); got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}
