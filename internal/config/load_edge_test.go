package config

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestImageNamesGiveAppNames(t *testing.T) {
	for image, want := range map[string]string{
		"nginx":                                 "nginx",
		"acme/web:1.0":                          "web",
		"localhost:5000/My_App:latest":          "my-app",
		"acme.azurecr.io/a/b@sha256:0123456789": "app", // one letter is no app name
	} {
		def, problems := Load(t.Context(), "", Overrides{Image: image})
		if len(problems) > 0 || def.Apps[0].Name != want {
			t.Errorf("%s: name %q, want %q; problems %s", image, def.Apps[0].Name, want, problems)
		}
	}
}

func TestProblemsAreOneError(t *testing.T) {
	dir := writeFiles(t, map[string]string{"containerapp.yaml": "name: Web\nproperties: {template: {}}\n"})
	_, problems := Load(t.Context(), filepath.Join(dir, "containerapp.yaml"), Overrides{})
	text := strings.ReplaceAll(problems.Err().Error(), dir+string(filepath.Separator), "")
	want := `the definition has 2 problems

containerapp.yaml:1:7: Invalid ContainerApp name 'Web'. A name must consist of lower case alphanumeric characters or '-', start with an alphabetic character, and end with an alphanumeric character and cannot have '--'. The length must be between 2 and 32 characters inclusive. (ContainerAppInvalidName)
    1 | name: Web
      |       ^~~
hint: for example "web"

containerapp.yaml:2:14: Must specify atleast one container for the container app. (ContainerAppCreateMustContainContainer)
    2 | properties: {template: {}}
      |              ^~~~~~~~`
	if diff := cmp.Diff(want, text); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if err := (Problems{}).Err(); err != nil {
		t.Errorf("no problem is an error: %v", err)
	}
}

func TestWhatCannotBeRead(t *testing.T) {
	dir := t.TempDir()
	large := filepath.Join(dir, "large.yaml")
	if err := os.WriteFile(large, make([]byte, maxFileSize+1), 0o644); err != nil {
		t.Fatal(err)
	}
	services := "services:\n"
	for i := range maxServices + 1 {
		services += fmt.Sprintf("  s%d: {image: a}\n", i)
	}
	compose := filepath.Join(dir, "compose.yaml")
	if err := os.WriteFile(compose, []byte(services), 0o644); err != nil {
		t.Fatal(err)
	}
	tests := map[string]string{
		filepath.Join(dir, "gone"): filepath.Join(dir, "gone") + " does not exist",
		large:                      large + " is larger than 4 MiB, the size ARM accepts",
		compose:                    "201 services; at most 200 are read",
	}
	for path, want := range tests {
		def, problems := Load(t.Context(), path, Overrides{})
		if def == nil || len(problems) != 1 || problems[0].Message != want {
			t.Errorf("%s: %s", path, problems)
		}
	}
}

func TestACRLFFileWithAByteOrderMark(t *testing.T) {
	text := "\ufeffname: web\r\nproperties:\r\n  template:\r\n    containers:\r\n      - name: web\r\n        image: web:1\r\n        imagee: x\r\n"
	dir := writeFiles(t, map[string]string{"containerapp.yaml": text})
	_, problems := Load(t.Context(), dir, Overrides{})
	if len(problems) != 1 || problems[0].Position.Line != 7 || problems[0].Position.Column != 9 || strings.Contains(problems[0].String(), "\r") {
		t.Errorf("problems = %q", problems.String())
	}
}

func TestSecretsAreNotMarshalled(t *testing.T) {
	text, err := json.Marshal(map[string]Sensitive{"db": Secret("hunter2")})
	if err != nil || string(text) != `{"db":"***"}` {
		t.Errorf("%s, %v", text, err)
	}
}
