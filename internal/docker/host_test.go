package docker

import (
	"crypto/sha256"
	"encoding/hex"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/moby/moby/client"

	"github.com/acalocal/acalocal/internal/container"
)

// dockerHome makes the configuration of a docker CLI with the context "far".
func dockerHome(t *testing.T, config string) (dir string) {
	t.Helper()
	dir = t.TempDir()
	sum := sha256.Sum256([]byte("far"))
	id := hex.EncodeToString(sum[:])
	files := map[string]string{
		"config.json":                           config,
		"contexts/meta/" + id + "/meta.json":    `{"Name":"far","Metadata":{},"Endpoints":{"docker":{"Host":"tcp://far:2376","SkipTLSVerify":true}}}`,
		"contexts/tls/" + id + "/docker/ca.pem": "",
	}
	for name, text := range files {
		file := filepath.Join(dir, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	t.Setenv("DOCKER_CONFIG", dir)
	t.Setenv("DOCKER_HOST", "")
	t.Setenv("DOCKER_CONTEXT", "")
	return dir
}

func TestHostIsResolvedAsTheCLIDoes(t *testing.T) {
	for _, c := range []struct {
		name            string
		config          string
		env             map[string]string
		host, context   string
		want            string
		fromEnv, secure bool
		wantErr         string
	}{
		{name: "nothing said", want: client.DefaultDockerHost, fromEnv: true},
		{name: "current context", config: `{"currentContext":"far"}`, want: "tcp://far:2376", secure: true},
		{name: "default context", config: `{"currentContext":"default"}`, want: client.DefaultDockerHost, fromEnv: true},
		{name: "DOCKER_HOST wins", config: `{"currentContext":"far"}`, env: map[string]string{"DOCKER_HOST": "tcp://near:1", "DOCKER_CONTEXT": "far"}, want: "tcp://near:1", fromEnv: true},
		{name: "DOCKER_CONTEXT wins over current", config: `{"currentContext":"gone"}`, env: map[string]string{"DOCKER_CONTEXT": "far"}, want: "tcp://far:2376", secure: true},
		{name: "option wins over DOCKER_HOST", env: map[string]string{"DOCKER_HOST": "tcp://near:1"}, context: "far", want: "tcp://far:2376", secure: true},
		{name: "host wins over context", host: "ssh://me@there", context: "far", want: "ssh://me@there", fromEnv: true},
		{name: "no such context", config: `{"currentContext":"gone"}`, wantErr: `there is no docker context "gone"`},
	} {
		t.Run(c.name, func(t *testing.T) {
			dir := dockerHome(t, "{}")
			if c.config != "" {
				if err := os.WriteFile(filepath.Join(dir, "config.json"), []byte(c.config), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			for k, v := range c.env {
				t.Setenv(k, v)
			}
			config, err := loadConfig()
			if err != nil {
				t.Fatal(err)
			}
			l, err := config.resolve(c.host, c.context)
			if err != nil || c.wantErr != "" {
				if err == nil || err.Error() != c.wantErr {
					t.Errorf("error %v, want %q", err, c.wantErr)
				}
				return
			}
			got := location{host: l.host, fromEnv: l.fromEnv, skipVerify: l.skipVerify}
			want := location{host: c.want, fromEnv: c.fromEnv, skipVerify: c.secure}
			if diff := cmp.Diff(want, got, cmp.AllowUnexported(location{})); diff != "" || (l.tlsDir != "") != c.secure {
				t.Errorf("certificates in %q, location (-want +got):\n%s", l.tlsDir, diff)
			}
		})
	}
}

func TestBrokenConfigurationIsNamed(t *testing.T) {
	dir := dockerHome(t, "{")
	_, err := loadConfig()
	if err == nil || !strings.Contains(err.Error(), filepath.Join(dir, "config.json")) {
		t.Error(err)
	}
}

func TestUnusableHosts(t *testing.T) {
	dockerHome(t, "{}")
	for _, c := range []struct {
		host, want string
		code       container.Code
	}{
		{"unix:///nowhere/docker.sock", "no Docker Engine answers at unix:///nowhere/docker.sock", container.CodeUnreachable},
		{"tcp://127.0.0.1:1", "no Docker Engine answers at tcp://127.0.0.1:1", container.CodeUnreachable},
		{"nonsense", "cannot use docker host \"nonsense\": unable to parse docker host `nonsense`", container.CodeUnreachable},
		{"ssh://", `cannot use docker host "ssh://"`, container.CodeUnreachable},
	} {
		_, err := New(t.Context(), Options{Host: c.host})
		if err == nil || err.Error() != c.want || container.CodeOf(err) != c.code {
			t.Errorf("%s: %v (code %q), want %q (code %q)", c.host, err, container.CodeOf(err), c.want, c.code)
		}
	}
}

func TestSSHArguments(t *testing.T) {
	for host, want := range map[string]string{
		"ssh://there":         "-o ConnectTimeout=30 -T -- there docker system dial-stdio",
		"ssh://me@there:2222": "-o ConnectTimeout=30 -T -l me -p 2222 -- there docker system dial-stdio",
		"ssh://there/path":    "",
	} {
		args, err := sshArgs(host)
		if got := strings.Join(args, " "); got != want || (err == nil) != (want != "") {
			t.Errorf("%s: %q %v, want %q", host, got, err, want)
		}
	}
}
