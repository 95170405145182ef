package config

import (
	"fmt"
	"maps"
	"math"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strconv"
	"strings"

	"github.com/acalocal/acalocal/emulator/aca"
)

// composeService is the part of a compose service that "az containerapp
// compose create" reads, and build, which it hands to a registry.
type composeService struct {
	Image       string        `json:"image,omitempty"`
	Build       any           `json:"build,omitempty"`
	Command     any           `json:"command,omitempty"`
	Entrypoint  any           `json:"entrypoint,omitempty"`
	Environment any           `json:"environment,omitempty"`
	EnvFile     any           `json:"env_file,omitempty"`
	Ports       []any         `json:"ports,omitempty"`
	Expose      []string      `json:"expose,omitempty" aca:"scalar"`
	Deploy      composeDeploy `json:"deploy,omitempty"`
	Scale       *int          `json:"scale,omitempty"`
	CPUs        float64       `json:"cpus,omitempty"`
	MemLimit    string        `json:"mem_limit,omitempty" aca:"scalar"`
	MemReserve  string        `json:"mem_reservation,omitempty" aca:"scalar"`
	Secrets     []any         `json:"secrets,omitempty"`

	Azure *composeAzure `json:"x-azure-deployment,omitempty"`
}

type composeDeploy struct {
	Replicas  *int             `json:"replicas,omitempty"`
	Mode      string           `json:"mode,omitempty"`
	Resources composeResources `json:"resources,omitempty"`
}

type composeResources struct {
	Reservations composeAmounts `json:"reservations,omitempty"`
	Limits       composeAmounts `json:"limits,omitempty"`
}

type composeAmounts struct {
	CPUs   float64 `json:"cpus,omitempty"`
	Memory string  `json:"memory,omitempty" aca:"scalar"`
}

// readCompose makes an app of every service, as "az containerapp compose
// create" does: the first of ports is an external target port, else the first
// of expose an internal one; deploy gives resources and replicas, secrets become
// secrets of the app and variables, and x-azure-deployment wins over all
// (https://learn.microsoft.com/cli/azure/containerapp/compose). Keys it does
// not read are named once per service.
func (l *loader) readCompose(source *sourceFile, t *tree) {
	l.interpolate(source, t)
	root, _ := t.root.(map[string]any)
	services, ok := root["services"].(map[string]any)
	if !ok {
		l.problems = append(l.problems, source.locate(t, "", []aca.Problem{{Path: "services", Message: "services is not a mapping of names"}})...)
		return
	}
	if l.tooManyServices(source, t, len(services)) {
		return
	}
	l.unreadCompose(source, t, root)
	secrets, _ := root["secrets"].(map[string]any)
	for _, name := range slices.Sorted(maps.Keys(services)) {
		l.readComposeService(source, t, name, services[name], secrets)
	}
}

// wholeFile says what to do about keys that bring in more than the file holds.
func wholeFile(keys ...string) string {
	if slices.Contains(keys, "include") || slices.Contains(keys, "extends") {
		return "give the file that docker compose config writes"
	}
	return ""
}

// unreadCompose says which parts of a compose file beside the services are not
// read.
func (l *loader) unreadCompose(source *sourceFile, t *tree, root map[string]any) {
	for _, key := range slices.Sorted(maps.Keys(root)) {
		if slices.Contains([]string{"name", "version", "services", "secrets"}, key) || strings.HasPrefix(key, "x-") {
			continue
		}
		l.problems = append(l.problems, source.locate(t, "", []aca.Problem{{Path: string(aca.Path("").Field(key)), OnKey: true, Severity: aca.SeverityWarning,
			Message: fmt.Sprintf("az containerapp compose create does not read %s, and neither is it read here", key), Hint: wholeFile(key)}})...)
	}
}

// maxServices bounds the work that a file can ask for.
const maxServices = 200

func (l *loader) tooManyServices(source *sourceFile, t *tree, n int) bool {
	if n <= maxServices {
		return false
	}
	l.problems = append(l.problems, source.locate(t, "", []aca.Problem{{Path: "services", OnKey: true,
		Message: fmt.Sprintf("%d services; at most %d are read", n, maxServices)}})...)
	return true
}

