package cli

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/acalocal/acalocal/internal/client"
	"github.com/acalocal/acalocal/internal/home"
	"github.com/spf13/cobra"
)

// verifyEnvironment is where an app runs that is only started to be verified.
const verifyEnvironment = "verify"

// isPath tells a path from the name of an app, which has neither of these.
func isPath(arg string) bool { return strings.ContainsAny(arg, `./\`) }

// verifyPath runs the app that a file or directory defines in an environment of
// its own, verifies it there, and removes the environment again.
func verifyPath(cmd *cobra.Command, s Streams, o verifyOptions, path string) (err error) {
	name, err := namedEnvironment(cmd)
	if err != nil {
		return err
	}
	name = cmp.Or(name, verifyEnvironment)
	h, err := home.Open()
	if err != nil {
		return err
	}
	e := h.Environment(name)
	there, err := exists(cmd.Context(), e)
	if err != nil {
		return err
	}
	if there {
		return failed(fmt.Errorf("there is an environment %s already", name),
			fmt.Sprintf("verify an app that runs there by its name, name another environment with --env, or remove this one with %q", "acalocal down --env "+name))
	}
	if err := cmd.Flags().Set("env", name); err != nil {
		return err
	}
	up := upOptions{path: path, detach: true, timeout: o.stepTimeout}
	up.overrides.Environment = name
	defer func() { err = errors.Join(err, removeVerified(cmd.Context(), s, e)) }()
	// What up prints is no part of the report.
	if err := runUp(cmd.Context(), Streams{In: s.In, Out: s.Err, Err: s.Err}, up); err != nil {
		return err
	}
	return runVerify(cmd, s, o)
}

// removeVerified removes the environment also when the user has ended the
// verification, however often: "timeout" sends its signal twice.
func removeVerified(ctx context.Context, s Streams, e home.Environment) error {
	err := shutdown(context.WithoutCancel(ctx), s, client.New(e), e)
	if errors.Is(err, client.ErrNotRunning) {
		return nil // it was not started, and said why
	}
	return err
}
