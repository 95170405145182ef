package docker

import (
	"encoding/base64"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/moby/moby/api/types/registry"
)

func TestStoredCredentials(t *testing.T) {
	basic := base64.StdEncoding.EncodeToString([]byte("me:pass:word"))
	c := &cliConfig{Auths: map[string]storedAuth{
		"https://index.docker.io/v1/": {Auth: basic},
		"https://old.example/v2/":     {Username: "u", Password: "p"},
		"token.example":               {IdentityToken: "t"},
		"broken.example":              {Auth: "%"},
	}}
	for server, want := range map[string]registry.AuthConfig{
		hubServer:       {Username: "me", Password: "pass:word", ServerAddress: hubServer},
		"old.example":   {Username: "u", Password: "p", ServerAddress: "old.example"},
		"token.example": {IdentityToken: "t", ServerAddress: "token.example"},
		"other.example": {},
	} {
		got, err := c.auth(t.Context(), server)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", server, diff)
		}
	}
	if _, err := c.auth(t.Context(), "broken.example"); err == nil || !strings.Contains(err.Error(), "broken.example") {
		t.Errorf("broken entry: %v", err)
	}
}

// helper puts a credential helper into the path.
func helper(t *testing.T, name, script string) {
	t.Helper()
	if runtime.GOOS == "windows" {
		t.Skip("the helper is a shell script")
	}
	dir := t.TempDir()
	file := filepath.Join(dir, "docker-credential-"+name)
	if err := os.WriteFile(file, []byte("#!/bin/sh\nread server\n"+script), 0o755); err != nil {
		t.Fatal(err)
	}
	t.Setenv("PATH", dir+string(os.PathListSeparator)+os.Getenv("PATH"))
}

func TestCredentialHelpers(t *testing.T) {
	helper(t, "test", `case $server in
*known*) echo '{"ServerURL":"x","Username":"u","Secret":"'$1-$server'"}';;
*token*) echo '{"Username":"<token>","Secret":"t"}';;
*broken*) echo 'keychain is locked' >&2; exit 1;;
*) echo 'credentials not found in native keychain'; exit 1;;
esac`)
	c := &cliConfig{
		CredHelpers: map[string]string{"known.example": "test", "missing.example": "none"},
		CredsStore:  "test",
		Auths:       map[string]storedAuth{"file.example": {Username: "from", Password: "file"}},
	}
	for _, tt := range []struct {
		server string
		want   registry.AuthConfig
		err    string
	}{
		{"known.example", registry.AuthConfig{Username: "u", Password: "get-known.example", ServerAddress: "known.example"}, ""},
		{"token.example", registry.AuthConfig{IdentityToken: "t", ServerAddress: "token.example"}, ""},
		{"file.example", registry.AuthConfig{Username: "from", Password: "file", ServerAddress: "file.example"}, ""},
		{"broken.example", registry.AuthConfig{}, "keychain is locked"},
		{"missing.example", registry.AuthConfig{}, "docker-credential-none"},
	} {
		got, err := c.auth(t.Context(), tt.server)
		if tt.err != "" {
			if err == nil || !strings.Contains(err.Error(), tt.err) {
				t.Errorf("%s: %v, want %q", tt.server, err, tt.err)
			}
			continue
		}
		if diff := cmp.Diff(tt.want, got); diff != "" || err != nil {
			t.Errorf("%s: %v (-want +got):\n%s", tt.server, err, diff)
		}
	}
}
