package ingress

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// fullTable uses every field of a Table.
func fullTable() Table {
	age := 600
	return Table{
		Generation: 7, Domain: "local.localhost",
		Apps: []App{
			{
				Name: "api", External: true, Enabled: true, Transport: TransportAuto, TargetPort: 8080,
				AllowInsecure: true, Sticky: true, UpstreamTLS: true, ClientCertificate: CertificateRequire,
				CORS: &CORSPolicy{
					AllowedOrigins: []string{"https://a.test"}, AllowedMethods: []string{"GET"},
					AllowedHeaders: []string{"x-a"}, ExposeHeaders: []string{"x-b"}, AllowCredentials: true, MaxAge: &age,
				},
				Resiliency: &Resiliency{
					ResponseTimeout: time.Second,
					Retry:           &RetryPolicy{MaxRetries: 3, StatusCodes: []int{503}, Errors: []string{"5xx"}, InitialDelay: time.Millisecond, MaxInterval: time.Second},
					CircuitBreaker:  &CircuitBreaker{ConsecutiveErrors: 4, Interval: time.Minute, MaxEjectionPercent: 50},
				},
				IPRules:         []IPRule{{Name: "office", Range: "10.0.0.0/8", Action: IPAllow}},
				CustomDomains:   []CustomDomain{{Name: "api.example.test"}, {Name: "old.example.test", Disabled: true}},
				AdditionalPorts: []PortMapping{{External: true, TargetPort: 9000, ExposedPort: 9001}},
				Revisions: []Revision{
					{Name: "api--a", Endpoints: []Endpoint{{Replica: "api--a-1-x", Port: 8080, Addr: "172.18.0.3"}}},
					{Name: "api--b"},
				},
				Split:  []Weight{{"api--a", 90}, {"api--b", 10}},
				Labels: []Label{{"blue", "api--b"}},
			},
			{Name: "db", Enabled: true, Stopped: true, Transport: TransportTCP, TargetPort: 5432, ExposedPort: 15432},
		},
		Routes: []RouteConfig{{
			Name: "shop", CustomDomains: []CustomDomain{{Name: "shop.test"}},
			Rules: []RouteRule{{
				Description: "api",
				Routes:      []Route{{Kind: MatchPrefix, Path: "/api", IgnoreCase: true, PrefixRewrite: "/"}},
				Targets:     []RouteTarget{{App: "api", Label: "blue", Weight: 100}},
			}},
		}},
	}
}

func TestTablePrintsEverythingItHolds(t *testing.T) {
	want := `table 7 local.localhost
app api external auto target=8080 allowInsecure sticky upstreamTLS clientCertificate=require
  cors origins=["https://a.test"] methods=["GET"] headers=["x-a"] expose=["x-b"] credentials maxAge=600
  resiliency responseTimeout=1s retries=3 codes=[503] errors=["5xx"] delay=1ms max=1s breaker=4/1m0s/50%
  ip Allow 10.0.0.0/8 "office"
  domain api.example.test
  domain old.example.test disabled
  port 9001->9000 external
  revision api--a api--a-1-x=172.18.0.3:8080
  revision api--b
  weight 90 api--a
  weight 10 api--b
  label blue api--b
app db internal stopped tcp target=5432 exposed=15432
routes shop
  domain shop.test
  rule "api"
    match prefix "/api" ignoreCase rewrite="/"
    to app api label blue weight 100
`
	if diff := cmp.Diff(want, fullTable().String()); diff != "" {
		t.Errorf("String (-want +got):\n%s", diff)
	}
}

