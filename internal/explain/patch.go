package explain

import (
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"
)

// patch collects edits of the user's YAML. It changes only what it must, so
// comments and layout stay; what it cannot do for sure it does not do.
type patch struct {
	file  File
	lines []string // without line ends; edits are applied at once
	doc   *yaml.Node
	name  string // of the app
	ok    bool
}

// newPatch begins a patch of the file's definition of an app.
func (f *facts) newPatch() *patch {
	p := &patch{file: f.File, name: f.App.Name}
	p.lines = strings.Split(string(f.File.Text), "\n")
	p.read()
	return p
}

// maxPatched bounds the files that are looked at for a patch.
const maxPatched = 1 << 20

// read finds the document of the app: the one of its name, or the only one.
func (p *patch) read() {
	p.doc = nil
	text := strings.Join(p.lines, "\n")
	if len(text) == 0 || len(text) > maxPatched {
		return
	}
	var docs []*yaml.Node
	decoder := yaml.NewDecoder(strings.NewReader(text))
	for {
		var doc yaml.Node
		if decoder.Decode(&doc) != nil {
			break // the end, or a fault that the loader has told of
		}
		if len(doc.Content) == 1 {
			docs = append(docs, doc.Content[0])
		}
	}
	for _, doc := range docs {
		name := child(doc, "name")
		if len(docs) == 1 && (name == nil || name.Value == p.name) || name != nil && name.Value == p.name {
			p.doc = doc
		}
	}
}

// find walks from the root: a step names a key, or with "key=value" the item
// of a list that has it. It returns nil when there is no such place.
func (p *patch) find(steps ...string) *yaml.Node {
	n := p.doc
	if n != nil && child(n, "properties") == nil && len(steps) > 0 && steps[0] == "properties" {
		steps = steps[1:] // a file of properties only
	}
	for _, step := range steps {
		if n == nil {
			return nil
		}
		key, value, isItem := strings.Cut(step, "=")
		if isItem {
			n = item(n, key, value)
		} else {
			n = child(n, step)
		}
	}
	return n
}

// child is the value of a key, which Azure matches without regard to case.
func child(n *yaml.Node, key string) *yaml.Node {
	if n.Kind != yaml.MappingNode {
		return nil
	}
	for i := 0; i+1 < len(n.Content); i += 2 {
		if strings.EqualFold(n.Content[i].Value, key) {
			return n.Content[i+1]
		}
	}
	return nil
}

func item(n *yaml.Node, key, value string) *yaml.Node {
	if n.Kind != yaml.SequenceNode {
		return nil
	}
	for _, c := range n.Content {
		if v := child(c, key); v != nil && strings.EqualFold(v.Value, value) {
			return c
		}
	}
	return nil
}

// set replaces a scalar by text, which must be valid where the scalar stands.
// It says whether it did.
func (p *patch) set(n *yaml.Node, text string) bool {
	if n == nil || n.Kind != yaml.ScalarNode || n.Line < 1 || n.Line > len(p.lines) || n.Style&(yaml.LiteralStyle|yaml.FoldedStyle) != 0 {
		return false
	}
	line := p.lines[n.Line-1]
	runes := []rune(line)
	if n.Column < 1 || n.Column > len(runes) {
		return false
	}
	begin := len(string(runes[:n.Column-1]))
	token := scalarToken(line[begin:], n)
	if token == "" {
		return false
	}
	p.lines[n.Line-1] = line[:begin] + text + line[begin+len(token):]
	p.changed()
	return true
}

// scalarToken is how a scalar is written, at the beginning of rest.
func scalarToken(rest string, n *yaml.Node) string {
	switch quote := rest[0]; {
	case quote == '"' || quote == '\'':
		end := strings.IndexByte(rest[1:], quote)
		if end < 0 || rest[1:1+end] != n.Value {
			return "" // escapes, or more than one line
		}
		return rest[:end+2]
	case strings.HasPrefix(rest, n.Value):
		return n.Value
	}
	return ""
}

// changed reads the new text, so that later edits find their places.
func (p *patch) changed() {
	p.ok = true
	p.read()
}

// addItem puts an item of a list, given by its lines, before the first one.
func (p *patch) addItem(list *yaml.Node, item ...string) bool {
	if list == nil || list.Kind != yaml.SequenceNode || list.Style&yaml.FlowStyle != 0 || len(list.Content) == 0 {
		return false
	}
	at := list.Content[0].Line - 1
	indent, ok := dashIndent(p.lines[at])
	if !ok {
		return false
	}
	p.insert(at, dashed(indent, item))
	return true
}

// dashIndent is the indentation of a line that begins a list item.
func dashIndent(line string) (string, bool) {
	rest := strings.TrimLeft(line, " ")
	return line[:len(line)-len(rest)], strings.HasPrefix(rest, "- ")
}

func dashed(indent string, item []string) []string {
	out := make([]string, len(item))
	for i, line := range item {
		out[i] = indent + []string{"- ", "  "}[min(i, 1)] + line
	}
	return out
}

// addKey puts a key, given by its lines, behind the first simple one of a
// mapping.
func (p *patch) addKey(m *yaml.Node, lines ...string) bool {
	if m == nil || m.Kind != yaml.MappingNode || m.Style&yaml.FlowStyle != 0 {
		return false
	}
	for i := 0; i+1 < len(m.Content); i += 2 {
		key, value := m.Content[i], m.Content[i+1]
		if value.Kind != yaml.ScalarNode || value.Line != key.Line || value.Style&(yaml.LiteralStyle|yaml.FoldedStyle) != 0 {
			continue
		}
		indent := strings.Repeat(" ", key.Column-1)
		out := make([]string, len(lines))
		for j, l := range lines {
			out[j] = indent + l
		}
		p.insert(value.Line, out)
		return true
	}
	return false
}

func (p *patch) insert(at int, lines []string) {
	p.lines = slices.Insert(p.lines, at, lines...)
	p.changed()
}

// container is the place of a container of the template.
func (p *patch) container(name string, steps ...string) *yaml.Node {
	return p.find(append([]string{"properties", "template", "containers", "name=" + name}, steps...)...)
}

// setEnv gives a variable of a container a value, adding it where it is not.
func (p *patch) setEnv(container, name, value string) bool {
	if v := p.container(container, "env", "name="+name); v != nil {
		if old := child(v, "value"); old != nil {
			return p.set(old, value)
		}
		return false
	}
	item := []string{"name: " + name, "value: " + value}
	if env := p.container(container, "env"); env != nil {
		return p.addItem(env, item...)
	}
	return p.addKey(p.container(container), append([]string{"env:"}, dashed("  ", item)...)...)
}

// setProbe gives a number of a probe of a container a value.
func (p *patch) setProbe(container, kind, field, value string) bool {
	probe := p.container(container, "probes", "type="+kind)
	if probe == nil {
		return false
	}
	if old := child(probe, field); old != nil {
		return p.set(old, value)
	}
	return p.addKey(probe, field+": "+value)
}

// diff is the patch as a unified diff, "" when nothing was changed or the
// result is no YAML of the same app.
func (p *patch) diff() string {
	if !p.ok || p.doc == nil {
		return ""
	}
	return unified(p.file.Path, strings.Split(string(p.file.Text), "\n"), p.lines)
}
