// Package starter writes a first containerapp.yaml, with comments for whoever
// has never seen one, from a Dockerfile or from a container that runs.
package starter

import (
	"fmt"
	"strings"

	"github.com/acalocal/acalocal/emulator/aca"
	"go.yaml.in/yaml/v3"
)

// App is what is known of the app.
type App struct {
	Name       string // a valid app name
	Image      string
	From       string // what it was made from, for the first comment
	Port       int    // 0 when not known: the platform detects it
	PortFrom   string // what said so
	Command    []string
	Args       []string
	Env        []aca.EnvVar // plain values
	Secrets    []string     // variables that are secrets; their values are not written
	HealthPath string       // "" when not known
	CPU        float64      // 0 for the default
	Memory     string       // "" for the default
}

// YAML is the file. Load reads it without a problem, and check finds no error
// in it.
func (a App) YAML() []byte {
	w := &writer{}
	w.line("# An Azure Container App, made from %s.", a.From)
	w.line("#   here:      acalocal up")
	w.line("#   on Azure:  az containerapp create -n %s -g <group> --environment <environment> --yaml containerapp.yaml", a.Name)
	w.line("# All keys: acalocal schema, https://learn.microsoft.com/azure/container-apps/azure-resource-manager-api-spec")
	w.line("type: Microsoft.App/containerApps")
	w.line("name: %s", scalar(a.Name))
	w.line("properties:")
	a.configuration(w)
	a.template(w)
	return []byte(w.String())
}

func (a App) configuration(w *writer) {
	w.line("  configuration:             # applies to all revisions; a change makes no new one")
	w.line("    activeRevisionsMode: Single")
	w.line("    ingress:")
	w.line("      external: true         # false: reachable by apps of the same environment only")
	if a.Port != 0 {
		w.line("      targetPort: %-10d # %s", a.Port, a.PortFrom)
	} else {
		w.line("      # targetPort: 8000     # the port the app listens on; without it the platform detects it")
	}
	w.line("      transport: auto        # http2 for gRPC, tcp for anything else")
	if len(a.Secrets) == 0 {
		w.line("    # secrets:               # used with secretRef under env")
		w.line("    #   - name: db-password")
		w.line("    #     value: change-me")
		return
	}
	w.line("    secrets:                 # values of your own stand in acalocal.yaml, never here")
	for _, name := range a.Secrets {
		w.line("      - name: %s", secretName(name))
		w.line("        value: change-me")
	}
}

func (a App) template(w *writer) {
	w.line("  template:                  # every change makes a new revision")
	w.line("    containers:")
	w.line("      - name: %s", scalar(a.Name))
	w.line("        image: %s", scalar(a.Image))
	a.words(w, "command", a.Command, "replaces the image's ENTRYPOINT, and its CMD with it")
	a.words(w, "args", a.Args, "replaces the image's CMD")
	a.env(w)
	w.line("        resources:           # cpu and memory go in pairs: 0.25/0.5Gi, 0.5/1Gi, 0.75/1.5Gi, …")
	w.line("          cpu: %v", orCPU(a.CPU))
	w.line("          memory: %s", orText(a.Memory, "1Gi"))
	a.probes(w)
	w.line("    scale:")
	w.line("      minReplicas: 1         # 0 costs nothing at rest; the first request then waits for a cold start")
	w.line("      maxReplicas: 3")
	w.line("      rules:")
	w.line("        - name: http")
	w.line("          http:")
	w.line("            metadata:")
	w.line("              concurrentRequests: \"50\"   # per replica")
}

func (a App) words(w *writer, key string, words []string, comment string) {
	if len(words) == 0 {
		return
	}
	quoted := make([]string, len(words))
	for i, word := range words {
		quoted[i] = quote(word)
	}
	w.line("        %s: [%s]   # %s", key, strings.Join(quoted, ", "), comment)
}

func (a App) env(w *writer) {
	if len(a.Env) == 0 && len(a.Secrets) == 0 {
		w.line("        # env:               # Azure sets CONTAINER_APP_NAME and its like, never PORT")
		w.line("        #   - name: LOG_LEVEL")
		w.line("        #     value: info")
		return
	}
	w.line("        env:                 # Azure sets CONTAINER_APP_NAME and its like, never PORT")
	for _, v := range a.Env {
		w.line("          - name: %s", scalar(v.Name))
		w.line("            value: %s", quote(v.Value))
	}
	for _, name := range a.Secrets {
		w.line("          - name: %s", scalar(name))
		w.line("            secretRef: %s", secretName(name))
	}
}

// probes: those of a known health path; else how to write them, for the hidden
// ones ask only whether the port is open.
func (a App) probes(w *writer) {
	c, path := "", a.HealthPath
	if path == "" || a.Port == 0 {
		c, path = "# ", orText(path, "/health")
		w.line("        # Without probes Azure only looks whether the port is open. With a health path:")
	}
	port := a.Port
	if port == 0 {
		port = 8000
	}
	w.line("        %sprobes:", c)
	for _, p := range []struct {
		kind                       string
		period, timeout, threshold int
	}{{"Startup", 2, 3, 60}, {"Readiness", 5, 3, 6}, {"Liveness", 20, 3, 3}} {
		if p.threshold > 30 {
			p.period, p.threshold = p.period*p.threshold/30, 30
		}
		w.line("        %s  - type: %s", c, p.kind)
		w.line("        %s    httpGet: { path: %s, port: %d }", c, quote(path), port)
		w.line("        %s    periodSeconds: %d", c, p.period)
		w.line("        %s    timeoutSeconds: %d", c, p.timeout)
		w.line("        %s    failureThreshold: %d", c, p.threshold)
	}
}

// secretName is the name of the secret for a variable: DB_PASSWORD becomes
// db-password.
func secretName(variable string) string {
	name := strings.Map(func(r rune) rune {
		if 'a' <= r && r <= 'z' || '0' <= r && r <= '9' {
			return r
		}
		return '-'
	}, strings.ToLower(variable))
	return orText(strings.Trim(name, "-"), "secret")
}

func orCPU(cpu float64) float64 {
	if cpu == 0 {
		return 0.5
	}
	return cpu
}

func orText(s, fallback string) string {
	if s == "" {
		return fallback
	}
	return s
}

// scalar writes text in YAML, with quotes where YAML needs them.
func scalar(s string) string {
	text, err := yaml.Marshal(s)
	if err != nil || strings.Count(string(text), "\n") > 1 {
		return quote(s)
	}
	return strings.TrimSuffix(string(text), "\n")
}

// quote writes text in double quotes.
func quote(s string) string {
	n := yaml.Node{Kind: yaml.ScalarNode, Tag: "!!str", Value: s, Style: yaml.DoubleQuotedStyle}
	text, err := yaml.Marshal(&n)
	if err != nil || strings.Count(string(text), "\n") > 1 {
		// A long text is folded by the encoder; this spelling is valid YAML, too.
		return fmt.Sprintf("%+q", s)
	}
	return strings.TrimSuffix(string(text), "\n")
}

type writer struct{ strings.Builder }

func (w *writer) line(format string, args ...any) { fmt.Fprintf(w, format+"\n", args...) }
