package emulator

import (
	"context"
	"fmt"
	"net/url"
	"slices"
	"time"

	"github.com/distribution/reference"

	"github.com/acalocal/acalocal/emulator/aca"
	"github.com/acalocal/acalocal/internal/container"
	"github.com/acalocal/acalocal/internal/core"
)

// resolveTimeout is how long a registry may take to say whether it has an image.
const resolveTimeout = 15 * time.Second

// checkImages refuses an app whose new images its registry does not have, or
// does not give, as Azure does before there is a revision
// (github.com/yeongseon/azure-container-apps-practical-guide
// labs/acr-pull-failure). What no registry says is left to the pull: rows tell
// of its failure.
func (e *Engine) checkImages(ctx context.Context, req *ApplyRequest, app aca.ContainerApp) error {
	ctx, cancel := context.WithTimeout(ctx, resolveTimeout)
	defer cancel()
	known := slices.Clone(req.LocalImages)
	if there := e.Snapshot().App(app.Name); there != nil {
		for _, field := range containerFields(there.Properties.Template) {
			for _, c := range field.list {
				known = append(known, c.Image)
			}
		}
	}
	for _, field := range containerFields(app.Properties.Template) {
		for i, c := range field.list {
			if slices.Contains(known, c.Image) {
				continue
			}
			err := e.o.Runtime.Resolve(ctx, core.PullSpec(app, c.Image))
			if code := container.CodeOf(err); code == container.CodeImageMissing || code == container.CodeUnauthorized {
				refused := aca.ProvisionError(app.Name, fmt.Sprintf("template.%s.%s.image", field.name, c.Name), c.Image,
					registryAnswer(c.Image, code), fmt.Sprintf("properties.template.%s[%d].image", field.name, i))
				refused.Cause = err // its hint
				return refused
			}
		}
	}
	return nil
}

// containerField is one of a template's two lists of containers.
type containerField struct {
	name string
	list []aca.Container
}

func containerFields(t aca.Template) []containerField {
	return []containerField{{"initContainers", t.InitContainers}, {"containers", t.Containers}}
}

// registryAnswer is what a registry that refuses an image says, as Azure passes
// it on.
func registryAnswer(image string, code container.Code) string {
	name, err := reference.ParseNormalizedNamed(image)
	if err != nil {
		return "could not parse reference: " + image
	}
	if code == container.CodeUnauthorized {
		asked := url.Values{"scope": {"repository:" + reference.Path(name) + ":pull"}, "service": {reference.Domain(name)}}
		return "GET https:?" + asked.Encode() + ": UNAUTHORIZED: authentication required"
	}
	if tagged, ok := reference.TagNameOnly(name).(reference.Tagged); ok {
		return fmt.Sprintf("GET https:: MANIFEST_UNKNOWN: manifest tagged by %q is not found; map[Tag:%s]", tagged.Tag(), tagged.Tag())
	}
	return "GET https:: MANIFEST_UNKNOWN: manifest is not found"
}
