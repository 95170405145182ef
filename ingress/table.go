package ingress

import (
	"net"
	"strconv"
	"time"
)

// Table is one generation of routing: which hosts exist, which revision and
// which replicas answer for them, and the policies on the way.
//
// It is a plain value. The control plane builds a new one for every change and
// hands it to Ingress.Apply; it must not be changed afterwards. Two tables mean
// the same if, and only if, their String is the same.
type Table struct {
	// Generation counts up; the ingress reports it with every access record.
	Generation uint64
	// Domain is the default domain of the environment, such as
	// "local.localhost", in lower case without a leading dot.
	Domain string
	// Apps are sorted by name.
	Apps []App
	// Routes are the httpRouteConfigs of the environment, sorted by name.
	Routes []RouteConfig
	// IdleTimeout replaces Options.Timeouts.Idle when it is not zero: the
	// requestIdleTimeout of a premium ingress, 4 to 30 minutes.
	IdleTimeout time.Duration
	// HeaderCountLimit is the most header lines a request may have: the
	// headerCountLimit of a premium ingress. Zero means 100.
	HeaderCountLimit int
}

// App is one container app as the edge sees it.
type App struct {
	Name string
	// External apps are reachable from outside the environment. The host of an
	// internal one is NAME.internal.DOMAIN and answers only callers inside.
	External bool
	// Enabled says that the app has an ingress at all; without it, and while
	// Stopped, its hosts answer the 404 page.
	Enabled, Stopped bool
	// Transport is the protocol spoken to the container; empty means auto.
	Transport Transport
	// TargetPort is the port of the configuration, 0 for auto-detect. It is
	// told to the app and to records; connections use Endpoint.Port.
	TargetPort int
	// ExposedPort is the port the environment listens on; TCP only. Zero means
	// TargetPort.
	ExposedPort int
	// AllowInsecure serves plain HTTP instead of redirecting it to HTTPS.
	AllowInsecure bool
	// Sticky sends a client back to the same replica, by cookie.
	Sticky bool
	// CORS is nil when the app has no corsPolicy: then the edge leaves CORS
	// headers alone.
	CORS *CORSPolicy
	// IPRules are either all Allow or all Deny.
	IPRules []IPRule
	// ClientCertificate says whether clients are asked for one; empty means
	// ignore.
	ClientCertificate CertificateMode
	// CustomDomains are further hosts of the app.
	CustomDomains []CustomDomain
	// UpstreamTLS speaks TLS to the container and accepts any certificate: the
	// targetPortHttpScheme "https".
	UpstreamTLS bool
	// AdditionalPorts are further raw TCP ports, at most five.
	AdditionalPorts []PortMapping
	// Resiliency is nil when the app has no resiliency policy.
	Resiliency *Resiliency
	// Revisions are the active ones, sorted by name.
	Revisions []Revision
	// Split divides the requests for the app's own hosts. The weights sum to
	// 100; an empty split means that no revision serves, and the 404 page
	// answers. A weight whose revision is not active answers the 404 page with
	// its share of the requests.
	Split []Weight
	// Labels are sorted by name. A label on a revision that is not active
	// answers the 404 page.
	Labels []Label
}

// Transport is the protocol an app expects from the edge.
type Transport string

// The transports. Auto speaks HTTP/1.1, as every capture of the service shows
// (x-k8se-protocol: http1), and HTTP2 speaks h2c with prior knowledge.
const (
	TransportAuto  Transport = "auto"
	TransportHTTP  Transport = "http"
	TransportHTTP2 Transport = "http2"
	TransportTCP   Transport = "tcp"
)

// CertificateMode says what the edge does about client certificates.
type CertificateMode string

// The modes: never ask, ask and forward if given, insist.
const (
	CertificateIgnore  CertificateMode = "ignore"
	CertificateAccept  CertificateMode = "accept"
	CertificateRequire CertificateMode = "require"
)

