package emulator

import (
	"errors"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/acalocal/acalocal/emulator/aca"
	"github.com/acalocal/acalocal/internal/container"
)

func shopRoutes() aca.HTTPRouteConfig {
	insensitive := false
	return aca.HTTPRouteConfig{Name: "shop", Properties: aca.HTTPRouteConfigProperties{
		CustomDomains: []aca.CustomDomain{{Name: "Shop.Example.com"}, {Name: "Old.Example.com", BindingType: "Disabled"}},
		Rules: []aca.HTTPRouteRule{
			{
				Description: "the api",
				Routes:      []aca.HTTPRoute{{Match: aca.HTTPRouteMatch{PathSeparatedPrefix: "/api"}, Action: &aca.HTTPRouteAction{PrefixRewrite: "/"}}},
				Targets:     []aca.HTTPRouteTarget{{ContainerApp: "api"}},
			},
			{
				Routes: []aca.HTTPRoute{
					{Match: aca.HTTPRouteMatch{Path: "/about"}},
					{Match: aca.HTTPRouteMatch{Prefix: "/", CaseSensitive: &insensitive}},
				},
				Targets: []aca.HTTPRouteTarget{{ContainerApp: "web"}},
			},
		},
	}}
}

// routesText is the published table's text from the route configs on, with the
// app that only they name.
func (w *world) routesText() string {
	w.Helper()
	w.edge.mu.Lock()
	defer w.edge.mu.Unlock()
	if err := w.edge.table.Validate(); err != nil {
		w.Errorf("the table is invalid: %v", err)
	}
	_, routes, _ := strings.Cut(w.edge.table.String(), "routes ")
	return routes
}

func TestRouteConfigsAreRoutedAndOutliveTheDaemon(t *testing.T) {
	inBubble(t, func(w *world) {
		w.apply("web:1")
		if err := w.engine.ApplyRouteConfig(w.Context(), shopRoutes()); err != nil {
			w.Fatal(err)
		}
		synctest.Wait()
		text := w.routesText()
		if !strings.HasPrefix(text, "shop\n") || !strings.Contains(text, "/api") || !strings.Contains(text, "  domain shop.example.com\n  domain old.example.com disabled\n") {
			w.Errorf("the table has %q", text)
		}
		got := w.engine.Snapshot().RouteConfig("shop")
		if got == nil || got.Properties.Fqdn != "shop.local.localhost" || got.Properties.ProvisioningState != "Succeeded" {
			w.Fatalf("the snapshot has %+v", got)
		}
		if got.Local.Problem != "There is no app api." {
			w.Errorf("the problem is %q", got.Local.Problem)
		}
		w.stop()
		w.boot()
		w.waitFor("the next daemon knows it", func(s *Snapshot) bool { return s.RouteConfig("shop") != nil })
		w.waitFor("web is ready", ready)
		if again := w.routesText(); again != text {
			w.Errorf("the next daemon's table has %q, want %q", again, text)
		}
		if err := w.engine.DeleteRouteConfig(w.Context(), "shop"); err != nil {
			w.Fatal(err)
		}
		synctest.Wait()
		if text := w.routesText(); text != "" {
			w.Errorf("after it is removed the table has %q", text)
		}
		var e *aca.Error
		if err := w.engine.DeleteRouteConfig(w.Context(), "shop"); !errors.As(err, &e) || e.Code != "ResourceNotFound" {
			w.Errorf("removing it twice: %v", err)
		}
	})
}

func TestShutdownForgetsRouteConfigs(t *testing.T) {
	inBubble(t, func(w *world) {
		w.apply("web:1")
		if err := w.engine.ApplyRouteConfig(w.Context(), shopRoutes()); err != nil {
			w.Fatal(err)
		}
		if err := w.engine.Delete(w.Context(), "web"); err != nil {
			w.Fatal(err)
		}
		w.waitFor("web is gone, the route config is not", func(s *Snapshot) bool { return s.App("web") == nil && s.RouteConfig("shop") != nil })
		if err := w.engine.Shutdown(w.Context()); err != nil {
			w.Fatal(err)
		}
		if left, err := w.memory.LoadRouteConfigs(); err != nil || len(left) != 0 {
			w.Errorf("left %v", left)
		}
	})
}

