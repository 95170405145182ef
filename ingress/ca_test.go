package ingress

import (
	"crypto/tls"
	"crypto/x509"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func mustAuthority(t testing.TB, dir string) *Authority {
	t.Helper()
	a, err := OpenAuthority(dir)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

func TestAuthorityIsMadeOnceAndKeptPrivate(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "ca")
	var wg sync.WaitGroup
	serials := make([]string, 8)
	for i := range serials {
		wg.Go(func() {
			a, err := OpenAuthority(dir)
			if err != nil {
				t.Error(err)
				return
			}
			serials[i] = a.Certificate().SerialNumber.String()
		})
	}
	wg.Wait()
	for _, s := range serials {
		if s != serials[0] {
			t.Fatalf("authorities differ: %q", serials)
		}
	}
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, e := range entries {
		names = append(names, e.Name())
	}
	if diff := cmp.Diff([]string{authorityFile, publicFile}, names); diff != "" {
		t.Errorf("files (-want +got):\n%s", diff)
	}
	if runtime.GOOS == "windows" {
		return
	}
	for path, want := range map[string]os.FileMode{dir: 0o700, filepath.Join(dir, authorityFile): 0o600} {
		info, err := os.Stat(path)
		if err != nil || info.Mode().Perm() != want {
			t.Errorf("%s has mode %v, want %v", path, info.Mode().Perm(), want)
		}
	}
	public, err := os.ReadFile(filepath.Join(dir, publicFile))
	if err != nil || strings.Contains(string(public), "PRIVATE") {
		t.Errorf("the public file: %v\n%s", err, public)
	}
}

func TestBrokenAuthorityIsNotReplacedSilently(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, authorityFile), []byte("junk"), 0o600); err != nil {
		t.Fatal(err)
	}
	_, err := OpenAuthority(dir)
	if err == nil || !strings.Contains(err.Error(), "remove the file to get a new one") {
		t.Errorf("got %v", err)
	}
}

func TestCertificatesCoverTheEnvironment(t *testing.T) {
	a := mustAuthority(t, t.TempDir())
	roots := x509.NewCertPool()
	roots.AddCert(a.Certificate())
	source := a.Environment(testDomain)
	tests := []struct {
		name    string
		trusted bool
	}{
		{"local.localhost", true},
		{"web.local.localhost", true},
		{"web.internal.local.localhost", true},
		{"web.scm.local.localhost", true},
		{"web.ext.local.localhost", true},
		{"other.localhost", true}, // a custom domain the authority may sign
		{"www.example.test", false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			cert, err := source(tt.name)
			if err != nil {
				t.Fatal(err)
			}
			if err := cert.Leaf.VerifyHostname(tt.name); err != nil {
				t.Error(err)
			}
			_, err = cert.Leaf.Verify(x509.VerifyOptions{Roots: roots, DNSName: tt.name})
			if (err == nil) != tt.trusted {
				t.Errorf("verify: %v", err)
			}
		})
	}
	first, _ := source("web.local.localhost")
	second, _ := source("api.local.localhost")
	if first != second || first.Leaf.Subject.CommonName != testDomain {
		t.Errorf("apps have certificates of their own: %s", first.Leaf.Subject)
	}
}

func TestAuthorityCannotSignForTheWorld(t *testing.T) {
	a := mustAuthority(t, t.TempDir())
	c := &leafCache{authority: a, domain: "example.test.localhost", leaves: map[string]*tls.Certificate{}}
	cert, err := c.get("x.localhost")
	if err != nil {
		t.Fatal(err)
	}
	template := *cert.Leaf
	template.DNSNames = []string{"x.localhost", "example.com"}
	forged, err := c.sign(&template, a.key)
	if err != nil {
		t.Fatal(err)
	}
	roots := x509.NewCertPool()
	roots.AddCert(a.Certificate())
	if _, err := forged.Leaf.Verify(x509.VerifyOptions{Roots: roots}); err == nil {
		t.Error("a certificate for example.com is accepted")
	}
}

func TestClientCertificateModes(t *testing.T) {
	a := mustAuthority(t, t.TempDir())
	roots := x509.NewCertPool()
	roots.AddCert(a.Certificate())
	clientCert := selfSigned(t)
	app := backend(t, "web--a-1", func(w http.ResponseWriter, r *http.Request) {
		io.WriteString(w, r.Header.Get("X-Forwarded-Client-Cert"))
	})
	tests := []struct {
		mode  CertificateMode
		gives bool
		want  string // prefix of the body; "error" for a refused connection
	}{
		{CertificateIgnore, true, ""},
		{CertificateAccept, false, ""},
		{CertificateAccept, true, `Hash=`},
		{CertificateRequire, false, "error"},
		{CertificateRequire, true, `Hash=`},
	}
	for _, tt := range tests {
		for _, proto := range []string{"http/1.1", "h2"} {
			t.Run(string(tt.mode)+" "+proto, func(t *testing.T) {
				table := oneApp(app)
				table.Apps[0].ClientCertificate = tt.mode
				g := newEdge(t, Options{Certificates: a.Environment(testDomain)}, table)
				addr := mustListen(t, g, ListenSpec{Kind: HTTPS})
				conf := &tls.Config{RootCAs: roots, ServerName: "web.local.localhost", NextProtos: []string{proto}}
				if tt.gives {
					conf.Certificates = []tls.Certificate{clientCert}
				}
				tr := &http.Transport{TLSClientConfig: conf, ForceAttemptHTTP2: proto == "h2"}
				defer tr.CloseIdleConnections()
				req, _ := http.NewRequest("GET", "https://"+addr+"/", nil)
				req.Host = "web.local.localhost"
				req.Header.Set("X-Forwarded-Client-Cert", "forged")
				res, err := tr.RoundTrip(req)
				if tt.want == "error" {
					if err == nil {
						t.Error("let in without a certificate")
					}
					return
				}
				if err != nil {
					t.Fatal(err)
				}
				defer res.Body.Close()
				body, err := io.ReadAll(res.Body)
				if err != nil || !strings.HasPrefix(string(body), tt.want) || tt.want == "" && len(body) > 0 {
					t.Errorf("x-forwarded-client-cert %q, %v", body, err)
				}
				if tt.want != "" && !strings.Contains(string(body), `;Cert="-----BEGIN%20CERTIFICATE-----%0A`) {
					t.Errorf("x-forwarded-client-cert %q", body)
				}
			})
		}
	}
	t.Run("required, TLS ended elsewhere", func(t *testing.T) {
		table := oneApp(app)
		table.Apps[0].ClientCertificate = CertificateRequire
		g := newEdge(t, Options{}, table)
		if r := get(t, client(t), mustListen(t, g, ListenSpec{Kind: AppPort, App: "web"}), "localhost", "/"); r.Status != 403 {
			t.Errorf("got %d", r.Status)
		}
	})
}
