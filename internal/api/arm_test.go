package api_test

import (
	"encoding/json"
	"io"
	"strings"
	"testing"

	"github.com/acalocal/acalocal/emulator/emulatortest"
	"github.com/google/go-cmp/cmp"
)

// TestPutOfWhatAGetHasAnswered: what Azure has answered is no mistake when it
// is put here, and no change when it is put again; a GET answers with what was
// put, and with the read-only fields of the app that runs here.
func TestPutOfWhatAGetHasAnswered(t *testing.T) {
	t.Parallel()
	env := emulatortest.Start(t, emulatortest.Run("web", "web:1", 8000), emulatortest.Simulated(map[string]emulatortest.Simulation{
		"web:1": {Listens: []int{8000}},
	}))
	c := &caller{T: t, env: env}
	const path = "/subscriptions/s/resourceGroups/rg/providers/Microsoft.App/containerApps/api"
	call := func(method, body string) map[string]any {
		t.Helper()
		resp := c.send(method, path, body)
		defer resp.Body.Close()
		text, err := io.ReadAll(resp.Body)
		if err != nil {
			t.Fatal(err)
		}
		var app map[string]any
		if err := json.Unmarshal(text, &app); err != nil || resp.StatusCode != 200 {
			t.Fatalf("%s: %d %s %v", method, resp.StatusCode, text, err)
		}
		return app
	}
	const exported = `{"id":"/x","name":"api","location":"East US","plan":null,"tags":{"team":"shop"},"systemData":{"createdBy":"me"},
		"identity":{"type":"SystemAssigned","principalId":"p"},
		"properties":{"provisioningState":"Failed","latestRevisionName":"api--azure","outboundIpAddresses":["20.1.2.3"],"customDomainVerificationId":"V",
			"patchingMode":"Automatic","workloadProfileName":"D4","configuration":{"agentSettings":null,"ingress":{"external":true,"targetPort":8000,"fqdn":"api.azure.example"}},
			"template":{"containers":[{"name":"api","image":"web:1","resources":{"cpu":0.5,"memory":"1Gi","ephemeralStorage":"8Gi"}}]}}}`
	put := call("PUT", exported)
	properties, ok := put["properties"].(map[string]any)
	if !ok {
		t.Fatalf("put answers %v", put)
	}
	revision, ok := properties["latestRevisionName"].(string)
	if !ok || revision == "api--azure" {
		t.Errorf("the revision is %v", properties["latestRevisionName"])
	}
	want := map[string]any{"id": strings.Replace(path, "containerApps", "containerapps", 1), "name": "api", "type": "Microsoft.App/containerApps", "location": "East US", "tags": map[string]any{"team": "shop"},
		"identity": map[string]any{"type": "SystemAssigned"}}
	got := map[string]any{}
	for key, value := range put {
		if key != "properties" && key != "systemData" {
			got[key] = value
		}
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	for key, want := range map[string]any{"provisioningState": "Succeeded", "patchingMode": "Automatic", "workloadProfileName": "D4",
		"outboundIpAddresses": []any{"127.0.0.1"}, "customDomainVerificationId": nil, "eventStreamEndpoint": nil, "delegatedIdentities": []any{},
		"environmentId":        "/subscriptions/s/resourceGroups/rg/providers/Microsoft.App/managedEnvironments/" + env.Snapshot().Environment,
		"managedEnvironmentId": "/subscriptions/s/resourceGroups/rg/providers/Microsoft.App/managedEnvironments/" + env.Snapshot().Environment,
	} {
		if diff := cmp.Diff(want, properties[key]); diff != "" {
			t.Errorf("%s (-want +got):\n%s", key, diff)
		}
	}
	again := call("PUT", strings.NewReplacer("Failed", "Succeeded", "api--azure", "api--other", "8Gi", "4Gi").Replace(exported))
	if diff := cmp.Diff(put["properties"].(map[string]any)["latestRevisionName"], again["properties"].(map[string]any)["latestRevisionName"]); diff != "" {
		t.Errorf("put again, the revision (-first +second):\n%s", diff)
	}
	own, err := json.Marshal(call("GET", ""))
	if err != nil {
		t.Fatal(err)
	}
	last := call("PUT", string(own))
	if got := last["properties"].(map[string]any)["latestRevisionName"]; got != revision {
		t.Errorf("its own answer makes the revision %v", got)
	}
}
