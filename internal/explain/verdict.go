package explain

import (
	"fmt"
	"strings"
	"time"
	"unicode/utf8"
)

// Verdict is what is wrong with a revision, or that nothing is.
type Verdict struct {
	App      string `json:"app"`
	Revision string `json:"revision"`
	// Rule is a stable identifier of what was found.
	Rule string `json:"rule"`
	// Wrong says that something is wrong. Otherwise Rule is Healthy, Starting,
	// NotRunning or Unknown.
	Wrong bool `json:"wrong"`
	// Title is the verdict in one line, without the revision's name.
	Title string `json:"title"`
	// Why explains it in a few sentences.
	Why string `json:"why,omitempty"`
	// Evidence is what proves it, oldest first.
	Evidence []Line `json:"evidence,omitempty"`
	// Fix says what to do.
	Fix string `json:"fix,omitempty"`
	// Patch is a unified diff of the user's own file, "" when the fix is not
	// mechanical or the file is not known.
	Patch string `json:"patch,omitempty"`
	// Checked is what was looked at and found well.
	Checked []string `json:"checked,omitempty"`
}

// Line is one piece of evidence: a row, a console line, or something seen.
type Line struct {
	Time time.Time `json:"time,omitzero"` // zero for what has no moment
	Text string    `json:"text"`
}

// The rules of a Verdict that names no cause.
const (
	Healthy    = "healthy"
	Starting   = "starting"
	NotRunning = "not-running"
	Unknown    = "unknown"
)

// FirstLine is the verdict in one line: "web--abc: the app listens on …".
func (v Verdict) FirstLine() string { return v.Revision + ": " + v.Title }

// width is how wide String writes.
const width = 100

// String is the verdict for people, ending in a line end.
func (v Verdict) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s  [%s]\n", v.FirstLine(), v.Rule)
	section(&b, "why", wrap(v.Why, width-labelWidth))
	section(&b, "evidence", evidenceText(v.Evidence))
	section(&b, "fix", wrap(v.Fix, width-labelWidth))
	section(&b, "checked", checkedText(v.Checked))
	if v.Patch != "" {
		b.WriteString("\n" + v.Patch)
	}
	return b.String()
}

// labelWidth is the column where the text of a section begins.
const labelWidth = 10

func section(b *strings.Builder, label string, lines []string) {
	if len(lines) == 0 {
		return
	}
	b.WriteByte('\n')
	for i, line := range lines {
		if i > 0 {
			label = ""
		}
		b.WriteString(strings.TrimRight(fmt.Sprintf("%-*s%s", labelWidth, label, line), " ") + "\n")
	}
}

func evidenceText(lines []Line) []string {
	var out []string
	for _, l := range lines {
		stamp := "            "
		if !l.Time.IsZero() {
			stamp = l.Time.UTC().Format("15:04:05.000")
		}
		out = append(out, stamp+"  "+l.Text)
	}
	return out
}

func checkedText(lines []string) []string {
	var out []string
	for _, l := range lines {
		for i, part := range wrap(l, width-labelWidth-2) {
			out = append(out, []string{"- ", "  "}[min(i, 1)]+part)
		}
	}
	return out
}

// wrap breaks text into lines of at most columns characters, between words.
func wrap(text string, columns int) []string {
	var lines []string
	line := ""
	for _, word := range strings.Fields(text) {
		switch {
		case line == "":
			line = word
		case utf8.RuneCountInString(line)+1+utf8.RuneCountInString(word) <= columns:
			line += " " + word
		default:
			lines = append(lines, line)
			line = word
		}
	}
	if line != "" {
		lines = append(lines, line)
	}
	return lines
}
