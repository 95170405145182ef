package config

import (
	"encoding/json"
	"fmt"
	"maps"
	"strings"
	"unicode/utf8"

	"github.com/acalocal/acalocal/emulator/aca"
	"github.com/acalocal/acalocal/internal/lazyregexp"
	"go.yaml.in/yaml/v3"
)

// Bounds of what a file may hold. They are far above any real definition and
// keep hostile ones (aliases of aliases, towers of brackets) cheap.
const (
	maxFileSize = 4 << 20 // bytes; ARM takes no larger template either
	maxNodes    = 200_000 // values after aliases are followed
	maxDepth    = 100
)

// place is where a value and its key stand.
type place struct {
	key, value Position
	keyWidth   int
	valueWidth int
}

// tree is one document: plain values for aca.Decode, and where each of them
// stands. Paths are looked up without regard to case, as ARM's keys are.
type tree struct {
	root   any
	places map[string]place
	broken bool // a bound was met or an alias contains itself: there is no more to say
}

func (t *tree) place(path string) (place, bool) {
	p, ok := t.places[strings.ToLower(path)]
	return p, ok
}

// has says whether the document holds a value at path.
func (t *tree) has(path string) bool {
	_, ok := t.place(path)
	return ok
}

// below is the part of the tree at a path, with places of its own.
func (t *tree) below(path aca.Path) *tree {
	places, prefix := map[string]place{}, strings.ToLower(string(path))
	for at, p := range t.places {
		if rest, ok := strings.CutPrefix(at, prefix); ok && (rest == "" || rest[0] == '.' || rest[0] == '[') {
			places[at] = p
		}
	}
	return &tree{places: places}
}

// move says that what stands at one path is read at another; the places of
// both are known afterwards.
func (t *tree) move(from, to string) {
	from, to = strings.ToLower(from), strings.ToLower(to)
	moved := map[string]place{}
	for path, p := range t.places {
		if rest, ok := strings.CutPrefix(path, from); ok && (rest == "" || rest[0] == '.' || rest[0] == '[') {
			moved[to+rest] = p
		}
	}
	maps.Copy(t.places, moved)
}

// nearest is the place of path, or of the closest thing around it that the
// document holds.
func (t *tree) nearest(path string) (p place, exact bool) {
	if p, ok := t.place(path); ok {
		return p, true
	}
	for at := aca.Path(path); at != ""; {
		at = at.Parent()
		if p, ok := t.place(string(at)); ok {
			return p, false
		}
	}
	return place{}, false
}

// converter turns YAML nodes into a tree.
type converter struct {
	file     string
	places   map[string]place
	problems *Problems
	source   *sourceFile
	nodes    int
	aliases  map[*yaml.Node]bool // being followed now
	full     bool                // a bound was met; said once
	cyclic   bool                // an alias contains itself
}

func (c *converter) fail(n *yaml.Node, message, hint string) {
	pos := Position{c.file, n.Line, n.Column}
	*c.problems = append(*c.problems, c.source.problem(pos, 1, aca.Problem{Message: message, Hint: hint, OnKey: true}))
}

// convert reads n, which stands at path, depth levels down.
func (c *converter) convert(n *yaml.Node, path aca.Path, depth int) any {
	c.nodes++
	if c.nodes > maxNodes || depth > maxDepth {
		c.overflow(n)
		return nil
	}
	c.place(n, path)
	switch n.Kind {
	case yaml.MappingNode:
		return c.mapping(n, path, depth)
	case yaml.SequenceNode:
		items := make([]any, len(n.Content))
		for i, item := range n.Content {
			items[i] = c.convert(item, path.Index(i), depth+1)
		}
		return items
	case yaml.AliasNode:
		return c.alias(n, path, depth)
	default:
		return scalarValue(n)
	}
}

func (c *converter) overflow(n *yaml.Node) {
	if !c.full {
		c.full = true
		c.fail(n, fmt.Sprintf("the file holds more than %d values or is nested deeper than %d levels", maxNodes, maxDepth),
			"look for an alias (*name) that contains itself many times over")
	}
}

func (c *converter) place(n *yaml.Node, path aca.Path) {
	key := strings.ToLower(string(path))
	p := c.places[key]
	p.value = Position{c.file, n.Line, n.Column}
	if p.key.Line == 0 {
		p.key = p.value
	}
	p.valueWidth = scalarWidth(n)
	c.places[key] = p
}

