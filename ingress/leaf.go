package ingress

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"net"
	"strings"
	"sync"
	"time"
)

// maxLeaves bounds the certificates kept for custom domains; the names come
// from the table, so a client cannot fill the cache.
const maxLeaves = 256

// leafCache makes certificates for server names and keeps them until a third
// of their life is left.
type leafCache struct {
	authority *Authority
	domain    string

	mu     sync.Mutex
	leaves map[string]*tls.Certificate // guarded by mu
}

// Environment returns the certificates of an environment with the default
// domain. As on Azure, one certificate serves all its apps: its name is the
// domain, and it covers *.DOMAIN and the same below scm, internal and ext
// (yeongseon/azure-paas-troubleshooting-labs, ingress-sni-host-header). Names
// outside the domain, which are custom domains, get one of their own; those
// the authority may not sign are self-signed.
func (a *Authority) Environment(domain string) CertificateSource {
	c := &leafCache{authority: a, domain: domain, leaves: map[string]*tls.Certificate{}}
	return c.get
}

func (c *leafCache) get(name string) (*tls.Certificate, error) {
	if name == "" || inDomain(name, c.domain) {
		name = c.domain
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	now := time.Now()
	if leaf := c.leaves[name]; leaf != nil && leaf.Leaf.NotAfter.Sub(now) > leafLife/3 {
		return leaf, nil
	}
	leaf, err := c.make(name, now)
	if err != nil {
		return nil, err
	}
	if len(c.leaves) >= maxLeaves {
		clear(c.leaves)
	}
	c.leaves[name] = leaf
	return leaf, nil
}

func (c *leafCache) make(name string, now time.Time) (*tls.Certificate, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, err
	}
	serial, err := newSerial()
	if err != nil {
		return nil, err
	}
	template := &x509.Certificate{
		SerialNumber: serial,
		Subject:      pkix.Name{CommonName: commonName(name)},
		NotBefore:    now.Add(-clockSlack), NotAfter: now.Add(leafLife),
		KeyUsage:    x509.KeyUsageDigitalSignature,
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
		DNSNames:    []string{name},
	}
	if name == "localhost" {
		template.IPAddresses = []net.IP{net.IPv4(127, 0, 0, 1), net.IPv6loopback}
	}
	if name == c.domain {
		template.DNSNames = []string{name, "*." + name, "*.scm." + name, "*.internal." + name, "*.ext." + name}
	}
	return c.sign(template, key)
}

// sign signs with the authority, or with the key itself for a name that the
// authority is not good for.
func (c *leafCache) sign(template *x509.Certificate, key *ecdsa.PrivateKey) (*tls.Certificate, error) {
	parent, signer := c.authority.cert, c.authority.key
	local := strings.HasSuffix("."+template.DNSNames[0], ".localhost")
	if !local {
		parent, signer = template, key
	}
	der, err := x509.CreateCertificate(rand.Reader, template, parent, key.Public(), signer)
	if err != nil {
		return nil, err
	}
	leaf, err := x509.ParseCertificate(der)
	if err != nil {
		return nil, err
	}
	chain := [][]byte{der}
	if local {
		chain = append(chain, c.authority.cert.Raw)
	}
	return &tls.Certificate{Certificate: chain, PrivateKey: key, Leaf: leaf}, nil
}

// commonName cuts a name to the 64 bytes a common name may have.
func commonName(name string) string { return name[:min(len(name), 64)] }
