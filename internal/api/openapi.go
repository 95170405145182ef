package api

import (
	_ "embed"
	"encoding/json"
	"net/http"
	"sync"

	"go.yaml.in/yaml/v3"
)

// openAPIText is what /acalocal/v1 answers, for people to read and change.
//
//go:embed openapi.yaml
var openAPIText []byte

// openAPIDocument is that as JSON, which is what is served.
var openAPIDocument = sync.OnceValue(func() json.RawMessage {
	var document map[string]any
	if err := yaml.Unmarshal(openAPIText, &document); err != nil {
		panic("bug: openapi.yaml: " + err.Error())
	}
	text, err := json.Marshal(document)
	if err != nil {
		panic("bug: openapi.yaml: " + err.Error())
	}
	return text
})

func (s *server) openAPI(w http.ResponseWriter, _ *http.Request) error {
	return reply(w, openAPIDocument())
}
