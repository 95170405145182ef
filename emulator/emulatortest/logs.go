package emulatortest

import (
	"fmt"
	"strings"
	"time"

	"github.com/acalocal/acalocal/internal/api"
	"github.com/acalocal/acalocal/internal/client"
	"github.com/acalocal/acalocal/internal/explain"
	"github.com/acalocal/acalocal/internal/kqlrows"
)

// Logs runs a KQL query over the log tables and stores the rows of its first
// table in rows, a pointer to a slice of structs. A column is stored in the
// field of its name, whatever the case, or the one tagged `kql:"Column"`; every
// field needs a column, and columns without a field are left out. A slice of
// map[string]any takes all of them. An answer that was cut, as Azure cuts large
// ones, fails the test. Rows come a moment after what they tell of:
// WaitLogs waits for them.
func (e *Env) Logs(query string, rows any) {
	e.t.Helper()
	answer, err := e.client.Query(e.ctx, api.QueryBody{Query: query})
	e.must("query", err)
	if answer.Error != nil {
		e.t.Fatalf("emulatortest: the answer is not complete: %s", answer.Error.Message)
	}
	if len(answer.Tables) == 0 {
		e.t.Fatalf("emulatortest: the answer to the query has no table: %s", query)
	}
	e.must("read the answer to the query", kqlrows.Read(answer.Tables[0], rows))
}

// WaitLogs is Logs for a query that will have a row: it waits for the first.
func (e *Env) WaitLogs(query string, rows any) {
	e.t.Helper()
	_, err := e.client.Wait(e.ctx, client.Wait{For: "log", Query: query, Timeout: e.s.patience})
	e.must("wait for a row of "+query, err)
	e.Logs(query, rows)
}

// Event is one event of the platform, a row of ContainerAppSystemLogs_CL.
type Event struct {
	Time     time.Time
	Warning  bool
	App      string
	Revision string
	Replica  string
	Reason   string
	Text     string
	Count    int
}

// Events are the newest events of an app, "" for all, oldest first.
func (e *Env) Events(app string) []Event {
	e.t.Helper()
	entries, err := e.client.Events(e.ctx, app, "", 1000)
	e.must("read the events", err)
	out := make([]Event, len(entries))
	for i, n := range entries {
		out[i] = Event{n.Time, n.Type == "Warning", n.App, n.Revision, n.Replica, n.Reason, n.Text, n.Count}
	}
	return out
}

// Verdict is what is wrong with a revision, or that nothing is.
type Verdict = explain.Verdict

// Explain says what is wrong with the latest revision of an app.
func (e *Env) Explain(app string) Verdict {
	e.t.Helper()
	v, err := e.client.Explain(e.ctx, e.App(app).Name, "")
	e.must("explain "+app, err)
	return v
}

// WaitVerdict waits until Explain finds something wrong, and returns it. What is
// wrong needs its time to show: a container has to crash, a probe to fail.
func (e *Env) WaitVerdict(app string) Verdict {
	e.t.Helper()
	ctx, cancel := e.within()
	defer cancel()
	name := e.App(app).Name
	rows := make(chan api.Entry, 1)
	opened := make(chan struct{})
	go func() { // ends with ctx
		defer close(rows)
		for row, err := range e.client.Stream(ctx, func() { close(opened) }) {
			if err != nil {
				return
			}
			select {
			case rows <- row:
			default: // it will be looked at
			}
		}
	}()
	defer func() {
		cancel()
		for range rows {
		}
	}()
	states := e.Snapshot().Generation
	tick := time.NewTicker(time.Second) // some verdicts need nothing but time
	defer tick.Stop()
	for {
		v, err := e.client.Explain(ctx, name, "")
		if err == nil && v.Wrong {
			return v
		}
		select {
		case <-rows:
		case <-tick.C:
		case <-ctx.Done():
			e.t.Fatalf("emulatortest: waited %s in vain for something to be wrong with %s (generation %d): %s", e.s.patience, name, states, v)
		}
	}
}

// report is what a failed test needs to know.
func (e *Env) report() string {
	var b strings.Builder
	s := e.Snapshot()
	fmt.Fprintf(&b, "environment %s\n", e.files.Name)
	section(&b, "planned", strings.Join(e.plans, ""))
	section(&b, "states", states(s))
	ctx, cancel := e.afterwards()
	defer cancel()
	for i := range s.Apps {
		v, err := e.client.Explain(ctx, s.Apps[i].Name, "")
		if err != nil {
			section(&b, "explain "+s.Apps[i].Name, err.Error())
			continue
		}
		section(&b, "explain "+s.Apps[i].Name, v.String())
	}
	faults, err := e.client.Faults(ctx)
	if err != nil {
		section(&b, "faults", err.Error())
	}
	var lines []string
	for _, f := range faults {
		lines = append(lines, fmt.Sprintf("%s %s, %d times: %s", f.Name, f.Phase, f.Count, f.Last))
	}
	section(&b, "faults", strings.Join(lines, "\n"))
	section(&b, "last lines", e.lastLines())
	section(&b, "acalocal", e.log.String())
	return b.String()
}

func section(b *strings.Builder, title, text string) {
	if text = strings.TrimRight(text, "\n"); text == "" {
		return
	}
	fmt.Fprintf(b, "%s\n    %s\n", title, strings.ReplaceAll(text, "\n", "\n    "))
}
