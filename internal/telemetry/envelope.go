package telemetry

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/acalocal/acalocal/logsink"
)

// envelope is one item as SDKs of Application Insights send it:
// https://github.com/microsoft/ApplicationInsights-dotnet/tree/main/BASE/Schema/PublicSchema.
type envelope struct {
	Time       text            `json:"time"`
	IKey       text            `json:"iKey"`
	SampleRate text            `json:"sampleRate"`
	Tags       map[string]text `json:"tags"`
	Data       struct {
		Type text     `json:"baseType"`
		Base baseData `json:"baseData"`
	} `json:"data"`
}

// baseData has the fields of all types of items.
type baseData struct {
	ID           text            `json:"id"`
	Name         text            `json:"name"`
	Duration     text            `json:"duration"`
	ResponseCode text            `json:"responseCode"`
	ResultCode   text            `json:"resultCode"`
	Success      text            `json:"success"`
	URL          text            `json:"url"`
	Source       text            `json:"source"`
	Target       text            `json:"target"`
	Type         text            `json:"type"`
	Data         text            `json:"data"`
	Message      text            `json:"message"`
	Severity     text            `json:"severityLevel"`
	ProblemID    text            `json:"problemId"`
	HandledAt    text            `json:"handledAt"`
	Exceptions   []exceptionData `json:"exceptions"`
	Properties   map[string]text `json:"properties"`
	Measurements map[string]text `json:"measurements"`
}

// exceptionData is one exception of a chain, the outermost first.
type exceptionData struct {
	ID      text    `json:"id"`
	OuterID text    `json:"outerId"`
	Type    text    `json:"typeName"`
	Message text    `json:"message"`
	Stack   text    `json:"stack"`
	Frames  []frame `json:"parsedStack"`
}

// frame is one call of a stack.
type frame struct {
	Level    int    `json:"level"`
	Method   string `json:"method"`
	Assembly string `json:"assembly,omitempty"`
	File     string `json:"fileName,omitempty"`
	Line     int    `json:"line,omitempty"`
}

// text is a string, or a number or word that some SDK writes in place of one.
type text string

// UnmarshalJSON implements json.Unmarshaler.
func (t *text) UnmarshalJSON(b []byte) error {
	var s string
	switch {
	case string(b) == "null":
	case len(b) > 0 && b[0] == '"':
		if err := json.Unmarshal(b, &s); err != nil {
			return err
		}
	default:
		s = string(b)
	}
	*t = text(s)
	return nil
}

// eachEnvelope calls f for every item of a body until it returns false: one
// object, a list of them, or several one behind the other, as lines or not. What
// follows text that is no JSON can be read from the next line that begins an
// object on, in a list not at all; f is told once.
func eachEnvelope(body []byte, f func(*envelope, error) bool) {
	body = bytes.TrimPrefix(body, []byte("\ufeff"))
	d := json.NewDecoder(bytes.NewReader(body))
	list := false
	if trimmed := bytes.TrimLeft(body, " \t\r\n"); len(trimmed) > 0 && trimmed[0] == '[' {
		list = true
		_, _ = d.Token() // the bracket that was seen
	}
	for !list || d.More() {
		var e envelope
		begin := d.InputOffset()
		err := d.Decode(&e)
		switch kind := (*json.UnmarshalTypeError)(nil); {
		case errors.Is(err, io.EOF):
			return
		case errors.As(err, &kind): // this item only
			if !f(nil, fmt.Errorf("field %q is %s, which it cannot be", kind.Field, kind.Value)) {
				return
			}
		case err != nil:
			rest := bytes.TrimLeft(body[begin:], " \t\r\n")
			next := bytes.Index(rest, []byte("\n{"))
			if !f(nil, fmt.Errorf("not JSON: %w", err)) || list || next < 0 {
				return
			}
			body = rest[next+1:]
			d = json.NewDecoder(bytes.NewReader(body))
		case !f(&e, nil):
			return
		}
	}
}

