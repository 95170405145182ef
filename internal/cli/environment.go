package cli

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"time"

	"github.com/acalocal/acalocal/internal/client"
	"github.com/acalocal/acalocal/internal/home"
	"github.com/spf13/cobra"
)

// defaultEnvironment is the name package config gives an environment that
// neither a file nor a flag names.
const defaultEnvironment = "dev"

// environmentVariable names the environment to act on when no flag does.
const environmentVariable = "ACALOCAL_ENVIRONMENT"

// addEnvironmentFlag gives every command the choice of an environment.
func addEnvironmentFlag(root *cobra.Command) {
	root.PersistentFlags().String("env", "", fmt.Sprintf("environment to act on (default: $%s, else the one that is running, else %q)", environmentVariable, defaultEnvironment))
	_ = root.RegisterFlagCompletionFunc("env", completeEnvironments) // fails only for a flag that does not exist
}

// namedEnvironment returns the environment the user asked for by flag or
// variable, or "".
func namedEnvironment(cmd *cobra.Command) (string, error) {
	name, err := cmd.Flags().GetString("env")
	if err != nil {
		return "", err
	}
	if name == "" {
		name = os.Getenv(environmentVariable)
	}
	if name == "" {
		return "", nil
	}
	return name, checkEnvironmentName(name)
}

// checkEnvironmentName refuses names that could not be a label of a host name
// and a directory.
func checkEnvironmentName(name string) error {
	ok := len(name) <= 60 && name[0] != '-' && name[len(name)-1] != '-'
	for _, c := range []byte(name) {
		ok = ok && (c == '-' || '0' <= c && c <= '9' || 'a' <= c && c <= 'z')
	}
	if !ok {
		return misuse(fmt.Errorf("%q is no name for an environment", name), "use lower-case letters, digits and '-', at most 60, neither first nor last a '-'")
	}
	return nil
}

// environment returns the environment a command acts on, running or not.
func environment(cmd *cobra.Command) (home.Environment, error) {
	h, err := home.Open()
	if err != nil {
		return home.Environment{}, err
	}
	name, err := namedEnvironment(cmd)
	if err != nil {
		return home.Environment{}, err
	}
	if name != "" {
		return h.Environment(name), nil
	}
	running, err := runningEnvironments(cmd.Context(), h)
	switch {
	case err != nil:
		return home.Environment{}, err
	case len(running) == 0:
		return h.Environment(defaultEnvironment), nil
	case len(running) > 1:
		return home.Environment{}, misuse(
			fmt.Errorf("%d environments are running: %s", len(running), strings.Join(running, ", ")),
			fmt.Sprintf("say which, as in %q", cmd.CommandPath()+" --env "+running[0]))
	}
	return h.Environment(running[0]), nil
}

// connectTimeout is how long a local socket may take to answer.
const connectTimeout = 5 * time.Second

// runningEnvironments returns the names of the environments with a daemon.
func runningEnvironments(ctx context.Context, h home.Home) ([]string, error) {
	states, err := environmentStates(ctx, h)
	return states.running, err
}

// environmentNames are the environments with a daemon, and those whose daemon
// was killed.
type environmentNames struct{ running, dead []string }

func environmentStates(ctx context.Context, h home.Home) (environmentNames, error) {
	names, err := h.Environments()
	if err != nil {
		return environmentNames{}, fmt.Errorf("list environments: %w", err)
	}
	var out environmentNames
	for _, name := range names {
		var missing *client.NotRunningError
		switch {
		case !errors.As(greet(ctx, h.Environment(name)), &missing):
			out.running = append(out.running, name)
		case missing.Died:
			out.dead = append(out.dead, name)
		}
	}
	return out, nil
}

// isRunning reports whether a daemon answers. One that hangs counts: it is
// there, and what is done next will say so.
func isRunning(ctx context.Context, e home.Environment) bool {
	return !errors.Is(greet(ctx, e), client.ErrNotRunning)
}

// greet returns nil when a daemon answers.
func greet(ctx context.Context, e home.Environment) error {
	ctx, cancel := context.WithTimeout(ctx, connectTimeout)
	defer cancel()
	_, err := client.New(e).Info(ctx)
	return err
}

// connect returns a client of the environment a command acts on.
func connect(cmd *cobra.Command) (*client.Client, error) {
	e, err := environment(cmd)
	if err != nil {
		return nil, err
	}
	return client.New(e), nil
}

// notRunning explains the one failure all commands share: the environment
// died, it is another one that runs, or there is none.
func notRunning(err error) error {
	var missing *client.NotRunningError
	if !errors.As(err, &missing) {
		return err
	}
	if missing.Died {
		return daemonDied(missing.Environment)
	}
	h, herr := home.Open()
	if herr != nil {
		return err
	}
	states, herr := environmentStates(context.Background(), h)
	if herr != nil {
		return err
	}
	name, hint := missing.Environment.Name, ""
	switch {
	case len(states.running) > 0:
		hint = "there is: " + strings.Join(states.running, ", ") + "; "
	case name == defaultEnvironment && len(states.dead) > 0: // nobody asked for it by name
		return daemonDied(h.Environment(states.dead[0]))
	case name == defaultEnvironment:
		return failed(errors.New("no environment is running"), `start one with "acalocal up"`)
	}
	return failed(fmt.Errorf("environment %q is not running", name), hint+fmt.Sprintf("start it with %q", "acalocal up --env "+name))
}

// daemonDied is the error for a daemon that went away by itself.
func daemonDied(e home.Environment) error {
	return failed(fmt.Errorf("the daemon of environment %q has died; its apps may still run", e.Name),
		fmt.Sprintf("its last words are in %s; %q takes up what runs, %q removes it", e.LogFile(), "acalocal up --env "+e.Name, "acalocal down --env "+e.Name))
}

func completeEnvironments(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
	h, err := home.Open()
	if err != nil {
		return nil, cobra.ShellCompDirectiveError
	}
	names, err := h.Environments()
	if err != nil {
		return nil, cobra.ShellCompDirectiveError
	}
	return names, cobra.ShellCompDirectiveNoFileComp
}