func (l *loader) readComposeService(source *sourceFile, t *tree, name string, tree any, secrets map[string]any) {
	path := aca.Path("services").Field(name)
	known := l.dropUnread(source, t, path, tree)
	service, problems := aca.Decode[composeService](known)
	for i := range problems {
		if problems[i].OnKey && strings.HasPrefix(problems[i].Path, azureKey) {
			problems[i].Severity = aca.SeverityWarning // az passes over what it does not know
		}
		problems[i].Path = joinPath(path, problems[i].Path)
	}
	c := &composeReader{loader: l, source: source, tree: t.below(path), path: path, service: service, secrets: secrets}
	c.app = App{Source: source.file, origin: origins{tree: c.tree, source: source}}
	c.app.Name = aca.ValidAppName(name)
	c.read()
	l.problems = append(l.problems, source.locate(t, c.app.Name, append(problems, c.problems...))...)
	l.addApp(c.app)
}

func joinPath(path aca.Path, below string) string {
	switch {
	case below == "":
		return string(path)
	case below[0] == '[':
		return string(path) + below
	}
	return string(path) + "." + below
}

// dropUnread takes out the keys that az does not read and says which.
func (l *loader) dropUnread(source *sourceFile, t *tree, path aca.Path, tree any) any {
	object, ok := tree.(map[string]any)
	if !ok {
		return tree
	}
	known := map[string]bool{}
	for _, f := range aca.Fields(composeServiceType) {
		known[f.Name] = true
	}
	kept, dropped := map[string]any{}, []string{}
	for key, value := range object {
		switch {
		case known[key]:
			kept[key] = value
		case !strings.HasPrefix(key, "x-"):
			dropped = append(dropped, key)
		}
	}
	if slices.Sort(dropped); len(dropped) > 0 {
		l.problems = append(l.problems, source.locate(t, "", []aca.Problem{{Path: string(path), OnKey: true, Severity: aca.SeverityWarning,
			Message: fmt.Sprintf("az containerapp compose create does not read %s, and neither is it read here", strings.Join(dropped, ", ")), Hint: wholeFile(dropped...)}})...)
	}
	return kept
}

// composeReader turns one service into an app.
type composeReader struct {
	loader   *loader
	source   *sourceFile
	tree     *tree
	path     aca.Path
	service  composeService
	secrets  map[string]any // of the project
	app      App
	problems []aca.Problem
}

func (c *composeReader) errorf(path aca.Path, format string, args ...any) {
	c.problems = append(c.problems, aca.Problem{Path: string(path), Message: fmt.Sprintf(format, args...)})
}

// from says that a value of the app is that of a key of the service, or of a
// key below that key when the service has it.
func (c *composeReader) from(path string, keys ...string) {
	at := c.path
	for _, key := range keys {
		below := at.Field(key)
		if !c.tree.has(string(below)) && at != c.path {
			break
		}
		at = below
	}
	c.tree.move(string(at), path)
}

func (c *composeReader) read() {
	container := aca.Container{Name: c.app.Name, Image: c.service.Image}
	const path = "properties.template.containers[0]"
	c.from("name")
	c.from(path)
	c.from(path + ".name")
	c.build(&container)
	container.Command = c.words("entrypoint", c.service.Entrypoint)
	container.Args = c.words("command", c.service.Command)
	c.wordsFrom(path+".command", "entrypoint", container.Command)
	c.wordsFrom(path+".args", "command", container.Args)
	container.Env = c.environment()
	container.Env = append(container.Env, c.secretVariables(len(container.Env))...)
	c.resources(&container)
	c.app.Properties.Template.Containers = []aca.Container{container}
	c.ingress()
	c.scale()
	c.azure(&c.app.Properties.Template.Containers[0])
}

// wordsFrom says that each word is that of a key, also when the key is text.
func (c *composeReader) wordsFrom(path, key string, words []string) {
	c.from(path, key)
	for i := range words {
		if at := fmt.Sprintf("%s[%d]", path, i); !c.tree.has(at) {
			c.from(at, key)
		}
	}
}

