package emulatortest

import (
	"fmt"
	"slices"
	"time"

	"github.com/acalocal/acalocal/emulator/aca"
	"github.com/acalocal/acalocal/internal/config"
	"github.com/acalocal/acalocal/internal/fault"
)

// Option is a choice made at Start. Options about an app take its name, or ""
// for the only one there is.
type Option func(*settings)

// settings are what the options chose.
type settings struct {
	files     []string
	apps      []aca.ContainerApp
	overrides config.Overrides
	changes   []change
	faults    []Fault
	simulated map[string]Simulation
	timeScale float64
	drain     bool
	patience  time.Duration
}

// change edits one app of the definition before it is applied.
type change struct {
	app  string
	edit func(*config.App) error
}

// File takes the apps that a file or directory defines, as "acalocal up" does:
// an ACA YAML, an ARM or Bicep template, a compose file, or a directory with a
// Dockerfile, whose image is built.
func File(path string) Option {
	return func(s *settings) { s.files = append(s.files, path) }
}

// App takes an app as a value. Defaults are filled in.
func App(app aca.ContainerApp) Option {
	return func(s *settings) { s.apps = append(s.apps, *app.Clone()) }
}

// Run takes an app that is nothing but an image, with external ingress to a
// port.
func Run(app, image string, targetPort int) Option {
	return App(aca.ContainerApp{Name: app, Properties: aca.AppProperties{
		Configuration: aca.Configuration{Ingress: &aca.Ingress{External: true, TargetPort: targetPort}},
		Template:      aca.Template{Containers: []aca.Container{{Name: app, Image: image}}},
	}})
}

// Change edits an app's definition before it is applied.
func Change(app string, edit func(*aca.ContainerApp)) Option {
	return changeApp(app, func(a *config.App) error { edit(&a.ContainerApp); return nil })
}

func changeApp(app string, edit func(*config.App) error) Option {
	return func(s *settings) { s.changes = append(s.changes, change{app, edit}) }
}

// Image runs another image than the definition's in an app's first container;
// nothing is built for it.
func Image(app, image string) Option {
	return changeApp(app, func(a *config.App) error {
		c, err := firstContainer(a)
		if err != nil {
			return err
		}
		delete(a.Builds, c.Name)
		c.Image = image
		return nil
	})
}

// Variable sets an environment variable of an app's containers.
func Variable(app, name, value string) Option {
	return changeApp(app, func(a *config.App) error {
		if _, err := firstContainer(a); err != nil {
			return err
		}
		for i := range a.Properties.Template.Containers {
			c := &a.Properties.Template.Containers[i]
			c.Env = slices.DeleteFunc(c.Env, func(v aca.EnvVar) bool { return v.Name == name })
			c.Env = append(c.Env, aca.EnvVar{Name: name, Value: value})
		}
		return nil
	})
}

// Secret sets the value of a secret of an app, and adds it when there is none of
// that name.
func Secret(app, name, value string) Option {
	return changeApp(app, func(a *config.App) error {
		delete(a.Local.Secrets, name)
		list := &a.Properties.Configuration.Secrets
		*list = slices.DeleteFunc(*list, func(s aca.Secret) bool { return s.Name == name })
		*list = append(*list, aca.Secret{Name: name, Value: value})
		return nil
	})
}

// MinReplicas sets the least number of replicas of an app: 1 keeps it from
// scaling to zero in the middle of a test.
func MinReplicas(app string, n int) Option {
	return Change(app, func(a *aca.ContainerApp) {
		t := &a.Properties.Template
		if t.Scale == nil {
			t.Scale = &aca.Scale{}
		}
		t.Scale.MinReplicas = &n
	})
}

func firstContainer(a *config.App) (*aca.Container, error) {
	if len(a.Properties.Template.Containers) == 0 {
		return nil, fmt.Errorf("app %s has no container", a.Name)
	}
	return &a.Properties.Template.Containers[0], nil
}

// TimeScale runs the platform's own timers, such as the back-off after a crash,
// that many times as fast.
func TimeScale(factor float64) Option {
	return func(s *settings) { s.timeScale = factor }
}

// Patience bounds each wait of the environment; the default is two minutes.
func Patience(d time.Duration) Option {
	return func(s *settings) { s.patience = d }
}

// Drain lets the apps end as on Azure when the test ends, with SIGTERM and their
// grace period. Without it they are killed, which is faster.
func Drain() Option {
	return func(s *settings) { s.drain = true }
}

// Fault is something that is broken on purpose.
type Fault = fault.Fault

// Seconds is a duration of a Fault.
func Seconds(n float64) fault.Duration { return fault.Duration(n * float64(time.Second)) }

// The kinds of faults; see "acalocal fault add --help".
const (
	KillReplica   = fault.KillReplica
	FailProbe     = fault.FailProbe
	DelayProbe    = fault.DelayProbe
	SlowLink      = fault.SlowLink
	CutLink       = fault.CutLink
	ExhaustMemory = fault.ExhaustMemory
	RefusePull    = fault.RefusePull
	LoseEngine    = fault.LoseEngine
)

// Faults are there before the first app is.
func Faults(faults ...Fault) Option {
	return func(s *settings) { s.faults = append(s.faults, faults...) }
}
