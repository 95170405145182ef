package docker

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"strings"

	bk "github.com/moby/buildkit/client"
	"github.com/moby/buildkit/util/progress/progressui"
	"github.com/opencontainers/go-digest"

	"github.com/acalocal/acalocal/internal/container"
	"github.com/acalocal/acalocal/internal/lazyregexp"
)

// buildProgress shows how a build goes, and remembers what it takes to say why
// it failed.
type buildProgress struct {
	statuses chan *bk.SolveStatus // to be closed by the build
	done     chan struct{}
	display  progressui.Display
	failed   *bk.Vertex
	output   map[digest.Digest]*tail
}

// newBuildProgress starts to show; wait must be called.
func newBuildProgress(w io.Writer, terminal bool) *buildProgress {
	p := &buildProgress{
		statuses: make(chan *bk.SolveStatus),
		done:     make(chan struct{}),
		output:   map[digest.Digest]*tail{},
		display:  newDisplay(w, terminal),
	}
	go p.run()
	return p
}

// newDisplay shows a live display on a terminal and plain lines elsewhere.
func newDisplay(w io.Writer, terminal bool) progressui.Display {
	mode := progressui.PlainMode
	switch {
	case w == nil:
		mode = progressui.QuietMode
	case terminal:
		mode = progressui.AutoMode
	}
	d, err := progressui.NewDisplay(w, mode)
	if err != nil {
		panic("bug: display mode " + string(mode) + ": " + err.Error())
	}
	return d
}

// run passes statuses on to the display. It reads to the end even when the
// build was cancelled, because the build waits for its reader.
func (p *buildProgress) run() {
	defer close(p.done)
	shown := make(chan *bk.SolveStatus)
	drawn := make(chan struct{})
	go func() {
		defer close(drawn)
		// Without a context of its own it ends with the channel, never with
		// an error.
		_, _ = p.display.UpdateFrom(context.Background(), shown)
	}()
	for s := range p.statuses {
		p.remember(s)
		shown <- s
	}
	close(shown)
	<-drawn
}

// wait waits until everything has been shown.
func (p *buildProgress) wait() { <-p.done }

func (p *buildProgress) remember(s *bk.SolveStatus) {
	for _, v := range s.Vertexes {
		if v.Error != "" && (p.failed == nil || strings.Contains(p.failed.Error, "context canceled")) {
			p.failed = v
		}
	}
	for _, l := range s.Logs {
		t := p.output[l.Vertex]
		if t == nil {
			t = &tail{}
			p.output[l.Vertex] = t
		}
		t.write(l.Data)
	}
}

// solvePrefix is what BuildKit says of its own insides before what is wrong.
var solvePrefix = lazyregexp.New(`^(failed to solve( with frontend [^:]+)?: |failed to create LLB definition: |rpc error: code = \w+ desc = )+`)

// explain returns what went wrong: the step that failed, and its last lines.
func (p *buildProgress) explain(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return ctx.Err()
	}
	reason := solvePrefix.ReplaceAllString(err.Error(), "")
	if code, hint := classify(err); code == container.CodeDiskFull {
		return container.Errorf(code, hint, "%s", reason)
	}
	if p.failed == nil {
		return container.Errorf(container.CodeBuild, "", "%s", reason)
	}
	if code, hint := classifyBase(p.failed); code != "" {
		return container.Errorf(code, hint, "%s: %s", p.failed.Name, p.failed.Error)
	}
	text := fmt.Sprintf("%s: %s", p.failed.Name, p.failed.Error)
	if t := p.output[p.failed.Digest]; t != nil {
		text += "\n" + t.String()
	}
	return container.Errorf(container.CodeBuild, "", "%s", text)
}

// classifyBase tells the failures of fetching the image a build starts from.
func classifyBase(v *bk.Vertex) (container.Code, string) {
	if !strings.Contains(v.Name, "load metadata for") && !strings.Contains(v.Name, "FROM ") {
		return "", ""
	}
	return classifyPull(v.Error)
}

// tailLines is how many lines of a failed step are shown again.
const tailLines = 10

// tail keeps the last lines of a step's output.
type tail struct {
	lines [][]byte
	open  bool // the last line is not finished
}

func (t *tail) write(data []byte) {
	for line := range bytes.Lines(data) {
		if t.open {
			last := len(t.lines) - 1
			t.lines[last] = append(t.lines[last], line...)
		} else {
			t.lines = append(t.lines, bytes.Clone(line))
		}
		t.open = !bytes.HasSuffix(line, []byte("\n"))
	}
	t.lines = t.lines[max(0, len(t.lines)-tailLines):]
}

// String returns the lines, each behind a bar.
func (t *tail) String() string {
	var b strings.Builder
	for i, line := range t.lines {
		if i > 0 {
			b.WriteByte('\n')
		}
		b.WriteString("  | ")
		b.Write(bytes.TrimRight(line, "\r\n"))
	}
	return b.String()
}
