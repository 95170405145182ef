package timeline

import (
	"fmt"
	"strings"
	"time"
	"unicode/utf8"
)

// Style says how Draw writes.
type Style struct {
	// Width is the number of columns; less than MinWidth counts as MinWidth.
	Width int
	// Colour adds SGR colours. The drawing can be read without.
	Colour bool
}

// MinWidth is the least number of columns a drawing takes.
const MinWidth = 40

// glyph is how a phase or a mark looks on a terminal.
type glyph struct {
	char   rune
	colour string // SGR code
}

var phaseGlyphs = map[Phase]glyph{
	Pull:    {'░', "36"},
	Create:  {'▒', "36"},
	Start:   {'▓', "33"},
	Up:      {'█', "32"},
	BackOff: {'·', "2"},
	Stop:    {'▄', "35"},
	Traffic: {'═', "32"},

	Schedule: {'◦', "2"},
	Boot:     {'▚', "33"},
	Probing:  {'▞', "33"},
}

var markGlyphs = map[MarkKind]glyph{
	ProbeFailure: {'x', "33"},
	ProbePass:    {'+', "32"},
	Kill:         {'K', "31"},
	Exit:         {'E', "31"},
	Ready:        {'R', "32"},
	Mismatch:     {'P', "33"},
	PullFailure:  {'!', "31"},
}

// legend explains the glyphs, in the order of a life.
var legend = []struct {
	phase Phase
	mark  MarkKind
	text  string
}{
	{Pull, "", "pull"}, {Schedule, "", "schedule"}, {Create, "", "create"}, {Boot, "", "boot"}, {Probing, "", "probes"}, {Start, "", "starting"}, {Up, "", "up"}, {BackOff, "", "back-off"},
	{Stop, "", "stopping"}, {Traffic, "", "traffic"}, {"", Ready, "ready"}, {"", ProbePass, "probe passed"}, {"", ProbeFailure, "probe failed"},
	{"", Kill, "killed by a probe"}, {"", Exit, "ended"}, {"", Mismatch, "port mismatch"}, {"", PullFailure, "pull failed"},
}

// Draw is the timeline for a terminal: an axis, a line for each lane, a
// legend, and the rows.
func (t Timeline) Draw(s Style) string {
	d := &drawing{t: t, s: s, width: max(s.Width, MinWidth)}
	d.plot = max(d.width-d.labelWidth()-2, 10)
	d.head()
	if len(t.Lanes) == 0 {
		return d.b.String()
	}
	d.axis()
	group := ""
	for _, lane := range t.Lanes {
		if lane.Group != group {
			group = lane.Group
			if group != "" {
				d.line(group+d.t.coldStartOf(group), "")
			}
		}
		d.lane(lane)
	}
	d.legend()
	d.list()
	return d.b.String()
}

// coldStartOf tells the parts of a replica's cold start, "" when it had none.
func (t Timeline) coldStartOf(replica string) string {
	for _, lane := range t.Lanes {
		if lane.Group != replica || lane.Name != coldStart || len(lane.Spans) == 0 {
			continue
		}
		took := map[Phase]time.Duration{} // parts that took no time have no span
		for _, s := range lane.Spans {
			took[s.Phase] = s.To.Sub(s.From)
		}
		var parts []string
		for _, p := range []Phase{Schedule, Create, Boot, Probing} {
			parts = append(parts, fmt.Sprintf("%s %s", p, took[p]))
		}
		whole := lane.Spans[len(lane.Spans)-1].To.Sub(lane.Spans[0].From)
		return fmt.Sprintf("  cold start %s: %s", whole, strings.Join(parts, ", "))
	}
	return ""
}

type drawing struct {
	t           Timeline
	s           Style
	b           strings.Builder
	width, plot int
}

func (d *drawing) head() {
	fmt.Fprintf(&d.b, "%s  %s", d.t.Revision, d.t.From.UTC().Format("2006-01-02 15:04:05 UTC"))
	if len(d.t.Lanes) == 0 {
		d.b.WriteString("  nothing has happened yet\n")
		return
	}
	d.b.WriteString(d.t.lasted() + "\n\n")
}

