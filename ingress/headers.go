package ingress

import (
	"net/http"
	"strings"
)

// Request headers the edge sets or consumes. Sources: header dumps of live
// apps; microsoft/azure-container-apps issues 1550, 1623 and 1673. There is no
// x-forwarded-host: Azure does not send it.

// expectedTimeout is x-envoy-expected-rq-timeout-ms as apps receive it, the
// half hour of a whole request. It does not follow the time scale.
const expectedTimeout = "1800000"

// hopByHop are headers that concern one connection only, beside those that
// Connection names (RFC 9110, section 7.6.1).
var hopByHop = map[string]bool{
	"Connection": true, "Keep-Alive": true, "Proxy-Connection": true,
	"Proxy-Authenticate": true, "Proxy-Authorization": true,
	"Te": true, "Trailer": true, "Transfer-Encoding": true, "Upgrade": true,
	"Http2-Settings": true,
}

// ours are the request headers whose only source is the edge. A client that
// sends them is not heard.
var ours = map[string]bool{
	"X-Forwarded-For": true, "X-Forwarded-Proto": true, "X-Forwarded-Path": true,
	"X-Forwarded-Client-Cert": true, "X-Request-Id": true, "X-Arr-Ssl": true,
}

// dropsRequest reports whether a request header, in canonical form, is not
// passed on as the client sent it.
func dropsRequest(name string) bool {
	if hopByHop[name] {
		return true
	}
	if name[0] != 'X' {
		return false
	}
	return ours[name] || strings.HasPrefix(name, "X-Envoy-") ||
		strings.HasPrefix(name, "X-K8se-") || strings.HasPrefix(name, "X-Ms-Containerapp-")
}

// keptWhenNamed are headers that stay although Connection names them: without
// them a message would be framed or routed differently.
var keptWhenNamed = map[string]bool{
	"Content-Length": true, "Host": true, "Content-Type": true, "Expect": true, "Authorization": true, "Cookie": true,
}

// connectionNames calls f with every header that Connection names and that has
// to go, in canonical form.
func connectionNames(h http.Header, f func(name string)) {
	for _, line := range h["Connection"] {
		for name := range strings.SplitSeq(line, ",") {
			name = http.CanonicalHeaderKey(strings.Trim(name, " \t"))
			if name != "" && !keptWhenNamed[name] {
				f(name)
			}
		}
	}
}

// namedByConnection reports whether the lines of Connection name a header that
// then has to go.
func namedByConnection(lines []string, name string) bool {
	return !keptWhenNamed[name] && hasToken(lines, name)
}

// isWebSocket reports whether the request asks to become a WebSocket. Other
// upgrades, h2c above all, are not passed on.
func isWebSocket(r *http.Request) bool {
	return r.ProtoMajor == 1 && r.Method == http.MethodGet &&
		strings.EqualFold(r.Header.Get("Upgrade"), "websocket") && hasToken(r.Header["Connection"], "upgrade")
}

func hasToken(lines []string, token string) bool {
	for _, line := range lines {
		for t := range strings.SplitSeq(line, ",") {
			if strings.EqualFold(strings.Trim(t, " \t"), token) {
				return true
			}
		}
	}
	return false
}

// field is one header the edge sets on a request.
type field struct{ name, value string }

// forwarding is what the app is told about a request beside what the client
// sent.
type forwarding struct {
	client       string // address without port; empty on calls by name
	forwardedFor string // x-forwarded-for, if client is not empty
	proto        string // http or https
	path         string // before any rewrite
	requestID    string
	certificate  string // x-forwarded-client-cert, or empty
	app          string
	revision     string
	http2        bool
	webSocket    bool
}

