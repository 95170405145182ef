package api

import (
	"encoding/json"
	"errors"
	"net/http"
	"time"

	"github.com/acalocal/acalocal/logsink/kql"
)

// QueryBody is a query, in the form of Log Analytics' query API.
type QueryBody struct {
	Query string `json:"query"`
	// Timespan limits TimeGenerated: an ISO 8601 duration back from now or an
	// interval; "" is no limit.
	Timespan string `json:"timespan,omitempty"`
	// Now asks for every row and table, also where the environment shows them
	// as late as Azure. An export does not heed it.
	Now bool `json:"now,omitempty"`
	// MaxRows and MaxBytes are the limits of the answer, see kql.Limits; 0 is
	// that of the environment. Neither an export nor Now heeds them.
	MaxRows  int64 `json:"maxRows,omitempty"`
	MaxBytes int64 `json:"maxBytes,omitempty"`
}

// QueryAnswer is the answer to a query, in the form of Log Analytics.
type QueryAnswer struct {
	Tables []QueryTable `json:"tables"`
	// Render is what the query's render operator asked for.
	Render map[string]string `json:"render,omitempty"`
	// Error says that the answer was cut, and why.
	Error *ErrorDetail `json:"error,omitempty"`
}

// QueryTable is one table of an answer.
type QueryTable struct {
	Name    string        `json:"name"`
	Columns []QueryColumn `json:"columns"`
	// Rows hold one JSON value per column: numbers and booleans as such,
	// dynamics as strings of JSON, everything else as strings.
	Rows [][]json.RawMessage `json:"rows"`
}

// QueryColumn is the name and the Kusto type of a column.
type QueryColumn struct {
	Name string `json:"name"`
	Type string `json:"type"`
}

// query runs a query over the log tables.
func (s *server) query(w http.ResponseWriter, r *http.Request) error {
	var b QueryBody
	if err := decodeJSON(r.Body, &b); err != nil {
		return err
	}
	span, err := parseTimespan(b.Timespan, time.Now())
	if err != nil {
		return badContent("timespan", "The timespan is not valid: %v.", err)
	}
	var result *kql.Result
	if b.Now {
		result, err = s.Logs.Ask(r.Context(), b.Query, span.from, span.to)
	} else {
		result, err = s.Logs.Query(r.Context(), b.Query, span.from, span.to, kql.Limits{MaxRows: b.MaxRows, MaxBytes: b.MaxBytes})
	}
	if err != nil {
		return queryError(err)
	}
	return writeAnswer(w, result, func([]int64) answerEnd {
		end := answerEnd{Render: renderOf(result.Render)}
		if result.Partial != nil {
			end.Error = ErrorDetail{Code: codePartial, Message: result.Partial.Error()}
		}
		return end
	})
}

// queryError turns the findings about a query's text into an error: the first
// as Log Analytics would say it, all as details, whose targets are ranges
// "start+length" in UTF-16 units.
func queryError(err error) error {
	var found kql.Diagnostics
	if !errors.As(err, &found) || len(found) == 0 {
		return &detailError{Code: codeBadQuery, Message: err.Error()}
	}
	d := ErrorDetail{Code: codeBadQuery, Message: found[0].Message}
	for _, f := range found {
		d.Details = append(d.Details, ErrorDetail{Code: f.Code, Message: f.Message, Target: spanTarget(f)})
	}
	return (*detailError)(&d)
}

// renderOf is what the render operator asked for, as written; nil for none.
func renderOf(v *kql.Visualization) any {
	if v == nil {
		return nil
	}
	out := map[string]string{"visualization": v.Kind}
	for name, value := range v.Properties {
		out[name] = value
	}
	return out
}
