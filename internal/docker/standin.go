package docker

import (
	"archive/tar"
	"bytes"
	"context"
	"fmt"
	"io"
	"path"
	"strconv"
	"strings"

	"github.com/acalocal/acalocal/internal/agent/standin"
	"github.com/acalocal/acalocal/internal/container"
)

var _ container.StandIns = (*Engine)(nil)

// searchPath is where a stand-in finds a command that is not a path.
const searchPath = "/usr/local/bin"

// MakeStandIn implements container.StandIns: an image of the agent, a script
// for it to play, and the names by which definitions call programs.
func (e *Engine) MakeStandIn(ctx context.Context, s container.StandInSpec) error {
	binary, err := e.agentBinary(ctx)
	if err != nil {
		return err
	}
	root, err := standInRoot(s, binary)
	if err != nil {
		return fmt.Errorf("make image %s: %w", s.Tag, err)
	}
	entrypoint := agentPath
	if s.Broken != "" {
		entrypoint = cleanName(s.Command)
	}
	err = e.importImage(ctx, s.Tag, root,
		"ENTRYPOINT ["+strconv.Quote(entrypoint)+"]",
		"ENV PATH="+searchPath,
		"LABEL "+container.LabelBuiltFor+"="+s.Env)
	if err != nil {
		return e.wrap(err, "make image %s", s.Tag)
	}
	return nil
}

// cleanName is a command as Dockerfile instructions can carry it.
func cleanName(command string) string {
	if command == "" {
		return "/missing"
	}
	return command
}

// placeOf is where a command is looked for.
func placeOf(command string) string {
	switch {
	case path.IsAbs(command):
		return path.Clean(command)
	case strings.Contains(command, "/"):
		return path.Clean("/" + command)
	}
	return searchPath + "/" + command
}

// standInRoot is the file system of a stand-in.
func standInRoot(s container.StandInSpec, binary []byte) (io.Reader, error) {
	var b bytes.Buffer
	w := tar.NewWriter(&b)
	files := []tar.Header{
		{Name: agentPath, Mode: 0o755, Size: int64(len(binary))},
		{Name: standin.ScriptPath, Mode: 0o644, Size: int64(len(s.Script))},
		{Name: standin.CounterName, Mode: 0o644, Size: int64(len(s.Container))},
	}
	content := [][]byte{binary, []byte(s.Script), []byte(s.Container)}
	place := placeOf(s.Command)
	switch {
	case s.Broken == container.BrokenFormat:
		files = append(files, tar.Header{Name: place, Mode: 0o755, Size: 5})
		content = append(content, []byte("\x00not\n"))
	case s.Broken == container.BrokenPermission:
		files = append(files, tar.Header{Name: place, Mode: 0o644})
		content = append(content, nil)
	case s.Broken == "" && s.Command != "" && place != agentPath:
		files = append(files, tar.Header{Name: place, Mode: 0o777, Typeflag: tar.TypeSymlink, Linkname: agentPath})
		content = append(content, nil)
	}
	for i := range files {
		files[i].Name = strings.TrimPrefix(files[i].Name, "/")
		if err := w.WriteHeader(&files[i]); err != nil {
			return nil, err
		}
		if _, err := w.Write(content[i]); err != nil {
			return nil, err
		}
	}
	return &b, w.Close()
}
