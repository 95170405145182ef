package api

import (
	"crypto/rand"
	"fmt"
	"net/http"
	"strings"
	"unicode"
	"unicode/utf16"

	"github.com/acalocal/acalocal/logsink/kql"
)

// laError is an error in the form of Azure Monitor Logs.
type laError struct {
	status int
	detail laDetail
}

// laDetail nests from the general to the particular. The innermost of a fault
// of the query's text says where.
type laDetail struct {
	Message     string     `json:"message"`
	Code        string     `json:"code"`
	Correlation string     `json:"correlationId,omitempty"`
	Details     []laDetail `json:"details,omitempty"`
	Inner       *laDetail  `json:"innererror,omitempty"`
	Line        *int       `json:"line,omitempty"`
	Pos         *int       `json:"pos,omitempty"`
	Token       string     `json:"token,omitempty"`
	// Of a query that ended early.
	Severity     int    `json:"severity,omitempty"`
	SeverityName string `json:"severityName,omitempty"`
}

// body is the error object of an answer.
func (e *laError) body() map[string]laDetail {
	d := e.detail
	d.Correlation = newUUID()
	return map[string]laDetail{"error": d}
}

func (e *laError) write(w http.ResponseWriter) { writeJSON(w, e.status, e.body()) }

// badArgument is what the service answers to all faults of a request.
func badArgument(inner laDetail) *laError {
	return &laError{http.StatusBadRequest, laDetail{Message: "The request had some invalid properties", Code: codeBadQuery, Inner: &inner}}
}

func pathNotFound() *laError {
	return &laError{http.StatusNotFound, laDetail{Code: "PathNotFoundError", Message: "The requested path does not exist"}}
}

// laPartial is the error beside the rows of an answer that was cut.
func laPartial(cut *kql.TruncationError) laDetail {
	return laDetail{Code: codePartial, Message: "There were some errors when processing your query.", Details: []laDetail{{
		Code: "EngineError", Message: "Something went wrong processing your query on the server.",
		Inner: &laDetail{Code: kql.TruncationCode, Message: cut.Error(), Severity: 2, SeverityName: "Error"},
	}}}
}

// laRefusal is the answer to a request without the right token.
func laRefusal(r *http.Request) *laError {
	if r.Header.Get("Authorization") == "" {
		return &laError{http.StatusUnauthorized, laDetail{Code: "AuthenticationFailed", Message: "Authentication failed. The 'Authorization' header is missing."}}
	}
	return &laError{http.StatusForbidden, laDetail{Code: codeBadToken, Message: "The access token is invalid."}}
}

// syntaxCodes are the findings of the language service that the service calls
// errors of recognition; the others are semantic.
var syntaxCodes = map[string]bool{
	"KS001": true, "KS002": true, "KS005": true, "KS006": true, "KS160": true, "KS176": true, "KS198": true, "KS228": true,
}

// laFirst is the finding that the service would end with: it parses the whole
// text before it looks up a name.
func laFirst(found kql.Diagnostics) kql.Diagnostic {
	for _, d := range found {
		if syntaxCodes[d.Code] {
			return d
		}
	}
	return found[0]
}

// laFinding words a finding as the service does, as seen in public reports.
func laFinding(text string, d kql.Diagnostic) laDetail {
	line, pos, token := place(text, d)
	inner := laDetail{Line: &line, Pos: &pos, Token: token}
	if syntaxCodes[d.Code] {
		inner.Code, inner.Message = "SYN0002", fmt.Sprintf("Query could not be parsed at '%s' on line [%d,%d]", token, line, pos)
		return laDetail{Code: "SyntaxError", Message: "A recognition error occurred in the query.", Inner: &inner}
	}
	inner.Code, inner.Message = "SEM0001", d.Message
	switch d.Code {
	case "KS142":
		inner.Code = "SEM0100"
		inner.Message = fmt.Sprintf("'table' operator: Failed to resolve table expression named '%s'", token)
		if operator := operatorBefore(text, d); operator != "" { // else the name is the whole query
			inner.Message = fmt.Sprintf("'%s' operator: Failed to resolve column or scalar expression named '%s'", operator, token)
		}
	case "KS204":
		inner.Code = "SEM0100"
		inner.Message = fmt.Sprintf("'%s' operator: Failed to resolve table or column expression named '%s'", operatorBehind(text, d), token)
	}
	return laDetail{Code: "SemanticError", Message: "A semantic error occurred.", Inner: &inner}
}

// place returns the line from 1, the column from 0 and the text a finding is
// about: of one about something missing the next token, "<EOF>" at the end.
func place(text string, d kql.Diagnostic) (line, pos int, token string) {
	units := utf16.Encode([]rune(text))
	start := min(d.Start, len(units))
	end := min(start+d.Length, len(units))
	if d.Length == 0 {
		for start < len(units) && unicode.IsSpace(rune(units[start])) {
			start++
		}
		end = min(start+1, len(units))
		for end < len(units) && isWord(units[start]) && isWord(units[end]) {
			end++
		}
	}
	before := string(utf16.Decode(units[:start]))
	if token = string(utf16.Decode(units[start:end])); token == "" {
		token = "<EOF>"
	}
	line = 1 + strings.Count(before, "\n")
	pos = len(utf16.Encode([]rune(before[strings.LastIndexByte(before, '\n')+1:])))
	return line, pos, token
}

func isWord(unit uint16) bool {
	return unit == '_' || unicode.IsLetter(rune(unit)) || unicode.IsDigit(rune(unit))
}

// operatorBefore names the operator whose expression a finding is in, ""
// without one; operatorBehind the one that reads the table it is about.
func operatorBefore(text string, d kql.Diagnostic) string {
	units := utf16.Encode([]rune(text))
	before := string(utf16.Decode(units[:min(d.Start, len(units))]))
	return firstWord(before[strings.LastIndexAny(before, "|;")+1:])
}

func operatorBehind(text string, d kql.Diagnostic) string {
	units := utf16.Encode([]rune(text))
	_, rest, _ := strings.Cut(string(utf16.Decode(units[min(d.Start+d.Length, len(units)):])), "|")
	if word := firstWord(rest); word != "" {
		return word
	}
	return "table"
}

func firstWord(s string) string {
	s = strings.TrimSpace(s)
	n := strings.IndexFunc(s, func(c rune) bool { return c != '-' && (c < 'a' || c > 'z') })
	if n < 0 {
		return s
	}
	return s[:n]
}

// newUUID draws a random UUID (RFC 9562, version 4).
func newUUID() string {
	var b [16]byte
	_, _ = rand.Read(b[:]) // never fails: https://pkg.go.dev/crypto/rand#Read
	b[6], b[8] = b[6]&0x0f|0x40, b[8]&0x3f|0x80
	return fmt.Sprintf("%x-%x-%x-%x-%x", b[0:4], b[4:6], b[6:8], b[8:10], b[10:])
}
