package config

import (
	"bytes"
	"context"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"strings"

	"github.com/acalocal/acalocal/emulator/aca"
	"go.yaml.in/yaml/v3"
)

// Overrides are what flags say; they win over every file. Their names are those
// of "az containerapp create". The zero value overrides nothing.
type Overrides struct {
	Name        string // of the app the others are about; not needed when there is one app
	Environment string
	Image       string // of the main container

	Ingress      string // "external", "internal", or "disabled"
	TargetPort   *int
	Transport    string
	EnvVars      []string // NAME=value or NAME=secretref:secret
	Secrets      []string // name=value
	CPU          *float64
	Memory       string
	MinReplicas  *int
	MaxReplicas  *int
	Command      []string
	Args         []string
	Suffix       string   // --revision-suffix
	HostPort     int      // ours: the loopback port of the app
	Parameters   []string // for templates: files, "@file", and name=value, as in az deployment
	Telemetry    bool     // apps send their telemetry to the environment
	StrictOTel   bool     // the OpenTelemetry agent gives no OTEL_ variables
	SkipCommands bool     // do not run the commands that acalocal.yaml gets secrets from
	Partial      bool     // the file is put over an app that runs: whether it is whole is for that app to show

	// Change is what further flags ask for, made of the app and its main
	// container, which is nil when there is none; Changes says whether they
	// ask for anything. Both are nil without such flags.
	Change  func(*aca.ContainerApp, *aca.Container) error
	Changes func() bool
}

// Load reads the definition at path: a file, a directory, or "" for the working
// directory, or for no file at all when Overrides.Image is set. It returns
// every problem found, and as notes with the code NotEmulated the fields that
// behave otherwise here than on Azure; the definition can be used when none is
// an error, and is never nil. It reads files and, unless told otherwise, runs the commands
// that acalocal.yaml gets secrets from; ctx ends those.
func Load(ctx context.Context, path string, o Overrides) (*Definition, Problems) {
	l := &loader{ctx: ctx, def: &Definition{}, overrides: o}
	l.load(path)
	l.problems.sort()
	l.problems = l.problems.compact()
	return l.def, l.problems
}

type loader struct {
	ctx       context.Context // of one Load, which is all a loader lives for
	def       *Definition
	problems  Problems
	overrides Overrides
	local     *localFile
	policies  []policy          // of apps that may come later
	azdEnv    map[string]string // values for parameters files of azd, nil without azd
}

func (l *loader) load(path string) {
	if path == "" && l.overrides.Image != "" {
		l.fromFlags()
	} else {
		l.readFiles(orElse(path, "."))
	}
	if len(l.def.Apps) == 0 {
		if !l.problems.HasErrors() {
			l.errorf("", "no app is defined", "see docs/acalocal-yaml.md for what a directory may hold")
		}
		return
	}
	l.assignPolicies()
	if l.local != nil {
		l.applyLocal(l.local)
	}
	l.applyTelemetry()
	l.applyAgent()
	l.applyOverrides()
	l.nameEnvironment()
	l.inferBuilds()
	l.checkBuilds()
	l.validate()
	l.checkChildren()
	if !l.problems.HasErrors() {
		l.driftNotes()
	}
}

// errorf reports something about a file as a whole, or about none.
func (l *loader) errorf(file, message, hint string) {
	l.problems = append(l.problems, Problem{Position: Position{File: file}, Problem: aca.Problem{Message: message, Hint: hint}})
}

// open reads a file and notes it; nil when that fails, which is reported.
func (l *loader) open(file string) *sourceFile {
	source, err := readSource(file)
	if err != nil {
		l.errorf("", err.Error(), "")
		return nil
	}
	l.def.Files = append(l.def.Files, file)
	return source
}

// readFiles reads what a file or directory defines.
func (l *loader) readFiles(path string) {
	found, err := discover(path)
	if err != nil {
		l.problems = append(l.problems, Problem{Problem: aca.Problem{Message: err.Error(), Hint: discoverHint}})
		return
	}
	if found.local != "" {
		l.local = l.readLocal(found.local)
	}
	files := found.definitions
	if l.local != nil && len(l.local.Files) > 0 && !found.named {
		files = l.localFiles()
	}
	for _, file := range files {
		l.readFile(file)
	}
	if len(files) == 0 {
		l.errorf(path, "there is no definition and no Dockerfile here", discoverHint)
	}
}

func (l *loader) readFile(file string) {
	switch {
	case isDockerfile(file):
		l.fromDockerfile(file)
	case strings.EqualFold(filepath.Ext(file), ".bicep"):
		l.readBicep(file)
	default:
		l.readDefinition(file)
	}
}

// localFiles lists the files that acalocal.yaml names; a directory among them
// is searched like the first one.
func (l *loader) localFiles() []string {
	var files []string
	for i, name := range l.local.Files {
		at := aca.Path("files").Index(i)
		found, err := discover(filepath.Join(l.local.dir, name))
		switch {
		case err != nil:
			l.localProblem(l.local, at, err.Error(), "")
		case len(found.definitions) == 0:
			l.localProblem(l.local, at, fmt.Sprintf("there is no definition and no Dockerfile in %s", name), "")
		}
		files = append(files, found.definitions...)
	}
	return files
}

