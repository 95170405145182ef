package cli

import (
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/acalocal/acalocal/internal/api"
	"github.com/acalocal/acalocal/internal/chart"
	"golang.org/x/term"
)

// queryFormat returns how to print an answer. "" is a chart on a terminal when
// the query asks for one, else a table.
func queryFormat(format string) (func(io.Writer, *api.QueryAnswer) error, error) {
	if format == "chart" || format == "" {
		return func(w io.Writer, a *api.QueryAnswer) error {
			if format == "chart" || isTerminal(w) {
				if drawn, err := drawAnswer(w, a); drawn || err != nil {
					return err
				}
			}
			return rowFormats["table"](w, a.Tables)
		}, nil
	}
	write, ok := rowFormats[format]
	if !ok {
		return nil, misuse(fmt.Errorf("--format %s is none of %s", format, strings.Join(formatNames(), ", ")), "use --format table")
	}
	return func(w io.Writer, a *api.QueryAnswer) error { return write(w, a.Tables) }, nil
}

// drawAnswer draws the first table of an answer and reports whether it could.
func drawAnswer(w io.Writer, a *api.QueryAnswer) (bool, error) {
	if len(a.Tables) == 0 || len(a.Render) == 0 {
		return false, nil
	}
	o := chart.Options{Colour: wantsColour(w), ASCII: os.Getenv("TERM") == "dumb"}
	if f, ok := w.(*os.File); ok {
		if width, height, err := term.GetSize(int(f.Fd())); err == nil {
			o.Width, o.Height = width, height
		}
	}
	lines, ok := chart.Draw(a.Tables[0], a.Render, o)
	if !ok {
		return false, nil
	}
	_, err := fmt.Fprintln(w, strings.Join(lines, "\n"))
	return true, err
}
