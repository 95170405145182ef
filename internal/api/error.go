package api

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"

	"github.com/acalocal/acalocal/emulator/aca"
	"github.com/acalocal/acalocal/internal/container"
)

// Codes the API itself answers with; the rest are the emulator's.
const (
	codeNotFound    = "ResourceNotFound"
	codeBadContent  = "InvalidRequestContent"
	codeBadMethod   = "MethodNotAllowed"
	codeNoProvider  = "InvalidResourceType"
	codeForbidden   = "AuthorizationFailed"
	codeBadToken    = "InvalidAuthenticationToken"
	codeInternal    = "InternalServerError"
	codeUnavailable = "ServiceUnavailable"
	codeBadQuery    = "BadArgumentError"
	codeTimeout     = "RequestTimeout"
	codeNeverReady  = "RevisionNotReady"
)

// ErrorBody is the body of every answer that is not a success.
type ErrorBody struct {
	Error ErrorDetail `json:"error"`
}

// ErrorDetail is what went wrong, and inside it the causes.
type ErrorDetail struct {
	Code    string        `json:"code"`
	Message string        `json:"message"`
	Target  string        `json:"target,omitempty"`
	Details []ErrorDetail `json:"details,omitempty"`
	// Inner is what ARM leaves open: here, what the user can do about it.
	Inner *InnerError `json:"innererror,omitempty"`
}

// InnerError carries the hint of an error over the API.
type InnerError struct {
	Hint     string `json:"hint"`
	ExitCode int    `json:"exitCode,omitempty"` // what a shell would end with: of a command that could not be run
}

// statusOf returns the HTTP status an error code stands for. Codes not named
// here are a fault of the request, as nearly all of ARM's are.
func statusOf(code string) int {
	switch code {
	case codeNotFound, "ResourceGroupNotFound", codeNoProvider:
		return http.StatusNotFound
	case "Conflict", "ContainerAppOperationInProgress":
		return http.StatusConflict
	case codeBadMethod:
		return http.StatusMethodNotAllowed
	case codeNeverReady:
		return http.StatusConflict
	case codeTimeout:
		return http.StatusRequestTimeout
	case codeForbidden:
		return http.StatusForbidden
	case codeBadToken:
		return http.StatusUnauthorized
	case codeInternal:
		return http.StatusInternalServerError
	case codeUnavailable:
		return http.StatusServiceUnavailable
	}
	return http.StatusBadRequest
}

// detailOf turns any error into what the API says about it. This is a local
// tool: the message of an error we did not foresee is the user's to read.
func detailOf(err error) ErrorDetail {
	var ready *detailError
	if errors.As(err, &ready) {
		return ErrorDetail(*ready)
	}
	d := ErrorDetail{Code: codeInternal, Message: err.Error()}
	var ae *aca.Error
	if errors.As(err, &ae) {
		d = ErrorDetail{Code: ae.Code, Message: ae.Message, Target: ae.Target}
		if ae.Hint != "" {
			d.Inner = &InnerError{Hint: ae.Hint}
		}
	}
	var ce *container.Error
	if errors.As(err, &ce) {
		if ae == nil && (ce.Code == container.CodeUnreachable || ce.Code == container.CodePermission) {
			d.Code = codeUnavailable
		}
		if ce.Hint != "" {
			d.Inner = &InnerError{Hint: ce.Hint}
		}
	}
	return d
}

// detailError is an error that is already in the API's words.
type detailError ErrorDetail

func (e *detailError) Error() string { return e.Message }

func writeError(w http.ResponseWriter, err error) {
	d := detailOf(err)
	writeJSON(w, statusOf(d.Code), ErrorBody{d})
}

func writeJSON(w http.ResponseWriter, status int, body any) {
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	w.WriteHeader(status)
	// The only failure left is a client that has gone.
	_ = json.NewEncoder(w).Encode(body)
}

// reply answers 200 with body.
func reply(w http.ResponseWriter, body any) error {
	writeJSON(w, http.StatusOK, body)
	return nil
}

func noRoute(r *http.Request) error {
	return &aca.Error{Code: codeNoProvider, Message: fmt.Sprintf("There is nothing at '%s'.", r.URL.Path), Target: r.URL.Path}
}

func wrongMethod(r *http.Request, want string) error {
	return &aca.Error{Code: codeBadMethod, Message: fmt.Sprintf("'%s' does not answer %s, only %s.", r.URL.Path, r.Method, want)}
}

// notFound is ARM's answer for a resource that is not there. The Azure CLI
// looks for this very code.
func notFound(resource, group string) *aca.Error {
	if group == "" {
		group = "local"
	}
	return &aca.Error{
		Code: codeNotFound,
		Message: fmt.Sprintf("The Resource 'Microsoft.App/%s' under resource group '%s' was not found. "+
			"For more details please go to https://aka.ms/ARMResourceNotFoundFix", resource, group),
		Target: resource,
	}
}

// badContent says what is wrong with a body or a parameter.
func badContent(target, format string, args ...any) error {
	return &aca.Error{Code: codeBadContent, Message: fmt.Sprintf(format, args...), Target: target}
}
