package cli

import (
	"errors"
	"strconv"

	"github.com/acalocal/acalocal/emulator/aca"
	"github.com/acalocal/acalocal/internal/cli/change"
	"github.com/acalocal/acalocal/internal/config"
	"github.com/spf13/cobra"
)

// appChanges are those of az's flags of "create" that say more of an app than
// config.Overrides has words for.
type appChanges struct {
	app      appFlags
	template templateFlags
	exposed  *int
	insecure *bool
}

// bindAppChanges adds the flags and has them change the app that the overrides
// are about.
func bindAppChanges(cmd *cobra.Command, o *config.Overrides) {
	c := &appChanges{}
	f := cmd.Flags()
	c.app.bindTags(cmd)
	f.StringVar(&c.app.mode, "revisions-mode", "", "single, multiple or labels")
	f.StringVar(&c.app.label, "target-label", "", "with labels: the label that new revisions get")
	f.Var(optional[int]{&c.app.maxInactive, strconv.Atoi, "n"}, "max-inactive-revisions", "how many inactive revisions are kept, 0 to 100")
	f.Var(optional[int]{&c.exposed, parsePort, "port"}, "exposed-port", "the port of a tcp ingress")
	f.Var(optional[bool]{&c.insecure, strconv.ParseBool, "bool"}, "allow-insecure", "answer plain http instead of redirecting it")
	f.Lookup("allow-insecure").NoOptDefVal = "true"
	c.template.bindRule(f)
	c.template.bindRest(f)
	f.SetNormalizeFunc(shortNames)
	completeWords(cmd, "revisions-mode", "single", "multiple", "labels")
	o.Change = c.apply
	o.Changes = c.given
}

// given says whether one of the flags is set.
func (c *appChanges) given() bool {
	t := &c.template
	return c.app.given() || c.exposed != nil || c.insecure != nil || !t.rule.Empty() || t.secretMount != nil || t.grace != nil || t.profile != ""
}

func (c *appChanges) apply(app *aca.ContainerApp, main *aca.Container) error {
	if err := c.app.apply(app); err != nil {
		return err
	}
	if c.exposed != nil || c.insecure != nil {
		in := app.Properties.Configuration.Ingress
		if in == nil {
			return errors.New("--exposed-port and --allow-insecure need an ingress; add --ingress external or internal")
		}
		if c.exposed != nil {
			in.ExposedPort = *c.exposed
		}
		if c.insecure != nil {
			in.AllowInsecure = *c.insecure
		}
	}
	t := &app.Properties.Template
	if c.template.profile != "" {
		app.Properties.WorkloadProfileName = c.template.profile
	}
	if err := c.template.scale(t); err != nil {
		return err
	}
	if path := c.template.secretMount; path != nil && main != nil {
		var err error
		if t.Volumes, main.VolumeMounts, err = change.MountSecrets(t.Volumes, main.VolumeMounts, *path); err != nil {
			return err
		}
	}
	if c.template.grace != nil {
		t.TerminationGracePeriodSeconds = c.template.grace
	}
	return nil
}
