package config

import (
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/acalocal/acalocal/emulator/aca"
	"github.com/acalocal/acalocal/internal/config/arm"
)

// templateNames are the ARM and Bicep templates looked for in a directory.
var templateNames = []string{"main.json", "azuredeploy.json", "mainTemplate.json", "template.json", "main.bicep"}

// readJSON reads a JSON file: a container app or an ARM template.
func (l *loader) readJSON(source *sourceFile) {
	root, err := arm.Parse(source.text)
	if err != nil {
		l.jsonError(source, err)
		return
	}
	hideSecrets(source, root, "")
	if root.Get("resources") != nil {
		l.readTemplate(source, root)
		return
	}
	if strings.Contains(strings.ToLower(schemaOf(root)), "deploymentparameters.json") {
		l.errorf(source.file, "this is a parameters file, not a template", "give the template, and this file with --parameters")
		return
	}
	l.readTree(source, treeOf(source.file, root))
}

// hideSecrets keeps the values of secrets and of secure parameters out of
// excerpts. Expressions are no secrets.
func hideSecrets(s *sourceFile, n *arm.Node, path aca.Path) {
	secure := n.Get("type") != nil && strings.HasPrefix(strings.ToLower(n.Get("type").Text), "secure")
	for _, f := range n.Fields {
		if secure && strings.EqualFold(f.Name, "defaultValue") || secretKey(f.Name, path) && !strings.HasPrefix(f.Value.Text, "[") {
			for line := f.Value.Pos.Line; line <= f.Value.LastLine(); line++ {
				s.hide(line, f.Value.Pos.Line, f.Value.Pos.Column)
			}
		}
		hideSecrets(s, f.Value, path.Field(f.Name))
	}
	for i, item := range n.Items {
		hideSecrets(s, item, path.Index(i))
	}
}

func schemaOf(root *arm.Node) string {
	if n := root.Get("$schema"); n != nil {
		return n.Text
	}
	return ""
}

func (l *loader) jsonError(source *sourceFile, err error) {
	var syntax *arm.SyntaxError
	if !errors.As(err, &syntax) {
		l.errorf(source.file, err.Error(), "")
		return
	}
	l.problems = append(l.problems, source.problem(Position{source.file, syntax.Pos.Line, syntax.Pos.Column}, 1,
		aca.Problem{Message: "this is not JSON: " + syntax.Message}))
}

// treeOf turns JSON into plain values with their places.
func treeOf(file string, root *arm.Node) *tree {
	t := &tree{places: map[string]place{}}
	t.root = plainNode(t, file, root, "")
	return t
}

func plainNode(t *tree, file string, n *arm.Node, path aca.Path) any {
	at := strings.ToLower(string(path))
	p := t.places[at]
	p.value, p.valueWidth = Position{file, n.Pos.Line, n.Pos.Column}, n.Width
	if p.key.Line == 0 {
		p.key, p.keyWidth = p.value, p.valueWidth
	}
	t.places[at] = p
	switch n.Kind {
	case arm.Object:
		object := make(map[string]any, len(n.Fields))
		for _, f := range n.Fields {
			below := path.Field(f.Name)
			t.places[strings.ToLower(string(below))] = place{key: Position{file, f.Pos.Line, f.Pos.Column}, keyWidth: f.Width}
			object[f.Name] = plainNode(t, file, f.Value, below)
		}
		return object
	case arm.Array:
		items := make([]any, len(n.Items))
		for i, item := range n.Items {
			items[i] = plainNode(t, file, item, path.Index(i))
		}
		return items
	}
	return arm.Plain(n)
}

// readTemplate evaluates an ARM template and reads the apps and the environment
// among its resources. Other resources stay in Azure and are named.
func (l *loader) readTemplate(source *sourceFile, root *arm.Node) {
	parameters := l.templateParameters(source.file, root)
	linked := map[string]*sourceFile{}
	result := arm.Evaluate(root, arm.Options{
		Name:       strings.TrimSuffix(filepath.Base(source.file), filepath.Ext(source.file)),
		Parameters: parameters,
		Now:        time.Now(),
		Domain:     l.templateDomain(),
		ReadFile:   l.linkedReader(source.file, linked),
	})
	sourceOf := func(file string) *sourceFile {
		if s, ok := linked[file]; ok {
			return s
		}
		return source
	}
	for _, p := range result.Problems {
		l.problems = append(l.problems, templateProblem(sourceOf(p.File), p))
	}
	var elsewhere []string
	for _, r := range result.Resources {
		s := sourceOf(r.File)
		switch t := resourceTree(s.file, r); strings.ToLower(r.Type) {
		case "microsoft.app/containerapps":
			t.root.(map[string]any)["type"] = r.Type
			l.readApp(s, t)
		case "microsoft.app/managedenvironments":
			l.readEnvironment(s, t)
		case "microsoft.app/jobs":
			l.readJob(s, t)
		default:
			if k, ok := childKinds[strings.ToLower(r.Type)]; ok {
				l.readChild(s, t, k, r.Name)
				continue
			}
			elsewhere = append(elsewhere, r.Type)
		}
	}
	l.nameElsewhere(source, elsewhere)
}

