package api

import "net/http"

// offlineRoutes need the log store and nothing that runs.
var offlineRoutes = map[string]bool{
	"info": true, "query": true, "export": true, "import": true,
	"kql/check": true, "kql/complete": true, "kql/format": true, "kql/saved": true, "kql/schema": true,
}

// NewOffline returns the handler of an environment that does not run: of o it
// needs Logs and Info alone.
func NewOffline(o Options) http.Handler {
	s := newServer(o)
	for name := range s.own {
		if !offlineRoutes[name] {
			delete(s.own, name)
		}
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if _, ok := parseARMPath(r.URL.Path); ok {
			writeError(w, noRoute(r))
			return
		}
		s.ServeHTTP(w, r)
	})
}