// readDefinition reads every document of a YAML or JSON file.
func (l *loader) readDefinition(file string) {
	source := l.open(file)
	if source == nil {
		return
	}
	if isJSON(source.text) {
		l.readJSON(source)
		return
	}
	before := len(l.problems)
	docs := source.documents(&l.problems)
	for _, doc := range docs {
		l.readDocument(source, doc)
	}
	if len(docs) == 0 && len(l.problems) == before {
		l.errorf(file, "the file is empty", "acalocal init writes one to start from")
	}
}

// isJSON says whether text is JSON rather than YAML's own style; YAML could
// read most of it, but not tabs and comments.
func isJSON(text []byte) bool {
	text = bytes.TrimLeft(bytes.TrimPrefix(text, []byte("\ufeff")), " \t\r\n")
	return bytes.HasPrefix(text, []byte("{")) || bytes.HasPrefix(text, []byte("//")) || bytes.HasPrefix(text, []byte("/*"))
}

func (l *loader) readDocument(source *sourceFile, doc *yaml.Node) {
	t := source.tree(doc, &l.problems)
	if t.broken {
		return
	}
	l.readTree(source, t)
}

// readTree reads a document, whatever it turns out to be.
func (l *loader) readTree(source *sourceFile, t *tree) {
	before := len(l.problems)
	switch k := kindOf(t.root); k {
	case kindApp, kindLegacyApp:
		if k == kindLegacyApp {
			l.problems = append(l.problems, source.locate(t, "", upgradeLegacy(t))...)
		}
		l.readApp(source, t)
	case kindEnvironment:
		l.readEnvironment(source, t)
	case kindJob:
		l.readJob(source, t)
	case kindElsewhere:
		object, _ := t.root.(map[string]any)
		l.nameElsewhere(source, []string{text(object, "type")})
	case kindRouteConfig, kindStorage, kindResiliency:
		l.readChild(source, t, k, "")
	case kindCompose:
		l.readCompose(source, t)
	case kindAzd:
		l.readAzd(source, t)
	case kindEmpty:
	default:
		if !Problems(l.problems[before:]).HasErrors() {
			l.problems = append(l.problems, source.locate(t, "", []aca.Problem{explainKind(k, t)})...)
		}
	}
}

func (l *loader) readApp(source *sourceFile, t *tree) {
	dropExtensions(t.root)
	app, problems := aca.Decode[aca.ContainerApp](t.root)
	a := App{ContainerApp: app, Source: source.file, origin: origins{tree: t, source: source}}
	if a.Name == "" && !t.has("name") {
		l.nameApp(&a)
	}
	l.problems = append(l.problems, source.locate(t, a.Name, problems)...)
	l.addApp(a)
}

// dropExtensions takes out keys that begin with x-, where people keep anchors
// for the rest of the file.
func dropExtensions(root any) {
	if object, ok := root.(map[string]any); ok {
		maps.DeleteFunc(object, func(key string, _ any) bool { return strings.HasPrefix(key, "x-") })
	}
}

// nameApp names an app whose file does not: az takes the name from its command
// line, so files without one are common.
func (l *loader) nameApp(a *App) {
	from := Origin{Kind: OriginFlag}
	if a.Name = l.overrides.Name; a.Name == "" {
		from = Origin{Kind: OriginDirectory}
		a.Name = aca.ValidAppName(dirName(a.Source))
	}
	a.origin.note("name", from)
}

// dirName is the name of the directory a file stands in.
func dirName(file string) string { return filepath.Base(absFrom(".", filepath.Dir(file))) }

func (l *loader) addApp(a App) {
	if other, ok := l.def.App(a.Name); ok && a.Name != "" {
		p := aca.Problem{Path: "name", Message: fmt.Sprintf("the app %q is already defined in %s", a.Name, other.Source), Hint: "give it another name"}
		l.problems = append(l.problems, l.locate(&a, []aca.Problem{p})...)
		return
	}
	l.def.Apps = append(l.def.Apps, a)
}

func (l *loader) readEnvironment(source *sourceFile, t *tree) {
	env, problems := aca.Decode[aca.ManagedEnvironment](t.root)
	problems = append(problems, env.Validate()...)
	if l.def.Environment.Resource != nil {
		problems = append(problems, aca.Problem{Path: "name", OnKey: true, Message: "a second environment is defined; all apps run in one", Hint: "remove one of them"})
	}
	l.def.Environment.Resource, l.def.Environment.tree = &env, t
	l.problems = append(l.problems, source.locate(t, "", problems)...)
}

