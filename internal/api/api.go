// Package api is the control surface of a running environment: Azure Resource
// Manager's paths and bodies for what ARM has, and /acalocal/v1 for what it
// lacks.
//
//	/subscriptions/{sub}/resourceGroups/{rg}/providers/Microsoft.App/containerApps
//	    GET                                  list
//	…/containerApps/{app}                    GET PUT PATCH DELETE
//	…/{app}/start, stop                      POST
//	…/{app}/revisions[/{rev}]                GET
//	…/{app}/revisions/{rev}/restart          POST, also activate and deactivate
//	…/{app}/revisions/{rev}/replicas[/{rep}] GET
//	…/managedEnvironments[/{env}]            GET
//	…/managedEnvironments/{env}/httpRouteConfigs
//	    GET                                  list
//	…/httpRouteConfigs/{name}                GET PUT DELETE
//
//	/v1/workspaces/{id}/query, /v1/{resource ID}/query, /v1/$batch    Azure Monitor Logs
//
//	/acalocal/v1/info                        GET   who answers here
//	/acalocal/v1/access                      GET   AccessAnswer: address, token and a code for a page
//	/acalocal/v1/session                     POST  SessionBody → SessionAnswer
//	/acalocal/v1/status                      GET   one Snapshot
//	/acalocal/v1/watch                       GET   Snapshots as they change, one a line
//	/acalocal/v1/apply                       POST  emulator.ApplyRequest → emulator.Applied
//	/acalocal/v1/update                      POST  the same for a definition that was read and changed
//	/acalocal/v1/restart                     POST  ?app=&revision=
//	/acalocal/v1/routeconfigs/apply          POST  an httpRouteConfig
//	/acalocal/v1/routeconfigs/delete         POST  ?name=
//	/acalocal/v1/logs/console                GET   as az prints them
//	/acalocal/v1/logs/system                 GET   as az prints them
//	/acalocal/v1/stream                      GET   Entries of all apps, live, one a line
//	/acalocal/v1/query                       POST  QueryBody → Log Analytics' answer
//	/acalocal/v1/probes                      GET   ?revision= → emulator.ProbeAttempts
//	/acalocal/v1/export                      POST  QueryBody → ExportHead, rows, ExportEnd, one a line
//	/acalocal/v1/import                      POST  rows → ImportAnswer
//	/acalocal/v1/kql/check, complete, format POST  TextBody → CheckAnswer, kql.Completions, TextBody
//	/acalocal/v1/kql/saved, schema           GET   SavedAnswer, SchemaAnswer
//	/acalocal/v1/requests                    GET   Requests as the edge served them, one a line
//	/acalocal/v1/requests/replay             POST  ReplayBody → ReplayAnswer
//	/acalocal/v1/wait                        GET   until something is so → WaitAnswer
//	/acalocal/v1/events                      GET   the platform's events of an app, an Entry each
//	/acalocal/v1/explain                     GET   explain.Verdict of a revision
//	/acalocal/v1/reset                       POST  remove all apps, route configs and faults
//	/acalocal/v1/openapi.json                GET   this API as an OpenAPI document
//	/acalocal/v1/faults                      GET   {"value": [fault.State, …]}
//	/acalocal/v1/faults/add                  POST  fault.Fault → fault.State
//	/acalocal/v1/faults/remove               POST  ?name= → FaultsRemoved
//	/acalocal/v1/exec                        POST  upgraded to Frames
//	/acalocal/v1/shutdown                    POST  ?remove=true
//
// Paths match without regard to case, as ARM's do; any subscription, resource
// group and api-version is accepted. Operations answer synchronously: a PUT is
// a 200 with the resource, which the Azure CLI and SDKs accept.
//
// Errors are ARM's: {"error":{"code","message","target","details"}}.
package api

import (
	"context"
	"net/http"
	"time"

	"github.com/acalocal/acalocal/emulator"
	"github.com/acalocal/acalocal/emulator/aca"
	"github.com/acalocal/acalocal/internal/container"
	"github.com/acalocal/acalocal/logsink"
)

// Emulator is what the API asks of a running environment. All methods may be
// called concurrently. Errors for the user are *aca.Error.
type Emulator interface {
	// Snapshot returns the present state, never nil. It must not be changed.
	Snapshot() *emulator.Snapshot
	// Current returns the state of after everything that happened before the
	// call, for those who may have read the rows of it.
	Current(ctx context.Context) (*emulator.Snapshot, error)
	// Watch blocks until there is a Snapshot of a generation above since.
	Watch(ctx context.Context, since uint64) (*emulator.Snapshot, error)
	// Apply makes an app become what the request says. It returns once the
	// change is planned, before it is carried out.
	Apply(ctx context.Context, req emulator.ApplyRequest) (emulator.Applied, error)
	// Delete begins to remove an app.
	Delete(ctx context.Context, app string) error
	// ApplyRouteConfig makes a route config of the environment become what c
	// says; DeleteRouteConfig removes it.
	ApplyRouteConfig(ctx context.Context, c aca.HTTPRouteConfig) error
	DeleteRouteConfig(ctx context.Context, name string) error
	// RestartRevision replaces the replicas of a revision; "" means the
	// latest active one.
	RestartRevision(ctx context.Context, app, revision string) error
	// ProbeAttempts are the attempts of a revision's probes that are
	// remembered, oldest first.
	ProbeAttempts(revision string) []emulator.ProbeAttempt
	// Exec runs a command in a running container and returns its exit code.
	Exec(ctx context.Context, target emulator.ExecTarget, s container.ExecSpec) (int, error)
	Actor
}

