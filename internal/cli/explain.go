package cli

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"github.com/acalocal/acalocal/emulator"
	"github.com/acalocal/acalocal/internal/client"
	"github.com/acalocal/acalocal/internal/config"
	"github.com/acalocal/acalocal/internal/evidence"
	"github.com/acalocal/acalocal/internal/explain"
)

func newExplainCommand(s Streams) *cobra.Command {
	var t targetFlags
	var file string
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "explain [APP|REVISION]",
		Short: "Say what is wrong with a revision, why, and what to do",
		Long: `Look at the definition, the states, the listening sockets, the system log and the
last console lines of a revision, and name the one cause of what is wrong: the
port that does not match, the probe that is too strict, the worker that ran out
of memory. When nothing is wrong, it says what was checked.

When the fix is mechanical it comes as a patch of the definition, which is
looked for in the current directory unless --file names it:

  acalocal explain web | patch`,
		Example: `  acalocal explain
  acalocal explain web--k3x1abc
  acalocal explain -n web --json | jq -r .rule`,
		Args:              maximumNArgs(1),
		ValidArgsFunction: completeAppsAndRevisions,
		RunE: func(cmd *cobra.Command, args []string) error {
			app, revision, err := findSubject(cmd, &t, args)
			if err != nil {
				return err
			}
			c, err := connect(cmd)
			if err != nil {
				return err
			}
			e, err := evidence.Of(cmd.Context(), asker(c), app, revision)
			if err != nil {
				return notRunning(err)
			}
			if e.File, err = definitionOf(cmd.Context(), file, app.Name); err != nil {
				return err
			}
			v := explain.Explain(*e)
			if asJSON {
				return writeJSON(s.Out, v)
			}
			_, err = fmt.Fprint(s.Out, v)
			return err
		},
	}
	t.bindApp(cmd)
	t.bindRevision(cmd)
	cmd.Flags().StringVarP(&file, "file", "f", "", "the definition to patch (default: that of the current directory, if it has the app)")
	cmd.Flags().BoolVar(&asJSON, "json", false, "print the verdict as JSON")
	return cmd
}

// verdictLine says in one line what is wrong with a revision that does not
// become ready, "" when no cause is known.
func verdictLine(ctx context.Context, c *client.Client, app *emulator.App, revision string) (string, error) {
	e, err := evidence.Of(ctx, asker(c), app, revision)
	if err != nil {
		return "", err
	}
	v := explain.Explain(*e)
	if !v.Wrong || v.Rule == explain.Unknown {
		return "", nil
	}
	return v.FirstLine(), nil
}

// findSubject finds the app and revision a command is about: by a name that
// may be either's, by az's flags, or because there is only one app.
func findSubject(cmd *cobra.Command, t *targetFlags, args []string) (*emulator.App, string, error) {
	if len(args) == 1 && strings.Contains(args[0], "--") && t.Revision == "" {
		t.Revision, args = args[0], nil
		if t.App == "" {
			t.App, _, _ = strings.Cut(t.Revision, "--")
		}
	}
	if err := t.takeApp(cmd, args); err != nil {
		return nil, "", err
	}
	app, err := findApp(cmd, t.App)
	if err != nil {
		return nil, "", err
	}
	revision := t.Revision
	if revision == "" {
		revision = app.Properties.LatestRevisionName
	}
	switch {
	case revision == "":
		return nil, "", failed(fmt.Errorf("app %s has no revision yet", app.Name), "see \"acalocal status\"")
	case app.Revision(revision) == nil:
		return nil, "", failed(fmt.Errorf("app %s has no revision %q", app.Name, revision), fmt.Sprintf("see %q", "acalocal revision list --all -n "+app.Name))
	}
	return app, revision, nil
}

func completeAppsAndRevisions(cmd *cobra.Command, args []string, _ string) ([]string, cobra.ShellCompDirective) {
	if len(args) > 0 {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	return fromSnapshot(cmd, func(s *emulator.Snapshot) []string { return append(appNames(s), revisionNames(s)...) })
}

// definitionOf finds the user's own file with an app: the named one, else what
// the current directory holds. Without a name, no file is no error.
func definitionOf(ctx context.Context, file, app string) (explain.File, error) {
	path := file
	if path == "" {
		path = "."
	}
	def, _ := config.Load(ctx, path, config.Overrides{}) // its problems are told by "up" and "check"
	if def == nil {
		return explain.File{}, missingDefinition(file, app)
	}
	found, ok := def.App(app)
	if !ok || found.Source == "" {
		return explain.File{}, missingDefinition(file, app)
	}
	text, err := os.ReadFile(found.Source)
	if err != nil {
		return explain.File{}, fmt.Errorf("read the definition of %s: %w", app, err)
	}
	return explain.File{Path: shorten(found.Source), Text: text}, nil
}

func missingDefinition(file, app string) error {
	if file == "" {
		return nil
	}
	if _, err := os.Stat(file); err != nil {
		return failed(fmt.Errorf("open the definition: %w", errors.Unwrap(err)), "name the file or directory that you gave to \"acalocal up\"")
	}
	return failed(fmt.Errorf("%s does not define the app %s", file, app), "name the file or directory that you gave to \"acalocal up\"")
}
