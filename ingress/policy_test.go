package ingress

import (
	"io"
	"net/http"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestCORSIsTheEdgesBusinessForAllowedOrigins(t *testing.T) {
	age := 600
	app := backend(t, "web--a-1", func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Access-Control-Allow-Origin", "app")
		io.WriteString(w, "app")
	})
	table := oneApp(app)
	table.Apps[0].CORS = &CORSPolicy{
		AllowedOrigins: []string{"https://a.test"}, AllowedMethods: []string{"GET", "POST"}, AllowedHeaders: []string{"x-a", "x-b"},
		ExposeHeaders: []string{"x-c"}, AllowCredentials: true, MaxAge: &age,
	}
	g := newEdge(t, Options{}, table)
	addr := mustListen(t, g, ListenSpec{Kind: HTTP})
	tests := []struct {
		name, method string
		send         []string
		body         string
		want         map[string]string
	}{
		{"preflight", "OPTIONS", []string{"Origin", "https://a.test", "Access-Control-Request-Method", "PUT"}, "", map[string]string{
			"Origin": "https://a.test", "Credentials": "true", "Methods": "GET,POST", "Headers": "x-a,x-b", "Max-Age": "600"}},
		{"preflight of a stranger", "OPTIONS", []string{"Origin", "https://b.test", "Access-Control-Request-Method", "PUT"}, "app", map[string]string{"Origin": "app"}},
		{"options without preflight", "OPTIONS", []string{"Origin", "https://a.test"}, "app", map[string]string{
			"Origin": "https://a.test", "Credentials": "true", "Expose": "x-c"}},
		{"request", "GET", []string{"Origin", "https://a.test"}, "app", map[string]string{"Origin": "https://a.test", "Credentials": "true", "Expose": "x-c"}},
		{"request of a stranger", "GET", []string{"Origin", "https://b.test"}, "app", map[string]string{"Origin": "app"}},
		{"no origin", "GET", nil, "app", map[string]string{"Origin": "app"}},
	}
	names := map[string]string{
		"Origin": "Access-Control-Allow-Origin", "Credentials": "Access-Control-Allow-Credentials", "Methods": "Access-Control-Allow-Methods",
		"Headers": "Access-Control-Allow-Headers", "Max-Age": "Access-Control-Max-Age", "Expose": "Access-Control-Expose-Headers",
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			r := ask(t, client(t), tt.method, addr, "web.local.localhost", "/", nil, tt.send...)
			got := map[string]string{}
			for short, name := range names {
				if v := r.Header.Get(name); v != "" {
					got[short] = v
				}
			}
			if diff := cmp.Diff(tt.want, got); r.Status != 200 || r.Body != tt.body || diff != "" {
				t.Errorf("status %d, body %q, headers (-want +got):\n%s", r.Status, r.Body, diff)
			}
		})
	}
}

func TestStickyClientsComeBack(t *testing.T) {
	table := oneApp(answers(t, "web--a-1"), answers(t, "web--a-2"), answers(t, "web--a-3"))
	table.Apps[0].Sticky = true
	g := newEdge(t, Options{}, table)
	addr := mustListen(t, g, ListenSpec{Kind: HTTP})
	c := client(t)
	first := get(t, c, addr, "web.local.localhost", "/")
	cookie := first.Header.Get("Set-Cookie")
	form := regexp.MustCompile(`^acaAffinity="([0-9a-f]{16})"; Path=/; HttpOnly; SameSite=None; Secure;$`)
	m := form.FindStringSubmatch(cookie)
	if m == nil {
		t.Fatalf("set-cookie %q", cookie)
	}
	send := `other=1; acaAffinity="` + m[1] + `"`
	for range 6 {
		r := get(t, c, addr, "web.local.localhost", "/", "Cookie", send)
		if r.Body != first.Body || r.Header.Get("Set-Cookie") != "" {
			t.Fatalf("came to %q with set-cookie %q, first %q", r.Body, r.Header.Get("Set-Cookie"), first.Body)
		}
	}
	if rec := recordOf(t, g, 2); rec.ReplicaWhy != WhySticky {
		t.Errorf("why %q", rec.ReplicaWhy)
	}
	var rest []Endpoint
	for _, e := range table.Apps[0].Revisions[0].Endpoints {
		if e.Replica != first.Body {
			rest = append(rest, e)
		}
	}
	table.Apps[0].Revisions = []Revision{{Name: "web--a", Endpoints: rest}}
	mustApply(t, g, table)
	r := get(t, c, addr, "web.local.localhost", "/", "Cookie", send)
	if r.Body == first.Body || !form.MatchString(r.Header.Get("Set-Cookie")) {
		t.Errorf("after the replica is gone: %q, set-cookie %q", r.Body, r.Header.Get("Set-Cookie"))
	}
}

