package ingress

import (
	"context"
	"errors"
	"maps"
	"net"
	"net/http"
	"strconv"
	"strings"
	"syscall"
)

// answer is a response the edge makes itself. Texts are Envoy's, byte for byte
// as captured on Azure Container Apps where a capture exists.
type answer struct {
	status      int
	body        string
	contentType string      // empty: text/plain
	flag        string      // Envoy's response flag
	details     string      // Envoy's response code details
	reason      string      // for people; x-acalocal-reason and the record
	location    string      // of a redirect
	header      http.Header // further headers, or nil
	close       bool        // the connection cannot be used again
}

// The answers that need no detail.
var (
	answerStreamTimeout  = answer{status: http.StatusGatewayTimeout, body: "stream timeout", flag: "SI", details: detailsIdle}
	answerRequestTimeout = answer{status: http.StatusGatewayTimeout, body: "upstream request timeout", flag: "UT", details: detailsTotal}
	answerDenied         = answer{status: http.StatusForbidden, body: "RBAC: access denied", flag: "UAEX", details: detailsDenied}
	answerTooLarge       = answer{status: http.StatusInsufficientStorage, body: "exceeded request buffer limit while retrying upstream", flag: "UC", details: detailsBuffer}
	answerHeaders        = answer{status: http.StatusRequestHeaderFieldsTooLarge, flag: "DPE", details: detailsHeaders, close: true}
	answerHeadSize       = answer{status: http.StatusRequestHeaderFieldsTooLarge, flag: "DPE", details: detailsHeadSize, close: true}
	answerBadRequest     = answer{status: http.StatusBadRequest, body: "Bad Request", flag: "DPE", details: detailsMalformed, close: true}
	answerNoHost         = answer{status: http.StatusBadRequest, flag: "DPE", details: detailsNoHost, close: true}
	answerEncoding       = answer{status: http.StatusNotImplemented, body: "Not Implemented", flag: "DPE", details: detailsEncoding, close: true}
	answerVersion        = answer{status: http.StatusUpgradeRequired, details: detailsVersion, close: true}
	answerTarget         = answer{status: http.StatusNotFound, details: detailsTarget}
	answerHoldFull       = answer{status: http.StatusServiceUnavailable, body: "upstream connect error or disconnect/reset before headers. reset reason: overflow", flag: "UO", details: detailsOverflow}
	answerShutdown       = answer{status: http.StatusServiceUnavailable, body: "no healthy upstream", flag: "UH", details: detailsUnhealthy, close: true}
)

// because returns the answer with a reason.
func (a answer) because(reason string) *answer {
	a.reason = reason
	return &a
}

// resetReason is why an attempt ended before the head of an answer, in the
// words and with the consequences of Envoy.
type resetReason struct {
	text   string
	status int
	flag   string
}

const prefixReset = "upstream connect error or disconnect/reset before headers. "

var (
	resetTermination = resetReason{"connection termination", http.StatusServiceUnavailable, "UC"}
	resetProtocol    = resetReason{"protocol error", http.StatusBadGateway, "UPE"}
	resetTimeout     = resetReason{"connection timeout", http.StatusServiceUnavailable, "UF"}
)

// answer words the reason as Envoy does, with or without retries before it.
// The 190 bytes for a refused connection are captured in
// yeongseon/azure-paas-troubleshooting-labs, target-port-detection.
func (r resetReason) answer(retried bool) answer {
	lead, flag := "reset reason: ", r.flag
	if retried {
		lead, flag = "retried and the latest reset reason: ", r.flag+",URX"
	}
	return answer{status: r.status, body: prefixReset + lead + r.text, flag: flag, details: r.details()}
}

// delivered reports whether the request may have reached the app.
func (r resetReason) delivered() bool { return r.flag != "UF" }

// dialError marks an error of making the connection.
type dialError struct{ err error }

func (e *dialError) Error() string { return e.err.Error() }
func (e *dialError) Unwrap() error { return e.err }

// protocolError marks an answer that is not HTTP, or not HTTP the edge accepts.
type protocolError struct{ msg string }

func (e *protocolError) Error() string { return e.msg }

