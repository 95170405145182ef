package cli

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/rs/zerolog"

	"github.com/acalocal/acalocal/emulator"
	"github.com/acalocal/acalocal/internal/client"
	"github.com/acalocal/acalocal/internal/container"
	"github.com/acalocal/acalocal/internal/container/containertest"
	"github.com/acalocal/acalocal/internal/daemon"
	"github.com/acalocal/acalocal/internal/home"
)

// builder makes images of a machine in memory. An image answers with the text
// of the file "text" of its context; one of "crash" ends at once, one of "hang"
// never listens. A Dockerfile
// with the word BROKEN cannot be built, one with SLOW is built until the build
// is called off.
type builder struct {
	runtime *containertest.Runtime
	calls   chan string // what was asked for

	mu    sync.Mutex
	texts map[string]string // by name and ID, guarded by mu
}

func (b *builder) Close() error { return nil }

func (b *builder) Build(ctx context.Context, s container.BuildSpec) (container.Image, error) {
	b.calls <- "build"
	file, err := os.ReadFile(filepath.Join(s.Context, s.Dockerfile))
	if err != nil {
		return container.Image{}, err
	}
	switch {
	case strings.Contains(string(file), "BROKEN"):
		return container.Image{}, container.Errorf(container.CodeBuild, "", "build %s: line 3: no such package", s.Tag)
	case strings.Contains(string(file), "SLOW"):
		<-ctx.Done()
		b.calls <- "called off"
		return container.Image{}, ctx.Err()
	}
	text, err := os.ReadFile(filepath.Join(s.Context, "text"))
	if err != nil {
		return container.Image{}, err
	}
	sum := sha256.Sum256(append(file, text...))
	id := "sha256:" + hex.EncodeToString(sum[:])
	b.install(string(text), id, s.Tag)
	return container.Image{ID: id}, nil
}

func (b *builder) install(text string, names ...string) {
	text = strings.TrimSpace(text)
	p := containertest.Program{Listens: []int{8000}}
	switch text {
	case "crash":
		p = containertest.Program{ExitAfter: time.Millisecond, ExitCode: 3, Prints: []string{"ImportError: no module named flask"}}
	case "hang":
		p = containertest.Program{}
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, name := range names {
		b.texts[name] = text
		b.runtime.Install(name, p)
		b.runtime.Serve(name, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { fmt.Fprintln(w, text) }))
	}
}

func (b *builder) text(image string) (string, bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	text, ok := b.texts[image]
	return text, ok
}

func (b *builder) Lay(_ context.Context, s container.LayerSpec) (container.Image, error) {
	b.calls <- "lay"
	if _, ok := b.text(s.Base); !ok {
		return container.Image{}, container.Errorf(container.CodeNotFound, "", "no image %s", s.Base)
	}
	for _, f := range s.Files {
		if f.Target != "/srv/text" {
			continue
		}
		text, err := os.ReadFile(f.Source)
		if err != nil {
			return container.Image{}, err
		}
		b.install(string(text), s.Name)
	}
	return container.Image{}, nil
}

func (b *builder) Tag(_ context.Context, image, name string) error {
	text, _ := b.text(image)
	b.install(text, name)
	return nil
}

func (b *builder) Untag(_ context.Context, name string) error {
	b.mu.Lock()
	delete(b.texts, name)
	b.mu.Unlock()
	b.calls <- "untag"
	return nil
}

func (b *builder) Pull(_ context.Context, s container.PullSpec, _ func(container.PullProgress)) (container.Image, error) {
	if _, ok := b.text(s.Image); !ok {
		return container.Image{}, container.Errorf(container.CodeNotFound, "", "no image %s", s.Image)
	}
	return container.Image{ID: s.Image}, nil
}

// watching is an "up" in the foreground over containers in memory, while
// requests come in one after the other.
type watching struct {
	*testing.T
	env      string
	dir      string
	out, err *buffer
	builder  *builder               // of containers in memory
	runtime  *containertest.Runtime // of containers in memory
	client   *client.Client
	ended    chan error
	failed   atomic.Int64
	asked    atomic.Int64
	answer   *buffer // each new text, once
}

// watchedApp has one replica whatever the requests of the tests would make of it.
const watchedApp = `name: web
type: Microsoft.App/containerApps
properties:
  configuration:
    ingress: {external: true, targetPort: 8000}
    maxInactiveRevisions: 1
  template:
    containers: [{name: web, image: "web:1", env: [{name: A, value: "1"}]}]
    scale: {maxReplicas: 1}
`