// maxAge is how old items may be. The service refuses older ones, which senders
// have after days without a connection:
// https://github.com/microsoft/ApplicationInsights-node.js/issues/1466.
const maxAge = 48 * time.Hour

// record turns an item into a record. Items of types that are not kept are no
// error. The messages are the service's.
func (e *envelope) record(now time.Time) (r logsink.Telemetry, kept bool, err error) {
	switch {
	case e.Time == "":
		return r, false, missing("time", "Envelope")
	case e.IKey == "":
		return r, false, missing("iKey", "Envelope")
	case e.Data.Type == "":
		return r, false, missing("baseType", "Data")
	}
	at, err := time.Parse(time.RFC3339Nano, string(e.Time))
	if err != nil || at.Year() < 1970 || at.Year() > 9999 {
		return r, false, fmt.Errorf("102: Field 'time' on type 'Envelope' is not a valid time string. Expected: date, Actual: %s", short(string(e.Time)))
	}
	if now.Sub(at) > maxAge {
		return r, false, fmt.Errorf("103: Field 'time' on type 'Envelope' is older than the allowed min date. Expected: now - %dms", maxAge.Milliseconds())
	}
	r = logsink.Telemetry{Time: at, IKey: string(e.IKey), ItemCount: itemCount(e.SampleRate)}
	e.takeTags(&r)
	b := &e.Data.Base
	r.Properties, r.Measurements = properties(b.Properties), measurements(b.Measurements)
	r.ID, r.Name = string(b.ID), string(b.Name)
	r.Success = !strings.EqualFold(string(b.Success), "false")
	switch strings.ToLower(string(e.Data.Type)) {
	case "requestdata":
		r.Kind = logsink.TelemetryRequest
		r.URL, r.Source, r.ResultCode = string(b.URL), string(b.Source), string(b.ResponseCode)
		r.Duration, err = parseDuration(string(b.Duration), "RequestData")
	case "remotedependencydata":
		if b.Name == "" {
			return r, false, missing("name", "RemoteDependencyData")
		}
		r.Kind = logsink.TelemetryDependency
		r.Target, r.DependencyType, r.Data, r.ResultCode = string(b.Target), string(b.Type), string(b.Data), string(b.ResultCode)
		r.Duration, err = parseDuration(string(b.Duration), "RemoteDependencyData")
	case "messagedata":
		r.Kind = logsink.TelemetryTrace
		r.Message, r.Severity = string(b.Message), severity(string(b.Severity))
	case "exceptiondata":
		if slices.ContainsFunc(b.Exceptions, func(x exceptionData) bool { return x.Message == "" }) {
			return r, false, missing("message", "ExceptionDetails")
		}
		r.Kind, r.Severity = logsink.TelemetryException, severity(string(b.Severity))
		r.ProblemID, r.HandledAt = string(b.ProblemID), string(b.HandledAt)
		takeExceptions(&r, b.Exceptions)
	case "eventdata":
		r.Kind = logsink.TelemetryEvent
	default:
		return r, false, nil
	}
	return r, err == nil, err
}

func missing(field, of string) error {
	return fmt.Errorf("109: Field '%s' on type '%s' is required but missing or empty. Expected: string, Actual: undefined", field, of)
}

// itemCount is how many items one stands for at a sample rate in percent.
func itemCount(percent text) int {
	rate, err := strconv.ParseFloat(string(percent), 64)
	if err != nil || !(rate > 0 && rate < 100) {
		return 1
	}
	return int(min(math.Round(100/rate), math.MaxInt32))
}

