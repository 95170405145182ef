package page_test

import (
	"net/http/httptest"
	"regexp"
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
