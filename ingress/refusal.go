package ingress

import (
	"bytes"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// refusalHead is what net/http writes after the status line of a request that it
// cannot read, in one piece with the line before and the text after (conn.serve
// in net/http/server.go).
const refusalHead = "\r\nContent-Type: text/plain; charset=utf-8\r\nConnection: close\r\n\r\n"

// refusal returns Envoy's answer to a request that net/http is about to refuse
// by writing p, or nil when p is something else.
func refusal(p []byte) *answer {
	_, text, ok := bytes.Cut(p, []byte(refusalHead))
	if !ok || !bytes.HasPrefix(p, []byte("HTTP/1.1 ")) {
		return nil
	}
	status, why, _ := strings.Cut(string(text), ": ")
	if why == "" {
		why = "net/http cannot read it"
	}
	reason := "the request is malformed: " + why
	switch {
	case strings.HasPrefix(status, "431 "):
		return answerHeadSize.because("the head has more than " + strconv.Itoa(maxHeadBytes) + " bytes")
	case status == "Unsupported transfer encoding":
		return answerEncoding.because("transfer-encoding is something else than chunked")
	case why == "missing required Host header":
		return answerNoHost.because(reason)
	}
	return answerBadRequest.because(reason)
}

// text is the whole answer as it goes to an HTTP/1.1 connection that ends with
// it.
func (a *answer) text(now time.Time, hideReason bool) []byte {
	b := fmt.Appendf(nil, "HTTP/1.1 %d %s\r\ncontent-length: %d\r\n", a.status, http.StatusText(a.status), len(a.body))
	if a.body != "" {
		b = append(b, "content-type: text/plain\r\n"...)
	}
	if !hideReason && a.reason != "" {
		b = fmt.Appendf(b, "x-acalocal-reason: %s\r\n", headerText(a.flag+": "+a.reason))
	}
	b = fmt.Appendf(b, "date: %s\r\nconnection: close\r\n\r\n", now.UTC().Format(http.TimeFormat))
	return append(b, a.body...)
}