// Options are what a handler serves.
type Options struct {
	Emulator Emulator
	Logs     Logs
	Requests Requests
	Faults   Faults
	// Dialect chooses the form of console lines; the zero value is right for
	// environments with workload profiles.
	Dialect logsink.Dialect
	// Info describes the process; its Environment may not be empty.
	Info Info
	// Managed is the environment as a resource. Nothing in it changes.
	Managed aca.ManagedEnvironment
	// Shutdown asks the daemon to end and returns at once. With remove, it
	// drains and removes everything it runs before it ends.
	Shutdown func(remove bool)
	// Access admits callers who come by TCP; nil when there is no such port.
	Access *Access
	// TCP says that the handler is served on a port, which any page in a
	// browser and any user of the machine can reach: requests must name a
	// loopback host and carry Access's token. A unix socket needs neither.
	TCP bool
	// Address is the base URL of that port, Workspace the ID of the log
	// tables as a Log Analytics workspace.
	Address, Workspace string
	// Mounts are further handlers.
	Mounts []Mount
}

// Info says who answers on a control socket.
type Info struct {
	Environment string `json:"environment"`
	Version     string `json:"version"`
	PID         int    `json:"pid"`
	// TimeScale is how many times faster the platform's own timers run; 0 is
	// 1.
	TimeScale float64 `json:"timeScale,omitempty"`
	// OTLPEndpoint is the collector that rows are sent to, without a password;
	// "" is none.
	OTLPEndpoint string `json:"otlpEndpoint,omitempty"`
	// IngestionDelay, in nanoseconds, UploadTimes, StrictTables and
	// DynamicJSONColumns are how users' queries see the log tables.
	IngestionDelay     time.Duration `json:"ingestionDelay,omitempty"`
	UploadTimes        bool          `json:"uploadTimes,omitempty"`
	StrictTables       bool          `json:"strictTables,omitempty"`
	DynamicJSONColumns bool          `json:"dynamicJsonColumns,omitempty"`
	// QueryMaxRows and QueryMaxBytes are the limits of queries, see kql.Limits.
	QueryMaxRows  int64 `json:"queryMaxRows,omitempty"`
	QueryMaxBytes int64 `json:"queryMaxBytes,omitempty"`
}

// server is the handler: the options and nothing that changes.
type server struct {
	Options
	own map[string]route
}

// route is a handler and the one method it answers to.
type route struct {
	method string
	handle handler
}

// openRoutes answer by TCP without the token, see Mount.Open.
var openRoutes = map[string]bool{"session": true}

// handler answers a request or returns the error that answers it.
type handler func(w http.ResponseWriter, r *http.Request) error

// New returns the handler of an environment's control surface.
func New(o Options) http.Handler {
	s := newServer(o)
	h := http.Handler(s)
	if o.TCP {
		h = s.guard(h)
	}
	return h
}

func newServer(o Options) *server {
	s := &server{Options: o}
	s.own = map[string]route{
		"access":              {"GET", s.access},
		"session":             {"POST", s.session},
		"info":                {"GET", s.info},
		"status":              {"GET", s.status},
		"watch":               {"GET", s.watch},
		"apply":               {"POST", s.apply},
		"update":              {"POST", s.update},
		"restart":             {"POST", s.restart},
		"routeconfigs/apply":  {"POST", s.applyRouteConfig},
		"routeconfigs/delete": {"POST", s.deleteRouteConfig},
		"logs/console":        {"GET", s.consoleLogs},
		"logs/system":         {"GET", s.systemLogs},
		"stream":              {"GET", s.stream},
		"query":               {"POST", s.query},
		"export":              {"POST", s.export},
		"import":              {"POST", s.importRows},
		"probes":              {"GET", s.probeAttempts},
		"requests":            {"GET", s.listRequests},
		"requests/replay":     {"POST", s.replay},
		"wait":                {"GET", s.wait},
		"events":              {"GET", s.events},
		"explain":             {"GET", s.explain},
		"reset":               {"POST", s.reset},
		"openapi.json":        {"GET", s.openAPI},
		"faults":              {"GET", s.listFaults},
		"faults/add":          {"POST", s.addFault},
		"faults/remove":       {"POST", s.removeFaults},
		"exec":                {"POST", s.exec},
		"shutdown":            {"POST", s.shutdown},
		"kql/check":           {"POST", s.checkText},
		"kql/complete":        {"POST", s.complete},
		"kql/format":          {"POST", s.formatText},
		"kql/saved":           {"GET", s.savedQueries},
		"kql/schema":          {"GET", s.schema},
	}
	return s
}

// ServeHTTP answers one request.
func (s *server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if err := s.dispatch(w, r); err != nil {
		writeError(w, err)
	}
}

// dispatch finds the handler by hand: http.ServeMux matches case and redirects
// to cleaned paths, and ARM does neither.
func (s *server) dispatch(w http.ResponseWriter, r *http.Request) error {
	if name, ok := ownPath(r.URL.Path); ok {
		rt, ok := s.own[name]
		switch {
		case !ok:
			return noRoute(r)
		case rt.method != r.Method:
			return wrongMethod(r, rt.method)
		}
		return rt.handle(w, r)
	}
	if p, ok := parseARMPath(r.URL.Path); ok {
		return s.serveARM(w, r, p)
	}
	if isLogAnalytics(r.URL.Path) {
		s.logAnalytics(w, r)
		return nil
	}
	if m, ok := s.mountOf(r.URL.Path); ok {
		m.Handler.ServeHTTP(w, r)
		return nil
	}
	return noRoute(r)
}
