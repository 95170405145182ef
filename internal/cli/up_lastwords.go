package cli

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/acalocal/acalocal/emulator"
	"github.com/acalocal/acalocal/internal/client"
)

// lastLines is how much of an app's output explains why it is not ready.
// logPatience is how long to wait for it: the last words of a container are
// stored a moment after its end is known, and nothing says which were the last.
const (
	lastLines   = 10
	logPatience = 400 * time.Millisecond
)

// sayLastLines prints the end of what the apps that are not ready have printed.
// It is a courtesy: an app whose log cannot be read has none shown.
func (u *upRun) sayLastLines(ctx context.Context) {
	snap, err := u.client.Snapshot(ctx)
	if err != nil {
		return
	}
	for _, name := range sortedNames(u.roll.wanted) {
		if app := snap.App(name); app == nil || judge(app, u.roll.wanted[name]) == rolledOut {
			continue
		}
		target := emulator.ExecTarget{App: name, Revision: u.roll.wanted[name]}
		u.sayLastLinesOf(ctx, target)
	}
}

func (u *upRun) sayLastLinesOf(ctx context.Context, target emulator.ExecTarget) {
	ctx, cancel := context.WithTimeout(ctx, logPatience)
	defer cancel()
	log, err := u.client.Logs(ctx, client.LogsOptions{Target: target, Text: true, Tail: lastLines, Follow: true})
	if err != nil {
		return
	}
	defer log.Close()
	writeLastLines(u.s.Err, target.App, log)
}

// writeLastLines prints a console log in text form without its two head lines
// and without stamps.
func writeLastLines(w io.Writer, app string, log io.Reader) {
	in := bufio.NewScanner(log)
	in.Buffer(nil, 1<<20)
	for n := 0; in.Scan(); n++ {
		if n < 2 {
			continue // about the connection
		}
		text := in.Text()
		if parts := strings.SplitN(text, " ", 4); len(parts) == 4 {
			text = parts[3] // behind the time, the stream and the tag
		}
		if n == 2 {
			fmt.Fprintf(w, "the last lines of %s:\n", app)
		}
		fmt.Fprintf(w, "  %s\n", text)
	}
}
