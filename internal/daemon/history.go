package daemon

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/acalocal/acalocal/internal/core"
)

// history keeps each app in a file of its own, replaced as a whole: a crash
// leaves the old one or the new one. Values of secrets never come here.
type history struct{ dir string }

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
	text, err := json.Marshal(app)
	if err != nil {
		return err
	}
	if err := os.MkdirAll(h.dir, 0o700); err != nil {
		return err
	}
	path := h.path(app.App.Name)
	temporary := path + ".new"
	if err := os.WriteFile(temporary, text, 0o600); err != nil {
		return err
	}
	return os.Rename(temporary, path)
}

// Forget removes an app's file.
func (h history) Forget(app string) error {
	if err := os.Remove(h.path(app)); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}
