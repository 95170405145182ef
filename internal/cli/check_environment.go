package cli

import (
	"bytes"
	"context"
	"slices"
	"strings"

	"github.com/acalocal/acalocal/emulator"
	"github.com/acalocal/acalocal/emulator/aca"
	"github.com/acalocal/acalocal/internal/client"
	"github.com/acalocal/acalocal/internal/container"
)

// readEnvironments prints the environment of every process but the shell's own:
// for each a line end, its number, and NAME=value, all ended by NUL.
const readEnvironments = `for p in /proc/[0-9]*; do [ "$p" = "/proc/$$" ] || { printf '\n%s\0' "${p#/proc/}"; cat "$p/environ" 2>/dev/null; }; done`

// environments are the variables of the processes of a container, by process.
// An image without a shell shows none.
func environments(ctx context.Context, c *client.Client, t emulator.ExecTarget) map[string]map[string]string {
	var out bytes.Buffer
	spec := container.ExecSpec{Command: []string{"sh", "-c", readEnvironments}, Stdout: &out, Stderr: &bytes.Buffer{}}
	if _, err := c.Exec(ctx, t, spec, func(string) {}); err != nil {
		return nil
	}
	return parseEnvironments(out.String())
}

func parseEnvironments(text string) map[string]map[string]string {
	all := map[string]map[string]string{}
	var of map[string]string
	for _, record := range strings.Split(text, "\x00") {
		name, value, isVariable := strings.Cut(record, "=")
		switch {
		case !isVariable && strings.HasPrefix(record, "\n"):
			of = map[string]string{}
			all[strings.TrimPrefix(record, "\n")] = of
		case isVariable && of != nil:
			of[name] = value
		}
	}
	return all
}

// overridden lists the variables of a definition that a process has with
// another value, or that the first process lacks. Others may lack some: servers
// clear the environment of their workers. What refers to secrets or to other
// variables is only looked for.
func overridden(defined []aca.EnvVar, processes map[string]map[string]string) []string {
	var out []string
	for i, v := range defined {
		if slices.ContainsFunc(defined[i+1:], func(later aca.EnvVar) bool { return later.Name == v.Name }) {
			continue // of two with a name the last one counts
		}
		known := v.SecretRef == "" && !strings.Contains(v.Value, "$")
		for pid, env := range processes {
			value, has := env[v.Name]
			lacks := !has && pid == "1" && len(env) > 0
			if (lacks || has && known && value != v.Value) && !slices.Contains(out, v.Name) {
				out = append(out, v.Name)
			}
		}
	}
	return out
}