const watchedDockerfile = "FROM scratch\nWORKDIR /srv\nCOPY . .\n"

func startWatched(t *testing.T) *watching {
	t.Helper()
	w := newWatched(t, "one")
	w.up(w.openImages)
	return w
}

// newWatched is about to run an app of that text in memory.
func newWatched(t *testing.T, text string) *watching {
	t.Helper()
	w := newWatching(t, "watched")
	w.runtime = containertest.NewRuntime(map[string]containertest.Program{})
	w.builder = &builder{runtime: w.runtime, calls: make(chan string, 1000), texts: map[string]string{}}
	w.write("containerapp.yaml", watchedApp)
	w.write("Dockerfile", watchedDockerfile)
	w.write("text", text)
	w.boot()
	return w
}

func (w *watching) openImages(context.Context) (imageEngine, error) { return w.builder, nil }

func newWatching(t *testing.T, env string) *watching {
	t.Helper()
	t.Setenv("ACALOCAL_STATE_DIR", t.TempDir())
	t.Setenv("ACALOCAL_ENVIRONMENT", env)
	return &watching{T: t, env: env, dir: t.TempDir(), out: newBuffer(), err: newBuffer(), answer: newBuffer(), ended: make(chan error, 1)}
}

// up begins and returns when the app answers.
func (w *watching) up(openImages func(context.Context) (imageEngine, error)) {
	w.Helper()
	w.begin(openImages)
	w.out.waitFor(w.T, "web is ready at ")
	w.load()
	w.answer.waitFor(w.T, "one\n")
}

// begin runs "up" in the foreground until the end of the test, which is a Ctrl-C.
func (w *watching) begin(openImages func(context.Context) (imageEngine, error)) {
	w.Helper()
	always := context.WithoutCancel(w.Context())
	first, interrupt := context.WithCancel(always)
	u := &upRun{
		s: Streams{Out: w.out, Err: w.err}, o: upOptions{path: w.dir, watch: true}, begin: time.Now(),
		user:       &interrupts{first: first, second: always, stop: func() {}},
		openImages: openImages,
	}
	u.o.overrides.Environment = w.env
	u.roll = newRollout(w.err, u.begin)
	if err := u.load(first); err != nil {
		w.Fatal(err)
	}
	w.client = u.client
	go func() { w.ended <- u.runAttached(always) }()
	w.Cleanup(func() {
		interrupt()
		if err := <-w.ended; err != nil {
			w.Errorf("up ended with %v\n%s", err, w.err)
		}
	})
}

// boot starts the daemon that "up" joins.
func (w *watching) boot() {
	d, err := daemon.New(daemon.Options{
		Environment: w.env, Home: home.At(os.Getenv("ACALOCAL_STATE_DIR")), Runtime: w.runtime, Log: zerolog.Nop(), TimeScale: 10,
		Port: w.freePort(), TLSPort: w.freePort(), AppPorts: w.freePort(),
	})
	if err != nil {
		w.Fatal(err)
	}
	ready, ended := make(chan struct{}), make(chan error, 1)
	go func() { ended <- d.Run(context.Background(), func() { close(ready) }) }()
	select {
	case <-ready:
	case err := <-ended:
		w.Fatal(err)
	}
	w.Cleanup(func() {
		if err := <-ended; err != nil {
			w.Errorf("the daemon ended with %v", err)
		}
		if left := w.runtime.String(); left != "" {
			w.Errorf("containers are left:\n%s", left)
		}
	})
}

func (w *watching) freePort() int {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		w.Fatal(err)
	}
	defer l.Close()
	return l.Addr().(*net.TCPAddr).Port
}

func (w *watching) write(name, text string) {
	w.Helper()
	path := filepath.Join(w.dir, filepath.FromSlash(name))
	if err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o755), os.WriteFile(path+"~", []byte(text), 0o644), os.Rename(path+"~", path)); err != nil {
		w.Fatal(err)
	}
}