// when is the beginning, the length and the scale of a timeline.
func (t Timeline) when() string {
	return t.From.UTC().Format("2006-01-02 15:04:05 UTC") + t.lasted()
}

func (t Timeline) lasted() string {
	text := ", " + span(t.To.Sub(t.From))
	if t.Scale > 1 {
		text += fmt.Sprintf("; the platform's timers ran %g times faster", t.Scale)
	}
	return text
}

// labelWidth is what the names of lanes take.
func (d *drawing) labelWidth() int {
	w := 8
	for _, lane := range d.t.Lanes {
		w = max(w, utf8.RuneCountInString(lane.label()))
	}
	return min(w, d.width/3)
}

func (l Lane) label() string {
	if l.Group != "" {
		return "  " + l.Name
	}
	return l.Name
}

// line writes a label and what follows, without trailing spaces.
func (d *drawing) line(label, rest string) {
	if rest != "" {
		label = fit(label, d.labelWidth()) + "  " + rest
	} else {
		label = fit(label, d.width)
	}
	d.b.WriteString(strings.TrimRight(label, " ") + "\n")
}

// fit pads or cuts text to so many columns.
func fit(text string, columns int) string {
	n := utf8.RuneCountInString(text)
	if n > columns {
		return string([]rune(text)[:columns-1]) + "…"
	}
	return text + strings.Repeat(" ", columns-n)
}

// column is where a moment is drawn, 0 to plot-1.
func (d *drawing) column(at time.Time) int {
	total := d.t.To.Sub(d.t.From)
	if total <= 0 {
		return 0
	}
	return min(max(int(int64(d.plot)*int64(at.Sub(d.t.From))/int64(total)), 0), d.plot-1)
}

// axis writes ticks at round distances.
func (d *drawing) axis() {
	cells := []rune(strings.Repeat(" ", d.plot))
	free := 0
	for _, at := range d.t.ticks(max(d.plot/10, 1)) {
		label := []rune(span(at))
		from := d.column(d.t.From.Add(at))
		if from < free || from+len(label) > d.plot {
			continue
		}
		copy(cells[from:], label)
		free = from + len(label) + 1
	}
	d.line("", string(cells))
}

// lane draws spans, then marks over them; of what falls into one column the
// last is seen, and a failure rather than what passed.
func (d *drawing) lane(lane Lane) {
	if lane.Name == "requests" {
		d.line(lane.label(), d.sparkline(lane.Marks))
		return
	}
	cells := make([]glyph, d.plot)
	for _, sp := range lane.Spans {
		for i := d.column(sp.From); i <= d.column(sp.To); i++ {
			cells[i] = phaseGlyphs[sp.Phase]
		}
	}
	for _, m := range lane.Marks {
		if cell := &cells[d.column(m.Time)]; m.Kind != ProbePass || cell.char != markGlyphs[ProbeFailure].char {
			*cell = markGlyphs[m.Kind]
		}
	}
	d.line(lane.label(), d.paint(cells))
}

// paint writes cells, colours only where they change.
func (d *drawing) paint(cells []glyph) string {
	var b strings.Builder
	colour := ""
	for _, c := range cells {
		if c.char == 0 {
			c.char, c.colour = ' ', ""
		}
		if d.s.Colour && c.colour != colour {
			if colour != "" {
				b.WriteString("\x1b[0m")
			}
			if c.colour != "" {
				b.WriteString("\x1b[" + c.colour + "m")
			}
			colour = c.colour
		}
		b.WriteRune(c.char)
	}
	if colour != "" {
		b.WriteString("\x1b[0m")
	}
	return strings.TrimRight(b.String(), " ")
}

var bars = []rune("▁▂▃▄▅▆▇█")

// sparkline shows how many requests came in each column, against the most.
func (d *drawing) sparkline(marks []Mark) string {
	counts := make([]int, d.plot)
	most := 0
	for _, m := range marks {
		i := d.column(m.Time)
		counts[i]++
		most = max(most, counts[i])
	}
	var b strings.Builder
	for _, n := range counts {
		if n == 0 {
			b.WriteRune(' ')
			continue
		}
		b.WriteRune(bars[(n*len(bars)-1)/most])
	}
	return strings.TrimRight(b.String(), " ")
}

