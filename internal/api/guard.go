package api

import (
	"cmp"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"strconv"
	"strings"

	"github.com/acalocal/acalocal/emulator/aca"
)

// guard admits requests that name a loopback host, come from no foreign page
// and carry the token. Names are checked because a page of another site can
// point its own name at 127.0.0.1 (DNS rebinding); the origin because a page
// can send simple requests anywhere. No answer allows another origin to read it.
func (s *server) guard(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch {
		case !loopbackHost(r.Host):
			writeError(w, &aca.Error{Code: codeForbidden, Message: "This address answers to loopback names only, not to '" + r.Host + "'."})
		case foreign(r):
			writeError(w, &aca.Error{Code: codeForbidden, Message: "Pages of '" + cmp.Or(r.Header.Get("Origin"), "another site") + "' may not call this address."})
		case !s.open(r.URL.Path) && !s.Access.admits(r) && isLogAnalytics(r.URL.Path):
			laRefusal(r).write(w)
		case !s.open(r.URL.Path) && !s.Access.admits(r):
			writeError(w, &aca.Error{Code: codeBadToken, Message: "The request has no valid token."})
		default:
			next.ServeHTTP(w, r)
		}
	})
}

// loopbackHost reports whether the Host header names this machine: an address
// of the loopback range, "localhost", or a name below it (RFC 6761).
func loopbackHost(hostport string) bool {
	host := hostport
	if h, port, err := net.SplitHostPort(hostport); err == nil {
		if _, err := strconv.ParseUint(port, 10, 16); err != nil {
			return false
		}
		host = h
	}
	host = strings.TrimSuffix(strings.ToLower(strings.Trim(host, "[]")), ".")
	if addr, err := netip.ParseAddr(host); err == nil {
		return addr.IsLoopback()
	}
	return host == "localhost" || strings.HasSuffix(host, ".localhost")
}

// foreign reports whether a browser sends a request for a page that is not of
// this very address. A page that asks for an image, a script or a frame sends no
// Origin, and Sec-Fetch-Site all the same (https://www.w3.org/TR/fetch-metadata/);
// "same-site" is another port of this machine. Links from anywhere may lead
// here. Programs send neither.
func foreign(r *http.Request) bool {
	if origin := r.Header.Get("Origin"); origin != "" {
		if u, err := url.Parse(origin); err != nil || u.Host != r.Host {
			return true
		}
	}
	switch r.Header.Get("Sec-Fetch-Site") {
	case "", "none", "same-origin":
		return false
	}
	link := r.Method == http.MethodGet && r.Header.Get("Sec-Fetch-Mode") == "navigate" && r.Header.Get("Sec-Fetch-Dest") == "document"
	return !link
}

// bearer returns the token of a request, or "".
func bearer(r *http.Request) string {
	scheme, token, ok := strings.Cut(r.Header.Get("Authorization"), " ")
	if !ok || !strings.EqualFold(scheme, "Bearer") {
		return ""
	}
	return token
}
