package cli

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"

	"github.com/acalocal/acalocal/emulator"
	"github.com/acalocal/acalocal/emulator/aca"
	"github.com/acalocal/acalocal/internal/cli/change"
	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// templateFlags are az's flags that change a template.
type templateFlags struct {
	env           change.EnvEdit
	container     string
	image         string
	cpu           *float64
	memory        string
	minReplicas   *int
	maxReplicas   *int
	rule          change.ScaleRuleEdit
	secretMount   *string
	command, args []string
	suffix        string
	profile       string
	grace         *int

	changes *pflag.FlagSet // those of them that ask for a change
}

func (f *templateFlags) bind(cmd *cobra.Command) {
	cmd.Flags().StringVar(&f.container, "container-name", "", "the container the flags are about (default: the first)")
	complete(cmd, "container-name", containerNames)
	fs := pflag.NewFlagSet("changes", pflag.ContinueOnError)
	f.changes = fs
	fs.StringArrayVar(&f.env.Set, "set-env-vars", nil, "NAME=value or NAME=secretref:SECRET ...; others stay")
	fs.StringArrayVar(&f.env.Remove, "remove-env-vars", nil, "NAME ...")
	fs.StringArrayVar(&f.env.Replace, "replace-env-vars", nil, "NAME=value or NAME=secretref:SECRET ...; others go")
	fs.BoolVar(&f.env.RemoveAll, "remove-all-env-vars", false, "drop every variable")
	fs.StringVarP(&f.image, "image", "i", "", "the image to run")
	fs.Var(optional[float64]{&f.cpu, parseFloat, "cores"}, "cpu", "cores, such as 0.5")
	fs.Var(memoryFlag{&f.memory}, "memory", "memory, such as 1Gi")
	fs.Var(optional[int]{&f.minReplicas, strconv.Atoi, "n"}, "min-replicas", "the least number of replicas")
	fs.Var(optional[int]{&f.maxReplicas, strconv.Atoi, "n"}, "max-replicas", "the largest number of replicas")
	f.bindRule(fs)
	fs.StringArrayVar(&f.command, "command", nil, "WORD ...; replaces the image's entrypoint, \"\" takes it back")
	fs.StringArrayVar(&f.args, "args", nil, "WORD ...; replaces the image's command, \"\" takes it back")
	fs.StringVar(&f.suffix, "revision-suffix", "", "the new revision is called APP--SUFFIX")
	f.bindRest(fs)
	cmd.Flags().SetNormalizeFunc(shortNames)
	cmd.Flags().AddFlagSet(fs)
}

// bindRule adds the flags of a scale rule.
func (f *templateFlags) bindRule(fs *pflag.FlagSet) {
	fs.StringVar(&f.rule.Name, "scale-rule-name", "", "the one scale rule there is to be")
	fs.StringVar(&f.rule.Type, "scale-rule-type", "", "http, tcp or that of a KEDA scaler (default http)")
	fs.Var(optional[int]{&f.rule.Concurrency, strconv.Atoi, "n"}, "scale-rule-http-concurrency", "requests, or connections, at once per replica; also --scale-rule-tcp-concurrency")
	fs.StringArrayVar(&f.rule.Metadata, "scale-rule-metadata", nil, "KEY=value ... of the rule")
	fs.StringArrayVar(&f.rule.Auth, "scale-rule-auth", nil, "PARAMETER=SECRET ... of the rule")
}

// bindRest adds what az's commands have beside containers, variables and scale.
func (f *templateFlags) bindRest(fs *pflag.FlagSet) {
	fs.Var(optional[string]{&f.secretMount, parseMountPath, "path"}, "secret-volume-mount", "the directory that gets a file for each secret")
	fs.Var(optional[int]{&f.grace, strconv.Atoi, "s"}, "termination-grace-period", "seconds between SIGTERM and SIGKILL, 0 to 600")
	fs.StringVarP(&f.profile, "workload-profile-name", "w", "", "kept in the definition; the size of a node is no limit here")
}

func parseMountPath(s string) (string, error) {
	if s == "" {
		return "", errors.New("a mount needs a directory, such as /mnt/secrets")
	}
	return s, nil
}

// azNames are az's other names of flags.
var azNames = map[string]string{
	"tgp": "termination-grace-period", "srn": "scale-rule-name", "srt": "scale-rule-type",
	"srhc": "scale-rule-http-concurrency", "srtc": "scale-rule-http-concurrency", "scale-rule-tcp-concurrency": "scale-rule-http-concurrency",
	"srm": "scale-rule-metadata", "sra": "scale-rule-auth",
}

func shortNames(_ *pflag.FlagSet, name string) pflag.NormalizedName {
	return pflag.NormalizedName(cmp.Or(azNames[name], name))
}

// given reports whether a flag asks for a change.
func (f *templateFlags) given() bool {
	given := false
	f.changes.VisitAll(func(x *pflag.Flag) { given = given || x.Changed })
	return given
}

// applyTo changes an app. What az warns of goes to w.
func (f *templateFlags) applyTo(w io.Writer, app *aca.ContainerApp) error {
	if f.profile != "" {
		app.Properties.WorkloadProfileName = f.profile
	}
	return f.apply(w, &app.Properties.Template)
}

