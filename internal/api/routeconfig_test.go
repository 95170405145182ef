package api_test

import (
	"io"
	"strings"
	"testing"

	"github.com/acalocal/acalocal/emulator/emulatortest"
	"github.com/google/go-cmp/cmp"
)

func TestRouteConfigsAreReachedByARMsPath(t *testing.T) {
	t.Parallel()
	env := emulatortest.Start(t, emulatortest.Run("web", "web:1", 8000), emulatortest.Simulated(map[string]emulatortest.Simulation{
		"web:1": {Listens: []int{8000}},
	}))
	c := &caller{T: t, env: env}
	f := func(method, path, body string, status int, want string) {
		t.Helper()
		resp := c.send(method, path, body)
		defer resp.Body.Close()
		text, err := io.ReadAll(resp.Body)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, strings.TrimSpace(string(text))); resp.StatusCode != status || diff != "" {
			t.Errorf("%s %s: got %d, want %d; body (-want +got):\n%s", method, path, resp.StatusCode, status, diff)
		}
	}
	snap := env.Snapshot()
	group := "/subscriptions/s/resourceGroups/rg/providers/Microsoft.App/managedEnvironments/"
	configs := group + snap.Environment + "/httpRouteConfigs"
	const properties = `"rules":[{"routes":[{"match":{"prefix":"/"}}],"targets":[{"containerApp":"web"}]}]`
	shop := `{"id":"` + configs + `/shop","name":"shop","type":"Microsoft.App/managedEnvironments/httpRouteConfigs",` +
		`"properties":{"provisioningState":"Succeeded","fqdn":"shop.` + snap.Domain + `",` + properties + `}}`

	f("GET", configs, "", 200, `{"value":[]}`)
	// What a GET of Azure has answered, the name in the path aside.
	f("PUT", configs+"/Shop?api-version=2026-01-01", `{"id":"/x","name":"other","systemData":{"createdBy":"me"},"properties":{"provisioningState":"Failed","fqdn":"shop.azure.example",`+properties+`}}`, 200, shop)
	f("GET", configs+"/shop", "", 200, shop)
	f("GET", strings.ToUpper(group+snap.Environment+"/httpRouteConfigs"), "", 200,
		`{"value":[`+strings.Replace(shop, "/subscriptions/s/resourceGroups/rg/", "/subscriptions/S/resourceGroups/RG/", 1)+`]}`)
	f("GET", configs+"/none", "", 404, `{"error":{"code":"ResourceNotFound","message":"The Resource 'Microsoft.App/managedEnvironments/`+snap.Environment+
		`/httpRouteConfigs/none' under resource group 'rg' was not found. For more details please go to https://aka.ms/ARMResourceNotFoundFix","target":"managedEnvironments/`+snap.Environment+`/httpRouteConfigs/none"}}`)
	f("GET", group+"elsewhere/httpRouteConfigs", "", 404, `{"error":{"code":"ResourceNotFound","message":"The Resource 'Microsoft.App/managedEnvironments/elsewhere' under resource group 'rg' `+
		`was not found. For more details please go to https://aka.ms/ARMResourceNotFoundFix","target":"managedEnvironments/elsewhere"}}`)
	f("PUT", configs+"/web", `{"properties":{`+properties+`}}`, 409, `{"error":{"code":"Conflict","message":"The route config 'web' must not have the name of a container app of its environment.","target":"web"}}`)
	f("PUT", configs+"/shop", `{"properties":{"rules":[{"targets":[{"containerapp":"web","wieght":1}]}]}}`, 400,
		`{"error":{"code":"ContainerAppInvalidSchema","message":"unknown key \"wieght\"","target":"properties.rules[0].targets[0].wieght","innererror":{"hint":"did you mean \"weight\"?"}}}`)
	f("POST", configs, "", 405, `{"error":{"code":"MethodNotAllowed","message":"'`+configs+`' does not answer POST, only GET."}}`)
	f("PATCH", configs+"/shop", "{}", 405, `{"error":{"code":"MethodNotAllowed","message":"'`+configs+`/shop' does not answer PATCH, only GET, PUT and DELETE."}}`)
	f("DELETE", configs+"/shop", "", 200, "")
	f("DELETE", configs+"/shop", "", 204, "")
	f("GET", configs, "", 200, `{"value":[]}`)
}
