package api

import (
	"net/http"

	"github.com/acalocal/acalocal/logsink/incident"
)

// ImportAnswer is how many rows were stored.
type ImportAnswer = incident.Counts

// importRows stores rows that came from elsewhere; see package incident for the
// forms of the body.
func (s *server) importRows(w http.ResponseWriter, r *http.Request) error {
	rows, err := incident.Read(r.Body)
	if err != nil {
		return badContent("", "The rows cannot be read: %v.", err)
	}
	if err := s.Logs.Import(r.Context(), rows); err != nil {
		return err
	}
	return reply(w, rows.Counts)
}