// apply changes a template. The suffix of the last revision is not kept: it
// would be refused as used (github.com/microsoft/azure-container-apps/issues/1278).
func (f *templateFlags) apply(w io.Writer, t *aca.Template) error {
	if err := change.Suffix(f.suffix); err != nil {
		return failed(err, "write --revision-suffix v2, say")
	}
	t.RevisionSuffix = f.suffix
	c, err := f.target(t)
	if err != nil {
		return err
	}
	env, missing, err := change.Env(c.Env, f.env)
	if err != nil {
		return misuse(err, "see the variables with \"acalocal app show --json\"")
	}
	c.Env = env
	for _, name := range missing {
		fmt.Fprintf(w, "warning: Environment variable %s does not exist.\n", name)
	}
	if f.image != "" {
		c.Image = f.image
	}
	f.resources(c)
	if f.command != nil {
		c.Command = words(f.command)
	}
	if f.args != nil {
		c.Args = words(f.args)
	}
	if err := f.scale(t); err != nil {
		return err
	}
	if f.secretMount != nil {
		if t.Volumes, c.VolumeMounts, err = change.MountSecrets(t.Volumes, c.VolumeMounts, *f.secretMount); err != nil {
			return misuse(err, "write the volumes into the definition and run \"acalocal up\"")
		}
	}
	if f.grace != nil {
		t.TerminationGracePeriodSeconds = f.grace
	}
	return nil
}

// target is the container the flags are about.
func (f *templateFlags) target(t *aca.Template) (*aca.Container, error) {
	i := 0
	if f.container != "" {
		i = slices.IndexFunc(t.Containers, func(c aca.Container) bool { return c.Name == f.container })
	}
	if i < 0 || i >= len(t.Containers) {
		var names []string
		for _, c := range t.Containers {
			names = append(names, c.Name)
		}
		return nil, failed(fmt.Errorf("there is no container %q", f.container), thereIs(names))
	}
	return &t.Containers[i], nil
}

func (f *templateFlags) resources(c *aca.Container) {
	if f.cpu == nil && f.memory == "" {
		return
	}
	r := aca.Resources{}
	if c.Resources != nil {
		r = *c.Resources
	}
	if f.cpu != nil {
		r.CPU = *f.cpu
	}
	if f.memory != "" {
		r.Memory = f.memory
	}
	r.EphemeralStorage = "" // follows from the cores
	c.Resources = &r
}

func (f *templateFlags) scale(t *aca.Template) error {
	if f.minReplicas == nil && f.maxReplicas == nil && f.rule.Empty() {
		return nil
	}
	s := aca.Scale{}
	if t.Scale != nil {
		s = *t.Scale
	}
	if f.minReplicas != nil {
		s.MinReplicas = f.minReplicas
	}
	if f.maxReplicas != nil {
		s.MaxReplicas = f.maxReplicas
	}
	if !f.rule.Empty() {
		rule, err := change.ScaleRule(f.rule)
		if err != nil {
			return misuse(err, "write --scale-rule-name NAME --scale-rule-type TYPE --scale-rule-metadata KEY=value ...")
		}
		s.Rules = []aca.ScaleRule{rule}
	}
	t.Scale = &s
	return nil
}

// words is a list flag; one empty word is an empty list.
func words(list []string) []string {
	if len(list) == 1 && list[0] == "" {
		return nil
	}
	return list
}

func newUpdateCommand(s Streams) *cobra.Command {
	var e edit
	var f templateFlags
	var app appFlags
	var file yamlFlag
	cmd := &cobra.Command{
		Use:   "update",
		Short: "Change an app that runs",
		Long: `Change an app that runs. What changes its template makes a new revision; in
single mode that takes the traffic once it is ready, and the old one keeps
serving until then, for ever if need be. The command returns when the change is
accepted, before the revision is ready, as az does.

The definition file stays as it is: the next "acalocal up" puts back what it says.`,
		Example: `  acalocal update --set-env-vars LOG_LEVEL=info GREETING=hello
  acalocal update -n web --image nginx:alpine --revision-suffix v2
  acalocal update --min-replicas 2 --max-replicas 5 --dry-run
  acalocal update --scale-rule-name load --scale-rule-http-concurrency 50
  acalocal update -n web --yaml containerapp.yaml`,
		Args: maximumNArgs(0),
		RunE: func(cmd *cobra.Command, _ []string) error {
			if !f.given() && !app.given() && file.file == "" {
				return misuse(errors.New("nothing to change"), `see what can be with "acalocal update --help"; "acalocal restart" replaces the replicas`)
			}
			done, err := e.run(cmd, s, func(now *emulator.App, definition *aca.ContainerApp) error {
				if file.file != "" {
					return file.apply(cmd, s, now, definition)
				}
				if err := app.apply(definition); err != nil || !f.given() {
					return err
				}
				return f.applyTo(s.Err, definition)
			})
			if err != nil {
				return err
			}
			return answerRevision(s, &e, done)
		},
	}
	e.bind(cmd)
	f.bind(cmd)
	app.bind(cmd)
	file.bind(cmd)
	return cmd
}

// answerRevision prints the revision an edit has led to.
func answerRevision(s Streams, e *edit, done *outcome) error {
	switch {
	case done.after != nil:
		return e.write(s.Out, done.after)
	case e.asJSON:
		return writeJSON(s.Out, done.applied)
	case e.dryRun:
		return nil
	}
	_, err := fmt.Fprintln(s.Out, done.applied.Revision)
	return err
}
