package docker

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"strings"

	"github.com/containerd/errdefs"
	"github.com/moby/moby/client"

	"github.com/acalocal/acalocal/internal/container"
)

// wrap says what was attempted and gives the error the code callers act on.
func (e *Engine) wrap(err error, format string, args ...any) error {
	what := fmt.Sprintf(format, args...)
	if errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) {
		return fmt.Errorf("%s: %w", what, err)
	}
	if code := container.CodeOf(err); code != "" { // has been looked at further down
		return fmt.Errorf("%s: %w", what, err)
	}
	if client.IsErrConnectionFailed(err) {
		return fmt.Errorf("%s: %w", what, e.connectError(err))
	}
	code, hint := classify(err)
	if code == "" {
		return fmt.Errorf("%s: %w", what, plain(err))
	}
	return container.Errorf(code, hint, "%s: %w", what, plain(err))
}

// classify finds the code of an error the engine answered with. The engine
// gives words more often than kinds, so words are looked at first.
func classify(err error) (code container.Code, hint string) {
	text := err.Error()
	for _, w := range words {
		if containsAny(text, w.any) {
			return w.code, w.hint
		}
	}
	switch {
	case errdefs.IsNotFound(err):
		return container.CodeNotFound, ""
	case errdefs.IsConflict(err):
		return container.CodeConflict, ""
	case errdefs.IsUnauthorized(err):
		return container.CodeUnauthorized, ""
	}
	return "", ""
}

// words are what engines from 20.10 on say, most telling first.
var words = []struct {
	code container.Code
	hint string
	any  []string
}{
	{container.CodeDiskFull, `free space with "docker system prune"`,
		[]string{"no space left on device", "disk quota exceeded"}},
	{container.CodeMount, "",
		[]string{"invalid mount config", "bind source path does not exist", "error mounting", "mounts denied",
			"error while mounting volume", "failed to mount local volume", "cannot access path"}},
	{container.CodeCreate, "",
		[]string{"OCI runtime create failed", "failed to create shim", "failed to create task", "no command specified",
			"No command specified", "runc create failed", "executable file not found", "exec format error"}},
}

func containsAny(s string, subs []string) bool {
	for _, sub := range subs {
		if strings.Contains(s, sub) {
			return true
		}
	}
	return false
}

// plain takes the client's own words away from what the engine said.
func plain(err error) error {
	const prefix = "Error response from daemon: "
	if text, ok := strings.CutPrefix(err.Error(), prefix); ok {
		return &said{text, err}
	}
	return err
}

// said is an error of the engine in the engine's words.
type said struct {
	text string
	err  error
}

func (s *said) Error() string { return s.text }
func (s *said) Unwrap() error { return s.err }

// EngineWords is what container.WordsOf finds.
func (s *said) EngineWords() string { return s.text }

// connectError explains why the engine cannot be talked to.
func (e *Engine) connectError(err error) error {
	if strings.Contains(err.Error(), "permission denied") {
		return container.Errorf(container.CodePermission, permissionHint(),
			"you may not use the Docker Engine at %s", e.host)
	}
	if strings.Contains(err.Error(), "is not supported by this client") {
		return container.Errorf(container.CodeUnreachable, "upgrade Docker to 19.03 or later",
			"the Docker Engine at %s is too old: %w", e.host, plain(err))
	}
	if isSSH(e.host) {
		return container.Errorf(container.CodeUnreachable, `try "ssh HOST docker version"; the engine's machine needs the docker command`,
			"no Docker Engine answers at %s: %w", e.host, sshReason(err))
	}
	return container.Errorf(container.CodeUnreachable, unreachableHint(),
		"no Docker Engine answers at %s", e.host)
}

// sshReason is what ssh said, without the request that was to be made.
func sshReason(err error) error {
	if _, text, ok := strings.Cut(err.Error(), sshSaid); ok {
		return &said{sshSaid + text, err}
	}
	return err
}

func permissionHint() string {
	if runtime.GOOS == "linux" {
		return `add yourself to the group docker ("sudo usermod -aG docker $USER", then log in again), or use rootless Docker`
	}
	return "allow your user to use Docker in its settings"
}

func unreachableHint() string {
	if runtime.GOOS == "linux" {
		return `start it ("sudo systemctl start docker"), or point DOCKER_HOST or "docker context use" at one that runs`
	}
	return `start Docker Desktop, or point DOCKER_HOST or "docker context use" at an engine that runs`
}
