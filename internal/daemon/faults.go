package daemon

import (
	"github.com/acalocal/acalocal/internal/fault"
	"github.com/acalocal/acalocal/logsink"
)

// tellFault writes a row about a fault. Its source says whose doing it is: what
// follows is no behaviour of ACA.
func (d *Daemon) tellFault(e fault.Event) {
	row := logsink.Event{
		Time: e.Time, App: e.App, Revision: e.Revision, Replica: e.Replica,
		Reason: e.Reason, Source: "acalocal", Msg: e.Text + ".", Count: e.Count,
	}
	if e.Warning {
		row.Type = logsink.Warning
	}
	if err := d.Logs.AppendEvent(row); err != nil {
		d.o.Log.Warn().Err(err).Str("reason", e.Reason).Msg("a row about a fault is lost")
	}
}
