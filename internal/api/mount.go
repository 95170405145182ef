package api

import (
	"net/http"
	"strings"
)

// Mount is a handler for paths outside ARM's and /acalocal/v1, such as pages
// and the endpoints of other protocols.
type Mount struct {
	// Path is a path, or with a final "/" everything below it, except that "/"
	// is itself alone. The longest one wins. Case counts.
	Path string
	// Open lets callers in without the token when they come by TCP: for what
	// holds no secret and changes nothing, or has a key of its own. The names
	// of host and origin are checked all the same.
	Open    bool
	Handler http.Handler
}

// mountOf finds the mount of a path.
func (s *server) mountOf(path string) (best Mount, ok bool) {
	for _, m := range s.Mounts {
		fits := path == m.Path || m.Path != "/" && strings.HasSuffix(m.Path, "/") && strings.HasPrefix(path, m.Path)
		if fits && (!ok || len(m.Path) > len(best.Path)) {
			best, ok = m, true
		}
	}
	return best, ok
}

// open reports whether a path answers without the token.
func (s *server) open(path string) bool {
	if name, ok := ownPath(path); ok {
		return openRoutes[name]
	}
	if _, ok := parseARMPath(path); ok || isLogAnalytics(path) {
		return false
	}
	m, _ := s.mountOf(path)
	return m.Open
}