// legend explains what is drawn, as much as fits on each line.
func (d *drawing) legend() {
	d.b.WriteByte('\n')
	line := ""
	for _, l := range legend {
		g, seen := phaseGlyphs[l.phase], d.t.has(l.phase, l.mark)
		if l.mark != "" {
			g = markGlyphs[l.mark]
		}
		if !seen {
			continue
		}
		item := string(g.char) + " " + l.text
		switch {
		case line == "":
			line = item
		case utf8.RuneCountInString(line+"   "+item) > d.width:
			d.b.WriteString(line + "\n")
			line = item
		default:
			line += "   " + item
		}
	}
	d.b.WriteString(line + "\n")
}

// has says whether a phase or mark occurs.
func (t Timeline) has(phase Phase, mark MarkKind) bool {
	for _, lane := range t.Lanes {
		for _, s := range lane.Spans {
			if s.Phase == phase {
				return true
			}
		}
		for _, m := range lane.Marks {
			if m.Kind == mark {
				return true
			}
		}
	}
	return false
}

// list writes the rows, cut to the width.
func (d *drawing) list() {
	d.b.WriteByte('\n')
	for _, e := range d.t.Events {
		text := e.Text
		if e.Times > 1 {
			text += fmt.Sprintf(" (%d times, until %s)", e.Times, offset(e.Until.Sub(d.t.From)))
		}
		mark := "~"
		if e.Warning {
			mark = "!"
		}
		line := fit(fmt.Sprintf("%10s  %s %s", offset(e.Time.Sub(d.t.From)), mark, strings.Join(strings.Fields(text), " ")), d.width)
		d.b.WriteString(strings.TrimRight(line, " ") + "\n")
	}
}

// offset is the time since the beginning: "+12.3 s", "+4 min 1 s".
func offset(d time.Duration) string {
	if d < time.Minute {
		return fmt.Sprintf("+%.1f s", d.Seconds())
	}
	return "+" + span(d)
}

// span prints a duration as people say it.
func span(d time.Duration) string {
	switch d = max(d, 0); {
	case d == 0:
		return "0 s"
	case d < 10*time.Second && d%time.Second != 0:
		return fmt.Sprintf("%.1f s", d.Seconds())
	case d < 2*time.Minute && d%time.Minute != 0 || d < time.Minute:
		return fmt.Sprintf("%d s", int64(d.Round(time.Second)/time.Second))
	case d < time.Hour:
		return join(d.Round(time.Second), time.Minute, "min", time.Second, "s")
	}
	return join(d.Round(time.Minute), time.Hour, "h", time.Minute, "min")
}

func join(d, big time.Duration, bigName string, small time.Duration, smallName string) string {
	text := fmt.Sprintf("%d %s", d/big, bigName)
	if rest := d % big; rest != 0 {
		text += fmt.Sprintf(" %d %s", rest/small, smallName)
	}
	return text
}

// steps are distances of ticks that people can read.
var steps = []time.Duration{
	100 * time.Millisecond, 200 * time.Millisecond, 500 * time.Millisecond, time.Second, 2 * time.Second, 5 * time.Second, 10 * time.Second,
	15 * time.Second, 30 * time.Second, time.Minute, 2 * time.Minute, 5 * time.Minute, 10 * time.Minute, 15 * time.Minute, 30 * time.Minute,
	time.Hour, 2 * time.Hour, 3 * time.Hour, 6 * time.Hour, 12 * time.Hour, 24 * time.Hour,
}

// ticks are at most so many round distances from the beginning, and that of
// the beginning itself.
func (t Timeline) ticks(most int) []time.Duration {
	total := t.To.Sub(t.From)
	step := steps[len(steps)-1]
	for _, s := range steps {
		if total/s <= time.Duration(most) {
			step = s
			break
		}
	}
	for total/step > time.Duration(max(most, 1)) {
		step *= 2
	}
	var out []time.Duration
	for at := time.Duration(0); at <= total; at += step {
		out = append(out, at)
	}
	return out
}
