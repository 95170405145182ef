package forecast

import (
	"fmt"
	"math"
	"strings"
	"time"
)

// Draw is the forecast as a chart of text: the load above, the replicas below,
// one column for each of width equal spans, the highest value of the span.
func (r Result) Draw(width int) string {
	if len(r.Points) == 0 {
		return ""
	}
	width = max(width, 20)
	const label = 10
	spans := r.spans(width - label)
	var rps, replicas []float64
	for _, s := range spans {
		rps, replicas = append(rps, s.RPS), append(replicas, float64(s.Replicas))
	}
	var b strings.Builder
	bars(&b, "req/s", rps, 4, label)
	bars(&b, "replicas", replicas, 8, label)
	end := clock(r.Points[len(r.Points)-1].Seconds)
	fmt.Fprintf(&b, "%*s%s%*s\n", label, "", "0", len(spans)-1, end)
	return b.String()
}

// spans are the points in at most n groups, each with its highest values.
func (r Result) spans(n int) []Point {
	n = min(n, len(r.Points))
	out := make([]Point, n)
	for i, p := range r.Points {
		s := &out[i*n/len(r.Points)]
		s.RPS, s.Replicas, s.Held = max(s.RPS, p.RPS), max(s.Replicas, p.Replicas), max(s.Held, p.Held)
	}
	return out
}

// eighths are bars of one to eight eighths of a line.
var eighths = []rune(" ▁▂▃▄▅▆▇█")

func bars(b *strings.Builder, name string, values []float64, height, label int) {
	top := 0.0
	for _, v := range values {
		top = max(top, v)
	}
	for line := height; line > 0; line-- {
		text := ""
		switch line {
		case height:
			text = brief(top)
		case height - 1:
			text = name
		}
		var row strings.Builder
		fmt.Fprintf(&row, "%*s ", label-1, text)
		for _, v := range values {
			filled := 0.0
			if top > 0 {
				filled = v / top * float64(height) * 8
			}
			n := int(math.Round(filled)) - (line-1)*8
			if line == 1 && v > 0 {
				n = max(n, 1) // what is there can be seen
			}
			row.WriteRune(eighths[min(max(n, 0), 8)])
		}
		b.WriteString(strings.TrimRight(row.String(), " ") + "\n")
	}
}

func brief(v float64) string {
	return strings.TrimSuffix(strings.TrimRight(fmt.Sprintf("%.1f", v), "0"), ".")
}

// clock is a time since the start, such as 5m or 1h30m0s.
func clock(seconds float64) string {
	text := time.Duration(seconds * float64(time.Second)).Round(time.Second).String()
	text = strings.TrimSuffix(text, "m0s") + map[bool]string{true: "m"}[strings.HasSuffix(text, "m0s")]
	return text
}

// Changes are the points at which the number of replicas is not that of the
// point before, the first one included.
func (r Result) Changes() []Point {
	var out []Point
	for i, p := range r.Points {
		if i == 0 || p.Replicas != r.Points[i-1].Replicas {
			out = append(out, p)
		}
	}
	return out
}

// SVG is the forecast as a picture that stands by itself.
func (r Result) SVG() string {
	const width, height, left, bottom = 900, 320, 50, 40
	var b strings.Builder
	fmt.Fprintf(&b, `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %d %d" font-family="sans-serif" font-size="12">`+"\n", width+2*left, height+2*bottom)
	b.WriteString(`<rect width="100%" height="100%" fill="white"/>` + "\n")
	end, rps, replicas := 1.0, 1.0, 1.0
	for _, p := range r.Points {
		end, rps, replicas = max(end, p.Seconds), max(rps, p.RPS), max(replicas, float64(p.Replicas))
	}
	x := func(seconds float64) float64 { return left + seconds/end*width }
	y := func(v, top float64) float64 { return bottom + height - v/top*height }
	var load, steps strings.Builder
	for i, p := range r.Points {
		fmt.Fprintf(&load, "%.1f,%.1f ", x(p.Seconds), y(p.RPS, rps))
		if i > 0 {
			fmt.Fprintf(&steps, "%.1f,%.1f ", x(p.Seconds), y(float64(r.Points[i-1].Replicas), replicas))
		}
		fmt.Fprintf(&steps, "%.1f,%.1f ", x(p.Seconds), y(float64(p.Replicas), replicas))
	}
	fmt.Fprintf(&b, `<polyline points="%s" fill="none" stroke="#c0c0c0" stroke-width="2"/>`+"\n", strings.TrimSpace(load.String()))
	fmt.Fprintf(&b, `<polyline points="%s" fill="none" stroke="#0067b8" stroke-width="2"/>`+"\n", strings.TrimSpace(steps.String()))
	fmt.Fprintf(&b, `<path d="M%d %d V%d H%d" fill="none" stroke="black"/>`+"\n", left, bottom, bottom+height, left+width)
	fmt.Fprintf(&b, `<text x="%d" y="%d" text-anchor="end" fill="#0067b8">%s</text>`+"\n", left-6, bottom+4, brief(replicas))
	fmt.Fprintf(&b, `<text x="%d" y="%d" fill="#0067b8">replicas</text>`+"\n", left, bottom-10)
	fmt.Fprintf(&b, `<text x="%d" y="%d" fill="#808080">%s requests/s</text>`+"\n", left+width+6-110, bottom-10, brief(rps))
	fmt.Fprintf(&b, `<text x="%d" y="%d">0</text><text x="%d" y="%d" text-anchor="end">%s</text>`+"\n", left, bottom+height+18, left+width, bottom+height+18, clock(end))
	b.WriteString("</svg>\n")
	return b.String()
}
