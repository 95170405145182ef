package cli

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/acalocal/acalocal/emulator"
)

const dockerWatched = `FROM scratch
COPY app /app
WORKDIR /srv
ENV GREETING_FILE=/srv/text
COPY text .
ENTRYPOINT ["/app"]
`

// TestDockerWatch edits a file of an app that runs in Docker, while requests
// come in one after the other, none of which may fail.
func TestDockerWatch(t *testing.T) {
	if os.Getenv("ACALOCAL_DOCKER") == "" {
		t.Skip("needs a Docker Engine; set ACALOCAL_DOCKER=1 to run it")
	}
	w := newWatching(t, fmt.Sprintf("watchtest%d", os.Getpid()))
	cmd := exec.Command("go", "build", "-o", filepath.Join(w.dir, "app"), "./testdata/app")
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0", "GOOS=linux")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("build testdata/app: %v\n%s", err, out)
	}
	w.write("containerapp.yaml", watchedApp)
	w.write("Dockerfile", dockerWatched)
	w.write("text", "one")
	t.Cleanup(func() { w.wantNoContainers("after the end", "dev.acalocal.environment="+w.env) })
	w.up(openDocker)
	first := w.snapshot().App("web").Properties.LatestRevisionName

	w.write("text", "two")
	w.answer.waitFor(t, "two\n")
	w.err.waitFor(t, "text changed: sync into web\n")
	w.waitFor("the old revision is gone", func(a *emulator.App) bool {
		old := a.Revision(first)
		return old == nil || !old.Properties.Active && len(old.Replicas) == 0
	})
	w.waitForNoContainers("dev.acalocal.revision=" + first)
	w.err.waitFor(t, "reloaded web in ")

	w.write("Dockerfile", dockerWatched+"COPY none .\n")
	w.err.waitFor(t, "hint: what runs keeps running; mend it and save\n")
	w.write("Dockerfile", dockerWatched+"ENV A=1\n")
	w.write("text", "crash")
	w.err.waitFor(t, "keeps serving; mend the code and save\n")
	w.err.waitFor(t, "cannot use the greeting crash")
	w.write("text", "three")
	w.answer.waitFor(t, "three\n")
	if got := w.answer.String(); got != "one\ntwo\nthree\n" {
		t.Errorf("answers were %q", got)
	}
	w.waitFor("one replica is left", func(a *emulator.App) bool {
		n := 0
		for _, r := range a.Revisions {
			n += len(r.Replicas)
		}
		return n == 1
	})
}

// wantNoContainers looks for containers with a label, running or not.
func (w *watching) wantNoContainers(when, label string) {
	w.Helper()
	if ids := w.containers(label); len(ids) > 0 {
		w.Errorf("%s there are containers with %s: %q", when, label, ids)
	}
}

// waitForNoContainers looks again with each container that Docker removes.
func (w *watching) waitForNoContainers(label string) {
	w.Helper()
	ctx, cancel := context.WithTimeout(w.Context(), 2*time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, "docker", "events", "--since", "1h", "--filter", "event=destroy", "--filter", "label="+label)
	events, err := cmd.StdoutPipe()
	if err != nil {
		w.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		w.Fatal(err)
	}
	defer func() {
		cancel()
		_ = cmd.Wait() // it was killed
	}()
	for removed := bufio.NewScanner(events); len(w.containers(label)) > 0; {
		if !removed.Scan() {
			w.Fatalf("there still are containers with %s", label)
		}
	}
}

// containers are the ids of the containers with a label, running or not.
func (w *watching) containers(label string) []string {
	w.Helper()
	out, err := exec.Command("docker", "ps", "-aq", "--filter", "label="+label).CombinedOutput()
	if err != nil {
		w.Fatalf("docker ps: %v\n%s", err, out)
	}
	return strings.Fields(string(out))
}
