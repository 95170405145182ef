package ingress

import (
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"encoding/hex"
	"encoding/pem"
	"errors"
	"net"
	"net/url"
	"strings"
)

// CertificateSource gives the certificate for a server name, in lower case. It
// may be called concurrently.
type CertificateSource func(serverName string) (*tls.Certificate, error)

var errForeignName = errors.New("server name is not of this environment")

// tlsConfig returns the configuration of HTTPS listeners. The server name is a
// gate only: without one, or with one outside the environment, the connection
// is reset, as on Azure (yeongseon/azure-paas-troubleshooting-labs,
// ingress-sni-host-header).
func (l *listener) tlsConfig() *tls.Config {
	base := &tls.Config{
		MinVersion:                  tls.VersionTLS12,
		NextProtos:                  []string{"h2", "http/1.1"},
		DynamicRecordSizingDisabled: true,
		GetCertificate: func(hello *tls.ClientHelloInfo) (*tls.Certificate, error) {
			return l.g.opts.Certificates(strings.ToLower(hello.ServerName))
		},
	}
	asks := base.Clone()
	asks.ClientAuth = tls.RequestClientCert
	insists := base.Clone()
	insists.ClientAuth = tls.RequireAnyClientCert
	base.GetConfigForClient = func(hello *tls.ClientHelloInfo) (*tls.Config, error) {
		mode, ok := l.admits(strings.ToLower(hello.ServerName))
		if !ok {
			reset(hello.Conn)
			return nil, errForeignName
		}
		switch mode {
		case CertificateAccept:
			return asks, nil
		case CertificateRequire:
			return insists, nil
		}
		return nil, nil
	}
	return base
}

// admits reports whether the environment has a certificate for the server name,
// and what its app does about client certificates. A custom domain whose binding
// is disabled has none; only its Host counts. Before the first table every name is let in.
func (l *listener) admits(name string) (CertificateMode, bool) {
	table := l.g.table.Load()
	if table == nil {
		return CertificateIgnore, name != "" || l.spec.App != ""
	}
	h := table.hosts[name]
	switch {
	case l.spec.App != "":
		h = table.apps[l.spec.App]
	case h == nil && l.spec.Inside:
		h = table.apps[name] // by short name: let in, though the certificate does not cover it
	}
	if h == nil || l.spec.App == "" && table.unbound[name] {
		return CertificateIgnore, inDomain(name, table.domain)
	}
	if h.target.app == nil {
		return CertificateIgnore, true
	}
	return h.target.app.certificate, true
}

// inDomain reports whether the certificate of the environment covers the name:
// NAME.DOMAIN, and the same below scm, internal and ext.
func inDomain(name, domain string) bool {
	first, ok := strings.CutSuffix(name, "."+domain)
	if !ok {
		return name == domain
	}
	label, sub, two := strings.Cut(first, ".")
	if !two {
		return label != ""
	}
	return label != "" && (sub == "scm" || sub == "internal" || sub == "ext")
}

// reset closes a connection so that the peer sees a reset.
func reset(c net.Conn) {
	if t, ok := c.(interface{ SetLinger(sec int) error }); ok {
		// Without it the peer sees an ordinary end instead; both are refusals.
		_ = t.SetLinger(0)
	}
	_ = c.Close()
}

// forwardedCertificate renders x-forwarded-client-cert in the form documented
// for Azure, with the PEM text URL-encoded as Envoy does
// (https://learn.microsoft.com/azure/container-apps/client-certificate-authorization).
func forwardedCertificate(chain []*x509.Certificate) string {
	hash := sha256.Sum256(chain[0].Raw)
	var all strings.Builder
	for _, c := range chain {
		all.WriteString(encodePEM(c))
	}
	return `Hash=` + hex.EncodeToString(hash[:]) + `;Cert="` + encodePEM(chain[0]) + `";Chain="` + all.String() + `";`
}

func encodePEM(c *x509.Certificate) string {
	text := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: c.Raw})
	return strings.ReplaceAll(url.QueryEscape(string(text)), "+", "%20")
}
