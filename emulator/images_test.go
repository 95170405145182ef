package emulator

import (
	"context"
	"errors"
	"testing"

	"github.com/acalocal/acalocal/emulator/aca"
	"github.com/acalocal/acalocal/internal/container"
)

// answering is an engine whose registries answer for some images.
type answering struct {
	container.Runtime
	answers map[string]error
}

func (a answering) Resolve(ctx context.Context, s container.PullSpec) error {
	if err, ok := a.answers[s.Image]; ok {
		return err
	}
	return a.Runtime.Resolve(ctx, s)
}

func TestImagesThatDoNotExistAreRefused(t *testing.T) {
	const invalid = "(ContainerAppOperationError) Failed to provision revision for container app 'web'. Error details: " +
		"The following field(s) are either invalid or missing. Field 'template.containers.app.image' is invalid with details: "
	inBubble(t, func(w *world) {
		w.stop()
		w.through = func(rt container.Runtime) container.Runtime {
			return answering{rt, map[string]error{
				"r.example/team/private:1": container.Errorf(container.CodeUnauthorized, "log in", "denied"),
				"r.example/far:1":          container.Errorf(container.CodeUnreachable, "", "no such host"),
				"r.example/odd:1":          errors.New("the engine cannot ask registries"),
			}}
		}
		w.boot()
		app := w.app("r.example/app:none")
		want := invalid + `'Invalid value: "r.example/app:none": GET https:: MANIFEST_UNKNOWN: manifest tagged by "none" is not found; map[Tag:none]';..`
		if _, err := w.engine.Apply(w.Context(), ApplyRequest{App: app}); err == nil || err.Error() != want {
			w.Errorf("create:\n got %v\nwant %s", err, want)
		}
		if s := w.engine.Snapshot(); s.App("web") != nil {
			w.Error("the app is there")
		}

		if _, err := w.engine.Apply(w.Context(), ApplyRequest{App: w.app("web:1")}); err != nil {
			w.Fatal(err)
		}
		w.waitFor("web is ready", ready)
		change := func(image string, local ...string) error {
			w.Helper()
			app := *w.engine.Snapshot().App("web").ContainerApp.Clone()
			app.Properties.Template.Containers[0].Image = image
			_, err := w.engine.Update(w.Context(), ApplyRequest{App: app, LocalImages: local})
			return err
		}
		var refused *aca.Error
		for image, answer := range map[string]string{
			"r.example/app:none":       `GET https:: MANIFEST_UNKNOWN: manifest tagged by "none" is not found; map[Tag:none]`,
			"r.example/app":            `GET https:: MANIFEST_UNKNOWN: manifest tagged by "latest" is not found; map[Tag:latest]`,
			"r.example/team/private:1": "GET https:?scope=repository%3Ateam%2Fprivate%3Apull&service=r.example: UNAUTHORIZED: authentication required",
		} {
			want := invalid + `'Invalid value: "` + image + `": ` + answer + `';..`
			if err := change(image); !errors.As(err, &refused) || err.Error() != want {
				w.Errorf("update:\n got %v\nwant %s", err, want)
			} else if refused.Target != "properties.template.containers[0].image" {
				w.Errorf("target: %s", refused.Target)
			}
		}
		if n := len(w.engine.Snapshot().App("web").Revisions); n != 1 {
			w.Errorf("%d revisions after updates that were refused", n)
		}
		var cause *container.Error
		if err := change("r.example/team/private:1"); !errors.As(err, &cause) || cause.Hint != "log in" {
			w.Errorf("%v says nothing about what to do", err)
		}
		for _, image := range []string{"r.example/far:1", "r.example/odd:1"} {
			if err := change(image); err != nil {
				w.Errorf("no registry has said anything about %s: %v", image, err)
			}
		}
		if err := change("web:unpushed", "web:unpushed"); err != nil {
			w.Errorf("an image of this machine: %v", err)
		}
	})
}