func (c *composeReader) build(container *aca.Container) {
	var b localBuild
	switch form := c.service.Build.(type) {
	case nil:
		c.app.noBuild(container.Name)
		return
	case string:
		b.Context = form
	default:
		object, _ := form.(map[string]any)
		if args, ok := object["args"].([]any); ok {
			object["args"] = pairsOf(args)
		}
		kept := map[string]any{}
		for _, key := range []string{"context", "dockerfile", "target", "args"} {
			kept[key] = object[key]
		}
		var problems []aca.Problem
		b, problems = aca.Decode[localBuild](kept)
		for _, p := range problems {
			p.Path = joinPath(c.path.Field("build"), p.Path)
			c.problems = append(c.problems, p)
		}
	}
	setMap(&c.app.Builds, container.Name, b.resolve(filepath.Dir(c.source.file)))
	if container.Image == "" {
		container.Image = container.Name + ":local"
		c.from("properties.template.containers[0].image", "build")
	}
}

// pairsOf turns a list of NAME=value into a mapping.
func pairsOf(list []any) map[string]any {
	out := map[string]any{}
	for _, item := range list {
		name, value, _ := strings.Cut(fmt.Sprint(item), "=")
		out[name] = value
	}
	return out
}

// words reads a command: a list, or text that a shell's rules split.
func (c *composeReader) words(key string, form any) []string {
	switch form := form.(type) {
	case nil:
		return nil
	case string:
		words, err := shellWords(form)
		if err != nil {
			c.errorf(c.path.Field(key), "%v", err)
		}
		return words
	case []any:
		words := make([]string, len(form))
		for i, w := range form {
			words[i] = plainText(w)
		}
		return words
	}
	c.errorf(c.path.Field(key), "%s is a list of words or text", key)
	return nil
}

// plainText is a scalar as it is written.
func plainText(v any) string {
	if v == nil {
		return ""
	}
	return fmt.Sprint(v)
}

// environment reads variables: those of env_file, then those of environment,
// as a mapping or a list. A name without a value takes that of this process.
func (c *composeReader) environment() []aca.EnvVar {
	vars := c.envFiles()
	set := func(name string, value any, hasValue bool) {
		text := plainText(value)
		if !hasValue {
			var ok bool
			if text, ok = os.LookupEnv(name); !ok {
				return
			}
		}
		if i := slices.IndexFunc(vars, func(v aca.EnvVar) bool { return v.Name == name }); i >= 0 {
			vars[i].Value = text
			return
		}
		vars = append(vars, aca.EnvVar{Name: name, Value: text})
	}
	switch form := c.service.Environment.(type) {
	case map[string]any:
		for _, name := range slices.Sorted(maps.Keys(form)) {
			set(name, form[name], form[name] != nil)
		}
	case []any:
		for _, item := range form {
			name, value, ok := strings.Cut(plainText(item), "=")
			set(name, value, ok)
		}
	}
	for i := range vars {
		at := fmt.Sprintf("properties.template.containers[0].env[%d]", i)
		for _, path := range []string{at, at + ".name", at + ".value"} {
			c.from(path, "environment", vars[i].Name)
		}
	}
	return vars
}

func (c *composeReader) envFiles() []aca.EnvVar {
	var names []string
	switch form := c.service.EnvFile.(type) {
	case string:
		names = []string{form}
	case []any:
		for _, item := range form {
			if object, ok := item.(map[string]any); ok {
				item = object["path"]
			}
			names = append(names, plainText(item))
		}
	}
	var vars []aca.EnvVar
	for _, name := range names {
		file := absFrom(filepath.Dir(c.source.file), name)
		source, err := readReferenced(file)
		if err != nil {
			c.errorf(c.path.Field("env_file"), "%v", err)
			continue
		}
		c.loader.def.Files = append(c.loader.def.Files, file)
		lines, bad := parseEnvFile(source.text)
		for _, line := range bad {
			c.errorf(c.path.Field("env_file"), "line %d of %s is not NAME=value", line, name)
		}
		for _, v := range lines {
			vars = append(vars, aca.EnvVar{Name: v.name, Value: v.value})
		}
	}
	return vars
}

