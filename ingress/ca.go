package ingress

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"fmt"
	"io/fs"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"time"
)

// Files of an authority in its directory.
const (
	authorityFile = "authority.pem" // certificate and key; readable by the owner only
	publicFile    = "ca.pem"        // the certificate alone, to hand to others
)

// Lifetimes of certificates. Leaf certificates are made anew by every process;
// macOS accepts none of more than 825 days.
const (
	authorityLife = 10 * 365 * 24 * time.Hour
	leafLife      = 90 * 24 * time.Hour
	clockSlack    = time.Hour
)

// Authority is a local certificate authority. It is constrained to names below
// "localhost" and to loopback addresses, so that whoever trusts it trusts
// nothing else, even if its key got out. Its methods may be called
// concurrently.
type Authority struct {
	dir  string
	cert *x509.Certificate
	key  *ecdsa.PrivateKey
}

// OpenAuthority loads the authority kept in dir, and makes it first if there
// is none. The directory and the key are readable by their owner only. Several
// processes may open one directory at once; all get the same authority.
func OpenAuthority(dir string) (*Authority, error) {
	a, err := loadAuthority(dir)
	if !errors.Is(err, fs.ErrNotExist) {
		return a, err
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("make the certificate authority: %w", err)
	}
	text, err := newAuthority(time.Now())
	if err != nil {
		return nil, fmt.Errorf("make the certificate authority: %w", err)
	}
	if err := publish(filepath.Join(dir, authorityFile), text); err != nil {
		return nil, fmt.Errorf("save the certificate authority: %w", err)
	}
	return loadAuthority(dir)
}

// publish puts a file in place as a whole, unless another process was first.
func publish(path string, text []byte) error {
	temp, err := os.CreateTemp(filepath.Dir(path), ".authority-*") // mode 0600
	if err != nil {
		return err
	}
	defer os.Remove(temp.Name())
	_, err = temp.Write(text)
	if err = errors.Join(err, temp.Sync(), temp.Close()); err != nil {
		return err
	}
	if err := os.Link(temp.Name(), path); !errors.Is(err, fs.ErrExist) {
		return err
	}
	return nil
}

func loadAuthority(dir string) (*Authority, error) {
	path := filepath.Join(dir, authorityFile)
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("load the certificate authority: %w", err)
	}
	pair, err := tls.X509KeyPair(text, text)
	if err != nil {
		return nil, fmt.Errorf("load the certificate authority: %s: %w; remove the file to get a new one", path, err)
	}
	key, ok := pair.PrivateKey.(*ecdsa.PrivateKey)
	if !ok || !pair.Leaf.IsCA {
		return nil, fmt.Errorf("load the certificate authority: %s is not one; remove the file to get a new one", path)
	}
	if time.Now().After(pair.Leaf.NotAfter) {
		return nil, fmt.Errorf("load the certificate authority: %s is out of date; remove the file to get a new one", path)
	}
	a := &Authority{dir: dir, cert: pair.Leaf, key: key}
	return a, a.writePublic()
}

// writePublic keeps the certificate beside the key, for tools that want a file.
func (a *Authority) writePublic() error {
	path := a.CertificateFile()
	want := a.CertificatePEM()
	if have, err := os.ReadFile(path); err == nil && string(have) == string(want) {
		return nil
	}
	if err := os.WriteFile(path, want, 0o644); err != nil {
		return fmt.Errorf("save the certificate of the authority: %w", err)
	}
	return nil
}

// newAuthority makes a certificate and its key, as PEM.
func newAuthority(now time.Time) ([]byte, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, err
	}
	serial, err := newSerial()
	if err != nil {
		return nil, err
	}
	host, err := os.Hostname()
	if err != nil {
		host = "this machine"
	}
	template := &x509.Certificate{
		SerialNumber: serial,
		Subject:      pkix.Name{CommonName: "acalocal development CA on " + host, Organization: []string{"acalocal"}},
		NotBefore:    now.Add(-clockSlack), NotAfter: now.Add(authorityLife),
		IsCA: true, BasicConstraintsValid: true, MaxPathLenZero: true,
		KeyUsage:                    x509.KeyUsageCertSign | x509.KeyUsageCRLSign,
		PermittedDNSDomainsCritical: true,
		PermittedDNSDomains:         []string{"localhost"},
		PermittedIPRanges: []*net.IPNet{
			{IP: net.IPv4(127, 0, 0, 0).To4(), Mask: net.CIDRMask(8, 32)},
			{IP: net.IPv6loopback, Mask: net.CIDRMask(128, 128)},
		},
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		return nil, err
	}
	secret, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return nil, err
	}
	text := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})
	return append(text, pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: secret})...), nil
}

// CertificatePEM returns the authority's certificate, without its key.
func (a *Authority) CertificatePEM() []byte {
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: a.cert.Raw})
}

// CertificateFile returns the path of a file with CertificatePEM.
func (a *Authority) CertificateFile() string { return filepath.Join(a.dir, publicFile) }

// Certificate returns the authority's certificate.
func (a *Authority) Certificate() *x509.Certificate { return a.cert }

// newSerial draws a serial number of 128 bits.
func newSerial() (*big.Int, error) {
	return rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), 128))
}

// DefaultAuthorityDir returns where a user's authority is kept:
// $ACALOCAL_CA_DIR, or acalocal/ca in the user's configuration directory. All
// environments share it, so that trusting it once is enough.
func DefaultAuthorityDir() (string, error) {
	if dir := os.Getenv("ACALOCAL_CA_DIR"); dir != "" {
		return filepath.Abs(dir)
	}
	dir, err := os.UserConfigDir()
	if err != nil {
		return "", fmt.Errorf("find the certificate authority: %w (set ACALOCAL_CA_DIR)", err)
	}
	return filepath.Join(dir, "acalocal", "ca"), nil
}
