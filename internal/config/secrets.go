package config

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"slices"
	"strings"
	"time"

	"github.com/acalocal/acalocal/emulator/aca"
)

// applySecrets finds the local values of an app's secrets. A value of
// acalocal.yaml wins over the secrets file, which wins over the definition.
// Values never reach a message.
func (l *loader) applySecrets(local *localFile, app *App, settings localApp, path aca.Path) {
	var known []string
	for _, s := range app.Properties.Configuration.Secrets {
		known = append(known, s.Name)
	}
	if settings.SecretsFile != "" {
		l.applySecretsFile(local, app, settings.SecretsFile, path.Field("secretsFile"), known)
	}
	for _, name := range slices.Sorted(maps.Keys(settings.Secrets)) {
		at := path.Field("secrets").Field(name)
		if !slices.Contains(known, name) {
			l.unknownName(local, at, "secret of "+app.Name, name, known)
			continue
		}
		value, err := l.resolveSecret(local, settings.Secrets[name])
		if err != nil {
			l.localProblem(local, at, fmt.Sprintf("the secret %s: %v", name, err), "give one of value, env, file and command")
			continue
		}
		place, _ := local.tree.place(string(at))
		app.setSecret(name, value, place.key)
	}
}

// setSecret gives a secret its local value.
func (a *App) setSecret(name, value string, from Position) {
	setMap(&a.Local.Secrets, name, Sensitive{value})
	for i, s := range a.Properties.Configuration.Secrets {
		if s.Name == name {
			a.origin.note(aca.Path("properties.configuration.secrets").Index(i).Field("value"), Origin{OriginLocal, from})
		}
	}
}

// applySecretsFile takes NAME=value lines; db-password may be written
// DB_PASSWORD, as a shell wants it.
func (l *loader) applySecretsFile(local *localFile, app *App, file string, path aca.Path, known []string) {
	vars, source := l.readEnvFile(local, file, path)
	for _, v := range vars {
		name := v.name
		if !slices.Contains(known, name) {
			name = strings.ToLower(strings.ReplaceAll(name, "_", "-"))
		}
		if !slices.Contains(known, name) {
			l.problems = append(l.problems, Problem{Position: Position{source, v.line, 1}, App: app.Name, Problem: aca.Problem{
				Severity: aca.SeverityWarning, Message: fmt.Sprintf("no secret of %s is called %s", app.Name, v.name)}})
			continue
		}
		app.setSecret(name, v.value, Position{source, v.line, 1})
	}
}

func (l *loader) resolveSecret(local *localFile, s localSecret) (string, error) {
	given := 0
	for _, on := range []bool{s.Value != "", s.Env != "", s.File != "", len(s.Command) > 0} {
		if on {
			given++
		}
	}
	switch {
	case given != 1:
		return "", fmt.Errorf("%d of value, env, file and command are given", given)
	case s.Env != "":
		value, ok := os.LookupEnv(s.Env)
		if !ok {
			return "", fmt.Errorf("the variable %s is not set", s.Env)
		}
		return value, nil
	case s.File != "":
		source, err := readSource(local.abs(s.File))
		if err != nil {
			return "", err
		}
		l.def.Files = append(l.def.Files, source.file)
		return strings.TrimSuffix(strings.TrimSuffix(string(source.text), "\n"), "\r"), nil
	case len(s.Command) > 0:
		if l.overrides.SkipCommands {
			return commandPlaceholder, nil
		}
		return runForSecret(l.ctx, local.dir, s.Command)
	}
	return s.Value, nil
}

// commandPlaceholder stands for the output of a command that was not run.
const commandPlaceholder = "(output of a command)"

// secretTimeout bounds a command that fetches a secret; one that asks for a
// password would otherwise hang for ever.
const secretTimeout = 30 * time.Second

// runForSecret runs a command of acalocal.yaml and returns its output without
// the last line end. Neither output nor errors of the command are repeated.
func runForSecret(ctx context.Context, dir string, words []string) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, secretTimeout)
	defer cancel()
	cmd := exec.CommandContext(ctx, words[0], words[1:]...)
	cmd.Dir = dir
	cmd.WaitDelay = time.Second
	out, err := cmd.Output()
	if errors.Is(ctx.Err(), context.DeadlineExceeded) {
		return "", fmt.Errorf("the command %s did not end within %s", words[0], secretTimeout)
	}
	if err != nil {
		return "", fmt.Errorf("run %s: %w", words[0], err)
	}
	return strings.TrimSuffix(strings.TrimSuffix(string(out), "\n"), "\r"), nil
}
