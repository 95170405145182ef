package aca

import (
	"encoding/json"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestDropReadOnlyLeavesWhatAUserWrites(t *testing.T) {
	app, problems := DecodeJSON[ContainerApp]([]byte(`{"id":"/x","name":"a","location":"East US","tags":{"team":"shop"},"systemData":{"createdBy":"me"},
		"identity":{"type":"SystemAssigned","principalId":"p","tenantId":"t"},
		"properties":{"provisioningState":"Succeeded","workloadProfileName":"Consumption","customDomainVerificationId":"V","delegatedIdentities":[],
			"configuration":{"ingress":{"external":true,"targetPort":80,"fqdn":"a.example"}},
			"template":{"containers":[{"name":"c","image":"i","imageType":"ContainerImage","resources":{"cpu":0.5,"memory":"1Gi","ephemeralStorage":"2Gi"}}]}}}`))
	if len(problems) > 0 {
		t.Fatal(lines(problems))
	}
	DropReadOnly(&app)
	got, err := json.Marshal(app)
	if err != nil {
		t.Fatal(err)
	}
	want := `{"name":"a","location":"East US","tags":{"team":"shop"},"identity":{"type":"SystemAssigned"},` +
		`"properties":{"workloadProfileName":"Consumption","configuration":{"ingress":{"external":true,"targetPort":80}},` +
		`"template":{"containers":[{"name":"c","image":"i","resources":{"cpu":0.5,"memory":"1Gi"}}]}}}`
	if diff := cmp.Diff(want, string(got)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestReadOnlyFieldsAreNoReasonForARevision(t *testing.T) {
	f := func(container string) string {
		template, problems := DecodeJSON[Template]([]byte(`{"containers":[{"name":"c","image":"i",` + container + `}]}`))
		if len(problems) > 0 {
			t.Fatal(lines(problems))
		}
		return TemplateHash(&template)
	}
	plain, exported := f(`"resources":{"cpu":0.5,"memory":"1Gi"}`), f(`"imageType":"ContainerImage","resources":{"cpu":0.5,"memory":"1Gi","ephemeralStorage":"8Gi"}`)
	if plain != exported {
		t.Error("what the service answers has made a new revision")
	}
}
