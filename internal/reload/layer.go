package reload

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"

	"github.com/acalocal/acalocal/internal/container"
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

// Files are the copies as an engine lays them without a build. It returns an
// error when only a build understands one: a name of a user stands for what the
// image says, and a copy with --link does not look at what is below it.
func (l Layer) Files() ([]container.LayerFile, error) {
	out := make([]container.LayerFile, 0, len(l.Copies))
	for _, c := range l.Copies {
		f := container.LayerFile{Source: filepath.Join(l.Context, filepath.FromSlash(c.From)), Target: c.To}
		info, err := os.Stat(f.Source)
		if err != nil {
			return nil, fmt.Errorf("read a changed file: %w", err)
		}
		f.Mode = unixMode(info.Mode())
		for _, flag := range c.Flags {
			if err := apply(flag, &f); err != nil {
				return nil, err
			}
		}
		out = append(out, f)
	}
	return out, nil
}

// unixMode is a file's mode as COPY takes it. Windows has none: everything may
// be executed, as Docker has it there.
func unixMode(m fs.FileMode) uint32 {
	if runtime.GOOS == "windows" {
		return 0o755
	}
	mode := uint32(m.Perm())
	for bit, unix := range map[fs.FileMode]uint32{fs.ModeSetuid: 0o4000, fs.ModeSetgid: 0o2000, fs.ModeSticky: 0o1000} {
		if m&bit != 0 {
			mode |= unix
		}
	}
	return mode
}

// apply does what a flag of COPY says.
func apply(flag string, f *container.LayerFile) error {
	name, value, _ := strings.Cut(flag, "=")
	switch name {
	case "--chmod":
		mode, err := strconv.ParseUint(value, 8, 12)
		if err != nil {
			return fmt.Errorf("%s is no octal mode", flag)
		}
		f.Mode = uint32(mode)
		return nil
	case "--chown":
		user, group, ok := strings.Cut(value, ":")
		if !ok {
			group = user
		}
		uid, err := strconv.ParseUint(user, 10, 31)
		if err != nil {
			return fmt.Errorf("%s names a user", flag)
		}
		gid, err := strconv.ParseUint(group, 10, 31)
		if err != nil {
			return fmt.Errorf("%s names a group", flag)
		}
		f.UID, f.GID = int(uid), int(gid)
		return nil
	}
	return fmt.Errorf("%s is for a build", flag)
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
