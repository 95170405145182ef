package scenario

import (
	"bufio"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"errors"
	"fmt"
	"io"
	"math/big"
	"net/http"
	"net/url"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/acalocal/acalocal/emulator"
	"github.com/acalocal/acalocal/ingress"
)

// Doors of the edge besides the ports of apps.
const (
	doorHTTP   = "http"  // stands for port 80
	doorHTTPS  = "https" // stands for port 443
	doorInside = ""      // port 80 as other apps reach it
)

// question is a request in all detail.
type question struct {
	door, sni, host string
	method          string
	path            string
	body            int
	header          http.Header
	show            []string // header fields of the answer to print
}

// ask sends a request by a door of the edge and prints status, fields and body:
//
//	ask [method=M] [body=BYTES] [header=NAME:VALUE] [host=H] [sni=NAME|none] [show=NAME] [inside] [cookies] URL
//
// URL names the door by its scheme, unless the caller is inside; its host is
// the Host and the server name. "cookies" sends back what earlier answers set.
func (v *virtual) ask(t *testing.T, words []string) string {
	q, cookies := v.question(t, words)
	if cookies && v.cookie != "" {
		q.header.Set("Cookie", v.cookie)
	}
	begin := time.Now()
	res, end, err := v.edge.send(t, q)
	defer end()
	if err != nil {
		return err.Error() + "\n"
	}
	body, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	text := strings.Replace(strings.TrimSpace(fmt.Sprintf("%d %s", res.StatusCode, shortBody(res, string(body)))), " \n", "\n", 1)
	if took := time.Since(begin); took > time.Second {
		text += fmt.Sprintf(" after %.0fs", took.Seconds())
	}
	for _, name := range q.show {
		for _, value := range res.Header.Values(name) {
			text += "\n  " + strings.ToLower(name) + ": " + affinity.ReplaceAllString(value, `"HEX"`)
		}
	}
	for _, c := range res.Cookies() {
		v.cookie = c.Name + "=" + c.Value
		if c.Quoted {
			v.cookie = c.Name + `="` + c.Value + `"`
		}
	}
	return text + "\n"
}

// served sends a request many times and says how many replicas answered.
func (v *virtual) served(t *testing.T, words []string) string {
	n, err := strconv.Atoi(words[0])
	if err != nil {
		t.Fatal(err)
	}
	last := v.lastRecord().ID
	for range n {
		v.ask(t, words[1:])
	}
	replicas := map[string]bool{}
	for rec := range v.edge.Records(last) {
		replicas[rec.Replica] = true
	}
	return fmt.Sprintf("%d of %d replicas\n", len(replicas), len(v.latestReplicas()))
}

// latestReplicas are the replicas of the one app.
func (v *virtual) latestReplicas() []emulator.Replica {
	a := v.e.Snapshot().Apps[0]
	return a.Revision(a.Properties.LatestRevisionName).Replicas
}

func (v *virtual) lastRecord() ingress.Record {
	synctest.Wait() // until the last request is written down
	var last ingress.Record
	for rec := range v.edge.Records(0) {
		last = rec
	}
	return last
}

// record prints what the edge noted of the last request.
func (v *virtual) record() string {
	r := v.lastRecord()
	return fmt.Sprintf("%d flags=%s details=%s tries=%d replays=%d\n", r.Status, r.Flag, r.Details, r.Tries, r.Replays)
}

// affinity is the value of the cookie of sticky sessions.
var affinity = regexp.MustCompile(`"[0-9a-f]{16}"`)

// What is drawn at random in an answer.
var (
	uuid  = regexp.MustCompile(`[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}`)
	drawn = regexp.MustCompile(`\b([a-z]+)--[a-z0-9]{7}\b`)
)

var title = regexp.MustCompile(`<title>(.*)</title>`)

