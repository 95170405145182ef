package reload

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// Layer is the one layer a sync adds to an image.
type Layer struct {
	Base    string // image of the last rebuild
	Context string // directory, absolute
	Copies  []Copy
}

// Name is what the image is called: its base and a digest of what is laid over
// it. So the same files make the same name, and a name is known before there is
// an image.
func (l Layer) Name() (string, error) {
	h := sha256.New()
	for _, c := range l.Copies {
		fmt.Fprintf(h, "%s\n", c)
		f, err := os.Open(filepath.Join(l.Context, filepath.FromSlash(c.From)))
		if err != nil {
			return "", fmt.Errorf("read a changed file: %w", err)
		}
		info, err := f.Stat()
		if err == nil {
			fmt.Fprintf(h, "%v %d\n", info.Mode(), info.Size())
			_, err = io.Copy(h, f)
		}
		f.Close()
		if err != nil {
			return "", fmt.Errorf("read a changed file: %w", err)
		}
	}
	return l.Base + "-" + hex.EncodeToString(h.Sum(nil))[:8], nil
}

// Write puts the Dockerfile of the layer into a directory, with ignore rules
// that send nothing but the changed files, and returns its path.
func (l Layer) Write(dir string) (string, error) {
	lines := []string{"FROM " + l.Base}
	rules := []string{"*"}
	for _, c := range l.Copies {
		lines = append(lines, c.String())
		rules = append(rules, "!"+escapeRule(c.From))
	}
	file := filepath.Join(dir, "Dockerfile")
	for name, list := range map[string][]string{file: lines, file + ".dockerignore": slices.Compact(rules)} {
		if err := os.WriteFile(name, []byte(strings.Join(list, "\n")+"\n"), 0o600); err != nil {
			return "", fmt.Errorf("write the sync's Dockerfile: %w", err)
		}
	}
	return file, nil
}

// escapeRule makes a path mean itself among ignore rules.
func escapeRule(name string) string {
	return strings.NewReplacer(`\`, `\\`, `*`, `\*`, `?`, `\?`, `[`, `\[`).Replace(name)
}
