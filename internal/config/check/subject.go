package check

import (
	"bytes"
	"io"
	"os"
	"path/filepath"
	"strings"

	"github.com/acalocal/acalocal/emulator/aca"
	"github.com/acalocal/acalocal/internal/config"
	"github.com/acalocal/acalocal/internal/config/dockerfile"
)

// subject is one app with what can be read about it without running it.
type subject struct {
	app      *config.App
	rule     *Rule
	findings []Finding

	template *aca.Template
	config   *aca.Configuration
	main     *aca.Container // the container requests are meant for; never nil
	mainPath aca.Path
	build    *config.Build    // of the main container, nil when it is pulled
	docker   *dockerfile.File // of the build, nil when there is none to read
	stage    int
	dockerAt *textFile
	command  command
	env      map[string]string // known variables of the main container
	running  *Running          // nil when the app does not run here
}

// textFile is a file that findings point into.
type textFile struct {
	name string
	text []byte
}

const (
	configPath   aca.Path = "properties.configuration"
	ingressPath           = configPath + ".ingress"
	templatePath aca.Path = "properties.template"
	scalePath             = templatePath + ".scale"
)

func newSubject(app *config.App) *subject {
	s := &subject{app: app, template: &app.Properties.Template, config: &app.Properties.Configuration, main: &aca.Container{}}
	name := app.MainContainer()
	for i := range s.template.Containers {
		if s.template.Containers[i].Name == name {
			s.main, s.mainPath = &s.template.Containers[i], containerPath(i)
			break
		}
	}
	s.readDockerfile()
	s.command = s.resolveCommand()
	s.env = s.knownEnv()
	return s
}

func containerPath(i int) aca.Path { return templatePath.Field("containers").Index(i) }

func (s *subject) readDockerfile() {
	b, ok := s.app.Builds[s.main.Name]
	if !ok {
		return
	}
	s.build = &b
	file := readText(b.Dockerfile)
	if file == nil {
		return // Load reports a Dockerfile that is not there
	}
	parsed, err := dockerfile.Parse(bytes.NewReader(file.text))
	if err != nil {
		return // the build will say so, with more than we know
	}
	s.docker, s.stage, s.dockerAt = parsed, parsed.Target(b.Target), file
}

// readText reads a file of at most 256 KiB; nil when it cannot be read: what a
// rule cannot see it says nothing about.
func readText(name string) *textFile {
	f, err := os.Open(name)
	if err != nil {
		return nil
	}
	defer f.Close() //nolint:errcheck // only read
	text, err := io.ReadAll(io.LimitReader(f, 256<<10))
	if err != nil {
		return nil
	}
	return &textFile{name: shorten(name), text: text}
}

// shorten names a file as the user would: relative to the working directory.
func shorten(name string) string {
	wd, err := os.Getwd()
	if err != nil {
		return name
	}
	if rel, err := filepath.Rel(wd, name); err == nil && filepath.IsLocal(rel) {
		return rel
	}
	return name
}

// contextFile finds a file by name in the build context: in its root, or where
// Python projects keep their sources.
func (s *subject) contextFile(name string) *textFile {
	if s.build == nil || name == "" || !filepath.IsLocal(name) {
		return nil
	}
	for _, dir := range []string{"", "src", "app"} {
		if f := readText(filepath.Join(s.build.Context, dir, name)); f != nil {
			return f
		}
	}
	return nil
}

// instruction is the last instruction of a name that holds for the image.
func (s *subject) instruction(name string) (dockerfile.Instruction, bool) {
	if s.docker == nil || s.stage < 0 {
		return dockerfile.Instruction{}, false
	}
	return s.docker.Last(s.stage, name)
}

// knownEnv collects plain values: those of the image's ENV, then those of the
// definition. Secrets are not among them.
func (s *subject) knownEnv() map[string]string {
	env := map[string]string{}
	if s.docker != nil {
		for _, in := range s.docker.Instructions {
			if in.Name == "ENV" && in.Stage == s.stage {
				envOf(in, env)
			}
		}
	}
	for _, v := range s.main.Env {
		env[v.Name] = v.Value
	}
	return env
}

func envOf(in dockerfile.Instruction, env map[string]string) {
	if len(in.Words) == 2 && !strings.Contains(in.Words[0], "=") {
		env[in.Words[0]] = in.Words[1]
		return
	}
	for _, w := range in.Words {
		if name, value, ok := strings.Cut(w, "="); ok {
			env[name] = strings.Trim(value, `"'`)
		}
	}
}

// probe finds the user's own probe of a type.
func probeOf(c *aca.Container, kind aca.ProbeType) (*aca.Probe, int) {
	for i := range c.Probes {
		if c.Probes[i].Type == kind {
			return &c.Probes[i], i
		}
	}
	return nil, -1
}

// minReplicas and maxReplicas are the bounds in effect.
func (s *subject) minReplicas() int { return s.template.Scale.Min() }
func (s *subject) maxReplicas() int { return s.template.Scale.Max() }

func or(n *int, fallback int) int {
	if n == nil {
		return fallback
	}
	return *n
}

// budget is the time in seconds until a probe gives up, from the start of the
// container.
func budget(p *aca.Probe) int {
	return or(p.InitialDelaySeconds, 0) + or(p.PeriodSeconds, 10)*or(p.FailureThreshold, 3)
}

// patience is the time in seconds that failures may last once it runs.
func patience(p *aca.Probe) int { return or(p.PeriodSeconds, 10) * or(p.FailureThreshold, 3) }

func probePort(p *aca.Probe) int {
	switch {
	case p.HTTPGet != nil:
		return p.HTTPGet.Port
	case p.TCPSocket != nil:
		return p.TCPSocket.Port
	}
	return 0
}