func scalarWidth(n *yaml.Node) int {
	if n.Kind != yaml.ScalarNode || strings.Contains(n.Value, "\n") {
		return 1
	}
	if n.Style&(yaml.DoubleQuotedStyle|yaml.SingleQuotedStyle) != 0 {
		return utf8.RuneCountInString(n.Value) + 2
	}
	return max(1, utf8.RuneCountInString(n.Value))
}

func (c *converter) alias(n *yaml.Node, path aca.Path, depth int) any {
	if c.aliases[n.Alias] {
		c.cyclic = true
		c.fail(n, fmt.Sprintf("the alias *%s contains itself", n.Value), "")
		return nil
	}
	c.aliases[n.Alias] = true
	defer delete(c.aliases, n.Alias)
	return c.convert(n.Alias, path, depth+1)
}

func (c *converter) mapping(n *yaml.Node, path aca.Path, depth int) any {
	object := make(map[string]any, len(n.Content)/2)
	lines := make(map[string]int, len(n.Content)/2)
	for i := 0; i+1 < len(n.Content) && !c.full; i += 2 {
		key, value := n.Content[i], n.Content[i+1]
		if key.ShortTag() == "!!merge" {
			c.merge(object, value, path, depth)
			continue
		}
		if key.Kind != yaml.ScalarNode {
			c.fail(key, "a key must be plain text", "")
			continue
		}
		c.hideSecret(key, value, path)
		if line, twice := lines[key.Value]; twice {
			c.fail(key, fmt.Sprintf("the key %q is written twice, first on line %d", key.Value, line), "keep one of them")
			continue
		}
		lines[key.Value] = key.Line
		below := path.Field(key.Value)
		c.places[strings.ToLower(string(below))] = place{key: Position{c.file, key.Line, key.Column}, keyWidth: utf8.RuneCountInString(key.Value)}
		object[key.Value] = c.convert(value, below, depth+1)
	}
	return object
}

// secretPath is where the value of a secret stands, in the definition and in
// acalocal.yaml.
var secretPath = lazyregexp.New(`(^|\.)secrets(\[\d+\]|\.[^.]+|\["[^\]]*\])$`)

// secretKey says whether what stands below a key is a secret: the value of one,
// the key of a storage account or of a log workspace.
func secretKey(key string, path aca.Path) bool {
	switch strings.ToLower(key) {
	case "value":
		return secretPath.MatchString(strings.ToLower(string(path)))
	case "accountkey", "sharedkey":
		return true
	}
	return false
}

// hideSecret keeps the value of a secret out of excerpts, also when the key is
// written twice or holds something else than text.
func (c *converter) hideSecret(key, value *yaml.Node, path aca.Path) {
	if secretKey(key.Value, path) {
		for line := value.Line; line <= lastLine(value); line++ {
			c.source.hide(line, value.Line, value.Column)
		}
	}
}

// lastLine is a line not above the end of n.
func lastLine(n *yaml.Node) int {
	last := n.Line + strings.Count(n.Value, "\n") + 1
	if n.Kind == yaml.ScalarNode && n.Style&(yaml.LiteralStyle|yaml.FoldedStyle) == 0 {
		last = n.Line + strings.Count(n.Value, "\n")
	}
	for _, child := range n.Content {
		last = max(last, lastLine(child))
	}
	return last
}

// merge reads "<<": the keys of another mapping, which the mapping's own win
// over wherever they stand.
func (c *converter) merge(into map[string]any, n *yaml.Node, path aca.Path, depth int) {
	from := []*yaml.Node{n}
	if n.Kind == yaml.SequenceNode {
		from = n.Content
	}
	for _, n := range from {
		object, ok := c.convert(n, path, depth+1).(map[string]any)
		if !ok {
			c.fail(n, "<< takes a mapping", "")
			continue
		}
		for key, value := range object {
			if _, own := into[key]; !own {
				into[key] = value
			}
		}
	}
}

// plainNumber is a number as JSON writes it; YAML's other spellings (octal,
// hexadecimal, underscores) stay text, which no field takes for a number.
var plainNumber = lazyregexp.New(`^-?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][-+]?[0-9]+)?$`)

func scalarValue(n *yaml.Node) any {
	switch n.ShortTag() {
	case "!!null":
		return nil
	case "!!bool":
		return strings.EqualFold(n.Value, "true")
	case "!!int", "!!float":
		if plainNumber.MatchString(n.Value) {
			return json.Number(n.Value)
		}
	}
	return n.Value
}
