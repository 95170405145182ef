package ingress

import (
	"net/http"
	"net/netip"
	"slices"
	"strings"
)

// defaultHeaderCount is headerCountLimit of an environment without premium
// ingress (Microsoft.App 2026-01-01).
const defaultHeaderCount = 100

// facts are what policies look at beside the request itself.
type facts struct {
	client      netip.Addr
	secure      bool                            // the scheme is https, here or before us
	inside      bool                            // the caller is in the environment
	redirects   bool                            // plain HTTP goes to https unless the app allows it
	certificate bool                            // the client showed a certificate
	https       interface{ httpsPort() string } // "" when there is no HTTPS listener
}

// decide applies the policies of an app in the order of Envoy's filters. It
// returns nil when the request may go on.
func decide(a *app, f facts, r *http.Request) *answer {
	if ans := a.checkAddress(f); ans != nil {
		return ans
	}
	if f.redirects && !f.secure && !a.allowInsecure {
		return redirect(r, f.https.httpsPort())
	}
	if a.certificate == CertificateRequire && !f.certificate && !f.inside {
		return answerDenied.because("app " + a.name + " requires a client certificate, and this connection has none")
	}
	if a.cors != nil {
		return a.cors.preflight(r)
	}
	return nil
}

// checkAddress refuses callers by the address of their connection; a header
// never counts. Calls from inside the environment are exempt
// (microsoft/azure-container-apps issue 527).
func (a *app) checkAddress(f facts) *answer {
	if f.inside {
		return nil
	}
	client := f.client.Unmap()
	matches := func(p netip.Prefix) bool { return p.Contains(client) }
	switch {
	case slices.ContainsFunc(a.deny, matches):
		return answerDenied.because("an IP rule of app " + a.name + " denies " + client.String())
	case len(a.allow) > 0 && !slices.ContainsFunc(a.allow, matches):
		return answerDenied.because("no IP rule of app " + a.name + " allows " + client.String())
	}
	return nil
}

// redirect sends the client to the same place with https: the port of the host
// is replaced by that of the HTTPS listener, and left out when it is 443.
func redirect(r *http.Request, httpsPort string) *answer {
	host, _ := cutPort(r.Host)
	if httpsPort != "" && httpsPort != "443" {
		host += ":" + httpsPort
	}
	return &answer{status: http.StatusMovedPermanently, location: "https://" + host + requestTarget(r), details: detailsDirect}
}

// requestTarget returns the path and query as the client sent them.
func requestTarget(r *http.Request) string {
	if strings.HasPrefix(r.RequestURI, "/") {
		return r.RequestURI
	}
	if r.RequestURI == "*" {
		return "*"
	}
	return r.URL.RequestURI() // absolute form
}
