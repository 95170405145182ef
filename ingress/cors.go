package ingress

import (
	"net/http"
	"slices"
	"strconv"
	"strings"
)

// corsPolicy is a CORSPolicy with its header values joined.
type corsPolicy struct {
	origins                          []string
	methods, headers, expose, maxAge string
	credentials                      bool
}

func compileCORS(p *CORSPolicy) *corsPolicy {
	if p == nil {
		return nil
	}
	c := &corsPolicy{
		origins:     p.AllowedOrigins,
		methods:     strings.Join(p.AllowedMethods, ","),
		headers:     strings.Join(p.AllowedHeaders, ","),
		expose:      strings.Join(p.ExposeHeaders, ","),
		credentials: p.AllowCredentials,
	}
	if p.MaxAge != nil {
		c.maxAge = strconv.Itoa(*p.MaxAge)
	}
	return c
}

func (c *corsPolicy) allows(origin string) bool {
	return origin != "" && (slices.Contains(c.origins, origin) || slices.Contains(c.origins, "*"))
}

// preflight answers a preflight of an allowed origin; others go to the app as
// they are, as Envoy's CORS filter does.
func (c *corsPolicy) preflight(r *http.Request) *answer {
	if r.Method != http.MethodOptions || r.Header.Get("Access-Control-Request-Method") == "" {
		return nil
	}
	origin := r.Header.Get("Origin")
	if !c.allows(origin) {
		return nil
	}
	h := http.Header{}
	c.allow(h, origin)
	setIf(h, "Access-Control-Allow-Methods", c.methods)
	setIf(h, "Access-Control-Allow-Headers", c.headers)
	setIf(h, "Access-Control-Max-Age", c.maxAge)
	return &answer{status: http.StatusOK, header: h, details: detailsCORS}
}

// decorate adds the headers of the policy to the app's answer to an allowed
// origin, in place of the app's own.
func (c *corsPolicy) decorate(h http.Header, origin string) {
	if !c.allows(origin) {
		return
	}
	c.allow(h, origin)
	setIf(h, "Access-Control-Expose-Headers", c.expose)
}

func (c *corsPolicy) allow(h http.Header, origin string) {
	h["Access-Control-Allow-Origin"] = []string{origin}
	if c.credentials {
		h["Access-Control-Allow-Credentials"] = []string{"true"}
	}
}

func setIf(h http.Header, name, value string) {
	if value != "" {
		h[name] = []string{value}
	}
}
