package config

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

func TestLateTablesAreSettingsOfTheEnvironment(t *testing.T) {
	for _, c := range []struct {
		local           string
		delay           time.Duration
		strict, uploads bool
		wrong           string
	}{
		{local: ""},
		{local: "ingestionDelay: 2m\nstrictTables: true\n", delay: 2 * time.Minute, strict: true},
		{local: "uploadTimes: true\n", uploads: true},
		{local: "ingestionDelay: 0s\n"},
		{local: "ingestionDelay: soon\n", wrong: `"soon" is not a duration from 0s to 24h`},
		{local: "ingestionDelay: -1m\n", wrong: `"-1m" is not a duration from 0s to 24h`},
		{local: "ingestionDelay: 25h\n", wrong: `"25h" is not a duration from 0s to 24h`},
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
		if got := def.Environment; got.IngestionDelay != c.delay || got.StrictTables != c.strict || got.UploadTimes != c.uploads {
			t.Errorf("%q gives %s, %v, %v", c.local, got.IngestionDelay, got.StrictTables, got.UploadTimes)
		}
	}
}
