package config

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/acalocal/acalocal/emulator/aca"
	"github.com/acalocal/acalocal/internal/config/arm"
)

// azdTag is the tag by which azd finds the app of a service.
const azdTag = "azd-service-name"

// readAzdInfra reads the template that azd deploys, when it can be read: the
// JSON beside its Bicep, or the Bicep itself when a compiler is installed. It
// returns the apps of the template by service; ok is false when there is no
// template that could be evaluated, and then nothing of it is kept.
func (l *loader) readAzdInfra(source *sourceFile, root map[string]any) (apps map[string]App, ok bool) {
	file := azdTemplate(filepath.Dir(source.file), root)
	if file == "" {
		return nil, false
	}
	sub := &loader{ctx: l.ctx, def: &Definition{}, overrides: l.overrides, local: l.local}
	sub.azdEnv = azdEnvironment(filepath.Dir(source.file))
	sub.readFile(file)
	if sub.problems.HasErrors() {
		l.infraProblem(source, file, sub.problems)
		return nil, false
	}
	l.problems = append(l.problems, sub.problems...)
	l.def.Files = append(l.def.Files, sub.def.Files...)
	l.policies = append(l.policies, sub.policies...)
	if l.def.Environment.Resource == nil {
		l.def.Environment = sub.def.Environment
	}
	apps = map[string]App{}
	for _, app := range sub.def.Apps {
		if service := app.Tags[azdTag]; service != "" {
			apps[service] = app
		} else {
			l.addApp(app)
		}
	}
	return apps, true
}

// infraProblem says why the template is not used, with its first error.
func (l *loader) infraProblem(source *sourceFile, file string, problems Problems) {
	for _, p := range problems {
		if p.Severity != aca.SeverityError {
			continue
		}
		l.problems = append(l.problems, Problem{Position: Position{File: source.file}, Problem: aca.Problem{Severity: aca.SeverityWarning,
			Message: fmt.Sprintf("%s cannot be read, so ingress, variables, secrets and scale are not known: %s", showPath(file), p.Message),
			Hint:    "acalocal check " + showPath(file) + " lists everything that is wrong with it"}})
		return
	}
}

// azdTemplate finds the template: infra/main unless azure.yaml says otherwise,
// as JSON, or as Bicep when something can compile it; "" when there is none.
func azdTemplate(dir string, root map[string]any) string {
	path, module := "infra", "main"
	if infra, ok := root["infra"].(map[string]any); ok {
		path, module = orElse(text(infra, "path"), path), orElse(text(infra, "module"), module)
	}
	base := filepath.Join(dir, path, module)
	switch {
	case isFile(base + ".json"):
		return base + ".json"
	case isFile(base+".bicep") && canCompile():
		return base + ".bicep"
	}
	return ""
}

// azdEnvironment reads the values of azd's default environment, and gives
// those that every template asks for a value when azd has not been run here.
func azdEnvironment(dir string) map[string]string {
	env := map[string]string{"AZURE_ENV_NAME": "dev", "AZURE_LOCATION": "eastus", "AZURE_PRINCIPAL_ID": "", "AZURE_PRINCIPAL_TYPE": "User"}
	name := "dev"
	if config, err := readReferenced(filepath.Join(dir, ".azure", "config.json")); err == nil {
		if n, err := arm.Parse(config.text); err == nil {
			if d := n.Get("defaultEnvironment"); d != nil && d.Text != "" && filepath.IsLocal(d.Text) {
				name = d.Text
			}
		}
	}
	env["AZURE_ENV_NAME"] = name
	if dotenv, err := readReferenced(filepath.Join(dir, ".azure", name, ".env")); err == nil {
		vars, _ := parseEnvFile(dotenv.text) // azd wrote it
		for _, v := range vars {
			env[v.name] = v.value
		}
	}
	return env
}

// substitute replaces ${NAME} and ${NAME=default} in the values of a parameters
// file, as azd does; without azd nothing is replaced.
func (l *loader) substitute(value any) any {
	if l.azdEnv == nil {
		return value
	}
	return mapTexts(value, "", func(s string, _ aca.Path) string {
		return os.Expand(s, func(expression string) string {
			name, fallback, _ := strings.Cut(expression, "=")
			if v, ok := l.azdEnv[name]; ok && v != "" {
				return v
			}
			if v, ok := os.LookupEnv(name); ok {
				return v
			}
			return fallback
		})
	})
}
