package starter

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/acalocal/acalocal/emulator/aca"
	"github.com/acalocal/acalocal/internal/lazyregexp"
)

// inspected is the part of "docker inspect" that matters, of a container or of
// an image.
type inspected struct {
	Name   string
	Config struct {
		Image        string
		Env          []string
		Cmd          []string
		Entrypoint   []string
		ExposedPorts map[string]any
	}
	HostConfig struct {
		Memory       int64 // bytes, 0 for no limit
		NanoCpus     int64
		PortBindings map[string]any
	}
}

// FromInspect learns from what "docker inspect" prints of a container and of
// its image; what the container has from its image is left out. image may be
// nil when it is not known.
func FromInspect(container, image []byte) (App, error) {
	c, err := parseInspect(container)
	if err != nil {
		return App{}, fmt.Errorf("read the container: %w", err)
	}
	var base inspected
	if image != nil {
		if base, err = parseInspect(image); err != nil {
			return App{}, fmt.Errorf("read the image: %w", err)
		}
	}
	name := strings.TrimPrefix(c.Name, "/")
	app := App{Name: aca.ValidAppName(name), Image: c.Config.Image, From: "the container " + name}
	app.Port, app.PortFrom = c.port()
	if !slices.Equal(c.Config.Entrypoint, base.Config.Entrypoint) && len(c.Config.Entrypoint) > 0 {
		app.Command = literals(c.Config.Entrypoint)
	}
	if app.Command != nil || !slices.Equal(c.Config.Cmd, base.Config.Cmd) {
		app.Args = literals(c.Config.Cmd)
	}
	app.variables(c.Config.Env, base.Config.Env)
	app.size(c.HostConfig.NanoCpus, c.HostConfig.Memory)
	return app, nil
}

func parseInspect(text []byte) (inspected, error) {
	var list []inspected
	if err := json.Unmarshal(text, &list); err != nil {
		return inspected{}, err
	}
	if len(list) != 1 {
		return inspected{}, errors.New("docker inspect did not print one object")
	}
	return list[0], nil
}

// port prefers a published port: someone wanted to reach it.
func (c *inspected) port() (port int, from string) {
	for _, list := range []struct {
		ports map[string]any
		from  string
	}{{c.HostConfig.PortBindings, "the container publishes it"}, {c.Config.ExposedPorts, "the image exposes it"}} {
		var numbers []int
		for key := range maps.Keys(list.ports) {
			number, protocol, _ := strings.Cut(key, "/")
			if n, err := strconv.Atoi(number); err == nil && n > 0 && n <= 65535 && protocol != "udp" {
				numbers = append(numbers, n)
			}
		}
		if len(numbers) > 0 {
			return slices.Min(numbers), list.from
		}
	}
	return 0, ""
}

var secretVariable = lazyregexp.New(`(?i)(password|passwd|secret|token|api_?key|access_?key|account_?key|private_?key|connection_?string)`)

// variables sorts what the container adds to its image's variables into plain
// values and secrets; the values of secrets are dropped here.
func (a *App) variables(env, base []string) {
	secrets := map[string]bool{}
	for _, v := range env {
		name, value, ok := strings.Cut(v, "=")
		switch {
		case !ok || name == "" || slices.Contains(base, v):
		case secretVariable.MatchString(name):
			if !secrets[secretName(name)] {
				secrets[secretName(name)] = true
				a.Secrets = append(a.Secrets, name)
			}
		default:
			a.Env = append(a.Env, aca.EnvVar{Name: name, Value: literal(value)})
		}
	}
}

// literal protects text from the expansion of $(NAME) that Azure does and
// Docker does not.
func literal(s string) string {
	var b strings.Builder
	for i := range len(s) {
		if s[i] == '$' && i+1 < len(s) && (s[i+1] == '$' || s[i+1] == '(') {
			b.WriteByte('$')
		}
		b.WriteByte(s[i])
	}
	return b.String()
}

func literals(words []string) []string {
	out := make([]string, len(words))
	for i, w := range words {
		out[i] = literal(w)
	}
	return out
}

// size takes the smallest pair that Azure has for the container's limits.
func (a *App) size(nanoCPUs, memory int64) {
	if nanoCPUs <= 0 && memory <= 0 {
		return
	}
	for _, pair := range aca.ConsumptionPairs() {
		if float64(nanoCPUs) <= pair.CPU*1e9 && memory <= pair.Memory {
			a.CPU = pair.CPU
			a.Memory = strconv.FormatFloat(math.Round(float64(pair.Memory)/(1<<30)*100)/100, 'f', -1, 64) + "Gi"
			return
		}
	}
	a.CPU, a.Memory = 4, "8Gi"
}
