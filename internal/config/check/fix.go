package check

import (
	"cmp"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/acalocal/acalocal/emulator/aca"
	"github.com/acalocal/acalocal/internal/config"
	"github.com/acalocal/acalocal/internal/lazyregexp"
)

// replaceEdit is the fix of a definition problem that has only one answer.
func replaceEdit(app *config.App, p aca.Problem) []Edit {
	e, ok := app.Extent(p.Path)
	if !ok || p.Replace == "" {
		return nil
	}
	if p.OnKey {
		return []Edit{{File: e.Key.File, Line: e.Key.Line, Column: e.Key.Column, Width: e.KeyWidth, New: p.Replace}}
	}
	return []Edit{{File: e.Value.File, Line: e.Value.Line, Column: e.Value.Column, Width: e.ValueWidth, New: p.Replace, Replace: e.ValueText}}
}

// secretRefEdits turns "value: secretref:x" into "secretRef: x".
func secretRefEdits(app *config.App, at aca.Path, value, name string) []Edit {
	e, ok := app.Extent(string(at.Field("value")))
	if !ok || e.Key.Line != e.Value.Line || strings.Trim(e.ValueText, `"'`) != value {
		return nil
	}
	return []Edit{
		{File: e.Value.File, Line: e.Value.Line, Column: e.Value.Column, Width: e.ValueWidth, New: name, Replace: e.ValueText},
		{File: e.Key.File, Line: e.Key.Line, Column: e.Key.Column, Width: e.KeyWidth, New: "secretRef"},
	}
}

// replaceWord replaces the first occurrence of a word in a line of a file.
func replaceWord(f *textFile, line int, old, replacement string) []Edit {
	lines := strings.Split(string(f.text), "\n")
	if line < 1 || line > len(lines) {
		return nil
	}
	before, _, ok := strings.Cut(lines[line-1], old)
	if !ok {
		return nil
	}
	return []Edit{{File: f.name, Line: line, Column: len([]rune(before)) + 1, Width: len([]rune(old)), New: replacement, Replace: old}}
}

// simpleCommand is a command that means the same without a shell: no
// variables, quotes, globs, redirections or lists of commands.
var simpleCommand = lazyregexp.New(`^[\w./:@%+=,\- ]+$`)

// execForm rewrites a CMD or ENTRYPOINT in shell form that stands on one line
// and needs no shell.
func execForm(c command) []Edit {
	if !simpleCommand.MatchString(c.text) {
		return nil
	}
	list, err := json.Marshal(strings.Fields(c.text))
	if err != nil {
		return nil // words of these characters always marshal
	}
	return replaceWord(c.file, c.line, c.text, strings.ReplaceAll(string(list), `","`, `", "`))
}

// Apply makes the edits of all findings and returns the files it changed,
// sorted. A file that changed since it was read, so that an edit no longer
// fits, is left alone and is an error. Files are replaced by rename.
func Apply(findings []Finding) (changed []string, err error) {
	byFile := map[string][]Edit{}
	for _, f := range findings {
		for _, e := range f.Edits {
			byFile[e.File] = append(byFile[e.File], e)
		}
	}
	for file, edits := range byFile {
		if err := applyFile(file, edits); err != nil {
			return changed, fmt.Errorf("fix %s: %w", file, err)
		}
		changed = append(changed, file)
	}
	slices.Sort(changed)
	return changed, nil
}

func applyFile(file string, edits []Edit) error {
	text, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	info, err := os.Stat(file)
	if err != nil {
		return err
	}
	// From the end to the start, so that earlier places stay where they are.
	slices.SortStableFunc(edits, func(a, b Edit) int { return cmp.Or(cmp.Compare(b.Line, a.Line), cmp.Compare(b.Column, a.Column)) })
	edits = slices.CompactFunc(edits, func(a, b Edit) bool { return a.Line == b.Line && a.Column == b.Column })
	lines := strings.Split(string(text), "\n")
	for _, e := range edits {
		if lines, err = e.apply(lines); err != nil {
			return err
		}
	}
	return replaceFile(file, []byte(strings.Join(lines, "\n")), info.Mode().Perm())
}

func (e Edit) apply(lines []string) ([]string, error) {
	if e.Line < 1 || e.Line > len(lines) {
		return nil, fmt.Errorf("line %d is gone", e.Line)
	}
	if e.Column == 0 {
		return slices.Insert(lines, e.Line, e.New), nil
	}
	line := []rune(lines[e.Line-1])
	from, to := e.Column-1, e.Column-1+e.Width
	if to > len(line) || e.Replace != "" && string(line[from:to]) != e.Replace {
		return nil, fmt.Errorf("line %d has changed", e.Line)
	}
	lines[e.Line-1] = string(line[:from]) + e.New + string(line[to:])
	return lines, nil
}

// replaceFile writes a file so that a reader sees the old or the new text.
func replaceFile(file string, text []byte, mode os.FileMode) error {
	tmp, err := os.CreateTemp(filepath.Dir(file), ".acalocal-*")
	if err != nil {
		return err
	}
	defer os.Remove(tmp.Name()) //nolint:errcheck // gone after the rename
	_, err = tmp.Write(text)
	if err = cmp.Or(err, tmp.Chmod(mode), tmp.Close()); err != nil {
		return err
	}
	return os.Rename(tmp.Name(), file)
}