func (c *composeReader) ingress() {
	key, port, external := "ports", 0, true
	switch {
	case len(c.service.Ports) > 0:
		port = c.targetPort(c.service.Ports[0], c.path.Field("ports").Index(0))
		if len(c.service.Ports) > 1 {
			c.problems = append(c.problems, aca.Problem{Path: string(c.path.Field("ports")), Severity: aca.SeverityWarning, OnKey: true,
				Message: fmt.Sprintf("%s publishes %d ports; the target port is %d", c.app.Name, len(c.service.Ports), port)})
		}
	case len(c.service.Expose) > 0:
		key, external = "expose", false
		port = c.targetPort(c.service.Expose[0], c.path.Field("expose").Index(0))
	default:
		return
	}
	c.app.Properties.Configuration.Ingress = &aca.Ingress{External: external, TargetPort: port}
	c.from("properties.configuration.ingress", key)
	c.from("properties.configuration.ingress.external", key)
	c.from("properties.configuration.ingress.targetPort", key)
}

// targetPort is the container's side of a port: 80, "8080:80", "127.0.0.1:8080:80/tcp"
// or {target: 80}.
func (c *composeReader) targetPort(form any, path aca.Path) int {
	if object, ok := form.(map[string]any); ok {
		form = object["target"]
	}
	text, _, _ := strings.Cut(plainText(form), "/")
	text = text[strings.LastIndexByte(text, ':')+1:]
	text, _, _ = strings.Cut(text, "-")
	port, err := strconv.Atoi(text)
	if err != nil {
		c.errorf(path, "%q is not a port", plainText(form))
	}
	return port
}

// scale: az keeps one replica and lets the rest be an upper bound.
func (c *composeReader) scale() {
	replicas := c.service.Deploy.Replicas
	key := "deploy"
	if replicas == nil {
		replicas, key = c.service.Scale, "scale"
	}
	one := 1
	if strings.EqualFold(c.service.Deploy.Mode, "global") {
		replicas = &one
	}
	if replicas == nil {
		return
	}
	c.app.Properties.Template.Scale = &aca.Scale{MinReplicas: &one, MaxReplicas: replicas}
	c.from("properties.template.scale", key)
	c.from("properties.template.scale.minReplicas", key)
	c.from("properties.template.scale.maxReplicas", key)
}

func (c *composeReader) resources(container *aca.Container) {
	d := c.service.Deploy.Resources
	cpu := firstOf(d.Reservations.CPUs, c.service.CPUs, d.Limits.CPUs)
	memory := firstOf(d.Reservations.Memory, c.service.MemReserve, d.Limits.Memory, c.service.MemLimit)
	if cpu == 0 && memory == "" {
		return
	}
	container.Resources = &aca.Resources{CPU: cpu}
	for _, key := range []string{"", ".cpu", ".memory"} {
		c.from("properties.template.containers[0].resources"+key, "deploy", "resources", "reservations", strings.TrimPrefix(key, "."))
	}
	if memory == "" {
		return
	}
	bytes, err := composeBytes(memory)
	if err != nil {
		c.errorf(c.path, "%v", err)
		return
	}
	container.Resources.Memory = strconv.FormatFloat(math.Round(float64(bytes)/(1<<30)*100)/100, 'f', -1, 64) + "Gi"
}

// firstOf is the first value that is given.
func firstOf[T comparable](values ...T) T {
	var zero T
	for _, v := range values {
		if v != zero {
			return v
		}
	}
	return zero
}

// composeBytes reads compose's byte values: 512m, 1gb, 1073741824.
func composeBytes(s string) (int64, error) {
	lower := strings.TrimSuffix(strings.ToLower(strings.TrimSpace(s)), "b")
	unit := int64(1)
	for suffix, size := range map[string]int64{"k": 1 << 10, "m": 1 << 20, "g": 1 << 30} {
		if rest, ok := strings.CutSuffix(lower, suffix); ok {
			lower, unit = rest, size
			break
		}
	}
	n, err := strconv.ParseFloat(lower, 64)
	if err != nil || n <= 0 || n > 1<<40 {
		return 0, fmt.Errorf("%q is not a size of memory", s)
	}
	return int64(n * float64(unit)), nil
}

var composeServiceType = reflect.TypeFor[composeService]()
