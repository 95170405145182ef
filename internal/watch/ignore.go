package watch

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strings"

	"github.com/moby/patternmatcher"
	"github.com/moby/patternmatcher/ignorefile"
)

// Ignore says whether a path is of no interest. Paths are relative to the root,
// with slashes. Nothing below an ignored directory is looked at.
type Ignore func(rel string, dir bool) bool

// Dockerignore returns the rules of a build context: those in
// <Dockerfile>.dockerignore if that is there, else in .dockerignore, as
// BuildKit reads them. The Dockerfile and the rules themselves are never
// ignored, the .git directory always is: git writes there by itself, and a
// build that copies it sees it when something else changes.
func Dockerignore(root, dockerfile string) (Ignore, error) {
	patterns, err := readPatterns(dockerfile+".dockerignore", filepath.Join(root, ".dockerignore"))
	if err != nil {
		return nil, err
	}
	m, err := patternmatcher.New(patterns)
	if err != nil {
		return nil, fmt.Errorf("read the ignore rules of %s: %w", root, err)
	}
	always := map[string]bool{".dockerignore": true}
	if rel, err := filepath.Rel(root, dockerfile); err == nil {
		always[filepath.ToSlash(rel)] = true
		always[filepath.ToSlash(rel)+".dockerignore"] = true
	}
	return func(rel string, dir bool) bool {
		switch {
		case rel == ".git" || strings.HasPrefix(rel, ".git/"):
			return true
		case always[rel]:
			return false
		case dir && (m.Exclusions() || holdsAny(rel, always)):
			return false // something below may count all the same
		}
		match, err := m.MatchesOrParentMatches(filepath.FromSlash(rel))
		return err == nil && match // a path that cannot be matched counts
	}, nil
}

func holdsAny(dir string, paths map[string]bool) bool {
	for p := range paths {
		if strings.HasPrefix(p, dir+"/") {
			return true
		}
	}
	return false
}

// readPatterns reads the first file that is there; none is no rules.
func readPatterns(files ...string) ([]string, error) {
	for _, file := range files {
		f, err := os.Open(file)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return nil, fmt.Errorf("read the ignore rules: %w", err)
		}
		defer f.Close()
		patterns, err := ignorefile.ReadAll(f)
		if err != nil {
			return nil, fmt.Errorf("read the ignore rules of %s: %w", file, err)
		}
		return patterns, nil
	}
	return nil, nil
}

// ofAnEditor says that a file is an editor's own: backups, locks and the
// temporary file of a save, whose rename onto the real one is the event that
// counts.
func ofAnEditor(rel string) bool {
	name := path.Base(rel)
	switch {
	case name == "4913", name == ".DS_Store", strings.HasSuffix(name, "~"),
		strings.HasPrefix(name, ".#"), strings.HasPrefix(name, "#") && strings.HasSuffix(name, "#"),
		strings.HasSuffix(name, "___jb_tmp___"), strings.HasSuffix(name, "___jb_old___"):
		return true
	}
	ext := path.Ext(name)
	return strings.HasPrefix(name, ".") && len(ext) == 4 && strings.HasPrefix(ext, ".sw") // vim: .app.py.swp
}
