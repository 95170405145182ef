package explain

import (
	"fmt"
	"strings"

	"github.com/acalocal/acalocal/internal/explain/event"
)

// pullFailure is a container whose image could not be had and that has not
// got it since.
func (f *facts) pullFailure() (*containerFacts, event.Event) {
	for _, c := range f.containers {
		failed := c.terminated("ImagePullFailure")
		if len(failed) == 0 {
			continue
		}
		end := failed[len(failed)-1]
		since := c.find(func(e event.Event) bool { return e.Kind == event.Started && e.Time.After(end.Time) })
		if len(since) == 0 {
			return c, end
		}
	}
	return nil, event.Event{}
}

// pullDetail is the registry's own words, which are in the row or beside it.
func (c *containerFacts) pullDetail(end event.Event) string {
	if end.Detail != "" {
		return end.Detail
	}
	for _, e := range c.ends {
		if e.Reason == "ImagePullFailure" {
			return e.Detail
		}
	}
	return ""
}

func imageUnauthorized(f *facts) *Verdict {
	c, end := f.pullFailure()
	if c == nil {
		return nil
	}
	refused := filter(f.events, func(e event.Event) bool { return e.Kind == event.PullUnauthorized })
	if len(refused) == 0 {
		return nil
	}
	v := &Verdict{
		Title: fmt.Sprintf("the registry refuses to give out the image %s", c.Image),
		Why: fmt.Sprintf("The pull of container %s was answered with \"unauthorized\": the credentials are missing or wrong, or they have no right to this repository. "+
			"Replicas that already run are not touched; new ones cannot start.", c.Name),
		Evidence: evidence(rowLine(refused[len(refused)-1]), rowLine(end)),
		Fix: fmt.Sprintf("Log in on this machine with \"docker login %s\", or give the app the registry's user name and a passwordSecretRef under configuration.registries. "+
			"On Azure, grant the app's identity AcrPull.", registryOf(c.Image)),
	}
	if detail := c.pullDetail(end); detail != "" {
		v.Evidence = append(v.Evidence, Line{Text: clip(detail)})
	}
	return v
}

func imageMissing(f *facts) *Verdict {
	c, end := f.pullFailure()
	if c == nil {
		return nil
	}
	detail := c.pullDetail(end)
	if containsAny(detail, "no such host", "i/o timeout", "connection refused", "TLS handshake timeout", "network is unreachable") {
		return &Verdict{
			Title:    fmt.Sprintf("the registry of the image %s cannot be reached", c.Image),
			Why:      "The container engine could not connect to the registry, so nothing is known about the image itself.",
			Evidence: evidence(rowLine(end)),
			Fix:      fmt.Sprintf("Check the network and the name of the registry: docker pull %s.", c.Image),
		}
	}
	return &Verdict{
		Title: fmt.Sprintf("the image %s does not exist in its registry", c.Image),
		Why: fmt.Sprintf("The registry has no such repository or tag, so container %s was never created. "+
			"An update is refused when the registry says so, with MANIFEST_UNKNOWN; here it could not be asked, or had the image then.", c.Name),
		Evidence: evidence(rowLine(end)),
		Fix:      fmt.Sprintf("Check the name and the tag, and that the image was pushed: docker manifest inspect %s. For an image built here, name its Dockerfile in acalocal.yaml.", c.Image),
	}
}

func imageChecked(f *facts) string {
	var images []string
	for _, c := range f.containers {
		if c.lastStart().IsZero() && !c.running {
			return ""
		}
		images = append(images, c.Image)
	}
	return "images are present: " + strings.Join(images, ", ")
}

// platformWords are what engines say about an image for another platform.
var platformWords = []string{"exec format error", "no matching manifest for", "does not match the specified platform", "no child with platform", "no match for platform"}

// architecture: ACA runs linux/amd64 only
// (https://learn.microsoft.com/azure/container-apps/containers).
func architecture(f *facts) *Verdict {
	for _, c := range f.containers {
		line, ok := c.platformLine(f)
		if !ok {
			continue
		}
		return &Verdict{
			Title: fmt.Sprintf("the image %s is not built for this platform", c.Image),
			Why: fmt.Sprintf("The program in the image of container %s cannot be executed on this machine's processor. "+
				"Azure Container Apps runs linux/amd64 only; an image built on a Mac with Apple silicon is linux/arm64 unless it is told otherwise.", c.Name),
			Evidence: []Line{line},
			Fix:      "Build the image for the platform it runs on: docker build --platform linux/amd64, or docker buildx build --platform linux/amd64,linux/arm64.",
		}
	}
	return nil
}

func (c *containerFacts) platformLine(f *facts) (Line, bool) {
	for _, e := range last(c.terminated("ContainerCreateFailure"), 1) {
		if containsAny(e.Detail, platformWords...) {
			return rowLine(e), true
		}
	}
	for _, e := range last(c.terminated("ImagePullFailure"), 1) {
		if containsAny(c.pullDetail(e), platformWords...) {
			return rowLine(e), true
		}
	}
	ends := c.terminated("ProcessExited")
	if len(ends) == 0 || c.stable(f, ends[len(ends)-1]) {
		return Line{}, false
	}
	for _, l := range last(c.lines, 3) {
		if strings.HasPrefix(l.Text, "exec ") && strings.HasSuffix(strings.TrimSpace(l.Text), "exec format error") {
			return outputLine(l), true
		}
	}
	return Line{}, false
}

func containsAny(text string, words ...string) bool {
	for _, w := range words {
		if strings.Contains(text, w) {
			return true
		}
	}
	return false
}

// registryOf is the host of an image's registry.
func registryOf(image string) string {
	host, _, found := strings.Cut(image, "/")
	if found && (strings.ContainsAny(host, ".:") || host == "localhost") {
		return host
	}
	return "docker.io"
}
