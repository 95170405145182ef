package api

import (
	"net/http"

	"github.com/acalocal/acalocal/emulator/aca"
	"github.com/acalocal/acalocal/logsink/kql"
	"github.com/acalocal/acalocal/logsink/saved"
)

// TextBody is a query that is being written. Offset, in UTF-16 units, is where
// the cursor stands.
type TextBody struct {
	Text   string `json:"text"`
	Offset int    `json:"offset,omitempty"`
}

// CheckAnswer is what is wrong with a query.
type CheckAnswer struct {
	Diagnostics kql.Diagnostics `json:"diagnostics"`
}

// SchemaAnswer is the tables there are.
type SchemaAnswer struct {
	Tables []SchemaTable `json:"tables"`
}

// SchemaTable is a table and its columns.
type SchemaTable struct {
	Name    string        `json:"name"`
	Columns []QueryColumn `json:"columns"`
}

// SavedAnswer is the saved queries.
type SavedAnswer struct {
	Queries []saved.Query `json:"queries"`
}

// checkText says what is wrong with a query, without running it.
func (s *server) checkText(w http.ResponseWriter, r *http.Request) error {
	var b TextBody
	if err := decodeJSON(r.Body, &b); err != nil {
		return err
	}
	found, err := kql.Check(s.Logs.Catalog(), b.Text, kql.Options{})
	if err != nil {
		return err
	}
	if found == nil {
		found = kql.Diagnostics{}
	}
	return reply(w, CheckAnswer{found})
}

// complete answers what may stand at the cursor.
func (s *server) complete(w http.ResponseWriter, r *http.Request) error {
	var b TextBody
	if err := decodeJSON(r.Body, &b); err != nil {
		return err
	}
	c, err := kql.Complete(s.Logs.Catalog(), b.Text, b.Offset)
	if err != nil {
		return err
	}
	if c.Items == nil {
		c.Items = []kql.Completion{}
	}
	return reply(w, c)
}

// formatText sets a query out anew.
func (s *server) formatText(w http.ResponseWriter, r *http.Request) error {
	var b TextBody
	if err := decodeJSON(r.Body, &b); err != nil {
		return err
	}
	text, err := kql.Format(b.Text)
	if err != nil {
		return &aca.Error{Code: codeBadQuery, Message: "The query cannot be set out anew: " + err.Error()}
	}
	return reply(w, TextBody{Text: text})
}

// schema lists the tables.
func (s *server) schema(w http.ResponseWriter, _ *http.Request) error {
	cat := s.Logs.Catalog()
	answer := SchemaAnswer{Tables: []SchemaTable{}}
	for _, name := range cat.Tables() {
		t, ok := cat.Table(name)
		if !ok {
			continue
		}
		table := SchemaTable{Name: name, Columns: []QueryColumn{}}
		for _, c := range t.Schema() {
			table.Columns = append(table.Columns, QueryColumn{c.Name, c.Type.String()})
		}
		answer.Tables = append(answer.Tables, table)
	}
	return reply(w, answer)
}

// savedQueries lists the saved queries.
func (s *server) savedQueries(w http.ResponseWriter, _ *http.Request) error {
	return reply(w, SavedAnswer{saved.All()})
}