// fields appends the headers the edge sets, given those of the client.
func (f *forwarding) fields(buf []field, client http.Header) []field {
	if f.client != "" {
		buf = append(buf, field{"X-Forwarded-For", f.forwardedFor},
			field{"X-Envoy-External-Address", f.client})
	}
	protocol := "http1"
	if f.http2 {
		protocol = "http2"
	}
	buf = append(buf,
		field{"X-Forwarded-Proto", f.proto},
		field{"X-Forwarded-Path", f.path},
		field{"X-Request-Id", f.requestID},
		field{"X-Envoy-Expected-Rq-Timeout-Ms", expectedTimeout},
		field{"X-Arr-Ssl", "true"},
		field{"X-K8se-App-Name", f.revision},
		field{"X-K8se-App-Namespace", "k8se-apps"},
		field{"X-K8se-App-Kind", "web"},
		field{"X-K8se-Protocol", protocol},
		field{"X-Ms-Containerapp-Name", f.app},
		field{"X-Ms-Containerapp-Revision-Name", f.revision},
	)
	if f.certificate != "" {
		buf = append(buf, field{"X-Forwarded-Client-Cert", f.certificate})
	}
	if f.webSocket {
		buf = append(buf, field{"Connection", "Upgrade"}, field{"Upgrade", "websocket"})
	}
	if hasToken(client["Te"], "trailers") {
		buf = append(buf, field{"Te", "trailers"})
	}
	return buf
}

// appendForwardedFor appends an address to the lines of x-forwarded-for that a
// client sent, as Envoy does: with a comma alone (envoyproxy/envoy
// source/common/http/utility.cc, Utility::appendXff).
func appendForwardedFor(lines []string, address string) string {
	list := strings.Join(lines, ",")
	if list == "" {
		return address
	}
	return list + "," + address
}

// requestHeader returns the header an app receives: the client's, less what
// concerns the connection or pretends to be ours, plus fields.
func requestHeader(client http.Header, fields []field) http.Header {
	out := make(http.Header, len(client)+len(fields))
	for name, values := range client {
		if name != "" && !dropsRequest(name) {
			out[name] = values
		}
	}
	connectionNames(client, func(name string) { delete(out, name) })
	values := make([]string, len(fields))
	for i, f := range fields {
		values[i] = f.value
		out[f.name] = values[i : i+1 : i+1]
	}
	return out
}

// copyHeader copies the header of an app's answer, less what concerns its
// connection.
func (r *response) copyHeader(dst http.Header) {
	for name, values := range r.header {
		if !hopByHop[name] {
			dst[name] = values
		}
	}
	connectionNames(r.header, func(name string) { delete(dst, name) })
	r.copyFields(dst)
	if _, ok := dst["Content-Type"]; !ok {
		dst["Content-Type"] = nil // no guessing
	}
}

// copyFields copies the header of an answer in HTTP/1.1. All values share one
// array.
func (r *response) copyFields(dst http.Header) {
	values := make([]string, len(r.fields))
	for i, f := range r.fields {
		if hopByHop[f.name] {
			continue
		}
		if have := dst[f.name]; have != nil {
			dst[f.name] = append(have, f.value)
			continue
		}
		values[i] = f.value
		dst[f.name] = values[i : i+1 : i+1]
	}
	for _, f := range r.fields {
		if f.name == "Connection" {
			connectionNames(http.Header{"Connection": {f.value}}, func(name string) { delete(dst, name) })
		}
	}
}

// clientRequestID returns the id an app sees for one that a client sent. Envoy
// keeps a trace bit in the version digit of a UUID, so that digit becomes 4
// (microsoft/azure-container-apps issue 1673).
func clientRequestID(id string) string {
	const length, version = 36, 14
	if len(id) != length || id[version] == '4' {
		return id
	}
	return id[:version] + "4" + id[version+1:]
}

// appendUUID appends a random UUID, version 4, made of two random numbers.
func appendUUID(buf []byte, hi, lo uint64) []byte {
	hi = hi&^0xF000 | 0x4000
	lo = lo&^(0xC<<60) | 0x8<<60
	buf = appendHex(buf, hi>>32, 8)
	buf = append(buf, '-')
	buf = appendHex(buf, hi>>16, 4)
	buf = append(buf, '-')
	buf = appendHex(buf, hi, 4)
	buf = append(buf, '-')
	buf = appendHex(buf, lo>>48, 4)
	buf = append(buf, '-')
	return appendHex(buf, lo, 12)
}

func appendHex(buf []byte, v uint64, digits int) []byte {
	for i := digits - 1; i >= 0; i-- {
		buf = append(buf, "0123456789abcdef"[v>>(4*i)&0xF])
	}
	return buf
}
