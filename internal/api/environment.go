package api

import (
	"net/http"
	"strings"

	"github.com/acalocal/acalocal/emulator/aca"
)

// armEnvironment answers ARM's requests for this environment, and knows of no
// other.
func (s *server) armEnvironment(w http.ResponseWriter, r *http.Request, p armPath) error {
	switch {
	case r.Method != http.MethodGet:
		return wrongMethod(r, http.MethodGet)
	case p.environment == "":
		return reply(w, aca.Answer(list[aca.ManagedEnvironment]{[]aca.ManagedEnvironment{s.Managed.In(p.group())}}))
	case !strings.EqualFold(p.environment, s.Managed.Name):
		return notFound(environments+"/"+p.environment, p.resourceGroup)
	}
	return reply(w, aca.Answer(s.Managed.In(p.group())))
}
