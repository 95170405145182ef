package deploy

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/acalocal/acalocal/emulator/aca"
	"github.com/acalocal/acalocal/internal/config"
	"github.com/acalocal/acalocal/internal/container"
)

// unbuilt adds to the error of a failed pull where a Dockerfile lies that may
// be meant: beside the definition, when --image has taken its place, or one
// directory up.
func unbuilt(app *config.App, c *aca.Container, err error) error {
	var pull *container.Error
	if !errors.As(err, &pull) || c.Name != app.MainContainer() {
		return err
	}
	if pull.Code != container.CodeImageMissing && pull.Code != container.CodeUnauthorized {
		return err
	}
	dir := filepath.Dir(app.Source) // "." when there is no file
	hint := ""
	switch up := filepath.Join(dir, ".."); {
	case hasDockerfile(dir):
		hint = fmt.Sprintf("a Dockerfile lies in %s: without --image, \"acalocal up %s\" builds it", dir, dir)
	case hasDockerfile(up):
		hint = fmt.Sprintf("a Dockerfile lies in %s: \"build: ..\" for the app in acalocal.yaml has it built", up)
	default:
		return err
	}
	if pull.Hint != "" {
		hint = pull.Hint + "; or " + hint
	}
	return &container.Error{Code: pull.Code, Hint: hint, Err: err}
}

func hasDockerfile(dir string) bool {
	info, err := os.Stat(filepath.Join(dir, "Dockerfile"))
	return err == nil && info.Mode().IsRegular()
}
