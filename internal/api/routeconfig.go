package api

import (
	"io"
	"net/http"
	"strings"

	"github.com/acalocal/acalocal/emulator"
	"github.com/acalocal/acalocal/emulator/aca"
)

// applyRouteConfig takes an httpRouteConfig in ARM's form, with its name.
func (s *server) applyRouteConfig(w http.ResponseWriter, r *http.Request) error {
	c, err := decodeRouteConfig(r.Body)
	if err != nil {
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

func decodeRouteConfig(r io.Reader) (aca.HTTPRouteConfig, error) {
	body, err := readBody(r)
	if err != nil {
		return aca.HTTPRouteConfig{}, err
	}
	c, problems := aca.DecodeJSON[aca.HTTPRouteConfig](body)
	return c, refuse(problems)
}

// armRouteConfig answers ARM's requests for the route configs of this
// environment, and knows of no other. The name in the path counts.
func (s *server) armRouteConfig(w http.ResponseWriter, r *http.Request, p armPath) error {
	snap := s.Emulator.Snapshot()
	if !strings.EqualFold(p.environment, snap.Environment) {
		return notFound("managedEnvironments/"+p.environment, p.resourceGroup)
	}
	if p.routeConfig == "" {
		if r.Method != http.MethodGet {
			return wrongMethod(r, http.MethodGet)
		}
		return reply(w, list[aca.HTTPRouteConfig]{collect(snap.RouteConfigs, func(c *emulator.RouteConfig) aca.HTTPRouteConfig { return c.In(p.group()) })})
	}
	switch r.Method {
	case http.MethodGet:
	case http.MethodPut:
		c, err := decodeRouteConfig(r.Body)
		if err != nil {
			return err
		}
		c.Name = p.routeConfig
		if err := s.Emulator.ApplyRouteConfig(r.Context(), c); err != nil {
			return err
		}
	case http.MethodDelete:
		return s.armDeleteRouteConfig(w, r, p)
	default:
		return wrongMethod(r, "GET, PUT and DELETE")
	}
	c := s.Emulator.Snapshot().RouteConfig(p.routeConfig)
	if c == nil {
		return notFound("managedEnvironments/"+p.environment+"/"+routeConfigs+"/"+p.routeConfig, p.resourceGroup)
	}
	return reply(w, c.In(p.group()))
}

func (s *server) armDeleteRouteConfig(w http.ResponseWriter, r *http.Request, p armPath) error {
	if s.Emulator.Snapshot().RouteConfig(p.routeConfig) == nil {
		w.WriteHeader(http.StatusNoContent) // as with apps
		return nil
	}
	if err := s.Emulator.DeleteRouteConfig(r.Context(), p.routeConfig); err != nil {
		return err
	}
	w.WriteHeader(http.StatusOK)
	return nil
}
