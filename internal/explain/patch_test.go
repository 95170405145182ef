package explain

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/acalocal/acalocal/emulator/aca"
)

func patchOf(name, text string) *patch {
	f := &facts{Evidence: Evidence{App: aca.ContainerApp{Name: name}, File: File{Path: "app.yaml", Text: []byte(text)}}}
	return f.newPatch()
}

func TestPatchTouchesOnlyWhatItMust(t *testing.T) {
	const two = `# first
name: api
properties:
  configuration: {ingress: {targetPort: 80}}
---
name: web # the one
properties:
  configuration:
    ingress: {external: true, targetPort: "8000", transport: auto}
  template:
    containers:
    - name: app
      image: web:1
`
	p := patchOf("web", two)
	if !p.set(p.find("properties", "configuration", "ingress", "targetPort"), "3000") || !p.setEnv("app", "A", "b") {
		t.Fatal("not changed")
	}
	want := `--- app.yaml
+++ app.yaml
@@ -6,8 +6,11 @@
 name: web # the one
 properties:
   configuration:
-    ingress: {external: true, targetPort: "8000", transport: auto}
+    ingress: {external: true, targetPort: 3000, transport: auto}
   template:
     containers:
     - name: app
+      env:
+        - name: A
+          value: b
       image: web:1
`
	if diff := cmp.Diff(want, p.diff()); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestPatchLeavesAloneWhatItCannotChange(t *testing.T) {
	f := func(name, text string, edit func(*patch) bool) {
		t.Helper()
		p := patchOf("web", text)
		if edit(p) || p.diff() != "" {
			t.Errorf("%s: changed:\n%s", name, p.diff())
		}
	}
	port := func(p *patch) bool {
		return p.set(p.find("properties", "configuration", "ingress", "targetPort"), "3000")
	}
	env := func(p *patch) bool { return p.setEnv("app", "A", "b") }
	f("no file", "", port)
	f("no YAML", "a: [", port)
	f("another app", "name: api\nproperties: {configuration: {ingress: {targetPort: 80}}}\n", port)
	f("an ARM template", `{"resources": [{"name": "web"}]}`, port)
	f("a block scalar", "name: web\nproperties:\n  configuration:\n    ingress:\n      targetPort: |\n        80\n", port)
	f("flow style", "name: web\nproperties: {template: {containers: [{name: app, env: [{name: B, value: c}]}]}}\n", env)
	f("a secret's variable", "name: web\nproperties:\n  template:\n    containers:\n      - name: app\n        env:\n          - name: A\n            secretRef: s\n", env)
}

func TestUnified(t *testing.T) {
	f := func(old, new, want string) {
		t.Helper()
		got := unified("f", strings.Split(old, "\n"), strings.Split(new, "\n"))
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("(-want +got):\n%s", diff)
		}
	}
	f("a\nb\n", "a\nb\n", "")
	f("a\nb\n", "a\nc\n", "--- f\n+++ f\n@@ -1,2 +1,2 @@\n a\n-b\n+c\n")
	f("a", "b", "--- f\n+++ f\n@@ -1 +1 @@\n-a\n\\ No newline at end of file\n+b\n\\ No newline at end of file\n")
	f("1\n2\n3\n4\n5\n6\n7\n8\n9\n10\n11\n12\n", "1\nx\n3\n4\n5\n6\n7\n8\n9\n10\ny\n12\n",
		"--- f\n+++ f\n@@ -1,5 +1,5 @@\n 1\n-2\n+x\n 3\n 4\n 5\n@@ -8,5 +8,5 @@\n 8\n 9\n 10\n-11\n+y\n 12\n")
	f("1\n2\n3\n4\n5\n", "1\nx\n3\n4\ny\n", "--- f\n+++ f\n@@ -1,5 +1,5 @@\n 1\n-2\n+x\n 3\n 4\n-5\n+y\n")
}

// FuzzUnified holds the diff of any two texts to turning one into the other.
func FuzzUnified(f *testing.F) {
	f.Add("a\nb\nc\n", "a\nc\nd\n")
	f.Add("", "x")
	f.Fuzz(func(t *testing.T, old, new string) {
		if len(old)+len(new) > 4096 || strings.Contains(old+new, "\r") {
			return
		}
		// The applier of this package knows texts that end in a line end.
		old, new = strings.TrimRight(old, "\n")+"\n", strings.TrimRight(new, "\n")+"\n"
		if got := applyPatch(t, old, unified("f", strings.Split(old, "\n"), strings.Split(new, "\n"))); got != new {
			t.Errorf("%q to %q gave %q", old, new, got)
		}
	})
}

func FuzzPatch(f *testing.F) {
	f.Add("name: web\nproperties:\n  configuration:\n    ingress:\n      targetPort: 80\n  template:\n    containers:\n      - name: app\n        env:\n          - name: B\n            value: c\n")
	f.Fuzz(func(t *testing.T, text string) {
		p := patchOf("web", text)
		p.set(p.find("properties", "configuration", "ingress", "targetPort"), "3000")
		p.setEnv("app", "A", "b")
		p.setProbe("app", "Liveness", "timeoutSeconds", "5")
		p.diff()
	})
}

func FuzzOption(f *testing.F) {
	f.Add("gunicorn -w 4 --workers=8 --timeout 30")
	f.Fuzz(func(t *testing.T, text string) {
		if n, ok := option(strings.Fields(text), "-w", "--workers"); !ok && n != 0 {
			t.Errorf("%q: %d", text, n)
		}
	})
}
