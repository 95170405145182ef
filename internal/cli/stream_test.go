package cli

import (
	"strings"
	"testing"

	"github.com/acalocal/acalocal/internal/api"
	"github.com/google/go-cmp/cmp"
)

var entries = []api.Entry{
	{Kind: api.EventEntry, App: "web", Type: "Normal", Reason: "ContainerStarted", Text: "Started container 'web'"},
	{Kind: api.ConsoleEntry, App: "web", Container: "web", Stream: "stderr", Text: "Listening at http://0.0.0.0:8000"},
	{Kind: api.EventEntry, App: "web", Type: "Warning", Reason: "ProbeFailed", Text: "Probe of StartUp failed with status code: 1"},
	{Kind: api.ConsoleEntry, App: "backend", Container: "api", Text: "hello", Lost: 3},
	{Kind: api.ConsoleEntry, App: "web", Container: "web", Text: ""},
}

func printed(p *streamPrinter) string {
	var b strings.Builder
	p.out = &b
	for _, e := range entries {
		_ = p.print(e) // a strings.Builder takes everything
	}
	return b.String()
}

func TestStreamIsPlainInAPipe(t *testing.T) {
	p := newStreamPrinter(nil)
	p.several["backend"] = struct{}{}
	want := `web ~ ContainerStarted: Started container 'web'
web | Listening at http://0.0.0.0:8000
web ! ProbeFailed: Probe of StartUp failed with status code: 1
backend/api ! 3 lines left out here: they came too fast; "acalocal logs query" has them
backend/api | hello
` + "web         | \n"
	if diff := cmp.Diff(want, printed(p)); diff != "" {
		t.Errorf("stream (-want +got):\n%s", diff)
	}
}

func TestStreamColoursEachSource(t *testing.T) {
	p := newStreamPrinter(nil)
	p.palette.on = true
	want := "\x1b[36mweb\x1b[0m ~ \x1b[2mContainerStarted: Started container 'web'\x1b[0m\n" +
		"\x1b[36mweb\x1b[0m | Listening at http://0.0.0.0:8000\n" +
		"\x1b[36mweb\x1b[0m ! \x1b[33mProbeFailed: Probe of StartUp failed with status code: 1\x1b[0m\n" +
		"\x1b[32mbackend\x1b[0m ! \x1b[33m3 lines left out here: they came too fast; \"acalocal logs query\" has them\x1b[0m\n" +
		"\x1b[32mbackend\x1b[0m | hello\n" +
		"\x1b[36mweb    \x1b[0m | \n"
	if diff := cmp.Diff(want, printed(p)); diff != "" {
		t.Errorf("stream (-want +got):\n%s", diff)
	}
}