// load asks the app until the test ends, which fails when a request did.
func (w *watching) load() {
	snap := w.snapshot()
	url := snap.App("web").Local.URL
	ctx, stop := context.WithCancel(w.Context())
	done := make(chan struct{})
	go func() {
		defer close(done)
		last := ""
		pace := time.NewTicker(time.Millisecond)
		defer pace.Stop()
		for ctx.Err() == nil {
			<-pace.C
			w.asked.Add(1)
			text, err := ask(url)
			if err != nil && ctx.Err() == nil {
				w.failed.Add(1)
				w.Error(err)
			}
			if err == nil && text != last {
				last = text
				fmt.Fprint(w.answer, text)
			}
		}
	}()
	w.Cleanup(func() {
		stop()
		<-done
		w.Logf("%d requests, %d failed", w.asked.Load(), w.failed.Load())
	})
}

func ask(url string) (string, error) {
	resp, err := http.Get(url)
	if err != nil {
		return "", err
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err == nil && resp.StatusCode != 200 {
		err = fmt.Errorf("%s: %s", resp.Status, text)
	}
	return string(text), err
}

func (w *watching) snapshot() *emulator.Snapshot {
	w.Helper()
	snap, err := w.client.Snapshot(w.Context())
	if err != nil {
		w.Fatal(err)
	}
	return snap
}

// waitFor follows the states until one is as wanted.
func (w *watching) waitFor(what string, cond func(*emulator.App) bool) {
	w.Helper()
	ctx, cancel := context.WithTimeout(w.Context(), patience)
	defer cancel()
	for snap, err := range w.client.Watch(ctx) {
		if err != nil {
			w.Fatalf("waited in vain until %s: %v\n%s", what, err, w.err)
		}
		if app := snap.App("web"); app != nil && cond(app) {
			return
		}
	}
	w.Fatalf("waited in vain until %s\n%s", what, w.err)
}

// called lists what the builder was asked for so far.
func (w *watching) called() []string {
	var out []string
	for {
		select {
		case c := <-w.builder.calls:
			out = append(out, c)
		default:
			return out
		}
	}
}

func (w *watching) expect(want ...string) {
	w.Helper()
	if got := w.called(); !slices.Equal(got, want) {
		w.Errorf("the image engine was asked to %q, want %q", got, want)
	}
}

func TestASavedFileIsSyncedAndServes(t *testing.T) {
	w := startWatched(t)
	w.expect("build")
	w.write("text", "two")
	w.answer.waitFor(t, "two\n")
	w.err.waitFor(t, "text changed: sync into web\n")
	w.err.waitFor(t, "reloaded web in ")
	w.expect("lay")
	w.waitFor("the old revision is gone", func(a *emulator.App) bool {
		return len(a.Revisions) == 2 && !a.Revisions[0].Properties.Active && len(a.Revisions[0].Replicas) == 0
	})
}

func TestAFileThatIsNotOnlyCopiedIsRebuilt(t *testing.T) {
	w := startWatched(t)
	w.write("Dockerfile", watchedDockerfile+"ENV B=1\n")
	w.write("text", "two")
	w.answer.waitFor(t, "two\n")
	w.err.waitFor(t, "rebuild of web (the Dockerfile or its ignore rules changed)\n")
	w.write("text", "three") // over the new image, not the first one
	w.answer.waitFor(t, "three\n")
	made := slices.DeleteFunc(w.called(), func(call string) bool { return call == "untag" }) // which is of older ones, at any time
	if made[len(made)-1] != "lay" {
		t.Errorf("after a rebuild the engine was asked to %q", made)
	}
}

func TestASaveDuringARollOutStartsFromIt(t *testing.T) {
	w := startWatched(t)
	w.write("text", "hang")
	w.err.waitFor(t, "web gets the revision web--0000001\n")
	w.write("Dockerfile", watchedDockerfile+"ENV B=1\n")
	w.err.waitFor(t, "web gets the revision web--0000002\n")
	w.write("text", "two") // over the image that is not ready, as nothing else has changed since
	w.answer.waitFor(t, "two\n")
	made := slices.DeleteFunc(w.called(), func(call string) bool { return call == "untag" })
	if want := []string{"build", "lay", "build", "lay"}; !slices.Equal(made, want) {
		t.Errorf("the image engine was asked to %q, want %q", made, want)
	}
}

func TestABrokenBuildKeepsWhatRuns(t *testing.T) {
	w := startWatched(t)
	w.write("Dockerfile", watchedDockerfile+"RUN BROKEN\n")
	w.err.waitFor(t, "line 3: no such package\nhint: what runs keeps running; mend it and save\n")
	if n := len(w.snapshot().App("web").Revisions); n != 1 {
		t.Errorf("%d revisions after a broken build", n)
	}
	w.write("text", "two") // the Dockerfile is still to be built
	w.write("Dockerfile", watchedDockerfile)
	w.answer.waitFor(t, "two\n")
}

func TestACrashAtTheStartKeepsWhatRuns(t *testing.T) {
	w := startWatched(t)
	old := w.snapshot().App("web").Properties.LatestReadyRevisionName
	w.write("text", "crash")
	w.err.waitFor(t, "hint: "+old+" keeps serving; mend the code and save\n")
	w.err.waitFor(t, "ImportError: no module named flask")
	if text := w.err.String(); strings.Contains(text, "acalocal up") {
		t.Errorf("a save is enough, and yet it says:\n%s", text)
	}
	w.write("text", "two")
	w.answer.waitFor(t, "two\n")
	if text := w.answer.String(); text != "one\ntwo\n" {
		t.Errorf("answers were %q", text)
	}
}

func TestAFileThatNoBuildSeesIsNoChange(t *testing.T) {
	w := newWatched(t, "one")
	w.write("Dockerfile", "FROM scratch\nWORKDIR /srv\nCOPY text .\n")
	w.up(w.openImages)
	w.expect("build")
	w.write("notes.md", "to do")
	w.write("text", "two") // which a rebuild for the notes would take, too
	w.answer.waitFor(t, "two\n")
	w.expect("lay")
	w.write("Dockerfile", watchedDockerfile)
	w.err.waitFor(t, ": web--0000002 serves (")
	w.write("notes.md", "done")
	w.err.waitFor(t, "notes.md changed: sync into web\n")
}

func TestOwnOutputIsNoChange(t *testing.T) {
	dir := t.TempDir()
	log, err := os.Create(filepath.Join(dir, "up.log"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { log.Close() })
	if err := os.WriteFile(filepath.Join(dir, "app.py"), nil, 0o644); err != nil {
		t.Fatal(err)
	}
	r := &reloader{upRun: &upRun{s: Streams{Out: io.Discard, Err: log}}}
	ignored := r.exceptOutput(dir, func(rel string, _ bool) bool { return rel == "venv" })
	for rel, want := range map[string]bool{"up.log": true, "app.py": false, "venv": true, "gone": false} {
		if got := ignored(rel, rel == "venv"); got != want {
			t.Errorf("%s: ignored %t, want %t", rel, got, want)
		}
	}
}

func TestAFirstRevisionThatCrashesIsMendedByASave(t *testing.T) {
	w := newWatched(t, "crash")
	w.begin(w.openImages)
	w.err.waitFor(t, "hint: the environment keeps running; mend it and save, or end it with Ctrl-C\n")
	w.write("other", "1")
	w.err.waitFor(t, "hint: nothing serves; mend the code and save\n")
	w.write("text", "two")
	w.out.waitFor(t, "web is ready at ")
	if text := w.err.String(); strings.Contains(text, "keeps serving") || strings.Count(text, "hint:") != 2 {
		t.Errorf("the hints are not one a crash, and true:\n%s", text)
	}
}

func TestADefinitionThatFailsKeepsWhatRuns(t *testing.T) {
	w := startWatched(t)
	old := w.snapshot().App("web").Properties.LatestReadyRevisionName
	w.builder.install("crash", "crashes:1")
	w.write("containerapp.yaml", strings.Replace(watchedApp, `value: "1"}]}]`, `value: "1"}]}, {name: side, image: "crashes:1"}]`, 1))
	w.err.waitFor(t, "hint: "+old+" keeps serving; mend the definition and save\n")
	w.write("containerapp.yaml", strings.Replace(watchedApp, `value: "1"`, `value: "2"`, 1))
	w.err.waitFor(t, "reloaded web in ")
	if n := strings.Count(w.err.String(), "logs in the browser"); n > 1 {
		t.Errorf("it is said %d times where the logs are", n)
	}
}

func TestANewerSaveCallsAnOlderBuildOff(t *testing.T) {
	w := startWatched(t)
	w.expect("build")
	w.write("Dockerfile", watchedDockerfile+"RUN SLOW\n")
	if got := <-w.builder.calls; got != "build" {
		t.Fatalf("the engine was asked to %s", got)
	}
	w.write("Dockerfile", watchedDockerfile)
	w.write("text", "two")
	w.answer.waitFor(t, "two\n")
	if got := w.called(); got[0] != "called off" {
		t.Errorf("the engine was asked to %q", got)
	}
}

func TestASwitchOfBranchesIsARebuild(t *testing.T) {
	w := startWatched(t)
	w.expect("build")
	for i := range 10_000 {
		dir := filepath.Join(w.dir, fmt.Sprint(i%50))
		if err := errors.Join(os.MkdirAll(dir, 0o755), os.WriteFile(filepath.Join(dir, fmt.Sprint(i, ".py")), []byte("x"), 0o644)); err != nil {
			t.Fatal(err)
		}
	}
	w.write("text", "two")
	w.answer.waitFor(t, "two\n")
	w.err.waitFor(t, "the tree changed: rebuild of web (too many files changed to name them)\n")
	if n := len(w.called()); n > 20 { // one or two, unless the machine is slow to write
		t.Errorf("%d builds for one switch", n)
	}
}

func TestAChangedDefinitionIsApplied(t *testing.T) {
	w := startWatched(t)
	w.expect("build")
	w.write("containerapp.yaml", strings.Replace(watchedApp, `value: "1"`, `value: "2"`, 1))
	w.err.waitFor(t, "create revision of web (template changed)")
	w.err.waitFor(t, "reloaded web in ")
	env := w.snapshot().App("web").Properties.Template.Containers[0].Env
	if len(env) != 1 || env[0].Value != "2" {
		t.Errorf("the environment is %v", env)
	}
	w.write("containerapp.yaml", strings.NewReplacer(`value: "1"`, `value: "2"`, "maxInactiveRevisions: 1", "activeRevisionsMode: Multiple").Replace(watchedApp))
	w.err.waitFor(t, "web is changed and keeps the revision web--0000001\n          revision mode Single becomes Multiple\napplied without a new revision in ")
	w.write("containerapp.yaml", "name: web\ntype: Microsoft.App/containerApps\nproperties: {configuration: {ingres: {}}}\n")
	w.err.waitFor(t, "hint: what runs keeps running; mend it and save\n")
	w.expect()
}

// Between two steps of an editor or of git the definition may be gone; the
// Dockerfile beside it is no definition then.
func TestADefinitionThatIsGoneKeepsWhatRuns(t *testing.T) {
	w := startWatched(t)
	w.expect("build")
	if err := os.Remove(filepath.Join(w.dir, "containerapp.yaml")); err != nil {
		t.Fatal(err)
	}
	w.err.waitFor(t, "containerapp.yaml is gone, and with it the app web\nhint: what runs keeps running; mend it and save\n")
	if n := len(w.snapshot().Apps); n != 1 {
		t.Errorf("%d apps run", n)
	}
	w.write("containerapp.yaml", strings.Replace(watchedApp, `value: "1"`, `value: "2"`, 1))
	w.err.waitFor(t, "reloaded web in ")
}

func TestASuffixIsUsedOnce(t *testing.T) {
	w := startWatched(t)
	w.write("containerapp.yaml", strings.Replace(watchedApp, "  template:\n", "  template:\n    revisionSuffix: s1\n", 1))
	w.err.waitFor(t, "reloaded web in ")
	if got := w.snapshot().App("web").Properties.LatestRevisionName; got != "web--s1" {
		t.Fatalf("the latest revision is %s", got)
	}
	w.write("text", "two")
	w.err.waitFor(t, "the suffix s1 of web is used; the new revision gets a number\n")
	w.answer.waitFor(t, "two\n")
	if got := w.snapshot().App("web").Properties.LatestRevisionName; got != "web--0000002" {
		t.Errorf("the latest revision is %s", got)
	}
}

func TestImagesGoWithTheRevisionsThatNeedThem(t *testing.T) {
	w := startWatched(t)
	for _, text := range []string{"two", "three", "four", "five", "six"} {
		w.write("text", text)
		w.answer.waitFor(t, text+"\n")
		w.waitFor("the revision before is gone", func(a *emulator.App) bool {
			return !slices.ContainsFunc(a.Revisions, func(r emulator.Revision) bool {
				return r.Name != a.Properties.LatestRevisionName && (r.Properties.Active || len(r.Replicas) > 0)
			})
		})
	}
	for _, r := range w.snapshot().App("web").Revisions {
		image := r.Properties.Template.Containers[0].Image
		if _, ok := w.builder.text(image); !ok {
			t.Errorf("%s can be activated and its image %s is gone", r.Name, image)
		}
	}
	if got := w.called(); !slices.Contains(got, "untag") {
		t.Errorf("no image was removed: %q", got)
	}
}
