package timeline

import (
	"fmt"
	"html"
	"strings"
	"time"
)

// Sizes of the SVG, in its own units.
const (
	svgWidth  = 1000
	svgLabel  = 200
	svgRow    = 22
	svgHead   = 56
	svgMargin = 16
)

// svgStyle colours phases and marks for light and dark pages.
const svgStyle = `<style>
svg{font:12px ui-sans-serif,system-ui,sans-serif;background:#fff;color:#1f2328}
text{fill:currentColor}.dim{opacity:.65}.grid{stroke:currentColor;opacity:.15}
.pull{fill:#54aeff}.create{fill:#218bff}.starting{fill:#d4a72c}.up{fill:#2da44e}.schedule{fill:#8c959f}.boot{fill:#d4a72c}.probes{fill:#fb8f44}.back-off{fill:#8c959f;opacity:.4}.stopping{fill:#bf3989}.traffic{fill:#2da44e;opacity:.5}
.probe-failed{stroke:#bc4c00}.probe-passed{stroke:#2da44e}.killed,.ended,.pull-failed{stroke:#cf222e;stroke-width:3}.ready{stroke:#1a7f37;stroke-width:3}.port-mismatch{stroke:#bc4c00;stroke-width:3}.request{stroke:#0969da;opacity:.5}
@media(prefers-color-scheme:dark){svg{background:#0d1117;color:#e6edf3}}
</style>`

// SVG is the timeline as a picture that stands by itself: no script, no
// reference to anything outside. Hovering over a part says what it is.
func (t Timeline) SVG() string {
	height := svgHead + svgRow*len(t.Lanes) + svgMargin
	var b strings.Builder
	fmt.Fprintf(&b, `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %d %d" role="img" aria-label="life of %s">`+"\n%s\n", svgWidth, height, escape(t.Revision), svgStyle)
	fmt.Fprintf(&b, `<text x="%d" y="22" font-weight="bold">%s</text>`+"\n", svgMargin, escape(t.Revision))
	fmt.Fprintf(&b, `<text x="%d" y="22" text-anchor="end" class="dim">%s</text>`+"\n", svgWidth-svgMargin, escape(t.when()))
	for _, at := range t.ticks(8) {
		x := t.x(t.From.Add(at))
		fmt.Fprintf(&b, `<line class="grid" x1="%.1f" x2="%.1f" y1="%d" y2="%d"/><text class="dim" x="%.1f" y="%d" text-anchor="middle">%s</text>`+"\n", x, x, svgHead-8, height-svgMargin, x, svgHead-14, span(at))
	}
	for i, lane := range t.Lanes {
		t.svgLane(&b, lane, svgHead+svgRow*i)
	}
	b.WriteString("</svg>\n")
	return b.String()
}

// x is where a moment is drawn.
func (t Timeline) x(at time.Time) float64 {
	const room = svgWidth - svgLabel - svgMargin
	total := t.To.Sub(t.From)
	if total <= 0 {
		return svgLabel
	}
	return svgLabel + room*min(max(float64(at.Sub(t.From))/float64(total), 0), 1)
}

func (t Timeline) svgLane(b *strings.Builder, lane Lane, y int) {
	fmt.Fprintf(b, `<text x="%d" y="%d">%s<title>%s</title></text>`+"\n", svgMargin, y+15, escape(lane.label()), escape(lane.Group))
	for _, s := range lane.Spans {
		from, to := t.x(s.From), t.x(s.To)
		fmt.Fprintf(b, `<rect class="%s" x="%.1f" y="%d" width="%.1f" height="%d" rx="2"><title>%s, %s</title></rect>`+"\n",
			s.Phase, from, y+3, max(to-from, 1), svgRow-6, s.Phase, span(s.To.Sub(s.From)))
	}
	for _, m := range lane.Marks {
		x := t.x(m.Time)
		fmt.Fprintf(b, `<line class="%s" x1="%.1f" x2="%.1f" y1="%d" y2="%d"><title>%s</title></line>`+"\n",
			m.Kind, x, x, y+1, y+svgRow-2, escape(offset(m.Time.Sub(t.From))+" "+m.Text))
	}
}

// escape makes text fit for XML, which has no place for control characters.
func escape(text string) string {
	return html.EscapeString(strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f || r == 0xfffe || r == 0xffff {
			return ' '
		}
		return r
	}, strings.ToValidUTF8(text, "?")))
}
