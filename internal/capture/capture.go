// Package capture is the file that a failure is attached to a bug report with:
// what was known of a revision when it was captured, and how to see it again.
//
//	environment ─▶ File ─Write─▶ gzip'd JSON ─Read─▶ File ─▶ Definition + Scripts ─▶ environment
//
// The format is described in docs/capture.md. It is pure but for reading and
// writing streams.
package capture

import (
	"compress/gzip"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/acalocal/acalocal/emulator"
	"github.com/acalocal/acalocal/internal/api"
	"github.com/acalocal/acalocal/internal/explain"
	"github.com/acalocal/acalocal/internal/explain/event"
)

// Format is how a file names itself, and Version the newest one that is known.
// A change that older programs would misread makes another version.
const (
	Format  = "acalocal-capture"
	Version = 1
)

// File is one capture. Times are those of the machine it was made on.
type File struct {
	Format  string    `json:"format"`
	Version int       `json:"version"`
	Made    time.Time `json:"made"`
	// Program is the version of the acalocal that made it.
	Program string `json:"program"`
	// TimeScale is how many times faster the platform's own timers ran; 0 is
	// 1.
	TimeScale float64 `json:"timeScale,omitempty"`
	// App is the effective definition, without secrets, and the state of all
	// revisions: words, replicas, sockets, ends and memory kills.
	App emulator.App `json:"app"`
	// Revision is the one that was captured.
	Revision string `json:"revision"`
	// Images are those of its containers, as far as the engine had them.
	Images []Image `json:"images,omitempty"`
	// Rows are the system log's, Console the last lines of the containers,
	// Attempts those of the probes, all oldest first.
	Rows     []event.Row             `json:"rows"`
	Console  []explain.Output        `json:"console"`
	Attempts []emulator.ProbeAttempt `json:"probeAttempts"`
	// Requests are the newest ones to the revision, without queries.
	Requests []api.Request `json:"requests"`
	// Telemetry counts what arrived of it; nil when nobody counted.
	Telemetry *explain.Telemetry `json:"telemetry,omitempty"`
	// Verdict is what "acalocal explain" said.
	Verdict explain.Verdict `json:"verdict"`
}

// Image is an image as the engine had it.
type Image struct {
	Name       string `json:"name"`
	ID         string `json:"id"`
	Platform   string `json:"platform,omitempty"`
	StopSignal string `json:"stopSignal,omitempty"`
}

// maxSize bounds what is read of a file, unpacked.
const maxSize = 256 << 20

// Write writes a capture.
func Write(w io.Writer, f *File) error {
	z := gzip.NewWriter(w)
	enc := json.NewEncoder(z)
	enc.SetIndent("", " ")
	if err := enc.Encode(f); err != nil {
		return fmt.Errorf("write capture: %w", err)
	}
	if err := z.Close(); err != nil {
		return fmt.Errorf("write capture: %w", err)
	}
	return nil
}

// Read reads a capture. It refuses what is none, and versions it does not know.
func Read(r io.Reader) (*File, error) {
	z, err := gzip.NewReader(r)
	if err != nil {
		return nil, fmt.Errorf("read capture: %w", noCapture(err))
	}
	var f File
	limited := &io.LimitedReader{R: z, N: maxSize}
	if err := json.NewDecoder(limited).Decode(&f); err != nil {
		if limited.N <= 0 {
			return nil, fmt.Errorf("read capture: it is larger than %d MiB", maxSize>>20)
		}
		return nil, fmt.Errorf("read capture: %w", noCapture(err))
	}
	switch {
	case f.Format != Format:
		return nil, errors.New("read capture: the file is no capture of acalocal")
	case f.Version != Version:
		return nil, fmt.Errorf("read capture: it is of version %d, this program reads version %d", f.Version, Version)
	case f.App.Revision(f.Revision) == nil:
		return nil, fmt.Errorf("read capture: it does not have its own revision %q", f.Revision)
	}
	return &f, nil
}

// noCapture says of a decoder's error what it means for a user.
func noCapture(err error) error {
	if errors.Is(err, io.ErrUnexpectedEOF) {
		return errors.New("the file is cut short")
	}
	return fmt.Errorf("the file is no capture: %w", err)
}
