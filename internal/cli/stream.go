package cli

import (
	"fmt"
	"io"
	"strings"

	"github.com/acalocal/acalocal/internal/api"
)

// streamPrinter prints the merged live stream of an environment:
//
//	web | a line the container printed
//	web ~ ContainerStarted: what the platform says
//	web ! ProbeFailed: what it warns of
//
// The mark tells the kinds apart without colour. An app with sidecars shows
// its containers' names too.
type streamPrinter struct {
	out     io.Writer
	palette palette
	width   int                 // of the widest source so far
	several map[string]struct{} // apps with several containers
}

func newStreamPrinter(out io.Writer) *streamPrinter {
	return &streamPrinter{out: out, palette: palette{on: wantsColour(out)}, several: map[string]struct{}{}}
}

// print writes one entry.
func (p *streamPrinter) print(e api.Entry) error {
	name := p.nameOf(e)
	p.width = max(p.width, len(name))
	source := p.palette.source(name, name+strings.Repeat(" ", p.width-len(name)))
	var b strings.Builder
	if e.Lost > 0 {
		fmt.Fprintf(&b, "%s ! %s\n", source, p.palette.warning(fmt.Sprintf("%d lines left out here: they came too fast; \"acalocal logs query\" has them", e.Lost)))
	}
	fmt.Fprintf(&b, "%s %s\n", source, p.bodyOf(e))
	_, err := io.WriteString(p.out, b.String())
	return err
}

func (p *streamPrinter) nameOf(e api.Entry) string {
	name := e.App
	if name == "" {
		name = "environment"
	}
	if _, ok := p.several[e.App]; ok && e.Container != "" {
		name += "/" + e.Container
	}
	return name
}

func (p *streamPrinter) bodyOf(e api.Entry) string {
	switch {
	case e.Kind == api.ConsoleEntry:
		return "| " + e.Text
	case e.Type == "Warning":
		return "! " + p.palette.warning(e.Reason+": "+e.Text)
	}
	return "~ " + p.palette.dim(e.Reason+": "+e.Text)
}