// shortBody is the title of a page, or the text.
func shortBody(res *http.Response, body string) string {
	if m := title.FindStringSubmatch(body); m != nil {
		return "page: " + m[1]
	}
	body = uuid.ReplaceAllString(drawn.ReplaceAllString(strings.TrimSpace(body), "$1--FIRST"), "UUID")
	if strings.Contains(body, "\n") {
		body = "\n  | " + strings.ReplaceAll(body, "\n", "\n  | ")
	}
	return body
}

func (v *virtual) question(t *testing.T, words []string) (q question, cookies bool) {
	q = question{method: http.MethodGet, header: http.Header{}}
	target, err := url.Parse(words[len(words)-1])
	if err != nil {
		t.Fatal(err)
	}
	q.door, q.host, q.sni, q.path = target.Scheme, target.Host, target.Hostname(), target.RequestURI()
	for _, w := range words[:len(words)-1] {
		key, value, _ := strings.Cut(w, "=")
		switch key {
		case "method":
			q.method = value
		case "body":
			if q.body, err = strconv.Atoi(value); err != nil {
				t.Fatal(err)
			}
		case "header":
			name, value, _ := strings.Cut(value, ":")
			q.header.Add(name, value)
		case "host":
			q.host = value
		case "sni":
			q.sni = strings.Replace(value, "none", "", 1)
		case "show":
			q.show = append(q.show, value)
		case "inside":
			q.door = doorInside
		case "cookies":
			cookies = true
		default:
			t.Fatalf("ask: unknown word %q", w)
		}
	}
	return q, cookies
}

// send writes the request as it is, also with an empty Host, and reads the
// head of the answer. end closes the connection.
func (p *pipes) send(t *testing.T, q question) (res *http.Response, end func(), err error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Minute)
	defer cancel()
	c, err := p.dial(ctx, q.door)
	if err != nil {
		return nil, func() {}, err
	}
	end = func() { c.Close() }
	if q.door == doorHTTPS {
		secure := tls.Client(c, &tls.Config{ServerName: q.sni, InsecureSkipVerify: true})
		if err := secure.HandshakeContext(ctx); err != nil {
			return nil, end, errors.New("the TLS handshake is cut off")
		}
		c = secure
	}
	head := fmt.Sprintf("%s %s HTTP/1.1\r\nHost: %s\r\n", q.method, q.path, q.host)
	if q.body > 0 {
		head += fmt.Sprintf("Content-Length: %d\r\n", q.body)
	}
	for name, values := range q.header {
		for _, value := range values {
			head += name + ": " + value + "\r\n"
		}
	}
	go func() { // ends with the connection
		_, _ = io.WriteString(c, head+"\r\n"+strings.Repeat("x", q.body)) // the answer may come first
	}()
	res, err = http.ReadResponse(bufio.NewReader(c), &http.Request{Method: q.method})
	return res, end, err
}

// tcp connects to a raw port of an app as another app would, sends a line of
// HTTP/1.0, and returns what comes: "tcp APP PORT".
func (v *virtual) tcp(t *testing.T, app, port string) string {
	n, err := strconv.Atoi(port)
	if err != nil {
		t.Fatal(err)
	}
	door := app + ":" + port
	v.edge.open(door, ingress.ListenSpec{Kind: ingress.TCP, App: app, Port: n, Inside: true})
	c, err := v.edge.dial(t.Context(), door)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	fmt.Fprintf(c, "GET / HTTP/1.0\r\n\r\n")
	res, err := http.ReadResponse(bufio.NewReader(c), nil)
	if err != nil {
		return "closed without an answer\n"
	}
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	return fmt.Sprintf("%d %s, server: %q\n", res.StatusCode, strings.TrimSpace(string(body)), res.Header.Get("Server"))
}

// selfSigned makes the certificate of an edge or an app of a test.
func selfSigned(t *testing.T) *tls.Certificate {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "local.localhost"},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(24 * time.Hour), DNSNames: []string{"*.local.localhost"},
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	return &tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}
}