func TestNamesBelongToOneAppOrRouteConfig(t *testing.T) {
	inBubble(t, func(w *world) {
		conflict := func(what string, err error, want string) {
			w.Helper()
			var e *aca.Error
			if !errors.As(err, &e) || e.Code != "Conflict" || e.Message != want {
				w.Errorf("%s: %v, want %s", what, err, want)
			}
		}
		w.apply("web:1")
		routes := shopRoutes()
		routes.Name = "web"
		conflict("a route config named like an app", w.engine.ApplyRouteConfig(w.Context(), routes),
			"The route config 'web' must not have the name of a container app of its environment.")
		if err := w.engine.ApplyRouteConfig(w.Context(), shopRoutes()); err != nil {
			w.Fatal(err)
		}
		app := w.app("web:1")
		app.Name = "shop"
		_, err := w.engine.Apply(w.Context(), ApplyRequest{App: app})
		conflict("an app named like a route config", err, "The container app 'shop' must not have the name of a route config of its environment.")
		app = w.app("web:1")
		app.Properties.Configuration.Ingress.CustomDomains = []aca.CustomDomain{{Name: "shop.example.com"}}
		_, err = w.engine.Apply(w.Context(), ApplyRequest{App: app})
		conflict("a custom domain of a route config", err, "The custom domain 'shop.example.com' belongs to the route config shop.")
	})
}

func TestResiliencyPolicyReachesTheEdgeAndIsKept(t *testing.T) {
	number := func(n int) *int { return &n }
	policy := &aca.ResiliencyPolicy{Properties: aca.ResiliencyPolicyProperties{
		TimeoutPolicy:        &aca.TimeoutPolicy{ResponseTimeoutInSeconds: number(15)},
		HTTPRetryPolicy:      &aca.HTTPRetryPolicy{MaxRetries: number(3), Matches: &aca.RetryMatches{Errors: []string{"5xx"}, HTTPStatusCodes: []int{429}}},
		CircuitBreakerPolicy: &aca.CircuitBreakerPolicy{ConsecutiveErrors: number(5), IntervalInSeconds: number(10)},
	}}
	inBubble(t, func(w *world) {
		line := func() string {
			w.Helper()
			synctest.Wait()
			w.edge.mu.Lock()
			defer w.edge.mu.Unlock()
			for line := range strings.Lines(w.edge.table.String()) {
				if strings.HasPrefix(line, "  resiliency") {
					return strings.TrimSpace(line)
				}
			}
			return ""
		}
		const want = `resiliency responseTimeout=15s retries=3 codes=[] errors=["5xx"] delay=0s max=0s breaker=5/10s/0%`
		w.apply("web:1")
		out, err := w.engine.Apply(w.Context(), ApplyRequest{App: w.app("web:1"), Resiliency: policy})
		if err != nil {
			w.Fatal(err)
		}
		if out.NewRevision || out.Plan != "keep revision "+out.Revision+" (its resiliency policy changed)\n" {
			w.Errorf("applied %+v", out)
		}
		if got := line(); got != want {
			w.Errorf("the table has %q, want %q", got, want)
		}
		w.stop()
		w.boot()
		w.waitFor("web is ready", ready)
		if got := line(); got != want {
			w.Errorf("after a restart of the daemon the table has %q", got)
		}
		bad := &aca.ResiliencyPolicy{Properties: aca.ResiliencyPolicyProperties{HTTPRetryPolicy: &aca.HTTPRetryPolicy{}}}
		if _, err := w.engine.Apply(w.Context(), ApplyRequest{App: w.app("web:1"), Resiliency: bad}); err == nil || !strings.Contains(err.Error(), "no maxRetries") {
			w.Errorf("a policy without maxRetries: %v", err)
		}
	})
}

func TestDefinitionThatComesByARMKeepsWhatIsLocal(t *testing.T) {
	inBubble(t, func(w *world) {
		dirs := Directories{Storages: map[string]string{"shop": "/data/shop"}}
		first, err := w.engine.Apply(w.Context(), ApplyRequest{App: w.storing(), HostPort: 8099, LocalImages: []string{"web:1", "web:2"}, Directories: dirs})
		if err != nil {
			w.Fatal(err)
		}
		w.mounts()
		w.runtime.Refuse(func(op string, _ container.Key) error {
			if op == "pull" {
				return errors.New("local images are not in a registry")
			}
			return nil
		})
		app := w.storing()
		app.Properties.Template.Containers[0].Image = "web:2"
		out, err := w.engine.Apply(w.Context(), ApplyRequest{App: app, KeepLocal: true})
		if err != nil {
			w.Fatal(err)
		}
		if !out.NewRevision || out.Revision == first.Revision {
			w.Errorf("applied %+v", out)
		}
		w.waitFor("the new revision serves alone", func(s *Snapshot) bool {
			rev := s.App("web").Revision(out.Revision)
			return rev.Serving == 100 && len(s.App("web").Revision(first.Revision).Replicas) == 0
		})
		mounts, _ := w.mounts()
		if got := mounts[1]; got.Type != container.MountBind || got.Source != "/data/shop" {
			w.Errorf("the storage is %+v, want the directory", got)
		}
		if got := w.engine.Snapshot().App("web").Local.Port; got != 8099 {
			w.Errorf("the port is %d, want the one it had", got)
		}
	})
}
