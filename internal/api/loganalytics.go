package api

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/acalocal/acalocal/logsink/kql"
)

// The query API of Azure Monitor Logs, on the log tables:
//
//	/v1/workspaces/{id}/query   GET POST
//	/v1/{resource ID}/query     GET POST
//	/v1/$batch                  POST
//
// https://learn.microsoft.com/azure/azure-monitor/logs/api/overview
const laPrefix = "/v1/"

// laQuery is the body of a query.
type laQuery struct {
	Query      string   `json:"query"`
	Timespan   string   `json:"timespan"`
	Workspaces []string `json:"workspaces"`
}

// isLogAnalytics reports whether a path is one of the query API.
func isLogAnalytics(path string) bool {
	return len(path) > len(laPrefix) && strings.EqualFold(path[:len(laPrefix)], laPrefix)
}

// logAnalytics answers a request of the query API.
func (s *server) logAnalytics(w http.ResponseWriter, r *http.Request) {
	if strings.EqualFold(r.URL.Path, laPrefix+"$batch") {
		s.laBatch(w, r)
		return
	}
	s.laQuery(w, r)
}

func (s *server) laQuery(w http.ResponseWriter, r *http.Request) {
	if err := s.laScope(r.URL.Path); err != nil {
		err.write(w)
		return
	}
	q, err := readLAQuery(r)
	if err == nil {
		err = s.laWorkspaces(q.Workspaces)
	}
	if err != nil {
		err.write(w)
		return
	}
	span, err := laTimespan(r.URL.Query().Get("timespan"), q.Timespan)
	if err != nil {
		err.write(w)
		return
	}
	p := parsePrefer(r.Header.Values("Prefer"))
	ctx, cancel := context.WithTimeout(r.Context(), p.wait)
	defer cancel()
	began := time.Now()
	result, queryErr := s.Logs.Query(ctx, q.Query, span.from, span.to, kql.Limits{})
	if queryErr != nil {
		laQueryError(ctx, q.Query, p, queryErr).write(w)
		return
	}
	_ = writeAnswer(w, result, func(sizes []int64) (end answerEnd) { // never fails
		if p.render {
			end.Render = visualizationOf(result.Render)
		}
		if p.statistics {
			end.Statistics = statisticsOf(result, sizes, time.Since(began))
		}
		if result.Partial != nil {
			end.Error = laPartial(result.Partial)
		}
		return end
	})
}

// laScope finds what a path asks: the workspace of this environment, or any
// resource, which means all rows there are.
func (s *server) laScope(path string) *laError {
	scope, ok := cutFoldSuffix(path[len(laPrefix):], "/query")
	if !ok {
		return pathNotFound()
	}
	if id, ok := cutFoldPrefix(scope, "workspaces/"); ok {
		return s.laWorkspaces([]string{id})
	}
	if _, ok := cutFoldPrefix(strings.TrimPrefix(scope, "/"), "subscriptions/"); !ok {
		return pathNotFound()
	}
	return nil
}

// laWorkspaces refuses workspaces that are not this environment's, by ID or by
// its name.
func (s *server) laWorkspaces(ids []string) *laError {
	for _, id := range ids {
		if !strings.EqualFold(id, s.Workspace) && !strings.EqualFold(id, s.Info.Environment) {
			return &laError{http.StatusNotFound, laDetail{
				Code: "WorkspaceNotFoundError", Message: fmt.Sprintf("The workspace could not be found: '%s'. This environment's is '%s'.", id, s.Workspace),
			}}
		}
	}
	return nil
}

func cutFoldPrefix(s, prefix string) (string, bool) {
	if len(s) < len(prefix) || !strings.EqualFold(s[:len(prefix)], prefix) {
		return s, false
	}
	return s[len(prefix):], true
}

func cutFoldSuffix(s, suffix string) (string, bool) {
	if len(s) < len(suffix) || !strings.EqualFold(s[len(s)-len(suffix):], suffix) {
		return s, false
	}
	return s[:len(s)-len(suffix)], true
}

// readLAQuery reads the parameters of a GET or the body of a POST.
func readLAQuery(r *http.Request) (q laQuery, _ *laError) {
	switch r.Method {
	case http.MethodGet:
		q.Query = r.URL.Query().Get("query")
	case http.MethodPost:
		body, err := readBody(r.Body)
		if err == nil {
			err = json.Unmarshal(bytes.TrimPrefix(body, []byte("\ufeff")), &q)
		}
		if err != nil {
			return q, badArgument(laDetail{Code: "InvalidJsonBody", Message: "The request body is not valid: " + err.Error()})
		}
	default:
		return q, &laError{http.StatusMethodNotAllowed, laDetail{Code: "MethodNotAllowed", Message: "A query is sent by GET or POST."}}
	}
	if strings.TrimSpace(q.Query) == "" {
		return q, badArgument(laDetail{Code: "MissingQuery", Message: "The request has no query."})
	}
	return q, nil
}

// laTimespan intersects the time spans of a request: "" is everything.
func laTimespan(texts ...string) (out timespan, _ *laError) {
	now := time.Now()
	for _, text := range texts {
		span, err := parseTimespan(text, now)
		if err != nil {
			return out, badArgument(laDetail{Code: "InvalidTimespan", Message: "The timespan is not valid: " + err.Error()})
		}
		if span.from.After(out.from) {
			out.from = span.from
		}
		if !span.to.IsZero() && (out.to.IsZero() || span.to.Before(out.to)) {
			out.to = span.to
		}
	}
	return out, nil
}

// laQueryError is the service's answer to a query that failed.
func laQueryError(ctx context.Context, text string, p preference, err error) *laError {
	var found kql.Diagnostics
	switch {
	case errors.As(err, &found) && len(found) > 0:
		return badArgument(laFinding(text, laFirst(found)))
	case errors.Is(err, context.DeadlineExceeded) || ctx.Err() != nil:
		return &laError{http.StatusGatewayTimeout, laDetail{
			Code: "GatewayTimeout", Message: fmt.Sprintf("The query did not end within %s; ask for more time with \"Prefer: wait=N\".", p.wait),
		}}
	}
	return badArgument(laDetail{Code: "QueryExecutionError", Message: err.Error()})
}
