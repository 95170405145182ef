package cli

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/acalocal/acalocal/emulator"
	"github.com/acalocal/acalocal/emulator/aca"
	"github.com/spf13/cobra"
)

// errNoSecrets says that none are named.
var errNoSecrets = errors.New("no secret is named")

func newSecretCommand(s Streams) *cobra.Command {
	cmd := &cobra.Command{Use: "secret", Short: "Look at and change the secrets of an app", Args: noSubcommand, RunE: showHelp}
	cmd.AddCommand(newSecretListCommand(s), newSecretShowCommand(s), newSecretSetCommand(s), newSecretRemoveCommand(s))
	return cmd
}

func newSecretListCommand(s Streams) *cobra.Command {
	var t targetFlags
	var o output
	cmd := &cobra.Command{
		Use: "list", Short: "List the names of the secrets", Example: "  acalocal secret list -n web", Args: maximumNArgs(0),
		RunE: func(cmd *cobra.Command, _ []string) error {
			app, err := findApp(cmd, t.App)
			if err != nil {
				return err
			}
			return answerSecrets(s, app.Properties.Configuration.Secrets, &o)
		},
	}
	t.bindApp(cmd)
	o.bind(cmd, "print the list as JSON")
	return cmd
}

// answerSecrets prints the names of secrets; the values are nobody's business.
func answerSecrets(s Streams, secrets []aca.Secret, o *output) error {
	secrets = slices.Clone(orEmpty(secrets))
	for i := range secrets {
		secrets[i].Value = ""
	}
	if !o.asText() {
		return o.write(s.Out, secrets)
	}
	t := newTable("NAME", "KEY VAULT")
	for _, secret := range secrets {
		t.add(secret.Name, secret.KeyVaultURL)
	}
	return t.write(s.Out)
}

func newSecretShowCommand(s Streams) *cobra.Command {
	var t targetFlags
	var name string
	o := output{asJSON: true}
	cmd := &cobra.Command{
		Use: "show", Short: "Show a secret without its value", Example: "  acalocal secret show -n web --secret-name key", Args: maximumNArgs(0),
		RunE: func(cmd *cobra.Command, _ []string) error {
			app, err := findApp(cmd, t.App)
			if err != nil {
				return err
			}
			secrets := app.Properties.Configuration.Secrets
			i := slices.IndexFunc(secrets, func(s aca.Secret) bool { return s.Name == name })
			if i < 0 {
				return noSecret(app.Name, name, secrets)
			}
			fmt.Fprintln(s.Err, "note: values of secrets are not given away; the definition or acalocal.yaml has them")
			secret := secrets[i]
			secret.Value = ""
			return o.write(s.Out, secret)
		},
	}
	t.bindApp(cmd)
	o.bind(cmd, "the output is JSON either way")
	cmd.Flags().StringVar(&name, "secret-name", "", "the secret")
	return cmd
}

func noSecret(app, name string, secrets []aca.Secret) error {
	var names []string
	for _, s := range secrets {
		names = append(names, s.Name)
	}
	return failed(fmt.Errorf("app %s has no secret %q", app, name), thereIs(names))
}

func newSecretSetCommand(s Streams) *cobra.Command {
	var given []string
	return newSecretEdit(s, "set", "Add secrets or change their values", "  acalocal secret set -n web --secrets key=value token=other",
		func(cmd *cobra.Command) {
			cmd.Flags().StringArrayVarP(&given, "secrets", "s", nil, "NAME=value ...; others stay")
		},
		func(_ *emulator.App, secrets []aca.Secret) ([]aca.Secret, error) {
			if len(given) == 0 {
				return nil, misuse(errNoSecrets, "give --secrets NAME=value ...")
			}
			for _, word := range given {
				name, value, ok := strings.Cut(word, "=")
				switch {
				case !ok || name == "":
					// The text is not repeated: it may be the secret.
					return nil, misuse(fmt.Errorf("each secret is NAME=value"), "give --secrets NAME=value ...")
				case strings.HasPrefix(value, "keyvaultref:"):
					return nil, misuse(fmt.Errorf("the secret %s refers to a key vault, and none is asked here", name), "give the value itself: --secrets "+name+"=value")
				}
				secrets = slices.DeleteFunc(secrets, func(s aca.Secret) bool { return s.Name == name })
				secrets = append(secrets, aca.Secret{Name: name, Value: value})
			}
			return secrets, nil
		})
}

func newSecretRemoveCommand(s Streams) *cobra.Command {
	var names []string
	return newSecretEdit(s, "remove", "Remove secrets", "  acalocal secret remove -n web --secret-names key",
		func(cmd *cobra.Command) {
			cmd.Flags().StringArrayVar(&names, "secret-names", nil, "NAME ...")
		},
		func(app *emulator.App, secrets []aca.Secret) ([]aca.Secret, error) {
			if len(names) == 0 {
				return nil, misuse(errNoSecrets, "give --secret-names NAME ...")
			}
			for _, name := range names {
				i := slices.IndexFunc(secrets, func(s aca.Secret) bool { return s.Name == name })
				if i < 0 {
					return nil, noSecret(app.Name, name, secrets)
				}
				secrets = slices.Delete(secrets, i, i+1)
			}
			return secrets, nil
		})
}

// newSecretEdit is a command that changes the secrets of an app and prints the
// names of those there are.
func newSecretEdit(s Streams, use, short, example string, bind func(*cobra.Command), f func(*emulator.App, []aca.Secret) ([]aca.Secret, error)) *cobra.Command {
	var e edit
	cmd := &cobra.Command{
		Use: use, Short: short, Example: example, Args: maximumNArgs(0),
		RunE: func(cmd *cobra.Command, _ []string) error {
			done, err := e.run(cmd, s, func(app *emulator.App, definition *aca.ContainerApp) (err error) {
				c := &definition.Properties.Configuration
				c.Secrets, err = f(app, slices.Clone(c.Secrets))
				return err
			})
			if err != nil {
				return err
			}
			if !e.dryRun {
				fmt.Fprintf(s.Err, "Containerapp '%s' must be restarted in order for secret changes to take effect.\n", done.before.Name)
			}
			return answerSecrets(s, done.definition.Properties.Configuration.Secrets, &e.output)
		},
	}
	e.bind(cmd)
	bind(cmd)
	return cmd
}
