package acalocal

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"time"
)

// Error is an error of the API.
type Error struct {
	Status  int    // of HTTP
	Code    string `json:"code"` // such as RequestTimeout and RevisionNotReady
	Message string `json:"message"`
}

// Error implements error.
func (e *Error) Error() string { return fmt.Sprintf("(%s) %s", e.Code, e.Message) }

// call makes a call of /acalocal/v1, or of an absolute path.
func (c *Container) call(ctx context.Context, method, path string, in, out any) error {
	base, token, err := c.APIEndpoint(ctx)
	if err != nil {
		return err
	}
	var body io.Reader
	if in != nil {
		text, err := json.Marshal(in)
		if err != nil {
			return err
		}
		body = bytes.NewReader(text)
	}
	if path[0] != '/' {
		path = "/acalocal/v1/" + path
	}
	req, err := http.NewRequestWithContext(ctx, method, base+path, body)
	if err != nil {
		return err
	}
	req.Host = "localhost" // the engine may be another machine, the API answers loopback names only
	req.Header.Set("Authorization", "Bearer "+token)
	req.Header.Set("Content-Type", "application/json")
	resp, err := c.http.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	switch {
	case err != nil:
		return err
	case resp.StatusCode >= 300:
		return errorOf(resp.StatusCode, text)
	case out == nil:
		return nil
	}
	return json.Unmarshal(text, out)
}

func errorOf(status int, text []byte) error {
	var body struct{ Error Error }
	if json.Unmarshal(text, &body) != nil || body.Error.Message == "" {
		return &Error{Status: status, Code: http.StatusText(status), Message: string(text)}
	}
	body.Error.Status = status
	return &body.Error
}

// status is what URL needs of a snapshot.
func (c *Container) status(ctx context.Context) (s struct {
	Apps []struct {
		Name  string
		Local struct{ Port int }
	}
}, err error) {
	return s, c.call(ctx, http.MethodGet, "status", nil, &s)
}

// Apply makes an app become what a definition says and returns its latest
// revision. It does not wait for it. Local images are not pulled.
func (c *Container) Apply(ctx context.Context, app App, localImages ...string) (revision string, err error) {
	var out struct{ Revision string }
	err = c.call(ctx, http.MethodPost, "apply", map[string]any{"app": app, "localImages": localImages}, &out)
	if err != nil {
		return "", fmt.Errorf("apply %s: %w", app.Name(), err)
	}
	return out.Revision, nil
}

// arm is the path of an app in Azure Resource Manager.
func arm(app string) string {
	return "/subscriptions/local/resourceGroups/local/providers/Microsoft.App/containerApps/" + url.PathEscape(app)
}

// Update changes an app by a JSON merge patch (RFC 7396), as ARM's PATCH does,
// and returns the latest revision. It does not wait for it.
func (c *Container) Update(ctx context.Context, app string, patch App) (revision string, err error) {
	var out struct {
		Properties struct{ LatestRevisionName string }
	}
	if err := c.call(ctx, http.MethodPatch, arm(app), patch, &out); err != nil {
		return "", fmt.Errorf("update %s: %w", app, err)
	}
	return out.Properties.LatestRevisionName, nil
}

// Traffic gives revisions of an app their shares of its requests, in percent, by
// name. "latest" stands for the latest revision.
func (c *Container) Traffic(ctx context.Context, app string, weights map[string]int) error {
	var traffic []any
	for name, weight := range weights {
		entry := map[string]any{"revisionName": name, "weight": weight}
		if name == "latest" {
			entry = map[string]any{"latestRevision": true, "weight": weight}
		}
		traffic = append(traffic, entry)
	}
	_, err := c.Update(ctx, app, App{"properties": map[string]any{"configuration": map[string]any{"ingress": map[string]any{"traffic": traffic}}}})
	return err
}

// Restart begins to replace the replicas of an app's latest revision.
func (c *Container) Restart(ctx context.Context, app string) error {
	return c.call(ctx, http.MethodPost, "restart?"+query("app", app), nil, nil)
}

// Reset removes all apps and faults and returns when they are gone.
func (c *Container) Reset(ctx context.Context) error {
	return c.call(ctx, http.MethodPost, "reset", nil, nil)
}

