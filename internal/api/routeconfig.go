package api

import (
	"net/http"

	"github.com/acalocal/acalocal/emulator/aca"
)

// applyRouteConfig takes an httpRouteConfig in ARM's form, with its name.
func (s *server) applyRouteConfig(w http.ResponseWriter, r *http.Request) error {
	body, err := readBody(r.Body)
	if err != nil {
		return err
	}
	c, problems := aca.DecodeJSON[aca.HTTPRouteConfig](body)
	if err := refuse(problems); err != nil {
		return err
	}
	if err := s.Emulator.ApplyRouteConfig(r.Context(), c); err != nil {
		return err
	}
	return reply(w, s.Emulator.Snapshot().RouteConfig(c.Name))
}

func (s *server) deleteRouteConfig(w http.ResponseWriter, r *http.Request) error {
	name := r.URL.Query().Get("name")
	if err := s.Emulator.DeleteRouteConfig(r.Context(), name); err != nil {
		return err
	}
	return reply(w, "Removed")
}