// takeTags copies the context of an item.
func (e *envelope) takeTags(r *logsink.Telemetry) {
	r.ClientType, r.ClientIP = "PC", "0.0.0.0" // what the service shows without a word of the SDK
	for _, f := range []struct {
		tag string
		to  *string
	}{
		{"ai.cloud.role", &r.RoleName}, {"ai.cloud.roleInstance", &r.RoleInstance},
		{"ai.application.ver", &r.AppVersion}, {"ai.internal.sdkVersion", &r.SDKVersion},
		{"ai.operation.name", &r.OperationName}, {"ai.operation.id", &r.OperationID}, {"ai.operation.parentId", &r.ParentID},
		{"ai.operation.syntheticSource", &r.SyntheticSource}, {"ai.session.id", &r.SessionID}, {"ai.user.id", &r.UserID},
		{"ai.user.authUserId", &r.AuthenticatedID}, {"ai.user.accountId", &r.AccountID},
		{"ai.device.type", &r.ClientType}, {"ai.device.model", &r.ClientModel}, {"ai.device.osVersion", &r.ClientOS},
		{"ai.device.browser", &r.ClientBrowser}, {"ai.location.ip", &r.ClientIP}, {"ai.location.city", &r.ClientCity},
		{"ai.location.province", &r.ClientState}, {"ai.location.country", &r.ClientCountry},
	} {
		if v := e.Tags[f.tag]; v != "" {
			*f.to = string(v)
		}
	}
}

// takeExceptions fills what a chain of exceptions, the outermost first, tells.
func takeExceptions(r *logsink.Telemetry, chain []exceptionData) {
	if len(chain) == 0 {
		return
	}
	r.Outer, r.Innermost = part(chain[0]), part(chain[len(chain)-1])
	r.Message = r.Outer.Message
	if r.ProblemID == "" {
		r.ProblemID = r.Outer.Type
		if r.Outer.Method != "" {
			r.ProblemID += " at " + r.Outer.Method
		}
	}
	r.Details = details(chain)
}

func part(x exceptionData) logsink.ExceptionPart {
	p := logsink.ExceptionPart{Type: string(x.Type), Message: string(x.Message)}
	if len(x.Frames) > 0 {
		p.Method, p.Assembly = x.Frames[0].Method, x.Frames[0].Assembly
	}
	return p
}

// severity reads a level: its number, or its name as some SDKs write it.
func severity(s string) logsink.Severity {
	if n, err := strconv.ParseFloat(s, 64); err == nil && n >= 0 && n <= 4 {
		return logsink.SeverityVerbose + logsink.Severity(n)
	}
	for i, name := range []string{"Verbose", "Information", "Warning", "Error", "Critical"} {
		if strings.EqualFold(s, name) {
			return logsink.SeverityVerbose + logsink.Severity(i)
		}
	}
	return logsink.SeverityNone
}

// parseDuration reads [days.]hours:minutes:seconds[.fraction].
func parseDuration(s, of string) (time.Duration, error) {
	if s == "" {
		return 0, missing("duration", of)
	}
	bad := fmt.Errorf("109: Field 'duration' on type '%s' is of incorrect type. Expected: timespan, Actual: %q", of, short(s))
	parts := strings.Split(s, ":")
	if len(parts) != 3 {
		return 0, bad
	}
	days, hours, ok := strings.Cut(parts[0], ".")
	if !ok {
		days, hours = "0", parts[0]
	}
	total := 0.0
	for _, f := range []struct {
		text string
		unit time.Duration
	}{{days, 24 * time.Hour}, {hours, time.Hour}, {parts[1], time.Minute}} {
		n, err := strconv.ParseUint(f.text, 10, 32)
		if err != nil {
			return 0, bad
		}
		total += float64(n) * float64(f.unit)
	}
	seconds, err := strconv.ParseFloat(parts[2], 64)
	if err != nil || !(seconds >= 0 && seconds < 1e6) {
		return 0, bad
	}
	return time.Duration(min(total+math.Round(seconds*1e9), math.MaxInt64/2)), nil
}

// short is the beginning of a text, for messages.
func short(s string) string {
	if len(s) > 40 {
		return strings.ToValidUTF8(s[:40], "") + "…"
	}
	return s
}