// WaitReady waits until the latest revision of an app is ready, or of all apps
// with "". It fails with the code RevisionNotReady as soon as waiting is no use,
// and with ctx's error, but not before a minute is over with RequestTimeout.
func (c *Container) WaitReady(ctx context.Context, app string) error {
	return c.wait(ctx, "for", "ready", "app", app)
}

// WaitRevision waits until a revision is ready.
func (c *Container) WaitRevision(ctx context.Context, app, revision string) error {
	return c.wait(ctx, "for", "revision", "app", app, "revision", revision)
}

// WaitLog waits until a console line or event of an app contains a text, or of
// any with "".
func (c *Container) WaitLog(ctx context.Context, app, text string) error {
	return c.wait(ctx, "for", "log", "app", app, "text", text)
}

// usualWait bounds waits whose context has no deadline.
const usualWait = 2 * time.Minute

func (c *Container) wait(ctx context.Context, params ...string) error {
	patience := usualWait
	if deadline, ok := ctx.Deadline(); ok {
		patience = min(max(time.Until(deadline), time.Millisecond), time.Hour)
	}
	return c.call(ctx, http.MethodGet, "wait?"+query(append(params, "timeout", patience.String())...), nil, nil)
}

// query encodes parameters; empty ones are left out.
func query(params ...string) string {
	q := url.Values{}
	for i := 0; i < len(params); i += 2 {
		if params[i+1] != "" {
			q.Set(params[i], params[i+1])
		}
	}
	return q.Encode()
}

// Query runs a KQL query over the log tables and returns the rows of its first
// table, a value for each column.
func (c *Container) Query(ctx context.Context, kql string) ([]map[string]any, error) {
	var out struct {
		Tables []struct {
			Columns []struct{ Name string }
			Rows    [][]any
		}
	}
	if err := c.call(ctx, http.MethodPost, "query", map[string]string{"query": kql}, &out); err != nil {
		return nil, err
	}
	if len(out.Tables) == 0 {
		return nil, nil
	}
	t := out.Tables[0]
	rows := make([]map[string]any, len(t.Rows))
	for i, row := range t.Rows {
		rows[i] = map[string]any{}
		for j, cell := range row {
			rows[i][t.Columns[j].Name] = cell
		}
	}
	return rows, nil
}

// Event is one event of the platform.
type Event struct {
	Time     time.Time `json:"time"`
	App      string    `json:"app"`
	Revision string    `json:"revision"`
	Replica  string    `json:"replica"`
	Type     string    `json:"type"` // Normal or Warning
	Reason   string    `json:"reason"`
	Text     string    `json:"text"`
	Count    int       `json:"count"`
}

// Events are the newest events of an app, "" for all, oldest first.
func (c *Container) Events(ctx context.Context, app string) ([]Event, error) {
	var out struct{ Value []Event }
	err := c.call(ctx, http.MethodGet, "events?"+query("app", app, "tail", "1000"), nil, &out)
	return out.Value, err
}

// Verdict is what is wrong with a revision, or that nothing is.
type Verdict struct {
	Revision string `json:"revision"`
	Rule     string `json:"rule"`
	Wrong    bool   `json:"wrong"`
	Title    string `json:"title"`
	Why      string `json:"why"`
	Fix      string `json:"fix"`
}

// Explain says what is wrong with the latest revision of an app.
func (c *Container) Explain(ctx context.Context, app string) (Verdict, error) {
	var v Verdict
	err := c.call(ctx, http.MethodGet, "explain?"+query("app", app), nil, &v)
	return v, err
}

// Fault is something broken on purpose, with the fields of the API: "kind",
// "app", "for", "every" and so on; see "acalocal fault add --help".
type Fault map[string]any

// AddFault breaks something from now on and returns the fault's name.
func (c *Container) AddFault(ctx context.Context, f Fault) (name string, err error) {
	var out struct{ Name string }
	err = c.call(ctx, http.MethodPost, "faults/add", f, &out)
	return out.Name, err
}

// RemoveFault ends a fault, or all with "".
func (c *Container) RemoveFault(ctx context.Context, name string) error {
	return c.call(ctx, http.MethodPost, "faults/remove?"+query("name", name), nil, nil)
}
