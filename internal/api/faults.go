package api

import (
	"net/http"

	"github.com/acalocal/acalocal/internal/fault"
)

// Faults is what the API asks of the faults of an environment. All methods may
// be called concurrently. Errors for the user are *aca.Error.
type Faults interface {
	// Add begins a fault and returns it with its name.
	Add(f fault.Fault) (fault.State, error)
	// List returns the faults, oldest first.
	List() []fault.State
	// Remove ends the fault of that name, or all without one, and returns how
	// many there were.
	Remove(name string) (int, error)
}

// FaultsRemoved says how many faults were removed.
type FaultsRemoved struct {
	Removed int `json:"removed"`
}

func (s *server) listFaults(w http.ResponseWriter, _ *http.Request) error {
	return reply(w, list[fault.State]{s.Faults.List()})
}

func (s *server) addFault(w http.ResponseWriter, r *http.Request) error {
	var f fault.Fault
	if err := decodeStrict(r.Body, &f); err != nil {
		return err
	}
	state, err := s.Faults.Add(f)
	if err != nil {
		return err
	}
	return reply(w, state)
}

func (s *server) removeFaults(w http.ResponseWriter, r *http.Request) error {
	n, err := s.Faults.Remove(r.URL.Query().Get("name"))
	if err != nil {
		return err
	}
	return reply(w, FaultsRemoved{n})
}
