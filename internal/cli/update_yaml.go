package cli

import (
	"fmt"

	"github.com/acalocal/acalocal/emulator"
	"github.com/acalocal/acalocal/emulator/aca"
	"github.com/acalocal/acalocal/internal/cli/change"
	"github.com/acalocal/acalocal/internal/config"
	"github.com/spf13/cobra"
)

// yamlFlag is az's --yaml of commands that change an app: what the file gives
// is put over what runs, and other flags are ignored.
type yamlFlag struct{ file string }

func (y *yamlFlag) bind(cmd *cobra.Command) {
	cmd.Flags().StringVar(&y.file, "yaml", "", "`FILE` whose fields are put over those of the app; other flags are ignored, as in az")
}

// apply puts the file over an app.
func (y *yamlFlag) apply(cmd *cobra.Command, s Streams, app *emulator.App, definition *aca.ContainerApp) error {
	def, problems := config.Load(cmd.Context(), y.file, config.Overrides{SkipCommands: true, Partial: true, Name: app.Name})
	if err := reportProblems(s, problems); err != nil {
		return err
	}
	from, err := appOf(def, app.Name)
	if err != nil {
		return err
	}
	keepBuilt(s, from, app)
	keepUngiven(from, definition.Properties.Configuration)
	*definition, err = change.Merge(*definition, from.ContainerApp)
	return err
}

// appOf is the app of a definition that a command is about.
func appOf(def *config.Definition, name string) (*config.App, error) {
	if app, ok := def.App(name); ok {
		return app, nil
	}
	var names []string
	for _, a := range def.Apps {
		names = append(names, a.Name)
	}
	return nil, failed(fmt.Errorf("the file has no app %q", name), thereIs(names))
}

// keepUngiven takes the switches that the file says nothing about from what
// runs: they are always written, so that a merge would put off over on.
func keepUngiven(from *config.App, now aca.Configuration) {
	given := func(path string) bool {
		return from.Origin("properties.configuration."+path).Kind != config.OriginDefault
	}
	c := &from.Properties.Configuration
	if c.Ingress != nil && now.Ingress != nil && !given("ingress.external") {
		c.Ingress.External = now.Ingress.External
	}
	if c.Dapr != nil && now.Dapr != nil && !given("dapr.enabled") {
		c.Dapr.Enabled = now.Dapr.Enabled
	}
}

// keepBuilt leaves the images alone that "up" builds: what the file calls them
// has never been made, only what runs has.
func keepBuilt(s Streams, from *config.App, app *emulator.App) {
	for i := range from.Properties.Template.Containers {
		c := &from.Properties.Template.Containers[i]
		if _, built := from.Builds[c.Name]; !built {
			continue
		}
		for _, running := range app.Properties.Template.Containers {
			if running.Name == c.Name {
				c.Image = running.Image
				fmt.Fprintf(s.Err, "note: container %s keeps the image that \"acalocal up\" has built\n", c.Name)
			}
		}
	}
}
