package config

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// fileNames are the definitions looked for in a directory, in this order; the
// first that exists is the one.
var fileNames = []string{"containerapp.yaml", "containerapp.yml", "aca.yaml", "aca.yml", "containerapp.json"}

// otherNames are the definitions of other tools, looked for when there is none
// of ours.
var otherNames = []string{"azure.yaml", "azure.yml", "compose.yaml", "compose.yml", "docker-compose.yaml", "docker-compose.yml"}

// localNames are the names of acalocal.yaml.
var localNames = []string{"acalocal.yaml", "acalocal.yml"}

const discoverHint = "a directory needs containerapp.yaml (or another of " +
	"containerapp.yml, aca.yaml, aca.yml, containerapp.json), azure.yaml, compose.yaml, a Dockerfile, or an acalocal.yaml with files:"

// found is what a path turned out to hold.
type found struct {
	definitions []string // files to read
	local       string   // acalocal.yaml beside them, "" when there is none
	named       bool     // the user named the definition itself
}

// discover looks at a file or directory.
func discover(path string) (found, error) {
	info, err := os.Stat(path)
	if err != nil {
		return found{}, openError(path, err)
	}
	if !info.IsDir() {
		return discoverFile(path), nil
	}
	f := found{local: first(path, localNames)}
	if file := first(path, fileNames); file != "" {
		f.definitions = []string{file}
		return f, nil
	}
	more, err := suffixed(path)
	if err != nil {
		return found{}, err
	}
	if f.definitions = more; len(more) == 0 {
		if file := first(path, slices.Concat(templateNames, otherNames, []string{"Dockerfile"})); file != "" {
			f.definitions = []string{file}
		}
	}
	return f, nil
}

// discoverFile is for a file the user named.
func discoverFile(file string) found {
	dir := filepath.Dir(file)
	for _, name := range localNames {
		if filepath.Base(file) == name {
			f, err := discover(dir)
			if err != nil {
				f = found{} // the directory went away; the file's own error will say so
			}
			f.local = file
			return f
		}
	}
	return found{definitions: []string{file}, local: first(dir, localNames), named: true}
}

// suffixed lists the files called *.containerapp.yaml, sorted: one per app.
func suffixed(dir string) ([]string, error) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", dir, err)
	}
	var files []string
	for _, e := range entries {
		name := strings.ToLower(e.Name())
		if !e.IsDir() && (strings.HasSuffix(name, ".containerapp.yaml") || strings.HasSuffix(name, ".containerapp.yml")) {
			files = append(files, filepath.Join(dir, e.Name()))
		}
	}
	return files, nil
}

// first is the first of the names that is a file in dir, "" when none is.
func first(dir string, names []string) string {
	for _, name := range names {
		if file := filepath.Join(dir, name); isFile(file) {
			return file
		}
	}
	return ""
}

func isFile(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.Mode()&fs.ModeType == 0
}

func isDockerfile(file string) bool {
	name := strings.ToLower(filepath.Base(file))
	return name == "dockerfile" || strings.HasPrefix(name, "dockerfile.") || strings.HasSuffix(name, ".dockerfile")
}
