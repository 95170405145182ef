package acalocal

import (
	"encoding/json"
	"fmt"
	"os"

	"github.com/testcontainers/testcontainers-go"
	"go.yaml.in/yaml/v3"
)

// settings are what the options of this package chose.
type settings struct {
	apps      []App
	local     []string
	network   string
	timeScale float64
}

// Option is a choice of this package, beside those of testcontainers.
type Option func(*settings) error

// Customize implements testcontainers.ContainerCustomizer. Options of this
// package change nothing in the request itself.
func (o Option) Customize(*testcontainers.GenericContainerRequest) error { return nil }

var _ testcontainers.ContainerCustomizer = Option(nil)

// App is the definition of an app, as "az containerapp create --yaml" takes it.
// It needs a "name" and "properties".
type App map[string]any

// Name is its name, "" when it has none.
func (a App) Name() string {
	name, _ := a["name"].(string)
	return name
}

// WithApp applies an app.
func WithApp(app App) Option {
	return func(s *settings) error {
		if app.Name() == "" {
			return fmt.Errorf("the app has no name")
		}
		s.apps = append(s.apps, app)
		return nil
	}
}

// WithFile applies the app of a YAML or JSON file. Nothing is built: its images
// are pulled, unless WithLocalImages names them.
func WithFile(path string) Option {
	return func(s *settings) error {
		app, err := ReadFile(path)
		if err != nil {
			return err
		}
		return WithApp(app)(s)
	}
}

// ReadFile reads an app from a YAML or JSON file, for changes before WithApp.
func ReadFile(path string) (App, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	var app App
	if err := yaml.Unmarshal(text, &app); err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	// As JSON has it: one kind of number, and maps with text for keys.
	if text, err = json.Marshal(app); err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	app = nil
	return app, json.Unmarshal(text, &app)
}

// WithRun applies an app that is nothing but an image, with external ingress to
// a port.
func WithRun(name, image string, targetPort int) Option {
	return WithApp(App{"name": name, "properties": map[string]any{
		"configuration": map[string]any{"ingress": map[string]any{"external": true, "targetPort": targetPort}},
		"template":      map[string]any{"containers": []any{map[string]any{"name": name, "image": image}}},
	}})
}

// WithLocalImages names images that the engine has and no registry: they are not
// pulled.
func WithLocalImages(images ...string) Option {
	return func(s *settings) error {
		s.local = append(s.local, images...)
		return nil
	}
}

// WithNetwork puts the apps on a network that exists, so that they reach by its
// alias whatever else is there, such as a module's database.
func WithNetwork(network *testcontainers.DockerNetwork) Option {
	return func(s *settings) error {
		s.network = network.Name
		return nil
	}
}

// WithTimeScale runs the platform's own timers that many times as fast.
func WithTimeScale(factor float64) Option {
	return func(s *settings) error {
		s.timeScale = factor
		return nil
	}
}
