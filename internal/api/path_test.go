package api

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestParseARMPath(t *testing.T) {
	const base = "/subscriptions/s/resourceGroups/rg/providers/Microsoft.App/containerApps"
	f := func(path string, want armPath) {
		t.Helper()
		got, ok := parseARMPath(path)
		if !ok {
			t.Errorf("%s: not an ARM path", path)
		}
		if diff := cmp.Diff(want, got, cmp.AllowUnexported(armPath{})); diff != "" {
			t.Errorf("%s (-want +got):\n%s", path, diff)
		}
	}
	f("/subscriptions/s/providers/Microsoft.App/containerApps", armPath{subscription: "s"})
	f(base, armPath{subscription: "s", resourceGroup: "rg"})
	f(base+"/", armPath{subscription: "s", resourceGroup: "rg"})
	f("/SUBSCRIPTIONS/S/RESOURCEGROUPS/RG/PROVIDERS/MICROSOFT.APP/CONTAINERAPPS/WEB", armPath{subscription: "S", resourceGroup: "RG", app: "web"})
	f(base+"/web/revisions", armPath{subscription: "s", resourceGroup: "rg", app: "web", kind: "revisions"})
	f(base+"/web/revisions/r", armPath{subscription: "s", resourceGroup: "rg", app: "web", kind: "revisions", revision: "r"})
	f(base+"/web/revisions/r/restart", armPath{subscription: "s", resourceGroup: "rg", app: "web", kind: "revisions", revision: "r", action: "restart"})
	f(base+"/web/revisions/r/replicas", armPath{subscription: "s", resourceGroup: "rg", app: "web", kind: "replicas", revision: "r"})
	f(base+"/web/revisions/r/replicas/p", armPath{subscription: "s", resourceGroup: "rg", app: "web", kind: "replicas", revision: "r", replica: "p"})
	const all = "/subscriptions/s/resourceGroups/rg/providers/Microsoft.App/managedEnvironments"
	f("/subscriptions/s/providers/Microsoft.App/managedEnvironments", armPath{subscription: "s", kind: environments})
	f(all, armPath{subscription: "s", resourceGroup: "rg", kind: environments})
	f(all+"/Dev/", armPath{subscription: "s", resourceGroup: "rg", kind: environments, environment: "Dev"})
	const env = "/subscriptions/s/resourceGroups/rg/providers/Microsoft.App/managedEnvironments/Dev/httpRouteConfigs"
	f(env, armPath{subscription: "s", resourceGroup: "rg", kind: routeConfigs, environment: "Dev"})
	f(env+"/Shop", armPath{subscription: "s", resourceGroup: "rg", kind: routeConfigs, environment: "Dev", routeConfig: "shop"})
}

func TestParseARMPathRefuses(t *testing.T) {
	for _, path := range []string{
		"", "/", "/subscriptions", "/subscriptions/s", "/subscriptions/s/resourceGroups", "/subscriptions//providers/Microsoft.App/containerApps",
		"/subscriptions/s/providers/Microsoft.Web/containerApps", "/subscriptions/s/providers/Microsoft.App/jobs",
		"/subscriptions/s/providers/Microsoft.App/containerApps/a/b", "/subscriptions/s/providers/Microsoft.App/containerApps/a/revisions/r/x",
		"/subscriptions/s/providers/Microsoft.App/containerApps/a/revisions/r/replicas/p/x",
		"/subscriptions/s/providers/Microsoft.App/managedEnvironments/e",
		"/subscriptions/s/resourceGroups/rg/providers/Microsoft.App/managedEnvironments//httpRouteConfigs",
		"/subscriptions/s/resourceGroups/rg/providers/Microsoft.App/managedEnvironments/e/httpRouteConfigs/r/x",
		"/subscriptions/s/providers/Microsoft.App/managedEnvironments/e/httpRouteConfigs",
	} {
		if got, ok := parseARMPath(path); ok {
			t.Errorf("%q: got %+v, want a refusal", path, got)
		}
	}
}

func FuzzParseARMPath(f *testing.F) {
	f.Add("/subscriptions/s/resourceGroups/rg/providers/Microsoft.App/containerApps/web/revisions/r/replicas/p")
	f.Fuzz(func(t *testing.T, path string) {
		p, ok := parseARMPath(path)
		if ok && p.kind != "" && p.kind != environments && p.app == "" && p.environment == "" {
			t.Errorf("%q: %+v has children of nothing", path, p)
		}
	})
}
