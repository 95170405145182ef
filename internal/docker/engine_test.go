package docker

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/moby/moby/api/pkg/authconfig"
	"github.com/moby/moby/api/types/registry"

	"github.com/acalocal/acalocal/internal/container"
)

// playEngine answers as an engine would, and returns its DOCKER_HOST.
func playEngine(t *testing.T, apiVersion, osType string, handlers map[string]http.HandlerFunc) (server *httptest.Server, host string) {
	t.Helper()
	dockerHome(t, "{}")
	mux := http.NewServeMux()
	mux.HandleFunc("/_ping", func(w http.ResponseWriter, _ *http.Request) { w.Header().Set("Api-Version", apiVersion) })
	mux.HandleFunc("/v"+apiVersion+"/info", func(w http.ResponseWriter, _ *http.Request) {
		if err := json.NewEncoder(w).Encode(map[string]any{"OSType": osType, "Architecture": "x86_64", "NCPU": 4}); err != nil {
			t.Error(err)
		}
	})
	for path, h := range handlers {
		mux.HandleFunc("/v"+apiVersion+path, h)
	}
	server = httptest.NewServer(mux)
	t.Cleanup(server.Close)
	return server, "tcp://" + strings.TrimPrefix(server.URL, "http://")
}

func TestUnsuitableEnginesAreNamed(t *testing.T) {
	for _, c := range []struct {
		api, os, want string
		code          container.Code
	}{
		{"1.30", "linux", "is too old", container.CodeUnreachable},
		{"1.41", "windows", "runs windows containers", container.CodePlatform},
	} {
		_, host := playEngine(t, c.api, c.os, nil)
		_, err := New(t.Context(), Options{Host: host})
		if err == nil || !strings.Contains(err.Error(), c.want) || container.CodeOf(err) != c.code {
			t.Errorf("API %s on %s: %v (code %q)", c.api, c.os, err, container.CodeOf(err))
		}
	}
}

func TestNewestCommonVersionIsSpoken(t *testing.T) {
	for _, api := range []string{"1.41", "1.47"} {
		_, host := playEngine(t, api, "linux", nil)
		e, err := New(t.Context(), Options{Host: host})
		if err != nil {
			t.Fatal(err)
		}
		if got := e.client.ClientVersion(); got != api {
			t.Errorf("speaks %s to an engine of %s", got, api)
		}
		if err := e.Close(); err != nil {
			t.Error(err)
		}
	}
}

func TestEventsEndWithTheEngine(t *testing.T) {
	key := container.Key{App: "web", Role: container.RoleApp, Attempt: 1}
	server, host := playEngine(t, "1.41", "linux", map[string]http.HandlerFunc{
		"/events": func(w http.ResponseWriter, r *http.Request) {
			if f := r.URL.Query().Get("filters"); !strings.Contains(f, "dev.acalocal.environment=dev") {
				t.Errorf("filters %s", f)
			}
			labels, err := json.Marshal(container.EncodeLabels("dev", key))
			if err != nil {
				t.Error(err)
			}
			fmt.Fprintf(w, `{"Type":"container","Action":"die","Actor":{"Attributes":%s}}`+"\n", labels)
			w.(http.Flusher).Flush()
			<-r.Context().Done()
		},
	})
	e, err := New(t.Context(), Options{Host: host})
	if err != nil {
		t.Fatal(err)
	}
	defer e.Close()
	hints, err := e.Events(t.Context(), "dev")
	if err != nil {
		t.Fatal(err)
	}
	if h := <-hints; h.Key != key {
		t.Errorf("hint %+v", h)
	}
	server.CloseClientConnections()
	if h, open := <-hints; open {
		t.Errorf("hint %+v after the engine has gone", h)
	}
}

// TestRefusedEventsEnd takes either way to say so: the client may learn of the
// refusal before or after it returns.
func TestRefusedEventsEnd(t *testing.T) {
	_, host := playEngine(t, "1.41", "linux", map[string]http.HandlerFunc{
		"/events": func(w http.ResponseWriter, _ *http.Request) {
			http.Error(w, `{"message":"no"}`, http.StatusInternalServerError)
		},
	})
	e, err := New(t.Context(), Options{Host: host})
	if err != nil {
		t.Fatal(err)
	}
	defer e.Close()
	hints, err := e.Events(t.Context(), "dev")
	if err != nil {
		return
	}
	if h, open := <-hints; open {
		t.Errorf("hint %+v of an engine that refuses", h)
	}
}

