package config

import (
	"fmt"
	"strings"
	"testing"

	"github.com/acalocal/acalocal/emulator/aca"
	"github.com/google/go-cmp/cmp"
)

// readText runs a definition through everything but the file system.
func readText(t testing.TB, text string) (*Definition, Problems) {
	l := &loader{ctx: t.Context(), def: &Definition{}}
	source := &sourceFile{file: "containerapp.yaml", text: []byte(text)}
	for _, doc := range source.documents(&l.problems) {
		l.readDocument(source, doc)
	}
	l.assignPolicies()
	l.validate()
	l.checkChildren()
	l.problems.sort()
	return l.def, l.problems
}

func TestHostileFilesEndInOneClearProblem(t *testing.T) {
	laughs := "a: &a [x, x, x, x, x, x, x, x, x]\n"
	for c := 'b'; c <= 'k'; c++ {
		prev := string(c - 1)
		laughs += string(c) + ": &" + string(c) + " [" + strings.TrimSuffix(strings.Repeat("*"+prev+", ", 9), ", ") + "]\n"
	}
	const bound = "the file holds more than 200000 values or is nested deeper than 100 levels"
	tests := []struct{ name, text, want string }{
		{"billion laughs", laughs, bound},
		{"nested flow", "name: " + strings.Repeat("[", 500) + strings.Repeat("]", 500), bound},
		{"nested mappings", strings.Repeat("{a: ", 500) + strings.Repeat("}", 500), bound},
		{"self reference", "name: web\nproperties: &p\n  template: *p\n", "the alias *p contains itself"},
		{"unclosed brackets", strings.Repeat("[", 3<<20), ""},
		{"many documents", strings.Repeat("--- {}\n", 1000), ""},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			_, problems := readText(t, test.text)
			if !problems.HasErrors() {
				t.Fatal("accepted")
			}
			var messages []string
			for _, p := range problems {
				messages = append(messages, p.Message)
			}
			if test.want != "" && messages[0] != test.want {
				t.Errorf("messages (-want +got):\n%s", cmp.Diff([]string{test.want}, messages))
			}
		})
	}
}

// FuzzLoad holds that no text panics, that problems have a place inside the
// file, and that what is accepted can be rendered.
func FuzzLoad(f *testing.F) {
	f.Add("name: web\nproperties:\n  template:\n    containers:\n      - {name: a, image: a}\n")
	f.Add("type: Microsoft.App/managedEnvironments\nname: e\n---\nname: w\nproperties: {configuration: {secrets: [{name: s, value: |\n  x}]}}")
	f.Add("a: &a [*a]\n<<: *a\n? [x]\n: y")
	f.Add("apiVersion: v1\nkind: Pod")
	f.Add("services:\n  web: {image: x, build: {args: [A]}, ports: [{target: 1}], command: [1], environment: [A=], deploy: {replicas: 2}, mem_limit: 1g}")
	f.Add("rules: [{routes: [{match: {prefix: /}}], targets: [{containerApp: a}]}]\n---\ntimeoutPolicy: {responseTimeoutInSeconds: 1}")
	f.Add("type: Microsoft.App/managedEnvironments/storages\nname: e/s\nproperties: {azureFile: {accountKey: k}}\n---\ntype: Microsoft.App/jobs\nname: j")
	f.Add("services: {a: {image: b, secrets: [s, {source: t}], x-azure-deployment: {image: c, scale: {minReplicas: 1}, ingress: {external: true}}}}\nsecrets: {s: {file: none}}")
	f.Add("name: x\nservices:\n  web: {host: containerapp, docker: {buildArgs: [A=1]}}")
	f.Fuzz(func(t *testing.T, text string) {
		if len(text) > 1<<16 {
			return
		}
		def, problems := readText(t, text)
		lines := len(lineBreak.Split(text, -1)) + 1
		for _, p := range problems {
			if p.Position.Line < 0 || p.Position.Line > lines {
				t.Errorf("%s is outside of the file", p.Position)
			}
			_ = p.String()
		}
		var b strings.Builder
		if err := def.Render(&b, "."); err != nil {
			t.Errorf("render: %v", err)
		}
	})
}

func TestEnvFiles(t *testing.T) {
	vars, bad := parseEnvFile([]byte("A=1\r\n# c\n\nexport B = \"x y\"\nC='q\"'\nD=\nno\n=x\nE F=1\nG=a=b"))
	want := []envLine{{"A", "1", 1}, {"B", "x y", 4}, {"C", `q"`, 5}, {"D", "", 6}, {"G", "a=b", 10}}
	if diff := cmp.Diff(want, vars, cmp.AllowUnexported(envLine{})); diff != "" {
		t.Errorf("variables (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]int{7, 8, 9}, bad); diff != "" {
		t.Errorf("bad lines (-want +got):\n%s", diff)
	}
}

func FuzzEnvFile(f *testing.F) {
	f.Add([]byte("A=1\nexport B=\"2\"\n"))
	f.Fuzz(func(t *testing.T, text []byte) {
		vars, _ := parseEnvFile(text)
		for _, v := range vars {
			if v.name == "" || strings.ContainsAny(v.name, "= \t") {
				t.Errorf("name %q", v.name)
			}
		}
	})
}

func TestSensitiveTextIsNeverPrinted(t *testing.T) {
	secret := Secret("hunter2")
	app := App{ContainerApp: aca.ContainerApp{Name: "web"}, Local: Local{Secrets: map[string]Sensitive{"db": secret}}}
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%d", "%T"} {
		if got := sprintf(verb, secret) + sprintf(verb, &secret) + sprintf(verb, app.Local); strings.Contains(got, "hunter2") || strings.Contains(got, "68756e74657232") {
			t.Errorf("%s shows the secret: %s", verb, got)
		}
	}
	if value, ok := app.SecretValue("db"); !ok || value.Reveal() != "hunter2" {
		t.Errorf("Reveal = %q, %t", value.Reveal(), ok)
	}
}

// sprintf keeps vet from checking the verbs: the wrong ones are the point.
var sprintf = fmt.Sprintf
