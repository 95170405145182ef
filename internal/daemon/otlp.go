package daemon

import (
	"context"
	"fmt"
	"time"

	"github.com/acalocal/acalocal/internal/home"
	"github.com/acalocal/acalocal/internal/otlp"
	"github.com/acalocal/acalocal/logsink"
)

// newExporter makes what sends rows to a collector, nil when none is named.
// Trouble with it becomes rows of the system log that belong to no app.
func newExporter(o Options, files home.Environment, store *logsink.Store) (*otlp.Exporter, error) {
	if o.OTLPEndpoint == "" {
		return nil, nil
	}
	e, err := otlp.New(otlp.Options{
		Endpoint: o.OTLPEndpoint, Headers: o.OTLPHeaders, Environment: o.Environment, File: files.OTLP(), Source: store, Log: o.Log,
		Tell: func(warning bool, text string) {
			row := logsink.Event{Reason: "TelemetryExport", Source: "acalocal", Msg: text, Count: 1}
			if warning {
				row.Type = logsink.Warning
			}
			if err := store.AppendEvent(row); err != nil {
				o.Log.Warn().Err(err).Msg("a row about the OTLP export is lost")
			}
		},
	})
	if err != nil {
		return nil, fmt.Errorf("send logs by OTLP: %w", err)
	}
	return e, nil
}

// exportGrace is how long the end of an environment waits for its last rows to
// be sent: they are removed with it.
const exportGrace = 5 * time.Second

func (d *Daemon) flushExport() {
	if d.otlp == nil {
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), exportGrace)
	defer cancel()
	if err := d.otlp.Flush(ctx); err != nil {
		d.o.Log.Warn().Err(err).Msg("the last rows are not sent")
	}
}