func TestHangingEngineIsLeftInTime(t *testing.T) {
	release := make(chan struct{})
	defer close(release)
	_, host := playEngine(t, "1.41", "linux", map[string]http.HandlerFunc{
		"/containers/json": func(http.ResponseWriter, *http.Request) { <-release },
	})
	e, err := New(t.Context(), Options{Host: host})
	if err != nil {
		t.Fatal(err)
	}
	defer e.Close()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	if _, err := e.List(ctx, "dev"); !errors.Is(err, context.DeadlineExceeded) {
		t.Error(err)
	}
}

func TestPullLogsInAndSaysHowFarItIs(t *testing.T) {
	var pulled atomic.Bool
	_, host := playEngine(t, "1.41", "linux", map[string]http.HandlerFunc{
		"/images/create": func(w http.ResponseWriter, r *http.Request) {
			auth, err := authconfig.Decode(r.Header.Get(registry.AuthHeader))
			if err != nil {
				t.Error(err)
			}
			if want := (registry.AuthConfig{Username: "me", Password: "secret", ServerAddress: "r.example"}); *auth != want {
				t.Errorf("logs in as %+v", auth)
			}
			if q := r.URL.Query(); q.Get("fromImage") != "r.example/web" || q.Get("tag") != "1" {
				t.Errorf("pulls %v", q)
			}
			fmt.Fprintln(w, `{"status":"Downloading","progressDetail":{"current":5,"total":10},"id":"a"}`)
			fmt.Fprintln(w, `{"status":"Pull complete","progressDetail":{},"id":"a"}`)
			pulled.Store(true)
		},
		"/images/": func(w http.ResponseWriter, _ *http.Request) {
			if !pulled.Load() {
				http.Error(w, `{"message":"no such image"}`, http.StatusNotFound)
				return
			}
			fmt.Fprintln(w, `{"Id":"sha256:1","Size":7,"Os":"linux","Architecture":"amd64","Config":{"User":"app","ExposedPorts":{"80/tcp":{}}}}`)
		},
	})
	e, err := New(t.Context(), Options{Host: host})
	if err != nil {
		t.Fatal(err)
	}
	defer e.Close()
	var progress []container.PullProgress
	image, err := e.Pull(t.Context(), container.PullSpec{
		Image: "r.example/web:1", Credentials: &container.Credentials{Server: "r.example", Username: "me", Password: "secret"},
	}, func(p container.PullProgress) { progress = append(progress, p) })
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(container.Image{ID: "sha256:1", Size: 7, Platform: "linux/amd64", User: "app", Ports: []int{80}}, image); diff != "" {
		t.Errorf("image (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]container.PullProgress{{Done: 5, Total: 10}, {Done: 10, Total: 10}}, progress); diff != "" {
		t.Errorf("progress (-want +got):\n%s", diff)
	}
}

func TestResolveTellsWhatRegistriesSay(t *testing.T) {
	const there = "/images/r.example/there:1/json"
	status, answer := 0, ""
	_, host := playEngine(t, "1.41", "linux", map[string]http.HandlerFunc{
		there: func(w http.ResponseWriter, _ *http.Request) { fmt.Fprintln(w, `{"Id":"sha256:1"}`) },
		"/images/": func(w http.ResponseWriter, _ *http.Request) {
			http.Error(w, `{"message":"no such image"}`, http.StatusNotFound)
		},
		"/distribution/": func(w http.ResponseWriter, r *http.Request) {
			auth, err := authconfig.Decode(r.Header.Get(registry.AuthHeader))
			if want := (registry.AuthConfig{Username: "me", Password: "secret", ServerAddress: "r.example"}); err != nil || *auth != want {
				t.Errorf("logs in as %+v, %v", auth, err)
			}
			w.Header().Set("Content-Type", "application/json")
			w.WriteHeader(status)
			fmt.Fprintln(w, answer)
		},
	})
	e, err := New(t.Context(), Options{Host: host})
	if err != nil {
		t.Fatal(err)
	}
	defer e.Close()
	resolve := func(image string, policy container.PullPolicy) error {
		return e.Resolve(t.Context(), container.PullSpec{
			Image: image, Policy: policy, Credentials: &container.Credentials{Server: "r.example", Username: "me", Password: "secret"},
		})
	}
	if err := resolve("r.example/there:1", container.PullMissing); err != nil {
		t.Errorf("an image of the engine: %v", err)
	}
	if err := resolve("r.example/web:1", container.PullNever); container.CodeOf(err) != container.CodeNotFound {
		t.Errorf("an image that is never pulled: %v", err)
	}
	for _, tt := range []struct {
		status int
		answer string
		code   container.Code
		fails  bool
	}{
		{http.StatusOK, `{"Descriptor":{"digest":"sha256:1"}}`, "", false},
		{http.StatusNotFound, `{"message":"manifest unknown: manifest tagged by \"none\" is not found"}`, container.CodeImageMissing, true},
		{http.StatusNotFound, `{"message":"name unknown: repository not known to registry"}`, container.CodeImageMissing, true},
		{http.StatusUnauthorized, `{"message":"unauthorized"}`, container.CodeUnauthorized, true},
		{http.StatusForbidden, `{"message":"denied: requested access to the resource is denied"}`, container.CodeUnauthorized, true},
		{http.StatusInternalServerError, `{"message":"Get \"https://r.example/v2/\": dial tcp: lookup r.example on 10.0.0.1:53: no such host"}`, container.CodeUnreachable, true},
		{http.StatusNotFound, `{"message":"page not found"}`, "", true}, // this engine asks no registry
	} {
		status, answer = tt.status, tt.answer
		if err := resolve("r.example/web:1", container.PullMissing); container.CodeOf(err) != tt.code || (err != nil) != tt.fails {
			t.Errorf("%d %s: code %q, %v", tt.status, tt.answer, container.CodeOf(err), err)
		}
	}
}

func TestPullFailuresHaveCodes(t *testing.T) {
	answer := ""
	_, host := playEngine(t, "1.41", "linux", map[string]http.HandlerFunc{
		"/images/create": func(w http.ResponseWriter, _ *http.Request) { fmt.Fprintln(w, answer) },
		"/images/": func(w http.ResponseWriter, _ *http.Request) {
			http.Error(w, `{"message":"no such image"}`, http.StatusNotFound)
		},
	})
	e, err := New(t.Context(), Options{Host: host})
	if err != nil {
		t.Fatal(err)
	}
	defer e.Close()
	for _, c := range []struct {
		image, answer, want string
		code                container.Code
	}{
		{"web:1", `{"errorDetail":{"message":"manifest unknown"},"error":"manifest unknown"}`, "pull image web:1: manifest unknown", container.CodeImageMissing},
		{"a//b", "", `pull image a//b: "a//b" is not the name of an image`, container.CodeImageMissing},
	} {
		answer = c.answer
		_, err := e.Pull(t.Context(), container.PullSpec{Image: c.image}, nil)
		if err == nil || err.Error() != c.want || container.CodeOf(err) != c.code {
			t.Errorf("%v (code %q), want %s (code %q)", err, container.CodeOf(err), c.want, c.code)
		}
	}
}

// An engine finishes a creation whose caller has gone away. Once Create has
// returned, nothing may come into being any more: what removes an environment
// has looked by then.
func TestCreationIsWaitedForWhenItIsCancelled(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	var created atomic.Bool
	_, host := playEngine(t, "1.41", "linux", map[string]http.HandlerFunc{
		"/containers/create": func(w http.ResponseWriter, r *http.Request) {
			cancel()
			select {
			case <-r.Context().Done(): // the caller has gone
			case <-time.After(100 * time.Millisecond): // it waits
			}
			created.Store(true)
			w.WriteHeader(http.StatusCreated)
			fmt.Fprint(w, `{"Id":"0123456789ab"}`)
		},
	})
	e, err := New(t.Context(), Options{Host: host})
	if err != nil {
		t.Fatal(err)
	}
	defer e.Close()
	_, err = e.Create(ctx, container.Spec{Env: "dev", Image: "app:1", Key: container.Key{App: "web", Role: container.RoleApp, Attempt: 1}})
	if err != nil || !created.Load() {
		t.Errorf("Create returned %v before the container was there (created %v)", err, created.Load())
	}
	if _, err := e.Create(ctx, container.Spec{Env: "dev", Image: "app:1", Key: container.Key{App: "web", Role: container.RoleApp, Attempt: 2}}); !errors.Is(err, context.Canceled) {
		t.Errorf("a creation after the cancellation: %v", err)
	}
}