func TestValidateNamesWhatIsWrong(t *testing.T) {
	tests := []struct {
		name   string
		change func(*Table)
		want   string
	}{
		{"nothing", func(*Table) {}, ""},
		{"no split", func(t *Table) { t.Apps[0].Split = nil }, ""},
		{"domain", func(t *Table) { t.Domain = "a..b" }, "domain: \"a..b\" is not a domain name\n" +
			"apps.api: \"api.a..b\" is not a host name in lower case\n" +
			"apps.db: \"db.internal.a..b\" is not a host name in lower case\n" +
			"routes.shop: \"shop.a..b\" is not a host name in lower case"},
		{"sum", func(t *Table) { t.Apps[0].Split[0].Weight = 80 }, "apps.api.split: weights sum to 90, not 100"},
		{"weight", func(t *Table) { t.Apps[0].Split = []Weight{{"api--a", 120}, {"api--b", -20}} },
			"apps.api.split: weight 120 of api--a is not in 0 to 100\napps.api.split: weight -20 of api--b is not in 0 to 100"},
		{"order", func(t *Table) { t.Apps[0], t.Apps[1] = t.Apps[1], t.Apps[0] },
			`apps: "db" must come after "api": entries are sorted by name and unique`},
		{"transport", func(t *Table) { t.Apps[0].Transport = "quic" },
			`apps.api.transport: "quic" is not a transport: use auto, http, http2 or tcp`},
		{"certificate mode", func(t *Table) { t.Apps[0].ClientCertificate = "maybe" },
			`apps.api.clientCertificate: "maybe" is not a mode: use ignore, accept or require`},
		{"host twice", func(t *Table) { t.Apps[0].CustomDomains = []CustomDomain{{Name: "shop.test"}} },
			`routes.shop.customDomains: host "shop.test" already belongs to apps.api.customDomains`},
		{"port", func(t *Table) { t.Apps[0].TargetPort = 80800 }, "apps.api.targetPort: 80800 is not a port: use 1 to 65535"},
		{"exposed 443", func(t *Table) { t.Apps[1].ExposedPort = 443 }, "apps.db.exposedPort: exposed port 443 is reserved for HTTP"},
		{"target port twice", func(t *Table) { t.Apps[0].AdditionalPorts[0].TargetPort = 8080 },
			"apps.api.additionalPorts: target port 8080 is used twice"},
		{"exposed twice", func(t *Table) { t.Apps[1].External = true; t.Apps[1].ExposedPort = 9001 },
			"apps.db: exposed port 9001 already belongs to api"},
		{"mixed rules", func(t *Table) { t.Apps[0].IPRules = append(t.Apps[0].IPRules, IPRule{Range: "::1", Action: IPDeny}) },
			"apps.api.ipRules: rules must be all Allow or all Deny"},
		{"range", func(t *Table) { t.Apps[0].IPRules[0].Range = "10.0.0.0/40" },
			`apps.api.ipRules: "10.0.0.0/40" is not an address or CIDR block`},
		{"origins", func(t *Table) { t.Apps[0].CORS.AllowedOrigins = nil }, "apps.api.cors: allowedOrigins is required"},
		{"address", func(t *Table) { t.Apps[0].Revisions[0].Endpoints[0].Addr = "host" },
			`apps.api.revisions.api--a.api--a-1-x: "host" is not an IP address`},
		{"breaker", func(t *Table) { t.Apps[0].Resiliency.CircuitBreaker = &CircuitBreaker{MaxEjectionPercent: 101} },
			"apps.api.resiliency: a circuit breaker needs at least one consecutive error and an interval\n" +
				"apps.api.resiliency: maxEjectionPercent 101 is not in 0 to 100"},
		{"unknown target", func(t *Table) { t.Routes[0].Rules[0].Targets[0].App = "web" },
			`routes.shop.rules[0]: there is no app "web"`},
		{"no target", func(t *Table) { t.Routes[0].Rules[0].Targets = nil }, "routes.shop.rules[0]: has no target"},
		{"match kind", func(t *Table) { t.Routes[0].Rules[0].Routes[0].Kind = "glob" },
			`routes.shop.rules[0]: "glob" is not a match: use path, prefix or pathSeparatedPrefix`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			table := fullTable()
			tt.change(&table)
			got := ""
			if err := table.Validate(); err != nil {
				got = err.Error()
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("Validate (-want +got):\n%s", diff)
			}
		})
	}
}
