package docker

import (
	"bytes"
	"io"
	"strings"

	"github.com/acalocal/acalocal/internal/container"
)

// execFailed begins what an engine says of a command that it cannot start.
// Some answer the request with it; engines of version 20.10 write it where the
// command's output would have come, and give the exit code 126.
const execFailed = "OCI runtime exec failed: "

// firstWords keeps output back as long as it may be the engine's and not the
// command's. It is for one goroutine.
type firstWords struct {
	w    io.Writer // where what is kept belongs
	kept bytes.Buffer
	over bool // the output is the command's
}

// before returns a writer to w that keeps the first words back.
func (f *firstWords) before(w io.Writer) io.Writer { return &firstWriter{f, w} }

type firstWriter struct {
	*firstWords
	to io.Writer
}

// maxRefusal is how much of a refusal is kept; a longer text is output.
const maxRefusal = 4096

// Write implements io.Writer.
func (f *firstWriter) Write(p []byte) (int, error) {
	if f.over {
		return f.to.Write(p)
	}
	if f.w == nil {
		f.w = f.to
	}
	f.kept.Write(p)
	text := f.kept.Bytes()
	n := min(len(text), len(execFailed))
	if f.w == f.to && string(text[:n]) == execFailed[:n] && len(text) <= maxRefusal {
		return len(p), nil
	}
	if f.w != f.to { // the other stream began; what is new is not its
		f.kept.Truncate(f.kept.Len() - len(p))
		if err := f.release(); err != nil {
			return 0, err
		}
		return f.to.Write(p)
	}
	return len(p), f.release()
}

// release hands over what was kept: it is output.
func (f *firstWords) release() error {
	f.over = true
	if f.kept.Len() == 0 {
		return nil
	}
	_, err := io.Copy(f.w, &f.kept)
	return err
}

// refusal is the error in what was kept, nil when that is output.
func (f *firstWords) refusal(code int) error {
	if f.over || code != 126 && code != 127 {
		return nil
	}
	return refusalOf(string(bytes.TrimSpace(f.kept.Bytes())))
}

// refusalOf makes an error of the engine's words about a command that it cannot
// start; nil when they are about something else.
func refusalOf(text string) error {
	if !strings.Contains(text, execFailed) {
		return nil
	}
	words := strings.TrimSuffix(text, ": unknown")
	if i := strings.Index(words, `exec: "`); i >= 0 {
		words = words[i:]
	}
	code, hint := container.CodeCreate, "give a program that may be run, such as sh FILE"
	if containsAny(words, []string{"executable file not found", "no such file or directory"}) {
		code, hint = container.CodeNoProgram, "name a program that is in the image; some images have no shell"
	}
	return container.Errorf(code, hint, "%w", &said{words, nil})
}