func TestStickyClientOfADeadReplicaGoesElsewhere(t *testing.T) {
	table := oneApp(refusing(t, "web--a-1"), answers(t, "web--a-2"))
	table.Apps[0].Sticky = true
	g := newEdge(t, Options{}, table)
	addr := mustListen(t, g, ListenSpec{Kind: HTTP})
	send := `acaAffinity="` + affinity(g.seed, "web--a-1") + `"`
	r := get(t, client(t), addr, "web.local.localhost", "/", "Cookie", send)
	if want := affinity(g.seed, "web--a-2"); r.Body != "web--a-2" || !strings.Contains(r.Header.Get("Set-Cookie"), want) {
		t.Errorf("got %d %q with set-cookie %q", r.Status, r.Body, r.Header.Get("Set-Cookie"))
	}
	if rec := recordOf(t, g, 1); rec.Tries != 2 {
		t.Errorf("tries %d", rec.Tries)
	}
}

func TestWithoutAffinityThereIsNoCookie(t *testing.T) {
	g := newEdge(t, Options{}, oneApp(answers(t, "web--a-1")))
	r := get(t, client(t), mustListen(t, g, ListenSpec{Kind: HTTP}), "web.local.localhost", "/")
	if r.Header.Get("Set-Cookie") != "" {
		t.Errorf("set-cookie %q", r.Header.Get("Set-Cookie"))
	}
}

func TestRouteConfigsSpreadPaths(t *testing.T) {
	path := func(name string) Endpoint {
		return backend(t, name+"--a-1", func(w http.ResponseWriter, r *http.Request) {
			io.WriteString(w, name+" "+r.RequestURI+" "+r.Header.Get("X-Forwarded-Path"))
		})
	}
	app := func(name string, external bool) App {
		return App{Name: name, External: external, Enabled: true, AllowInsecure: true,
			Revisions: []Revision{{Name: name + "--a", Endpoints: []Endpoint{path(name)}}},
			Split:     []Weight{{name + "--a", 100}}, Labels: []Label{{"blue", name + "--a"}}}
	}
	rule := func(target RouteTarget, routes ...Route) RouteRule {
		return RouteRule{Routes: routes, Targets: []RouteTarget{target}}
	}
	table := Table{Generation: 1, Domain: testDomain, Apps: []App{app("api", false), app("web", true)}, Routes: []RouteConfig{{
		Name: "shop", CustomDomains: []CustomDomain{{Name: "shop.test"}}, Rules: []RouteRule{
			rule(RouteTarget{App: "api"}, Route{Kind: MatchPath, Path: "/biscuits"}, Route{Kind: MatchPathSeparatedPrefix, Path: "/donuts"}),
			rule(RouteTarget{App: "api", Label: "blue"}, Route{Kind: MatchPrefix, Path: "/app5", PrefixRewrite: "/"}),
			rule(RouteTarget{App: "api", Revision: "api--a"}, Route{Kind: MatchPrefix, Path: "/ANY", IgnoreCase: true, PrefixRewrite: "/v2/x"}),
			rule(RouteTarget{App: "api", Revision: "api--gone"}, Route{Kind: MatchPrefix, Path: "/gone"}),
			rule(RouteTarget{App: "web"}, Route{Kind: MatchPrefix, Path: "/home"}),
		},
	}}}
	g := newEdge(t, Options{}, table)
	addr := mustListen(t, g, ListenSpec{Kind: HTTP})
	tests := []struct{ path, want string }{
		{"/biscuits", "api /biscuits /biscuits"},
		{"/biscuits?a=/donuts", "api /biscuits?a=/donuts /biscuits"},
		{"/biscuits/", ""},
		{"/donuts", "api /donuts /donuts"},
		{"/donuts/x%2Fy", "api /donuts/x%2Fy /donuts/x%2Fy"},
		{"/donutsx", ""},
		{"/app5/feature?q=1", "api /feature?q=1 /app5/feature"},
		{"/app5plusmore", "api /plusmore /app5plusmore"},
		{"/app5", "api / /app5"},
		{"/any/thing", "api /v2/x/thing /any/thing"},
		{"/homeis127001", "web /homeis127001 /homeis127001"},
		{"/Home", ""},
		{"/gone", ""},
		{"/", ""},
	}
	for _, host := range []string{"shop.local.localhost", "shop.test"} {
		for _, tt := range tests {
			t.Run(host+tt.path, func(t *testing.T) {
				r := get(t, client(t), addr, host, tt.path)
				if tt.want == "" && r.Status == 404 {
					return
				}
				if r.Status != 200 || r.Body != tt.want {
					t.Errorf("got %d %q, want %q", r.Status, r.Body, tt.want)
				}
			})
		}
	}
}

