package explain

import "testing"

func TestAnnounced(t *testing.T) {
	f := func(line string, port int, loopback bool) {
		t.Helper()
		got, ok := announced(line)
		if want := (announcement{port, loopback}); got != want || ok != (port != 0) {
			t.Errorf("%s: got %+v %v, want %+v", line, got, ok, want)
		}
	}
	f("[2026-06-01 08:00:00 +0000] [1] [INFO] Listening at: http://0.0.0.0:8000 (1)", 8000, false)
	f("[2026-06-01 08:00:00 +0000] [1] [INFO] Listening at: http://127.0.0.1:8000 (1)", 8000, true)
	f("INFO:     Uvicorn running on http://0.0.0.0:8000 (Press CTRL+C to quit)", 8000, false)
	f(" * Running on http://127.0.0.1:5000", 5000, true)
	f(" * Running on http://[::1]:5000", 5000, true)
	f("INFO:waitress:Serving on http://0.0.0.0:8080", 8080, false)
	f("Starting development server at http://127.0.0.1:8000/", 8000, true)
	f("      Now listening on: http://[::]:8080", 8080, false)
	f("Tomcat started on port(s): 8080 (http) with context path ''", 8080, false)
	f("Tomcat started on port 8080 (http)", 8080, false)
	f("Server listening on port 3000", 3000, false)
	f("Example app listening on port 3000!", 3000, false)
	f("listening on :8080", 8080, false)
	f("listening on 127.0.0.1:9000", 9000, true)
	f("Server is running on port 4000", 4000, false)
	f("started on 12 May", 0, false)
	f("GET http://0.0.0.0:8000/health 200", 0, false)
	f("listening on port 99999", 0, false)
	f("", 0, false)
}

func FuzzAnnounced(f *testing.F) {
	f.Add("Listening at: http://[::]:8000 (1)")
	f.Add("listening on port 99999999999999999999")
	f.Fuzz(func(t *testing.T, line string) {
		if a, ok := announced(line); ok && (a.port < 1 || a.port > 65535) {
			t.Errorf("%q: %+v", line, a)
		}
	})
}
