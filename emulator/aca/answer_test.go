package aca

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// TestAnswerNamesWhatIsUnset: members of the configuration, the ingress, the
// template and its scale are there as recorded from the service; those of
// containers, rules, secrets and traffic entries are not.
func TestAnswerNamesWhatIsUnset(t *testing.T) {
	app := ContainerApp{Name: "app1", Properties: AppProperties{
		Configuration: Configuration{
			Secrets: []Secret{{Name: "s1"}},
			Ingress: &Ingress{Fqdn: "app1.example", External: true, TargetPort: 80, Transport: TransportAuto, Traffic: []TrafficWeight{{LatestRevision: true, Weight: 100}}},
		},
		Template: Template{
			Containers: []Container{{Name: "app1", Image: "nginx", Env: []EnvVar{{Name: "A", Value: "<b>"}}}},
			Scale:      &Scale{MaxReplicas: new(10), Rules: []ScaleRule{{Name: "web", HTTP: &RuleMetadata{}}}},
		},
	}}
	const want = `{"name":"app1","tags":null,"properties":{
		"configuration":{"maxInactiveRevisions":null,
			"ingress":{"external":true,"targetPort":80,"exposedPort":0,"transport":"Auto","allowInsecure":false,"clientCertificateMode":null,"additionalPortMappings":null,
				"corsPolicy":null,"ipSecurityRestrictions":null,"stickySessions":null,"customDomains":null,"traffic":[{"latestRevision":true,"weight":100}],"fqdn":"app1.example"},
			"secrets":[{"name":"s1"}],"registries":null,"dapr":null,"service":null},
		"template":{"revisionSuffix":null,"terminationGracePeriodSeconds":null,"initContainers":null,
			"containers":[{"name":"app1","image":"nginx","env":[{"name":"A","value":"<b>"}]}],
			"scale":{"minReplicas":null,"maxReplicas":10,"cooldownPeriod":null,"pollingInterval":null,"rules":[{"name":"web","http":{}}]},
			"volumes":null,"serviceBinds":null},
		"customDomainVerificationId":null,"eventStreamEndpoint":null}}`
	if diff := cmp.Diff(strings.NewReplacer("\n", "", "\t", "").Replace(want), encode(t, Answer(app))); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// TestAnswerIsTheUsualEncodingOtherwise: where nothing is tagged, and around
// what is, nothing differs from encoding/json.
func TestAnswerIsTheUsualEncodingOtherwise(t *testing.T) {
	at := time.Date(2024, 4, 16, 9, 42, 21, 5, time.UTC)
	for _, v := range []any{
		nil, "a<b", []byte("bytes"), []string(nil), []Container{}, map[string]int{"b": 1, "a": 2}, (*Ingress)(nil),
		Replica{Name: "r", Properties: ReplicaProperties{CreatedTime: at}},
		struct {
			TrafficWeight
			Local map[string]any `json:"local"`
			Bare  int
			Gone  string `json:"-"`
		}{TrafficWeight{Weight: 3}, nil, 7, "x"},
	} {
		if diff := cmp.Diff(encode(t, v), encode(t, Answer(v))); diff != "" {
			t.Errorf("%T (-encoding/json +answer):\n%s", v, diff)
		}
	}
}

// TestAnswerWritesTimesOfRevisionsWithTheirOffset as recorded.
func TestAnswerWritesTimesOfRevisionsWithTheirOffset(t *testing.T) {
	at := time.Date(2024, 4, 16, 11, 42, 21, 5000, time.FixedZone("", 7200))
	got := encode(t, Answer([]Revision{{Properties: RevisionProperties{CreatedTime: at}}}))
	if !strings.Contains(got, `"createdTime":"2024-04-16T09:42:21+00:00"`) || strings.Contains(got, "lastActiveTime") {
		t.Errorf("got %s", got)
	}
}

func encode(t *testing.T, v any) string {
	t.Helper()
	b, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return strings.NewReplacer(`\u003c`, "<", `\u003e`, ">").Replace(string(b))
}