func TestHeldRequestIsRewrittenOnce(t *testing.T) {
	table := func(eps ...Endpoint) Table {
		out := oneApp()
		out.Apps[0].Revisions = []Revision{{Name: "web--a"}}
		if len(eps) > 0 { // a new revision has taken over
			out.Apps[0].Revisions = []Revision{{Name: "web--b", Endpoints: eps}}
			out.Apps[0].Split = []Weight{{"web--b", 100}}
		}
		out.Routes = []RouteConfig{{Name: "shop", Rules: []RouteRule{{
			Routes: []Route{{Kind: MatchPrefix, Path: "/api", PrefixRewrite: "/"}}, Targets: []RouteTarget{{App: "web"}},
		}}}}
		return out
	}
	g := newEdge(t, Options{}, table())
	addr := mustListen(t, g, ListenSpec{Kind: HTTP})
	got := make(chan reply, 1)
	go func() { got <- get(t, client(t), addr, "shop.local.localhost", "/api/x") }()
	waitFor(t, "a held request", func() bool { return g.Stats()[0].Held == 1 })
	mustApply(t, g, table(backend(t, "web--b-1", func(w http.ResponseWriter, r *http.Request) { io.WriteString(w, r.RequestURI) })))
	if r := <-got; r.Body != "/x" {
		t.Errorf("got %d %q", r.Status, r.Body)
	}
}

func TestAddressRules(t *testing.T) {
	allow := func(r string) []IPRule { return []IPRule{{Range: r, Action: IPAllow}} }
	deny := func(r string) []IPRule { return []IPRule{{Range: r, Action: IPDeny}} }
	tests := []struct {
		name   string
		rules  []IPRule
		inside bool
		status int
	}{
		{"none", nil, false, 200},
		{"allowed", allow("127.0.0.0/8"), false, 200},
		{"allowed, one address", allow("127.0.0.1"), false, 200},
		{"not allowed", allow("10.0.0.0/8"), false, 403},
		{"denied", deny("127.0.0.1/32"), false, 403},
		{"not denied", deny("10.0.0.0/8"), false, 200},
		{"inside", deny("127.0.0.0/8"), true, 200},
	}
	ep := answers(t, "web--a-1")
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			table := oneApp(ep)
			table.Apps[0].IPRules = tt.rules
			g := newEdge(t, Options{}, table)
			addr := mustListen(t, g, ListenSpec{Kind: HTTP, Inside: tt.inside})
			// A forged header must not help.
			r := get(t, client(t), addr, "web.local.localhost", "/", "X-Forwarded-For", "10.0.0.1")
			if r.Status != tt.status {
				t.Errorf("got %d, want %d", r.Status, tt.status)
			}
		})
	}
}

func TestTooManyOrTooLargeHeadersAre431(t *testing.T) {
	g := newEdge(t, Options{}, oneApp(answers(t, "web--a-1")))
	addr := mustListen(t, g, ListenSpec{Kind: HTTP})
	var many []string
	for range 101 {
		many = append(many, "X-A", "b")
	}
	if r := get(t, client(t), addr, "web.local.localhost", "/", many[:180]...); r.Status != 200 {
		t.Errorf("90 lines: got %d", r.Status)
	}
	if r := get(t, client(t), addr, "web.local.localhost", "/", many...); r.Status != 431 || r.Body != "" {
		t.Errorf("101 lines: got %d %q", r.Status, r.Body)
	}
	if r := get(t, client(t), addr, "web.local.localhost", "/", "X-A", strings.Repeat("a", 80<<10)); r.Status != 431 {
		t.Errorf("80 KiB: got %d", r.Status)
	}
	const head = "GET / HTTP/1.1\r\nHost: web.local.localhost\r\nConnection: close\r\n"
	for _, tt := range []struct {
		name, lines, want string
	}{
		{"100 lines", strings.Repeat("A: b\r\n", 98), "HTTP/1.1 200 "},
		{"101 lines", strings.Repeat("A: b\r\n", 99), "HTTP/1.1 431 "},
		{"59 KiB", "A: " + strings.Repeat("b", 59<<10) + "\r\n", "HTTP/1.1 200 "},
		{"60 KiB", "A: " + strings.Repeat("b", 60<<10) + "\r\n", "HTTP/1.1 431 "},
	} {
		if got := rawExchange(t, addr, false, head+tt.lines+"\r\n"); !strings.HasPrefix(got, tt.want) {
			t.Errorf("%s: got %.200q, want %s", tt.name, got, tt.want)
		}
	}
}

func TestRequestIDs(t *testing.T) {
	for in, want := range map[string]string{
		"019b0000-0000-7000-8000-000000000000": "019b0000-0000-4000-8000-000000000000",
		"019b0000-0000-4000-8000-000000000000": "019b0000-0000-4000-8000-000000000000",
		"my-own-id":                            "my-own-id",
	} {
		if got := clientRequestID(in); got != want {
			t.Errorf("%s: got %s, want %s", in, got, want)
		}
	}
	got := string(appendUUID(nil, 0xFFFFFFFFFFFFFFFF, 0xFFFFFFFFFFFFFFFF))
	if want := "ffffffff-ffff-4fff-bfff-ffffffffffff"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}
