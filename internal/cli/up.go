package cli

import (
	"errors"
	"fmt"
	"time"

	"github.com/acalocal/acalocal/internal/cli/azout"
	"github.com/acalocal/acalocal/internal/config"
	"github.com/spf13/cobra"
)

// upOptions are the flags of "up".
type upOptions struct {
	output
	path      string
	detach    bool
	watch     bool
	timeout   time.Duration
	overrides config.Overrides
}

func newUpCommand(s Streams) *cobra.Command { return newUpCommandNamed(s, "up [FILE|DIR]", false) }

// newUpCommandNamed is "up" under a name; the one of az runs in the background.
func newUpCommandNamed(s Streams, use string, detach bool) *cobra.Command {
	o := upOptions{output: output{table: azout.Apps}, detach: detach}
	var source, yaml string
	cmd := &cobra.Command{
		Use:   use,
		Short: "Run apps as Azure Container Apps would",
		Long: `Run the apps that a file or directory defines: an ACA YAML as "az containerapp
create --yaml" takes it, an ARM or Bicep template, azure.yaml, compose.yaml, an
acalocal.yaml that names such files, or a Dockerfile alone. Images with a
Dockerfile are built, others are pulled when missing.

In the foreground, up shows what happens until the apps are ready, then what
they print. Ctrl-C drains and removes everything; a second one does so at once.
With --detach it ends when the apps are ready, with exit code 1 when they do
not become so; the environment keeps running either way.`,
		Example: `  acalocal up
  acalocal up examples/python-flask
  acalocal up -d containerapp.yaml
  acalocal up main.json --parameters dev.json tag=1.2
  acalocal up --image nginx:alpine --ingress external --target-port 80 --port 9000`,
		Args: oneDefinition,
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := o.takePath(firstArg(args), source, yaml); err != nil {
				return err
			}
			if !o.asText() && !o.detach {
				return misuse(errors.New("--json, -o and --query are for --detach"), fmt.Sprintf("write %q", "acalocal up --detach --json"))
			}
			name, err := namedEnvironment(cmd)
			if err != nil {
				return err
			}
			o.overrides.Environment = name
			return runUp(cmd.Context(), s, o)
		},
	}
	f := cmd.Flags()
	f.BoolVarP(&o.detach, "detach", "d", detach, "run in the background; return when the apps are ready")
	f.DurationVar(&o.timeout, "wait-timeout", time.Minute, "with --detach, how long to wait for the apps")
	o.output.bind(cmd, "with --detach, print the apps as JSON")
	bindEnvironment(cmd, "environment", "")
	f.StringVar(&source, "source", "", "as DIR, under az's name")
	f.StringVar(&yaml, "yaml", "", "as FILE, under az's name")
	f.BoolVar(&o.watch, "watch", true, "in the foreground, build and swap in what is saved")
	bindOverrides(cmd, &o.overrides)
	bindTimeScale(cmd)
	bindEdgeSwitches(cmd)
	bindEphemeralStorage(cmd)
	bindOTLP(cmd)
	bindLateTables(cmd)
	bindQueryLimits(cmd)
	bindParameters(cmd, &o.overrides)
	return cmd
}

// takePath chooses the definition among the argument and az's names of it.
func (o *upOptions) takePath(paths ...string) error {
	for _, path := range paths {
		switch {
		case path == "":
		case o.path != "":
			return misuse(fmt.Errorf("the definition is named twice: %s and %s", o.path, path), "leave one of them out")
		default:
			o.path = path
		}
	}
	return nil
}
