package config

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"path/filepath"
	"slices"
	"strings"

	"github.com/acalocal/acalocal/emulator/aca"
	"go.yaml.in/yaml/v3"
)

// Render writes the definition as it takes effect, after defaults: one YAML
// document per resource, in ARM's form, and a last one with what only matters on
// this machine. Behind every value stands where it came from. The values of
// secrets are left out. Files below base are named relative to it.
func (d *Definition) Render(w io.Writer, base string) error {
	enc := yaml.NewEncoder(w)
	enc.SetIndent(2)
	for _, r := range d.resources() {
		doc, err := document(r.value, r.origin, base)
		if err != nil {
			return fmt.Errorf("render %s: %w", r.name, err)
		}
		if err := enc.Encode(doc); err != nil {
			return err
		}
	}
	var local yaml.Node
	if err := local.Encode(d.localView(base)); err != nil {
		return fmt.Errorf("render what is local: %w", err)
	}
	d.noteVariables(&local, base)
	if err := enc.Encode(&local); err != nil {
		return err
	}
	return enc.Close()
}

// Documents are what Render writes, one item a document and without origins,
// for encoding/json.
func (d *Definition) Documents(base string) []any {
	var out []any
	for _, r := range d.resources() {
		out = append(out, r.value)
	}
	return append(out, d.localView(base))
}

// document is a resource as YAML, with the origin of each value.
func document(resource any, origin func(string) Origin, base string) (*yaml.Node, error) {
	text, err := json.Marshal(resource)
	if err != nil {
		return nil, err
	}
	dec := json.NewDecoder(bytes.NewReader(text))
	dec.UseNumber()
	r := renderer{dec: dec, originOf: origin, base: base}
	return r.value("")
}

// noteVariables writes behind the variables of the OpenTelemetry agent, in the
// last document, where they come from.
func (d *Definition) noteVariables(local *yaml.Node, base string) {
	comment := (&renderer{base: base}).comment(d.Environment.agentOrigin())
	for i := range d.Apps {
		containers := child(local, "acalocal", "apps", d.Apps[i].Name, "variables")
		if containers == nil {
			continue
		}
		for _, vars := range containers.Content {
			for j := 1; j < len(vars.Content); j += 2 {
				vars.Content[j].LineComment = comment
			}
		}
	}
}

// child is the value at a path of mappings, nil when there is none.
func child(n *yaml.Node, path ...string) *yaml.Node {
	for _, name := range path {
		i := 0
		for i < len(n.Content) && n.Content[i].Value != name {
			i += 2
		}
		if i >= len(n.Content) {
			return nil
		}
		n = n.Content[i+1]
	}
	return n
}

// renderer turns JSON into YAML nodes, key order kept, with a comment on each
// plain value.
type renderer struct {
	dec      *json.Decoder
	originOf func(path string) Origin
	base     string
}

func (r *renderer) value(path aca.Path) (*yaml.Node, error) {
	token, err := r.dec.Token()
	if err != nil {
		return nil, err
	}
	switch token {
	case json.Delim('{'):
		return r.object(path)
	case json.Delim('['):
		return r.list(path)
	}
	var n yaml.Node
	if number, ok := token.(json.Number); ok {
		n = yaml.Node{Kind: yaml.ScalarNode, Value: number.String()}
	} else if err := n.Encode(token); err != nil {
		return nil, err
	}
	n.LineComment = r.origin(path)
	return &n, nil
}

func (r *renderer) object(path aca.Path) (*yaml.Node, error) {
	n := &yaml.Node{Kind: yaml.MappingNode}
	for r.dec.More() {
		token, err := r.dec.Token()
		if err != nil {
			return nil, err
		}
		name, ok := token.(string)
		if !ok {
			return nil, errors.New("bug: a JSON key is no string")
		}
		key := &yaml.Node{}
		key.SetString(name)
		value, err := r.value(path.Field(name))
		if err != nil {
			return nil, err
		}
		n.Content = append(n.Content, key, value)
	}
	_, err := r.dec.Token()
	return n, err
}

func (r *renderer) list(path aca.Path) (*yaml.Node, error) {
	n := &yaml.Node{Kind: yaml.SequenceNode}
	for i := 0; r.dec.More(); i++ {
		item, err := r.value(path.Index(i))
		if err != nil {
			return nil, err
		}
		n.Content = append(n.Content, item)
	}
	_, err := r.dec.Token()
	return n, err
}

func (r *renderer) origin(path aca.Path) string { return r.comment(r.originOf(string(path))) }