// CORSPolicy is the corsPolicy of an app. Entries are used as they are; "*"
// stands for any.
type CORSPolicy struct {
	AllowedOrigins   []string
	AllowedMethods   []string
	AllowedHeaders   []string
	ExposeHeaders    []string
	AllowCredentials bool
	// MaxAge is in seconds; nil sends no access-control-max-age.
	MaxAge *int
}

// IPRule is one of ipSecurityRestrictions.
type IPRule struct {
	Name string
	// Range is an IPv4 or IPv6 address or CIDR block.
	Range  string
	Action IPAction
}

// IPAction is what an IPRule does to addresses in its range.
type IPAction string

// The actions. Rules of one app must all have the same.
const (
	IPAllow IPAction = "Allow"
	IPDeny  IPAction = "Deny"
)

// PortMapping is one of additionalPortMappings: a raw TCP port beside the main
// one. ExposedPort zero means TargetPort.
type PortMapping struct {
	External    bool
	TargetPort  int
	ExposedPort int
}

// Revision is an active revision and the replicas that may receive requests.
type Revision struct {
	Name string
	// Endpoints are the ready replicas, sorted by name. While there are none,
	// requests for the revision are held.
	Endpoints []Endpoint
}

// Endpoint is the address of a ready replica.
type Endpoint struct {
	// Replica is the name of the replica, the identity under which requests in
	// flight are counted across tables.
	Replica string
	// Port is the port the replica is asked on.
	Port int
	// Addr is an IP address that can be dialled directly, or empty when the
	// replica is reached another way (Options.Dial).
	Addr string
}

// address returns Addr and Port as records show them, or "".
func (e Endpoint) address() string {
	if e.Addr == "" {
		return ""
	}
	return net.JoinHostPort(e.Addr, strconv.Itoa(e.Port))
}

// Weight is a share of an app's requests.
type Weight struct {
	Revision string
	// Weight is a percentage, 0 to 100.
	Weight int
}

// Label gives a revision a host of its own, APP---NAME.DOMAIN.
type Label struct {
	Name     string
	Revision string
}

// CustomDomain is a host name outside the environment's domain.
type CustomDomain struct {
	// Name is in lower case.
	Name string
	// Disabled is the bindingType of that name: requests are routed by Host as
	// ever, but there is no certificate, so a TLS connection is reset.
	Disabled bool
}

// RouteConfig is an httpRouteConfig: a host, NAME.DOMAIN, that spreads paths
// over apps. Rules and their routes are tried in order; the first match wins,
// and no match answers 404.
type RouteConfig struct {
	Name          string
	CustomDomains []CustomDomain
	Rules         []RouteRule
}

// RouteRule sends the requests that match one of its routes to its targets.
type RouteRule struct {
	Description string
	Routes      []Route
	// Targets are one or more; with several, all have a weight.
	Targets []RouteTarget
}

// Route is one condition on the path, and what to do to the path.
type Route struct {
	Kind MatchKind
	Path string
	// IgnoreCase is the opposite of caseSensitive, whose default is true.
	IgnoreCase bool
	// PrefixRewrite replaces the matched part of the path when it is not empty.
	PrefixRewrite string
}

// MatchKind is how Route.Path is compared.
type MatchKind string

// The kinds: the whole path, any string prefix ("/home" matches
// "/homepage"), or a prefix that ends at a slash ("/home" matches "/home" and
// "/home/x" only).
const (
	MatchPath                MatchKind = "path"
	MatchPrefix              MatchKind = "prefix"
	MatchPathSeparatedPrefix MatchKind = "pathSeparatedPrefix"
)

// RouteTarget is where a RouteRule sends requests: an app by its own split, or
// one of its revisions or labels.
type RouteTarget struct {
	App string
	// Revision and Label are empty for the app's own split; at most one is set.
	Revision, Label string
	// Weight is the share among several targets, 0 to 100; ignored for one.
	Weight int
}

// Host returns the app's own host in domain.
func (a App) Host(domain string) string {
	if a.External {
		return a.Name + "." + domain
	}
	return a.Name + ".internal." + domain
}
