package cli

import (
	"io"
	"os"

	"golang.org/x/term"
)

// isTerminal reports whether w is a terminal.
func isTerminal(w io.Writer) bool {
	f, ok := w.(*os.File)
	return ok && term.IsTerminal(int(f.Fd()))
}

// wantsColour reports whether w may have colours: a terminal, unless NO_COLOR
// is set (https://no-color.org) or the terminal is dumb.
func wantsColour(w io.Writer) bool {
	return isTerminal(w) && os.Getenv("NO_COLOR") == "" && os.Getenv("TERM") != "dumb"
}

// palette gives each name a colour of its own, in the order they appear. Its
// zero value paints nothing.
type palette struct {
	on    bool
	codes map[string]string
}

// sourceColours are the SGR codes for sources: red and yellow are left to
// warnings.
var sourceColours = []string{"36", "32", "35", "34", "96", "92", "95", "94"}

const (
	warningColour = "33"
	dimColour     = "2"
)

// source paints text in the colour of name.
func (p *palette) source(name, text string) string {
	if !p.on {
		return text
	}
	code, ok := p.codes[name]
	if !ok {
		if p.codes == nil {
			p.codes = map[string]string{}
		}
		code = sourceColours[len(p.codes)%len(sourceColours)]
		p.codes[name] = code
	}
	return paint(code, text)
}

// warning paints what deserves attention.
func (p *palette) warning(text string) string {
	if !p.on {
		return text
	}
	return paint(warningColour, text)
}

// dim paints what is beside the point.
func (p *palette) dim(text string) string {
	if !p.on {
		return text
	}
	return paint(dimColour, text)
}

func paint(code, text string) string { return "\x1b[" + code + "m" + text + "\x1b[0m" }