func templateProblem(s *sourceFile, p arm.Problem) Problem {
	problem := aca.Problem{Message: p.Message, Hint: p.Hint}
	if p.Warning {
		problem.Severity = aca.SeverityWarning
	}
	return s.problem(Position{s.file, p.Pos.Line, p.Pos.Column}, p.Width, problem)
}

func resourceTree(file string, r arm.Resource) *tree {
	t := &tree{root: r.Value, places: make(map[string]place, len(r.Places))}
	at := func(p arm.Position) Position {
		if p.Line == 0 {
			return Position{}
		}
		return Position{file, p.Line, p.Column}
	}
	for path, p := range r.Places {
		t.places[path] = place{key: at(p.Key), value: at(p.Value), keyWidth: p.KeyWidth, valueWidth: p.ValueWidth}
	}
	return t
}

func (l *loader) nameElsewhere(source *sourceFile, types []string) {
	if slices.Sort(types); len(types) == 0 {
		return
	}
	types = slices.Compact(types)
	l.problems = append(l.problems, Problem{Position: Position{File: source.file}, Problem: aca.Problem{Severity: aca.SeverityNote,
		Message: "not made here: " + strings.Join(types, ", ")}})
}

// templateDomain is the default domain of a named environment; without a name
// the template's own environment has it.
func (l *loader) templateDomain() string {
	name := l.overrides.Environment
	if name == "" && l.local != nil {
		name = l.local.Environment
	}
	if name == "" {
		return ""
	}
	return name + ".localhost"
}

// linkedReader reads templates that a template links to by a relative path,
// below its own directory only.
func (l *loader) linkedReader(file string, linked map[string]*sourceFile) func(string) ([]byte, error) {
	return func(relative string) ([]byte, error) {
		if !filepath.IsLocal(filepath.FromSlash(relative)) {
			return nil, fmt.Errorf("%q leads out of the template's directory", relative)
		}
		s, err := readReferenced(filepath.Join(filepath.Dir(file), filepath.FromSlash(relative)))
		if err != nil {
			return nil, err
		}
		l.def.Files = append(l.def.Files, s.file)
		linked[relative] = s
		return s.text, nil
	}
}

// templateParameters collects the values of --parameters, as az takes them:
// files, "@file", and name=value; the last one wins. Without any, those of
// acalocal.yaml are taken, else a file called <template>.parameters.json or
// <template>.bicepparam beside the template.
func (l *loader) templateParameters(file string, root *arm.Node) map[string]any {
	values := map[string]any{}
	given := l.overrides.Parameters
	if len(given) == 0 && l.local != nil {
		given = l.local.parameters()
	}
	if len(given) == 0 {
		given = parametersBeside(file)
	}
	for _, p := range given {
		name, value, ok := strings.Cut(p, "=")
		if !ok || strings.HasPrefix(p, "@") {
			l.parametersFile(strings.TrimPrefix(p, "@"), values)
			continue
		}
		values[name] = parameterValue(root.Get("parameters").Get(name), value)
	}
	return values
}

// parametersBeside finds the parameters file of a template that nobody named:
// JSON, or Bicep when something can compile it.
func parametersBeside(file string) []string {
	base := strings.TrimSuffix(file, filepath.Ext(file))
	switch {
	case isFile(base + ".parameters.json"):
		return []string{base + ".parameters.json"}
	case isFile(base+".bicepparam") && canCompile():
		return []string{base + ".bicepparam"}
	}
	return nil
}

// parameters are the parameters of acalocal.yaml, files relative to it.
func (f *localFile) parameters() []string {
	out := make([]string, len(f.Parameters))
	for i, p := range f.Parameters {
		if out[i] = p; !strings.Contains(p, "=") {
			out[i] = filepath.Join(f.dir, p)
			if filepath.IsAbs(p) {
				out[i] = p
			}
		}
	}
	return out
}

// parameterValue reads the text of a value by the parameter's type.
func parameterValue(declared *arm.Node, text string) any {
	if t := declared.Get("type"); t != nil && !strings.HasSuffix(strings.ToLower(t.Text), "string") {
		if n, err := arm.Parse([]byte(text)); err == nil {
			return treeOf("", n).root
		}
	}
	return text
}

func (l *loader) parametersFile(file string, values map[string]any) {
	source := l.open(file)
	if source == nil {
		return
	}
	if strings.EqualFold(filepath.Ext(file), ".bicepparam") {
		if source = l.compiledParameters(file); source == nil {
			return
		}
	}
	root, err := arm.Parse(source.text)
	if err != nil {
		l.jsonError(source, err)
		return
	}
	list := root.Get("parameters")
	if list == nil {
		list = root // az also takes the bare object
	}
	for _, f := range list.Fields {
		switch value := f.Value.Get("value"); {
		case value != nil:
			values[f.Name] = l.substitute(treeOf(file, value).root)
		case f.Value.Get("reference") != nil:
			values[f.Name] = arm.Unknown{What: "a key vault secret for " + f.Name}
		}
	}
}
