package api_test

import (
	"io"
	"regexp"
	"strings"
	"testing"

	"github.com/acalocal/acalocal/emulator/emulatortest"
	"github.com/google/go-cmp/cmp"
)

func TestTheEnvironmentIsReachedByARMsPath(t *testing.T) {
	t.Parallel()
	env := emulatortest.Start(t, emulatortest.Run("web", "web:1", 8000), emulatortest.Simulated(map[string]emulatortest.Simulation{
		"web:1": {Listens: []int{8000}},
	}))
	c := &caller{T: t, env: env}
	system := regexp.MustCompile(`"systemData":{("createdBy":"[^"]+",)?"createdByType":"User","createdAt":"2[0-9.:T-]+",("lastModifiedBy":"[^"]+",)?"lastModifiedByType":"User","lastModifiedAt":"2[0-9.:T-]+"}`)
	workspace := regexp.MustCompile(`"customerId":"[0-9a-f-]{36}"`)
	f := func(method, path string, status int, want string) {
		t.Helper()
		resp := c.send(method, path, "")
		defer resp.Body.Close()
		text, err := io.ReadAll(resp.Body)
		if err != nil {
			t.Fatal(err)
		}
		got := system.ReplaceAllString(strings.TrimSpace(string(text)), `"systemData":{}`)
		got = workspace.ReplaceAllString(got, `"customerId":"WORKSPACE"`)
		if diff := cmp.Diff(want, got); resp.StatusCode != status || diff != "" {
			t.Errorf("%s %s: got %d, want %d; body (-want +got):\n%s", method, path, resp.StatusCode, status, diff)
		}
	}
	name := env.Snapshot().Environment
	answer := func(group string) string {
		return `{"id":"/subscriptions/s/resourceGroups/` + group + `/providers/Microsoft.App/managedEnvironments/` + name + `","name":"` + name + `",` +
			`"type":"Microsoft.App/managedEnvironments","location":"local","tags":null,"systemData":{},"properties":{"provisioningState":"Succeeded",` +
			`"defaultDomain":"` + name + `.localhost","staticIp":"127.0.0.1","eventStreamEndpoint":null,` +
			`"appLogsConfiguration":{"destination":"log-analytics","logAnalyticsConfiguration":{"customerId":"WORKSPACE","sharedKey":null}},` +
			`"vnetConfiguration":null,"zoneRedundant":false,"workloadProfiles":[{"name":"Consumption","workloadProfileType":"Consumption"}],` +
			`"customDomainConfiguration":null,"daprAIInstrumentationKey":null,"daprAIConnectionString":null,"infrastructureResourceGroup":null}}`
	}
	const all = "/resourceGroups/rg/providers/Microsoft.App/managedEnvironments"
	f("GET", "/subscriptions/s"+all+"/"+name+"?api-version=2025-07-01", 200, answer("rg"))
	f("GET", "/subscriptions/s"+all+"/"+strings.ToUpper(name), 200, answer("rg"))
	f("GET", "/subscriptions/s"+all, 200, `{"value":[`+answer("rg")+`]}`)
	f("GET", "/subscriptions/s/providers/Microsoft.App/managedEnvironments", 200, `{"value":[`+answer("local")+`]}`)
	f("GET", "/subscriptions/s"+all+"/elsewhere", 404, `{"error":{"code":"ResourceNotFound","message":"The Resource 'Microsoft.App/managedEnvironments/elsewhere' under resource group 'rg' `+
		`was not found. For more details please go to https://aka.ms/ARMResourceNotFoundFix","target":"managedEnvironments/elsewhere"}}`)
	f("PUT", "/subscriptions/s"+all+"/"+name, 405, `{"error":{"code":"MethodNotAllowed","message":"'/subscriptions/s`+all+"/"+name+`' does not answer PUT, only GET."}}`)
}