func (r *renderer) comment(o Origin) string {
	switch o.Kind {
	case OriginFile, OriginLocal:
		if o.Position.Line == 0 {
			return relative(r.base, o.Position.File)
		}
		return fmt.Sprintf("%s:%d", relative(r.base, o.Position.File), o.Position.Line)
	default:
		return string(o.Kind)
	}
}

// relative shortens a file below base.
func relative(base, file string) string {
	abs, err := filepath.Abs(file)
	if err != nil {
		return file
	}
	if rel, err := filepath.Rel(absFrom(".", base), abs); err == nil && filepath.IsLocal(rel) {
		return filepath.ToSlash(rel)
	}
	return file
}

// localView is the last document: what az knows nothing of.
func (d *Definition) localView(base string) map[string]any {
	apps := map[string]any{}
	for i := range d.Apps {
		apps[d.Apps[i].Name] = d.Apps[i].localView(base)
	}
	view := map[string]any{"environment": d.Environment.Name, "apps": apps}
	if len(d.Environment.Storages) > 0 {
		view["storages"] = relativeAll(base, d.Environment.Storages)
	}
	return map[string]any{"acalocal": view}
}

func relativeAll(base string, dirs map[string]string) map[string]string {
	out := make(map[string]string, len(dirs))
	for name, dir := range dirs {
		out[name] = relative(base, dir)
	}
	return out
}

func (a *App) localView(base string) map[string]any {
	view := map[string]any{"probes": a.probeView()}
	if a.Local.HostPort != 0 {
		view["hostPort"] = a.Local.HostPort
	}
	if len(a.Builds) > 0 {
		builds := map[string]any{}
		for name, b := range a.Builds {
			builds[name] = b.view(base)
		}
		view["builds"] = builds
	}
	if len(a.Local.Volumes) > 0 {
		view["volumes"] = relativeAll(base, a.Local.Volumes)
	}
	if len(a.Local.ReadOnlyStorages) > 0 {
		view["readOnlyStorages"] = a.Local.ReadOnlyStorages
	}
	if len(a.Local.Mounts) > 0 {
		var mounts []string
		for _, m := range a.Local.Mounts {
			mounts = append(mounts, fmt.Sprintf("%s: %s -> %s", m.Container, relative(base, m.Source), m.Target))
		}
		view["mounts"] = mounts
	}
	if vars := a.variablesView(); len(vars) > 0 {
		view["variables"] = vars
	}
	if len(a.Local.Secrets) > 0 {
		view["secrets"] = slices.Sorted(maps.Keys(a.Local.Secrets))
	}
	return view
}

// variablesView lists what the environment's OpenTelemetry agent adds to the
// variables of each container.
func (a *App) variablesView() map[string]map[string]string {
	view := map[string]map[string]string{}
	for _, name := range containerNames(&a.ContainerApp) {
		if c, _ := findContainer(a, name); c != nil {
			if vars := a.agentVariables(c); len(vars) > 0 {
				view[name] = vars
			}
		}
	}
	return view
}

func (b Build) view(base string) map[string]any {
	view := map[string]any{"context": relative(base, b.Context), "dockerfile": relative(base, b.Dockerfile)}
	if b.Target != "" {
		view["target"] = b.Target
	}
	if len(b.Args) > 0 {
		view["args"] = b.Args
	}
	if len(b.Secrets) > 0 {
		var ids []string
		for _, s := range b.Secrets {
			ids = append(ids, s.ID)
		}
		view["secrets"] = ids
	}
	return view
}

// probeView lists the probes that run, the hidden ones among them, one line
// each.
func (a *App) probeView() map[string][]string {
	view := map[string][]string{}
	for _, c := range a.Properties.Template.Containers {
		for _, p := range aca.EffectiveProbes(&a.ContainerApp, c.Name) {
			view[c.Name] = append(view[c.Name], describeProbe(p))
		}
	}
	return view
}

func describeProbe(p aca.Probe) string {
	target := "nothing"
	switch {
	case p.HTTPGet != nil:
		target = fmt.Sprintf("%s %s on %s", strings.ToUpper(p.HTTPGet.Scheme), p.HTTPGet.Path, portName(p.HTTPGet.Port))
	case p.TCPSocket != nil:
		target = "TCP on " + portName(p.TCPSocket.Port)
	}
	return fmt.Sprintf("%s: %s, delay %d s, period %d s, timeout %d s, success %d, failure %d", p.Type, target,
		*p.InitialDelaySeconds, *p.PeriodSeconds, *p.TimeoutSeconds, *p.SuccessThreshold, *p.FailureThreshold)
}

func portName(port int) string {
	if port == 0 {
		return "the detected port"
	}
	return fmt.Sprint(port)
}
