package page_test

import (
	"math"
	"net/http/httptest"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/acalocal/acalocal/internal/page"
)

func get(method, path string) *httptest.ResponseRecorder {
	w := httptest.NewRecorder()
	page.Handler().ServeHTTP(w, httptest.NewRequest(method, path, nil))
	return w
}

func TestFilesAreServedWithAPolicy(t *testing.T) {
	f := func(method, path string, status int, contentType string) {
		t.Helper()
		w := get(method, path)
		if w.Code != status || !strings.HasPrefix(w.Header().Get("Content-Type"), contentType) {
			t.Errorf("%s %s: %d %s, want %d %s", method, path, w.Code, w.Header().Get("Content-Type"), status, contentType)
		}
		if status == 200 && (!strings.Contains(w.Header().Get("Content-Security-Policy"), "default-src 'none'") || w.Header().Get("X-Content-Type-Options") != "nosniff") {
			t.Errorf("%s: headers %v", path, w.Header())
		}
	}
	f("GET", "/logs/", 200, "text/html")
	f("HEAD", "/logs/", 200, "text/html")
	f("GET", "/logs/main.js", 200, "text/javascript")
	f("GET", "/logs/style.css", 200, "text/css")
	f("GET", "/logs/icon.svg", 200, "image/svg+xml")
	f("GET", "/logs/nothing.js", 404, "")
	f("GET", "/logs/../page.go", 404, "")
	f("GET", "/logs/sub/", 404, "")
	f("POST", "/logs/", 405, "")
}

// inline is what the policy would refuse to run or to style with.
var inline = regexp.MustCompile(`(?i)<script(?:\s+[^>]*)?>[^<]|\son\w+=|\sstyle=|javascript:|https?://`)

func TestThePageHasNothingInlineOrForeign(t *testing.T) {
	if found := inline.FindString(get("GET", "/logs/").Body.String()); found != "" {
		t.Errorf("the page has %q", found)
	}
	for _, file := range []string{"main.js", "api.js", "dom.js", "editor.js", "grid.js", "tree.js", "series.js", "wish.js", "scale.js", "chart.js", "plot.js", "flat.js", "tail.js", "ansi.js", "exact.js"} {
		text := get("GET", "/logs/"+file).Body.String()
		for _, bad := range []string{"innerHTML", "outerHTML", "insertAdjacentHTML", "document.write", "eval(", "new Function"} {
			if strings.Contains(text, bad) {
				t.Errorf("%s has %s: text must never become HTML or code", file, bad)
			}
		}
	}
}

// TestTextCanBeRead computes the contrast of colours on the grounds they stand
// on, https://www.w3.org/TR/WCAG21/#contrast-minimum.
func TestTextCanBeRead(t *testing.T) {
	css := get("GET", "/logs/style.css").Body.String()
	token := regexp.MustCompile(`--([\w-]+): (#[0-9a-f]{6})`)
	for scheme, selector := range map[string]string{"light": ":root {", "dark": `:root[data-theme="dark"] {`} {
		_, block, found := strings.Cut(css, selector)
		if !found {
			t.Fatalf("no %s", selector)
		}
		block, _, _ = strings.Cut(block, "}")
		light := map[string]float64{}
		for _, m := range token.FindAllStringSubmatch(block, -1) {
			light[m[1]] = luminance(m[2])
		}
		f := func(ground string, texts ...string) {
			t.Helper()
			for _, text := range texts {
				a, b := light[text], light[ground]
				if ratio := (max(a, b) + .05) / (min(a, b) + .05); ratio < 4.5 {
					t.Errorf("%s: %s on %s has a contrast of %.2f, want 4.5", scheme, text, ground, ratio)
				}
			}
		}
		series := []string{"s1", "s2", "s3", "s4", "s5", "s6", "s7", "s8"}
		f("ground", "ink", "dim", "accent")
		f("card", append(series, "ink", "dim", "accent", "bad", "warn", "good", "keyword", "function", "string", "number", "comment", "table")...)
		f("raised", append(series, "ink", "dim")...)
		f("accent-soft", "ink", "dim", "bad", "function", "number") // a row that is chosen
		f("bad-soft", append(series, "ink", "dim", "bad", "warn", "good")...)
		f("warn-soft", append(series, "ink", "dim", "bad", "warn", "good")...)
		f("mark", "ink")
		f("accent", "accent-ink")
	}
}

// luminance is that of a colour such as "#1b2130".
func luminance(colour string) float64 {
	sum := 0.0
	for i, weight := range []float64{.2126, .7152, .0722} {
		n, err := strconv.ParseUint(colour[1+2*i:3+2*i], 16, 8)
		if err != nil {
			panic(err)
		}
		v := float64(n) / 255
		if v <= .03928 {
			v /= 12.92
		} else {
			v = math.Pow((v+.055)/1.055, 2.4)
		}
		sum += weight * v
	}
	return sum
}
