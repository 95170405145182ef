package docker

import (
	"bytes"
	"cmp"
	"path"
	"slices"
	"strconv"
	"strings"

	"github.com/moby/buildkit/frontend/dockerfile/command"
	"github.com/moby/buildkit/frontend/dockerfile/parser"

	"github.com/acalocal/acalocal/internal/lazyregexp"
)

// cut is a Dockerfile in two: the steps that have to see the tree below them,
// and the copies after the last of these, which do not.
type cut struct {
	steps  []byte   // the Dockerfile without the copies, each line where it was
	head   []byte   // the comments it begins with, which may be directives
	copies [][]byte // the instructions cut out, in order, as written
	dests  []string // where each copies to, as written
}

// cutDockerfile cuts the copies out that end a stage, and says whether there
// are any. Between them and after them may be what only changes the image's
// configuration; that stays among the steps.
func cutDockerfile(text []byte, target string) (c cut, ok bool) {
	file, err := parser.Parse(bytes.NewReader(text))
	if err != nil {
		return c, false // the build will tell
	}
	lines := bytes.SplitAfter(text, []byte("\n"))
	for _, line := range lines {
		if !bytes.HasPrefix(line, []byte("#")) {
			break
		}
		c.head = append(c.head, line...)
	}
	for _, in := range slices.Backward(stageOf(file.AST.Children, target)) {
		name := strings.ToLower(in.Value)
		if slices.Contains(configures, name) {
			continue
		}
		if name != command.Copy || !plainCopy(in) {
			break
		}
		own := lines[in.StartLine-1 : in.EndLine]
		c.copies = append(c.copies, bytes.Join(own, nil))
		c.dests = append(c.dests, lastWord(in))
		for i := range own {
			own[i] = []byte("\n")
		}
	}
	slices.Reverse(c.copies)
	slices.Reverse(c.dests)
	c.steps = bytes.Join(lines, nil)
	return c, len(c.copies) > 0
}

// configures are the instructions that touch no file. WORKDIR makes a
// directory, and the copies before it may be what makes it else.
var configures = []string{
	command.Arg, command.Cmd, command.Entrypoint, command.Env, command.Expose, command.Healthcheck, command.Label,
	command.Maintainer, command.Onbuild, command.Shell, command.StopSignal, command.User, command.Volume,
}

// stageOf lists the instructions of the stage that is built, which the target
// names or numbers; "" is the last one.
func stageOf(all []*parser.Node, target string) (stage []*parser.Node) {
	number, found := -1, false
	for i, in := range all {
		if !strings.EqualFold(in.Value, command.From) {
			continue
		}
		if number++; target != "" && !strings.EqualFold(stageName(in), target) && strconv.Itoa(number) != target {
			continue
		}
		if target != "" && found {
			return nil // a name given twice
		}
		found = true
		rest := all[i+1:]
		if end := slices.IndexFunc(rest, func(in *parser.Node) bool { return strings.EqualFold(in.Value, command.From) }); end >= 0 {
			rest = rest[:end]
		}
		stage = rest
	}
	return stage
}

// stageName is the name that FROM gives its stage, or "".
func stageName(from *parser.Node) string {
	if words := wordsOf(from); len(words) == 3 && strings.EqualFold(words[1], "AS") {
		return words[2]
	}
	return ""
}

func wordsOf(in *parser.Node) (words []string) {
	for n := in.Next; n != nil; n = n.Next {
		words = append(words, n.Value)
	}
	return words
}

func lastWord(in *parser.Node) string {
	words := wordsOf(in)
	return words[len(words)-1]
}

// plainFlag are the flags of a COPY that do not look at the image: a name of a
// user stands for what the image's /etc/passwd says, --link changes what becomes
// of directories, --from copies from elsewhere.
var plainFlag = lazyregexp.New(`^--(chown=\d+(:\d+)?|chmod=[0-7]+)$`)

// plainPath is a path in an image that means itself wherever it is written.
var plainPath = lazyregexp.New(`^[A-Za-z0-9_./@+-]+$`)

// plainCopy says that a COPY puts the same files into any tree.
func plainCopy(in *parser.Node) bool {
	words := wordsOf(in)
	return len(words) >= 2 && len(in.Heredocs) == 0 && !strings.Contains(in.Original, "$") &&
		!slices.ContainsFunc(in.Flags, func(f string) bool { return !plainFlag.MatchString(f) }) &&
		plainPath.MatchString(words[len(words)-1])
}

// onto is the Dockerfile of the copies alone, in the working directory they
// have.
func (c cut) onto(workdir string) []byte {
	parts := append([][]byte{c.head, []byte("FROM scratch\nWORKDIR " + workdir + "\n")}, c.copies...)
	return bytes.Join(parts, nil)
}

// targets are the copies' destinations as absolute paths.
func (c cut) targets(workdir string) (out []string) {
	for _, d := range c.dests {
		if !path.IsAbs(d) {
			d = path.Join(cmp.Or(workdir, "/"), d)
		}
		out = append(out, path.Clean(d))
	}
	return out
}

// texts are the copies in one line each, for the image's history.
func (c cut) texts() (out []string) {
	for _, text := range c.copies {
		out = append(out, strings.Join(strings.Fields(string(text)), " "))
	}
	return out
}