// readJob checks a job; none is run here, but the apps beside it are.
func (l *loader) readJob(source *sourceFile, t *tree) {
	job, problems := aca.Decode[aca.Job](t.root)
	problems = append(problems, job.Validate()...)
	const trigger = "properties.configuration.triggerType"
	problems = append(problems, aca.Problem{Path: trigger, OnKey: true, Severity: aca.SeverityNote, Code: NotEmulated,
		Message: fmt.Sprintf("%s: the job %s is checked but not run: %s", trigger, job.Name, startsNothing(job.Properties.Configuration.TriggerType))})
	l.problems = append(l.problems, source.locate(t, "", problems)...)
	l.def.Jobs = append(l.def.Jobs, Job{job, origins{tree: t, source: source}})
}

// startsNothing says what would have started a job.
func startsNothing(t aca.TriggerType) string {
	switch t {
	case aca.TriggerSchedule:
		return "no schedule starts it"
	case aca.TriggerEvent:
		return "no event starts it"
	}
	return "it cannot be started"
}

// locate gives problems of an app their positions: in its file, in
// acalocal.yaml, or nowhere when a flag is to blame.
func (l *loader) locate(a *App, found []aca.Problem) Problems {
	var located Problems
	for _, p := range found {
		lp := a.Locate(p)
		if l.local != nil && lp.Position.File == l.local.source.file {
			lp = l.local.source.problem(lp.Position, 1, p)
			lp.App = a.Name
		}
		located = append(located, lp)
	}
	return located
}

// validate checks every app as Azure would see it with the local secrets in
// place, and then what only this machine asks for.
func (l *loader) validate() {
	if l.overrides.Partial {
		return
	}
	hostPorts := map[int]string{}
	for i := range l.def.Apps {
		app := &l.def.Apps[i]
		l.problems = append(l.problems, l.locate(app, l.withoutRepeats(app, app.asDeployed().Validate()))...)
		l.problems = append(l.problems, l.locate(app, app.missingSecrets())...)
		if port := app.Local.HostPort; port != 0 {
			if other, taken := hostPorts[port]; taken {
				l.errorf("", fmt.Sprintf("%s and %s have the same hostPort %d", other, app.Name, port), "change one of them in acalocal.yaml")
			}
			hostPorts[port] = app.Name
		}
	}
}

// withoutRepeats drops errors of fields that could not be read, and of what
// they stand in: that the image is missing is no news when its key was
// misspelled.
func (l *loader) withoutRepeats(app *App, found []aca.Problem) []aca.Problem {
	var before []aca.Problem
	for _, p := range l.problems {
		if p.App == app.Name {
			before = append(before, p.Problem)
		}
	}
	return unlessBad(before, found)
}

// unlessBad is found without what concerns fields in which errors were found
// before.
func unlessBad(before, found []aca.Problem) []aca.Problem {
	bad := map[string]bool{}
	for _, p := range aca.Errors(before) {
		bad[p.Path] = true
		bad[string(aca.Path(p.Path).Parent())] = true
	}
	var kept []aca.Problem
	for _, p := range found {
		if !bad[p.Path] {
			kept = append(kept, p)
		}
	}
	return kept
}

// asDeployed is the app with a value for each secret that has a local one.
func (a *App) asDeployed() *aca.ContainerApp {
	if len(a.Local.Secrets) == 0 {
		return &a.ContainerApp
	}
	app := a.Clone()
	for i := range app.Properties.Configuration.Secrets {
		s := &app.Properties.Configuration.Secrets[i]
		if _, ok := a.Local.Secrets[s.Name]; ok {
			*s = aca.Secret{Name: s.Name, Value: redacted}
		}
	}
	return app
}

// missingSecrets warns of key vault references that have no local value.
func (a *App) missingSecrets() []aca.Problem {
	var found []aca.Problem
	for i, s := range a.Properties.Configuration.Secrets {
		if _, ok := a.SecretValue(s.Name); ok || s.KeyVaultURL == "" {
			continue
		}
		path := aca.Path("properties.configuration.secrets").Index(i)
		found = append(found, aca.Problem{Path: string(path), Severity: aca.SeverityWarning,
			Message: fmt.Sprintf("the secret %q comes from a key vault, which is not asked here; it is empty", s.Name),
			Hint:    fmt.Sprintf("give it a local value in acalocal.yaml: apps: {%s: {secrets: {%s: {env: NAME}}}}", a.Name, s.Name)})
	}
	return found
}

// nameEnvironment picks the local name of the environment: a flag,
// acalocal.yaml, the environment's own document, else "dev".
func (l *loader) nameEnvironment() {
	name := l.overrides.Environment
	if name == "" && l.local != nil {
		name = l.local.Environment
	}
	if r := l.def.Environment.Resource; name == "" && r != nil && r.Name != "" {
		name = aca.ValidAppName(r.Name)
	}
	l.def.Environment.Name = orElse(name, "dev")
}

// showPath is a path as messages have it: relative to the working directory when
// it is below.
func showPath(path string) string {
	wd, err := os.Getwd()
	if err != nil {
		return path
	}
	if rel, err := filepath.Rel(wd, path); err == nil && filepath.IsLocal(rel) {
		return rel
	}
	return path
}