// classify turns the error of an attempt into a reset reason.
func classify(err error) resetReason {
	var dial *dialError
	if errors.As(err, &dial) {
		return classifyDial(dial.err)
	}
	var proto *protocolError
	if errors.As(err, &proto) || isHTTP2ProtocolError(err) {
		return resetProtocol
	}
	return resetTermination
}

func classifyDial(err error) resetReason {
	var timeout net.Error
	if errors.Is(err, context.DeadlineExceeded) || errors.As(err, &timeout) && timeout.Timeout() {
		return resetTimeout
	}
	return resetReason{
		text:   "remote connection failure" + transportReasonLead + "delayed connect error: " + connectErrorText(err),
		status: http.StatusServiceUnavailable, flag: "UF",
	}
}

// connectErrorText is the text of the system's error as a C library prints it,
// which is what Envoy shows.
func connectErrorText(err error) string {
	if errors.Is(err, ErrRefused) || errors.Is(err, syscall.ECONNREFUSED) || isSystemRefused(err) {
		return "Connection refused"
	}
	var no syscall.Errno
	if !errors.As(err, &no) {
		return err.Error()
	}
	text := no.Error()
	return strings.ToUpper(text[:1]) + text[1:]
}

// grpcStatus maps an HTTP status to a gRPC one as Envoy does
// (envoyproxy/envoy source/common/grpc/status.cc).
func grpcStatus(status int) int {
	switch status {
	case http.StatusBadRequest:
		return 13
	case http.StatusUnauthorized:
		return 16
	case http.StatusForbidden:
		return 7
	case http.StatusNotFound:
		return 12
	case http.StatusTooManyRequests, http.StatusBadGateway, http.StatusServiceUnavailable, http.StatusGatewayTimeout:
		return 14
	}
	return 2
}

// isGRPC reports whether the request expects a gRPC answer.
func isGRPC(h http.Header) bool {
	ct := h.Get("Content-Type")
	rest, ok := strings.CutPrefix(ct, "application/grpc")
	return ok && (rest == "" || rest[0] == '+' || rest[0] == ';')
}

// write sends the answer. With HTTP/2 and a gRPC request it becomes a
// trailers-only answer of status 200.
func (a *answer) write(w http.ResponseWriter, r *http.Request, hideReason bool) int64 {
	h := w.Header()
	if !hideReason && a.reason != "" {
		h["X-Acalocal-Reason"] = []string{headerText(a.flag + ": " + a.reason)}
	}
	if a.close && r.ProtoMajor == 1 {
		h["Connection"] = []string{"close"}
	}
	if isGRPC(r.Header) {
		h["Content-Type"] = []string{"application/grpc"}
		h["Grpc-Status"] = []string{strconv.Itoa(grpcStatus(a.status))}
		h["Grpc-Message"] = []string{grpcMessage(a.body)}
		h["Content-Length"] = nil // net/http would add one
		w.WriteHeader(http.StatusOK)
		return 0
	}
	return a.writePlain(w, r)
}

func (a *answer) writePlain(w http.ResponseWriter, r *http.Request) int64 {
	h := w.Header()
	h["Content-Length"] = []string{strconv.Itoa(len(a.body))}
	h["Content-Type"] = nil // no guessing
	switch {
	case a.contentType != "":
		h["Content-Type"] = []string{a.contentType}
	case a.body != "":
		h["Content-Type"] = []string{"text/plain"}
	}
	maps.Copy(h, a.header)
	if a.location != "" {
		h["Location"] = []string{a.location}
	}
	w.WriteHeader(a.status)
	if r.Method == http.MethodHead {
		return 0
	}
	// The client may be gone; the record says so by its context.
	n, _ := w.Write([]byte(a.body))
	return int64(n)
}

// headerText makes text fit for a header value.
func headerText(s string) string {
	return strings.Map(func(r rune) rune {
		if r < ' ' || r > '~' {
			return '?'
		}
		return r
	}, s)
}

// grpcMessage percent-encodes text as the gRPC protocol asks.
func grpcMessage(s string) string {
	var b strings.Builder
	for i := range len(s) {
		if c := s[i]; c >= ' ' && c <= '~' && c != '%' {
			b.WriteByte(c)
		} else {
			b.WriteString("%" + strings.ToUpper(strconv.FormatUint(uint64(c)+0x100, 16)[1:]))
		}
	}
	return b.String()
}
