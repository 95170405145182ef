// Package azout prints values as az's -o prints them, after az's --query.
//
// az's output is knack's: JSON is indented by two, a table has the simple
// values of each object, TSV the values of each object in the order of the
// query, and null prints nothing.
package azout

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/acalocal/acalocal/internal/lazyregexp"
	"github.com/jmespath-community/go-jmespath/pkg/api"
	"github.com/jmespath-community/go-jmespath/pkg/parsing"
	"go.yaml.in/yaml/v3"
)

// Formats are the values of -o. The two with colours print none.
var Formats = []string{"json", "jsonc", "yaml", "yamlc", "table", "tsv", "none"}

// Query is a JMESPath expression. Its methods may be called concurrently.
type Query struct {
	text string
	path api.JMESPath
	rank map[string]int // keys the expression makes, in the order they stand in it
}

// Parse reads an expression; an error says where it goes wrong.
func Parse(text string) (*Query, error) {
	expression := quoteLiterals(text)
	node, err := parsing.NewParser().Parse(expression)
	if err != nil {
		return nil, fmt.Errorf("not a JMESPath expression: %w", err)
	}
	path, err := api.Compile(expression)
	if err != nil {
		return nil, fmt.Errorf("not a JMESPath expression: %w", err)
	}
	q := &Query{text: text, path: path, rank: map[string]int{}}
	q.findKeys(node)
	return q, nil
}

// quoteLiterals writes `Running` as `"Running"`: the JMESPath of az still takes
// literals that are no JSON for strings, as the language once had it
// (https://jmespath.org/proposals/improved-identifiers.html).
func quoteLiterals(text string) string {
	var b strings.Builder
	for len(text) > 0 {
		i := strings.IndexAny(text, "'\"`")
		if i < 0 {
			break
		}
		end := closing(text, i)
		if end < 0 {
			break
		}
		inside := text[i+1 : end]
		if text[i] == '`' && !json.Valid([]byte(inside)) {
			b.WriteString(text[:i] + "`\"" + strings.TrimLeft(inside, " ") + "\"`")
		} else {
			b.WriteString(text[:end+1])
		}
		text = text[end+1:]
	}
	return b.String() + text
}

// closing is where the quote that begins at i ends, -1 when it does not.
func closing(text string, i int) int {
	for n := i + 1; n < len(text); n++ {
		switch text[n] {
		case '\\':
			n++
		case text[i]:
			return n
		}
	}
	return -1
}

// String is the text of the expression.
func (q *Query) String() string { return q.text }

// findKeys notes the keys of {key: value} in the order they are written, in
// which az prints them: Go's maps do not remember it.
func (q *Query) findKeys(node parsing.ASTNode) {
	if node.NodeType == parsing.ASTKeyValPair {
		if key, ok := node.Value.(string); ok {
			if _, known := q.rank[key]; !known {
				q.rank[key] = len(q.rank)
			}
		}
	}
	for _, c := range node.Children {
		q.findKeys(c)
	}
}

// Table makes of an answer the rows that -o table shows of it.
type Table func(answer any) []Row

// Row is an object with its fields in order.
type Row []Field

// Field is one value of a Row. Values of columns are simple.
type Field struct {
	Name  string
	Value any
}

// MarshalJSON implements json.Marshaler.
func (r Row) MarshalJSON() ([]byte, error) {
	b := []byte{'{'}
	for i, f := range r {
		if i > 0 {
			b = append(b, ',')
		}
		name, value, err := marshalField(f)
		if err != nil {
			return nil, err
		}
		b = append(append(append(b, name...), ':'), value...)
	}
	return append(b, '}'), nil
}

func marshalField(f Field) (name, value []byte, err error) {
	if name, err = marshal(f.Name); err == nil {
		value, err = marshal(f.Value)
	}
	return name, value, err
}

// marshal is json.Marshal that leaves <, > and & as they are.
func marshal(v any) ([]byte, error) {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(v); err != nil {
		return nil, err
	}
	return bytes.TrimRight(b.Bytes(), "\n"), nil
}

// Write prints value in a format, "" for JSON. A query, which may be nil, is
// asked first; table, which may be nil, makes the rows of a table without one.
func Write(w io.Writer, value any, query *Query, format string, table Table) error {
	text, err := marshal(value)
	if err != nil {
		return err
	}
	answer, err := decode(text)
	if err != nil {
		return err
	}
	if query != nil {
		if answer, err = query.path.Search(answer); err != nil {
			return fmt.Errorf("--query %s: %w", query, err)
		}
		answer = query.order(answer)
		if text, err = marshal(answer); err != nil {
			return err
		}
		table = nil
	}
	if answer == nil {
		return nil
	}
	switch format {
	case "none":
		return nil
	case "table":
		return writeTable(w, answer, table)
	case "tsv":
		return writeTSV(w, answer)
	case "yaml", "yamlc":
		return writeYAML(w, text)
	}
	var b bytes.Buffer
	if err := json.Indent(&b, text, "", "  "); err != nil {
		return err
	}
	b.WriteByte('\n')
	_, err = w.Write(b.Bytes())
	return err
}

// decode reads JSON with numbers as JMESPath computes with them.
func decode(text []byte) (v any, err error) {
	err = json.Unmarshal(text, &v)
	return v, err
}

// order puts the fields of objects in the order of the expression, those it
// does not name behind, by name.
func (q *Query) order(v any) any {
	switch v := v.(type) {
	case []any:
		out := make([]any, len(v))
		for i := range v {
			out[i] = q.order(v[i])
		}
		return out
	case map[string]any:
		row := make(Row, 0, len(v))
		for name, value := range v {
			row = append(row, Field{name, q.order(value)})
		}
		slices.SortFunc(row, func(a, b Field) int {
			if n := q.rankOf(a.Name) - q.rankOf(b.Name); n != 0 {
				return n
			}
			return strings.Compare(a.Name, b.Name)
		})
		return row
	}
	return v
}

func (q *Query) rankOf(name string) int {
	if n, ok := q.rank[name]; ok {
		return n
	}
	return len(q.rank)
}

// writeYAML prints JSON as YAML: the one is the other in another style.
func writeYAML(w io.Writer, text []byte) error {
	var doc yaml.Node
	if err := yaml.Unmarshal(text, &doc); err != nil {
		return err
	}
	blockStyle(&doc)
	enc := yaml.NewEncoder(w)
	enc.SetIndent(2)
	if err := enc.Encode(&doc); err != nil {
		return err
	}
	return enc.Close()
}

// timeText are texts that YAML 1.1 reads as times, which the encoder does not
// always quote. Az does.
var timeText = lazyregexp.New(`^\d{4}-(\d\d-\d\d|\d\d?-\d\d?([Tt]|[ \t]+)\d\d?:\d\d:\d\d(\.\d*)?([ \t]*(Z|[-+]\d\d?(:\d\d)?))?)$`)

func blockStyle(n *yaml.Node) {
	if len(n.Content) > 0 || n.Kind == yaml.ScalarNode {
		n.Style = 0
	}
	if n.Kind == yaml.ScalarNode && timeText.MatchString(n.Value) {
		n.Style = yaml.SingleQuotedStyle
	}
	for _, c := range n.Content {
		blockStyle(c)
	}
}
