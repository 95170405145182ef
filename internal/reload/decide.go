package reload

import (
	"fmt"
	"path"
	"slices"
	"strings"

	"github.com/acalocal/acalocal/internal/config/dockerfile"
)

// Decision says how an image gets the changed files.
type Decision struct {
	// Copies are the instructions of a sync, in order; empty for a rebuild.
	Copies []Copy
	// Why is the reason for a rebuild, or "" for a sync.
	Why string
}

// Sync says that the changed files can be laid over the present image.
func (d Decision) Sync() bool { return d.Why == "" }

// Copy puts one file of the context into the image.
type Copy struct {
	Flags []string // as in the Dockerfile: --chown, --chmod
	From  string   // relative to the context, with slashes
	To    string   // absolute path in the image
}

func (c Copy) String() string {
	return strings.Join(append(append([]string{"COPY"}, c.Flags...), fmt.Sprintf("[%q, %q]", c.From, c.To)), " ")
}

func rebuild(format string, args ...any) Decision { return Decision{Why: fmt.Sprintf(format, args...)} }

// Decide says whether changed files, relative to the build context, can be laid
// over the image that a Dockerfile makes, or why not. They can when each is
// copied by COPY or ADD in the stage that is built and no RUN comes after, so
// that a build would copy them and do nothing else. exists says whether a file
// is there now; a removed one is never a sync.
func Decide(f *dockerfile.File, target string, changed []string, exists func(string) bool) Decision {
	stage := f.Target(target)
	if stage < 0 {
		return rebuild("the stage %q is not in the Dockerfile", target)
	}
	if len(changed) == 0 {
		return rebuild("too many files changed to name them")
	}
	instructions, why := stageInstructions(f, stage)
	if why != "" {
		return Decision{Why: why}
	}
	var d Decision
	for _, file := range changed {
		if !exists(file) {
			return rebuild("%s was removed", file)
		}
		found, why := copiesOf(instructions, file)
		if why != "" {
			return Decision{Why: why}
		}
		d.Copies = append(d.Copies, found...)
	}
	return d
}

// Reads says whether a build can see a file, relative to its context: whether
// COPY or ADD of any stage takes it, or a RUN mounts the context. Where that
// cannot be told it is so. A Dockerfile that copies nothing may be built on an
// image that does so for it (ONBUILD).
func Reads(f *dockerfile.File, file string) bool {
	copies := false
	for _, in := range f.Instructions {
		switch in.Name {
		case "RUN":
			if strings.Contains(in.Text, "--mount") && (strings.Contains(in.Text, "type=bind") || !strings.Contains(in.Text, "type=")) {
				return true
			}
		case "COPY", "ADD":
			if slices.ContainsFunc(in.Words, func(w string) bool { return strings.HasPrefix(w, "--from=") }) {
				continue
			}
			copies = true
			if _, reads, why := copyOf(placed{in, ""}, file); reads || why != "" || slices.ContainsFunc(in.Words, holds(file)) {
				return true
			}
		}
	}
	return !copies
}

// holds says whether a source of COPY lies in a directory, which is all that is
// told of its files when it goes.
func holds(dir string) func(source string) bool {
	return func(source string) bool { return strings.HasPrefix(path.Clean("/"+source), "/"+dir+"/") }
}

// placed is an instruction with the directory it is relative to, "" when only
// the base image knows that.
type placed struct {
	dockerfile.Instruction
	workdir string
}

// stageInstructions are those of one stage alone. Where it is built on another
// stage of the file, or a later one copies out of it, a sync is not tried.
func stageInstructions(f *dockerfile.File, stage int) (out []placed, why string) {
	base := f.Stages[stage].Base
	if slices.ContainsFunc(f.Stages[:stage], func(s dockerfile.Stage) bool { return s.Name != "" && strings.EqualFold(s.Name, base) }) {
		return nil, "the image is built on another stage of the Dockerfile"
	}
	workdir := ""
	for _, in := range f.Instructions {
		if in.Stage != stage {
			continue
		}
		if in.Name == "WORKDIR" {
			workdir = join(workdir, in.Text)
		}
		out = append(out, placed{in, workdir})
	}
	return out, ""
}

// join is path.Join for a directory that may be unknown.
func join(dir, to string) string {
	switch {
	case strings.Contains(to, "$"):
		return ""
	case strings.HasPrefix(to, "/"):
		return path.Clean(to)
	case dir == "":
		return ""
	}
	return path.Join(dir, to)
}

// copiesOf finds what copies a file, and makes sure that nothing runs after.
func copiesOf(instructions []placed, file string) (out []Copy, why string) {
	for i, in := range instructions {
		if in.Name != "COPY" && in.Name != "ADD" {
			continue
		}
		c, ok, why := copyOf(in, file)
		if why != "" {
			return nil, fmt.Sprintf("line %d of the Dockerfile: %s", in.Line, why)
		}
		if !ok {
			continue
		}
		for _, later := range instructions[i:] {
			if later.Name == "RUN" {
				return nil, fmt.Sprintf("the RUN in line %d of the Dockerfile comes after %s is copied", later.Line, file)
			}
		}
		out = append(out, c)
	}
	if len(out) == 0 {
		return nil, fmt.Sprintf("%s is not copied by the stage that is built", file)
	}
	return out, ""
}

// copyOf is what a COPY or ADD does to one file; ok is false when it does not
// copy it, why says that it cannot be told.
func copyOf(in placed, file string) (c Copy, ok bool, why string) {
	words := in.Words
	for len(words) > 0 && strings.HasPrefix(words[0], "--") {
		name, _, _ := strings.Cut(words[0], "=")
		switch name {
		case "--from":
			return c, false, ""
		case "--chown", "--chmod", "--link":
			c.Flags = append(c.Flags, words[0])
		default:
			return c, false, "the flag " + name + " is not understood"
		}
		words = words[1:]
	}
	if len(words) < 2 {
		return c, false, "it is not understood"
	}
	if strings.ContainsAny(in.Text, "$*?[<\\`") && !in.Exec {
		return c, false, "variables, wildcards and here-documents are not followed"
	}
	sources, to := words[:len(words)-1], words[len(words)-1]
	for _, source := range sources {
		inside, match := below(source, file)
		if !match {
			continue
		}
		if in.Name == "ADD" && (strings.Contains(path.Base(file), ".t") || strings.Contains(source, "://")) {
			return c, false, "ADD may unpack it"
		}
		c.From, c.To = file, destination(in.workdir, to, file, inside, len(sources) > 1)
		if c.To == "" {
			return c, false, "only the base image knows the directory it copies to"
		}
		return c, true, ""
	}
	return c, false, ""
}

// below says whether a source of COPY covers a file, and where in it the file
// is: "" when the source is the file itself.
func below(source, file string) (inside string, ok bool) {
	source = strings.TrimPrefix(path.Clean("/"+source), "/")
	switch {
	case source == "":
		return file, true
	case source == file:
		return "", true
	}
	return strings.CutPrefix(file, source+"/")
}

// destination is where COPY puts a file: what is in a directory goes into the
// target, a file into a target that ends in a slash, or onto it.
func destination(workdir, to, file, inside string, several bool) string {
	dir := join(workdir, to)
	switch {
	case dir == "":
		return ""
	case inside != "":
		return path.Join(dir, inside)
	case several || strings.HasSuffix(to, "/") || to == "." || strings.HasSuffix(to, "/."):
		return path.Join(dir, path.Base(file))
	}
	return dir
}
