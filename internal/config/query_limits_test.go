package config

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/acalocal/acalocal/logsink/kql"
)

func TestLimitsOfQueriesAreSettingsOfTheEnvironment(t *testing.T) {
	for _, c := range []struct {
		local string
		want  kql.Limits
		wrong string
	}{
		{local: ""},
		{"queryMaxRows: 100000\nqueryMaxSize: 16MB\n", kql.Limits{MaxRows: 100000, MaxBytes: 16e6}, ""},
		{"queryMaxRows: none\nqueryMaxSize: none\n", kql.NoLimits, ""},
		{local: "queryMaxRows: 0\n", wrong: `"0" is not a number of rows, 1 or more, or "none"`},
		{local: "queryMaxSize: much\n", wrong: `"much" is not a size such as 16MB, or "none"`},
	} {
		dir := t.TempDir()
		app := "name: web\nproperties:\n  template:\n    containers: [{ name: app, image: \"acme/web:1\" }]\n"
		for name, text := range map[string]string{"containerapp.yaml": app, "acalocal.yaml": c.local} {
			if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		def, problems := Load(t.Context(), dir, Overrides{})
		if err := problems.Err(); (err != nil) != (c.wrong != "") || err != nil && !strings.Contains(err.Error(), c.wrong) {
			t.Errorf("%q: %v", c.local, err)
		}
		if got := def.Environment.QueryLimits; got != c.want {
			t.Errorf("%q gives %+v, want %+v", c.local, got, c.want)
		}
	}
}

func TestSizesOfAnswers(t *testing.T) {
	for text, want := range map[string]int64{
		"1": 1, "100B": 100, "2kB": 2000, "2KB": 2000, "2KiB": 2048, "16MB": 16e6, "16 MB": 16e6, "16MiB": 16 << 20, "1GB": 1e9, "3GiB": 3 << 30, "none": -1,
		"": 0, "0": 0, "-1MB": 0, "1.5MB": 0, "MB": 0, "16M": 0, "9223372036854775807MB": 0, "1025GiB": 0,
	} {
		if got, err := ParseQuerySize(text); got != want || (err != nil) != (want == 0) {
			t.Errorf("%q is %d, %v; want %d", text, got, err, want)
		}
	}
}
