// Package coretest keeps in memory what a daemon leaves to the next, for tests.
package coretest

import (
	"maps"
	"slices"
	"sync"

	"github.com/acalocal/acalocal/emulator/aca"
	"github.com/acalocal/acalocal/internal/core"
)

// History keeps saved apps and route configs. It is the emulator's History. The
// zero value is empty; all methods may be called concurrently.
type History struct {
	mu      sync.Mutex
	apps    map[string]core.SavedApp // guarded by mu
	configs []aca.HTTPRouteConfig    // guarded by mu
}

// Load returns the saved apps, sorted by name.
func (h *History) Load() ([]core.SavedApp, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	var out []core.SavedApp
	for _, name := range slices.Sorted(maps.Keys(h.apps)) {
		out = append(out, h.apps[name])
	}
	return out, nil
}

// Save keeps an app.
func (h *History) Save(a core.SavedApp) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.apps == nil {
		h.apps = map[string]core.SavedApp{}
	}
	h.apps[a.App.Name] = a
	return nil
}

// Forget drops an app.
func (h *History) Forget(app string) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	delete(h.apps, app)
	return nil
}

// LoadRouteConfigs returns the saved route configs.
func (h *History) LoadRouteConfigs() ([]aca.HTTPRouteConfig, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.configs, nil
}

// SaveRouteConfigs replaces the saved route configs.
func (h *History) SaveRouteConfigs(configs []aca.HTTPRouteConfig) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.configs = configs
	return nil
}

// Apps is how many apps are kept.
func (h *History) Apps() int {
	h.mu.Lock()
	defer h.mu.Unlock()
	return len(h.apps)
}

// Lose drops everything, as a disk may.
func (h *History) Lose() {
	h.mu.Lock()
	defer h.mu.Unlock()
	clear(h.apps)
	h.configs = nil
}
