package ingress

import "strings"

// What Envoy writes as RESPONSE_CODE_DETAILS and Azure as ResponseCodeDetails:
// who made the answer, and of what (Envoy documentation, "Response code
// details"; envoy/stream_info/stream_info.h, ResponseCodeDetailValues).
const (
	detailsApp          = "via_upstream"
	detailsDirect       = "direct_response"
	detailsCORS         = "cors_response"
	detailsNoRoute      = "route_not_found"
	detailsIdle         = "stream_idle_timeout"
	detailsTotal        = "response_timeout"
	detailsDenied       = "rbac_access_denied_matched_policy[none]"
	detailsUnhealthy    = "no_healthy_upstream"
	detailsBuffer       = "request_payload_exceeded_retry_buffer_limit"
	detailsHeaders      = "http1.too_many_headers"
	detailsHeadSize     = "http1.headers_too_large"
	detailsMalformed    = "http1.codec_error"
	detailsEncoding     = "http1.invalid_transfer_encoding"
	detailsNoHost       = "missing_host_header"
	detailsVersion      = "low_version"
	detailsTarget       = "absolute_path_rejected"
	detailsClientGone   = "downstream_remote_disconnect"
	detailsCut          = "upstream_reset_after_response_started{connection_termination}"
	detailsResetBegin   = "upstream_reset_before_response_started{"
	detailsOverflow     = detailsResetBegin + "overflow}"
	transportReasonLead = ", transport failure reason: "
)

// details words the reset as Envoy's router does: the reason, a bar and that of
// the transport, without spaces.
func (r resetReason) details() string {
	text := strings.Replace(r.text, transportReasonLead, "|", 1)
	return detailsResetBegin + strings.ReplaceAll(text, " ", "_") + "}"
}

// traceID returns the trace a traceparent header names, 32 hexadecimal digits,
// or "" (https://www.w3.org/TR/trace-context/#traceparent-header).
func traceID(lines []string) string {
	const length, from, to = 55, 3, 35
	if len(lines) != 1 || len(lines[0]) < length || lines[0][from-1] != '-' || lines[0][to] != '-' {
		return ""
	}
	id := lines[0][from:to]
	if strings.Trim(id, "0123456789abcdef") != "" || strings.Trim(id, "0") == "" {
		return ""
	}
	return id
}
