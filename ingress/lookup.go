package ingress

import (
	"net/http"
	"strings"
)

// lookup finds what the Host of the request stands for. Only Host counts: SNI
// admits a connection and is forgotten
// (yeongseon/azure-paas-troubleshooting-labs, ingress-sni-host-header).
func (x *exchange) lookup() (target, *answer) {
	name := normalHost(x.r.Host)
	h := x.table.hosts[name]
	if x.l.spec.App != "" {
		return x.lookupApp(h)
	}
	if h == nil && x.l.spec.Inside {
		h = x.table.apps[name]
		if x.short = h != nil; x.short {
			x.rec.ForwardedFor = "" // calls by name have none
		}
	}
	switch {
	case h == nil:
		return target{}, answerNotFound.because(x.table.unknown(name))
	case h.internal && !x.l.spec.Inside:
		return target{}, answerNotFound.because("host " + name + " is internal: it answers inside the environment only")
	}
	return x.lookupPath(h)
}

// unknown says that there is no such host, and which one the app has that was
// meant.
func (t *routing) unknown(name string) string {
	first, rest, _ := strings.Cut(name, ".")
	own := t.apps[first]
	switch {
	case own == nil || rest != t.domain && rest != "internal."+t.domain:
		return "no app has the host " + name
	case own.target.missing != "":
		return own.target.missing
	case own.internal:
		return "no app has the host " + name + "; app " + first + " is internal: inside the environment its host is " + first + ".internal." + t.domain
	}
	return "no app has the host " + name + "; app " + first + " is external: its host is " + first + "." + t.domain
}

// lookupApp finds the target on the port of one app.
func (x *exchange) lookupApp(h *host) (target, *answer) {
	own := x.table.apps[x.l.spec.App]
	if own == nil {
		return target{}, answerNotFound.because("app " + x.l.spec.App + " does not exist")
	}
	if h != nil && h.target.app != nil && h.target.app == own.target.app {
		return h.target, nil
	}
	return own.target, nil
}

// lookupPath finds the target of a host, by path for a route config.
func (x *exchange) lookupPath(h *host) (target, *answer) {
	if h.rules == nil {
		return h.target, nil
	}
	for _, rule := range h.rules {
		for _, route := range rule.routes {
			matched, ok := route.match(pathOf(x.path))
			if !ok {
				continue
			}
			t, ok := rule.split.draw()
			if !ok {
				return target{}, answerNotFound.because("the rule has no target with a share")
			}
			x.path = route.rewrite(x.path, matched)
			return t, nil
		}
	}
	return target{}, (&answer{status: http.StatusNotFound, flag: "NR", details: detailsNoRoute}).because("no route matches the path")
}

// pathOf returns a request target without its query.
func pathOf(target string) string {
	for i := range len(target) {
		if target[i] == '?' {
			return target[:i]
		}
	}
	return target
}
