package cli

import (
	"bufio"
	"fmt"
	"strings"

	"github.com/spf13/cobra"
)

// newCreateCommand is "up --detach" under az's name.
func newCreateCommand(s Streams) *cobra.Command {
	cmd := newUpCommandNamed(s, "create [FILE|DIR]", true)
	cmd.Short = "Run an app in the background, as \"up --detach\" does"
	cmd.Long = "Run an app in the background, as \"acalocal up --detach\" does, under the name of\n\"az containerapp create\" and with its flags."
	cmd.Example = "  acalocal create -n web --image nginx:alpine --ingress external --target-port 80\n  acalocal create -n web --yaml containerapp.yaml --query properties.configuration.ingress.fqdn -o tsv"
	return cmd
}

// newShowCommand is "app show" under az's name, newListCommand "app list".
func newShowCommand(s Streams) *cobra.Command {
	cmd := newAppShowCommand(s)
	cmd.Example = strings.ReplaceAll(cmd.Example, "app show", "show")
	return cmd
}

func newListCommand(s Streams) *cobra.Command {
	cmd := newAppListCommand(s)
	cmd.Example = "  acalocal list -o table\n  acalocal list --query '[].{n:name, g:resourceGroup}' -o table"
	return cmd
}

func newDeleteCommand(s Streams) *cobra.Command {
	var t targetFlags
	var yes bool
	cmd := &cobra.Command{
		Use:   "delete [APP]",
		Short: "Drain and remove one app; the environment stays",
		Long: `Drain and remove one app with all its revisions; the environment stays until
"acalocal down". The definition file stays as it is.`,
		Example:           "  acalocal delete -n web --yes",
		Args:              maximumNArgs(1),
		ValidArgsFunction: completeApps,
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := t.takeApp(cmd, args); err != nil {
				return err
			}
			app, err := findApp(cmd, t.App)
			if err != nil {
				return err
			}
			if !yes && !agreed(s, fmt.Sprintf("Are you sure you want to perform this operation? %s is drained and removed (y/n): ", app.Name)) {
				return failed(fmt.Errorf("the app %s stays", app.Name), "answer y, or give --yes")
			}
			c, err := connect(cmd)
			if err != nil {
				return err
			}
			if err := c.Delete(cmd.Context(), app.Name); err != nil {
				return notRunning(err)
			}
			for snap, err := range c.Watch(cmd.Context()) {
				if err != nil {
					return notRunning(err)
				}
				if snap.App(app.Name) == nil {
					break
				}
			}
			_, err = fmt.Fprintf(s.Err, "removed the app %s\n", app.Name)
			return err
		},
	}
	t.bindApp(cmd)
	cmd.Flags().BoolVarP(&yes, "yes", "y", false, "remove it without asking")
	return cmd
}

// agreed asks a question and reads a yes.
func agreed(s Streams, question string) bool {
	fmt.Fprint(s.Err, question)
	answer := ""
	if in := bufio.NewScanner(s.In); in.Scan() {
		answer = strings.ToLower(strings.TrimSpace(in.Text()))
	}
	fmt.Fprintln(s.Err)
	return answer == "y" || answer == "yes"
}

// elsewhere says where what az's other commands do is done here.
var elsewhere = map[string]string{
	"job":           "jobs are checked, not run: \"acalocal check\" looks at their definitions",
	"compose":       "write \"acalocal up compose.yaml\"",
	"browse":        "\"acalocal show\" prints the app's address",
	"registry":      "images are pulled with the credentials of your Docker configuration: run \"docker login\"",
	"identity":      noIdentity,
	"dapr":          noDapr,
	"auth":          "there is no sign-in in front of apps here",
	"hostname":      "write customDomains into the definition; the edge shows a certificate of its own for them",
	"ssl":           "\"acalocal trust\" makes this machine accept the edge's certificates",
	"github-action": "action.yml of acalocal's repository runs apps in a workflow",
	"connection":    "set the variables with \"acalocal update --set-env-vars\"",
	"add-on":        "run the service as an app of its own, from its image",
	"service":       "run the service as an app of its own, from its image",
	"resiliency":    "write the policy into the definition; \"acalocal up\" applies it",
	"patch":         "images are not patched here",
	"java":          noJava,
	"sessionpool":   "there are no dynamic sessions here",
	"session":       "there are no dynamic sessions here",
	"function":      noKind,
	"debug":         "\"acalocal exec\" runs a command in a container",

	"env create":           "an environment begins with its first app: \"acalocal up --env NAME\"",
	"env delete":           "write \"acalocal down --env NAME\"",
	"env update":           "write the environment into the definition; \"acalocal up\" applies it",
	"env logs":             "write \"acalocal logs query\"",
	"env storage":          "write the storages into the definition; acalocal.yaml says which directories they are",
	"env certificate":      "\"acalocal trust\" makes this machine accept the edge's certificates",
	"env dapr-component":   noDapr,
	"env identity":         noIdentity,
	"env telemetry":        "write openTelemetryConfiguration of the environment into the definition; \"acalocal up\" applies it",
	"env workload-profile": "the size of a node is no limit here",
	"env java-component":   noJava,
	"env premium-ingress":  "the edge has no limits of size here",
}

// notHere refuses a command that az has and this program has not, whatever its
// flags are.
func notHere(root *cobra.Command, args []string) error {
	cmd, rest, err := root.Find(args)
	if err != nil || len(rest) == 0 {
		return nil // the command itself says what is wrong
	}
	path := strings.TrimPrefix(cmd.CommandPath()+" "+rest[0], root.Name()+" ")
	hint, ok := elsewhere[path]
	if !ok {
		return nil
	}
	return misuse(fmt.Errorf("%q is not done here", "az containerapp "+path), hint)
}
