package starter

import (
	"bytes"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/acalocal/acalocal/emulator/aca"
	"github.com/acalocal/acalocal/internal/config/dockerfile"
	"github.com/acalocal/acalocal/internal/lazyregexp"
)

// FromDockerfile learns what it can from the text of a Dockerfile in a
// directory.
func FromDockerfile(dir string, text []byte) (App, error) {
	f, err := dockerfile.Parse(bytes.NewReader(text))
	if err != nil {
		return App{}, err
	}
	name := aca.ValidAppName(filepath.Base(dir))
	app := App{Name: name, From: "a Dockerfile"}
	app.Image = "myregistry.azurecr.io/" + name + ":1.0"
	last := f.Target("")
	if ports := f.ExposedPorts(last); len(ports) > 0 {
		app.Port, app.PortFrom = ports[0], "from EXPOSE"
	}
	if in, ok := f.Last(last, "HEALTHCHECK"); ok {
		app.health(in.Text)
	}
	for _, name := range []string{"CMD", "ENTRYPOINT"} {
		if in, ok := f.Last(last, name); ok && app.Port != 0 && portVariable.MatchString(in.Text) && !setsPort(f) {
			app.Env = []aca.EnvVar{{Name: "PORT", Value: strconv.Itoa(app.Port)}}
		}
	}
	return app, nil
}

var (
	healthURL    = lazyregexp.New(`https?://(?:localhost|127\.0\.0\.1|0\.0\.0\.0)(?::(\d+))?(/[\w./-]*)`)
	portVariable = lazyregexp.New(`\$(PORT\b|\{PORT\b)`)
)

// health takes the path of a HEALTHCHECK that asks the app over HTTP.
func (a *App) health(text string) {
	m := healthURL.FindStringSubmatch(text)
	if m == nil {
		return
	}
	a.HealthPath = m[2]
	if port, err := strconv.Atoi(m[1]); err == nil && a.Port == 0 && port > 0 && port <= 65535 {
		a.Port, a.PortFrom = port, "from HEALTHCHECK"
	}
}

func setsPort(f *dockerfile.File) bool {
	for _, in := range f.Instructions {
		if in.Name != "ENV" {
			continue
		}
		for i, w := range in.Words {
			if strings.HasPrefix(w, "PORT=") || i == 0 && w == "PORT" {
				return true
			}
		}
	}
	return false
}
