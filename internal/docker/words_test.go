package docker

import (
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/moby/moby/api/types/jsonstream"

	"github.com/acalocal/acalocal/internal/container"
)

// TestEngineWords holds what engines say against the codes callers act on.
func TestEngineWords(t *testing.T) {
	for text, want := range map[string]container.Code{
		`failed to create shim task: OCI runtime create failed: runc create failed: unable to start container process: exec: "python": executable file not found in $PATH: unknown`: container.CodeCreate,
		`OCI runtime create failed: container_linux.go:380: starting container process caused: exec: "/x": permission denied: unknown`:                                              container.CodeCreate,
		`No command specified`: container.CodeCreate,
		`invalid mount config for type "bind": bind source path does not exist: /nowhere`:             container.CodeMount,
		`error while mounting volume '/var/lib/docker/volumes/x/_data': failed to mount local volume`: container.CodeMount,
		`write /var/lib/docker/tmp/x: no space left on device`:                                        container.CodeDiskFull,
		`something else`: "",
	} {
		if got, _ := classify(errors.New(text)); got != want {
			t.Errorf("code %q, want %q: %s", got, want, text)
		}
	}
}

// TestRegistryWords holds what registries say, as engines pass it on.
func TestRegistryWords(t *testing.T) {
	for text, want := range map[string]container.Code{
		`manifest for nginx:nope not found: manifest unknown: manifest unknown`:                                                                       container.CodeImageMissing,
		`failed to resolve reference "docker.io/library/nginx:nope": docker.io/library/nginx:nope: not found`:                                         container.CodeImageMissing,
		`pull access denied for nothere, repository does not exist or may require 'docker login': denied: requested access to the resource is denied`: container.CodeImageMissing,
		`Head "https://example.azurecr.io/v2/app/manifests/1": unauthorized: authentication required`:                                                 container.CodeUnauthorized,
		`error from registry: denied`: container.CodeUnauthorized,
		`Get "https://acalocal.invalid/v2/": dial tcp: lookup acalocal.invalid on 10.0.0.1:53: no such host`:                                               container.CodeUnreachable,
		`Get "https://registry-1.docker.io/v2/": net/http: request canceled while waiting for connection (Client.Timeout exceeded while awaiting headers)`: container.CodeUnreachable,
		`Get "https://r.example/v2/": x509: certificate signed by unknown authority`:                                                                       container.CodeUnreachable,
		`no matching manifest for linux/arm64/v8 in the manifest list entries`:                                                                             container.CodePlatform,
		`failed to register layer: write /usr/lib/x: no space left on device`:                                                                              container.CodeDiskFull,
		`something else`: "",
	} {
		if got, _ := classifyPull(text); got != want {
			t.Errorf("code %q, want %q: %s", got, want, text)
		}
	}
}

func TestErrorsKeepTheEnginesWords(t *testing.T) {
	e := &Engine{host: "unix:///x"}
	err := e.wrap(errors.New(`Error response from daemon: failed to create shim task: OCI runtime create failed: exec: "x"`), "start container %s", "abc")
	want := `start container abc: failed to create shim task: OCI runtime create failed: exec: "x"`
	if err.Error() != want || container.CodeOf(err) != container.CodeCreate {
		t.Errorf("%v (code %q), want %s", err, container.CodeOf(err), want)
	}
	if again := e.wrap(err, "again"); container.CodeOf(again) != container.CodeCreate {
		t.Errorf("wrapped again: %v", again)
	}
}

func TestPullProgressAddsUpLayers(t *testing.T) {
	s := layerSum{layers: map[string]container.PullProgress{}}
	var got []container.PullProgress
	message := func(id, status string, done, total int64) {
		m := jsonstream.Message{ID: id, Status: status}
		if total > 0 {
			m.Progress = &jsonstream.Progress{Current: done, Total: total}
		}
		if s.add(m) {
			got = append(got, s.total)
		}
	}
	message("", "Pulling from library/python", 0, 0)
	message("a", "Pulling fs layer", 0, 0)
	message("a", "Downloading", 10, 100)
	message("b", "Already exists", 0, 0)
	message("c", "Downloading", 50, 50)
	message("a", "Download complete", 0, 0)
	message("a", "Extracting", 20, 100)
	message("a", "Pull complete", 0, 0)
	want := []container.PullProgress{{Done: 10, Total: 100}, {Done: 60, Total: 150}, {Done: 150, Total: 150}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("progress (-want +got):\n%s", diff)
	}
}

func TestNoPermissionSaysWhatToDo(t *testing.T) {
	e := &Engine{host: "unix:///var/run/docker.sock"}
	var got *container.Error
	err := e.connectError(errors.New("permission denied while trying to connect to the docker API at unix:///var/run/docker.sock"))
	if !errors.As(err, &got) || got.Code != container.CodePermission || got.Hint == "" ||
		got.Error() != "you may not use the Docker Engine at unix:///var/run/docker.sock" {
		t.Errorf("%v, %+v", err, got)
	}
}

func TestWordsOfTheEngineAreApartFromOurs(t *testing.T) {
	const words = `OCI runtime create failed: exec: "python": executable file not found in $PATH: unknown`
	err := (&Engine{}).wrap(errors.New("Error response from daemon: "+words), "start container %s", "0123456789ab")
	if got, want := err.Error(), "start container 0123456789ab: "+words; got != want {
		t.Errorf("the error is %q, want %q", got, want)
	}
	if got := container.WordsOf(err); got != words {
		t.Errorf("the engine's words are %q, want %q", got, words)
	}
	if got := container.WordsOf(errors.New("ours")); got != "ours" {
		t.Errorf("an error without words of an engine is %q", got)
	}
}
