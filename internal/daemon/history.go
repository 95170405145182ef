package daemon

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/acalocal/acalocal/emulator/aca"
	"github.com/acalocal/acalocal/internal/core"
)

// history keeps each app in a file of its own, replaced as a whole: a crash
// leaves the old one or the new one. Values of secrets never come here.
type history struct{ dir string }

// routeConfigsFile holds what is not an app's; no app has a name like it.
const routeConfigsFile = "_httpRouteConfigs.json"

func (h history) path(app string) string { return filepath.Join(h.dir, app+".json") }

// Load returns all saved apps. Files that cannot be read are skipped and
// named in the error, beside what could be read.
func (h history) Load() ([]core.SavedApp, error) {
	files, err := filepath.Glob(filepath.Join(h.dir, "*.json"))
	if err != nil {
		return nil, err
	}
	var apps []core.SavedApp
	var broken []error
	for _, file := range files {
		if filepath.Base(file) == routeConfigsFile {
			continue
		}
		var app core.SavedApp
		text, err := os.ReadFile(file)
		if err == nil {
			err = json.Unmarshal(text, &app)
		}
		if err == nil && app.App.Name != strings.TrimSuffix(filepath.Base(file), ".json") {
			err = errors.New("holds another app")
		}
		if err != nil {
			broken = append(broken, fmt.Errorf("%s: %w", file, err))
			continue
		}
		apps = append(apps, app)
	}
	return apps, errors.Join(broken...)
}

// Save replaces an app's file.
func (h history) Save(app core.SavedApp) error {
	return h.write(h.path(app.App.Name), app)
}

// write replaces a file as a whole.
func (h history) write(path string, v any) error {
	text, err := json.Marshal(v)
	if err != nil {
		return err
	}
	if err := os.MkdirAll(h.dir, 0o700); err != nil {
		return err
	}
	temporary := path + ".new"
	if err := os.WriteFile(temporary, text, 0o600); err != nil {
		return err
	}
	return os.Rename(temporary, path)
}

// Forget removes an app's file.
func (h history) Forget(app string) error {
	return remove(h.path(app))
}

func remove(path string) error {
	if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}

// LoadRouteConfigs returns the saved route configs; none were saved when there
// is no file.
func (h history) LoadRouteConfigs() ([]aca.HTTPRouteConfig, error) {
	text, err := os.ReadFile(filepath.Join(h.dir, routeConfigsFile))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	var configs []aca.HTTPRouteConfig
	if err := json.Unmarshal(text, &configs); err != nil {
		return nil, fmt.Errorf("%s: %w", routeConfigsFile, err)
	}
	return configs, nil
}

// SaveRouteConfigs replaces the saved route configs.
func (h history) SaveRouteConfigs(configs []aca.HTTPRouteConfig) error {
	path := filepath.Join(h.dir, routeConfigsFile)
	if len(configs) == 0 {
		return remove(path)
	}
	return h.write(path, configs)
}
