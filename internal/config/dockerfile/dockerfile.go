// Package dockerfile reads what acalocal needs to know of a Dockerfile without
// building it: its stages, the port it exposes, how its process is started and
// as whom. It follows the rules of
// https://docs.docker.com/reference/dockerfile/ for comments, escapes,
// continuation lines and here-documents, and takes every instruction it does
// not know for one that does not matter.
package dockerfile

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
)

// Bounds above which Parse refuses a Dockerfile: its size in bytes and the
// number of its stages.
const (
	MaxSize   = 256 << 10
	MaxStages = 500
)

// File is a Dockerfile, read.
type File struct {
	Instructions []Instruction // in order, all stages
	Stages       []Stage
}

// Instruction is one instruction of a Dockerfile.
type Instruction struct {
	Line  int    // where it begins, from 1
	Name  string // in upper case: "FROM", "CMD"
	Text  string // what follows the name, continuation lines joined
	Words []string
	Exec  bool // the exec form: Words are those of the JSON list
	Stage int  // index in Stages; -1 before the first FROM
}

// Stage is one FROM and what belongs to it.
type Stage struct {
	Line int
	Name string // "" when it has none
	Base string // image or the name of an earlier stage, variables not replaced
}

// Parse reads a Dockerfile. It refuses one without a FROM, for that is no
// Dockerfile, and one larger than MaxSize.
func Parse(r io.Reader) (*File, error) {
	text, err := io.ReadAll(io.LimitReader(r, MaxSize+1))
	if err != nil {
		return nil, err
	}
	if len(text) > MaxSize {
		return nil, fmt.Errorf("the Dockerfile is larger than %d KiB", MaxSize>>10)
	}
	p := parser{escape: '\\'}
	p.parse(text)
	if len(p.file.Stages) == 0 {
		return nil, errors.New("the Dockerfile has no FROM")
	}
	if n := len(p.file.Stages); n > MaxStages {
		return nil, fmt.Errorf("the Dockerfile has %d stages, more than %d", n, MaxStages)
	}
	return &p.file, nil
}

type parser struct {
	file    File
	escape  byte
	pending strings.Builder // an instruction that goes on
	start   int             // its line
	heredoc []string        // ends of the here-documents still open
}

func (p *parser) parse(text []byte) {
	scanner := bufio.NewScanner(bytes.NewReader(text))
	scanner.Buffer(nil, MaxSize+1)
	directives := true
	for n := 1; scanner.Scan(); n++ {
		line := scanner.Text()
		if n == 1 {
			line = strings.TrimPrefix(line, "\ufeff")
		}
		if directives {
			directives = p.directive(line)
		}
		p.line(n, line)
	}
	p.finish()
}

// directive reads "# escape=`" and its like, which stand before all else.
func (p *parser) directive(line string) (more bool) {
	comment, ok := strings.CutPrefix(strings.TrimSpace(line), "#")
	if !ok {
		return false
	}
	key, value, ok := strings.Cut(comment, "=")
	if !ok {
		return false
	}
	if value = strings.TrimSpace(value); strings.EqualFold(strings.TrimSpace(key), "escape") && len(value) == 1 {
		p.escape = value[0]
	}
	return true
}

func (p *parser) line(n int, line string) {
	if len(p.heredoc) > 0 {
		if strings.TrimLeft(line, "\t") == p.heredoc[0] {
			p.heredoc = p.heredoc[1:]
		}
		return
	}
	trimmed := strings.TrimSpace(line)
	if trimmed == "" || trimmed[0] == '#' {
		return // also between continuation lines
	}
	if p.pending.Len() == 0 {
		p.start = n
	}
	if trimmed[len(trimmed)-1] == p.escape {
		p.pending.WriteString(trimmed[:len(trimmed)-1] + " ")
		return
	}
	p.pending.WriteString(trimmed)
	p.finish()
}

// finish takes the pending text for one instruction.
func (p *parser) finish() {
	text := strings.TrimSpace(p.pending.String())
	p.pending.Reset()
	if text == "" {
		return
	}
	name, rest := text, ""
	if i := strings.IndexAny(text, " \t"); i >= 0 {
		name, rest = text[:i], strings.TrimSpace(text[i:])
	}
	in := Instruction{Line: p.start, Name: strings.ToUpper(name), Text: rest}
	in.Words, in.Exec = words(rest)
	if in.Name == "FROM" {
		p.file.Stages = append(p.file.Stages, stage(in))
	}
	in.Stage = len(p.file.Stages) - 1
	p.file.Instructions = append(p.file.Instructions, in)
	if in.Name == "RUN" || in.Name == "COPY" || in.Name == "ADD" {
		p.heredoc = heredocs(rest)
	}
}

// words splits what follows the name: a JSON list is the exec form.
func words(text string) (list []string, exec bool) {
	if strings.HasPrefix(text, "[") && json.Unmarshal([]byte(text), &list) == nil {
		return list, true
	}
	return strings.Fields(text), false
}

func stage(in Instruction) Stage {
	s := Stage{Line: in.Line}
	plain := slices.DeleteFunc(slices.Clone(in.Words), func(w string) bool { return strings.HasPrefix(w, "--") })
	if len(plain) > 0 {
		s.Base = plain[0]
	}
	if len(plain) > 2 && strings.EqualFold(plain[1], "AS") {
		s.Name = strings.ToLower(plain[2])
	}
	return s
}

// heredocs finds the ends of the here-documents that text begins.
func heredocs(text string) []string {
	var ends []string
	for {
		_, rest, ok := strings.Cut(text, "<<")
		if !ok {
			return ends
		}
		text = strings.TrimPrefix(rest, "-")
		word := text
		if i := strings.IndexAny(text, " \t;|&<>()"); i >= 0 {
			word = text[:i]
		}
		if word = strings.Trim(word, `"'`); word != "" && !strings.HasPrefix(word, "<") && !strings.ContainsAny(word, "$`") {
			ends = append(ends, word)
		}
	}
}

// Target finds a stage by name or number, without regard to case; "" is the
// last one. It returns -1 when there is none.
func (f *File) Target(name string) int {
	if name == "" {
		return len(f.Stages) - 1
	}
	for i, s := range f.Stages {
		if s.Name == strings.ToLower(name) || strconv.Itoa(i) == name {
			return i
		}
	}
	return -1
}

// chain lists a stage and the earlier ones it is built on, first itself.
func (f *File) chain(stage int) []int {
	var chain []int
	for stage >= 0 && stage < len(f.Stages) {
		chain = append(chain, stage)
		base := strings.ToLower(f.Stages[stage].Base)
		next := -1
		for i := range stage {
			if f.Stages[i].Name != "" && f.Stages[i].Name == base {
				next = i
			}
		}
		stage = next
	}
	return chain
}

// Last is the last instruction of a name that holds for a stage: its own, or
// that of the stage it is built on. ok is false when there is none.
func (f *File) Last(stage int, name string) (in Instruction, ok bool) {
	for _, s := range f.chain(stage) {
		for _, in := range slices.Backward(f.Instructions) {
			if in.Stage == s && in.Name == name {
				return in, true
			}
		}
	}
	return Instruction{}, false
}

// ExposedPorts lists the TCP ports that the EXPOSE instructions of a stage and
// of those it is built on name, in order, the last stage first. A port written
// as a variable takes the default of its ARG or ENV, or is left out.
func (f *File) ExposedPorts(stage int) []int {
	var ports []int
	for _, s := range f.chain(stage) {
		for _, in := range f.Instructions {
			if in.Stage != s || in.Name != "EXPOSE" {
				continue
			}
			for _, word := range in.Words {
				if port, ok := f.port(word, in.Line); ok && !slices.Contains(ports, port) {
					ports = append(ports, port)
				}
			}
		}
	}
	return ports
}

func (f *File) port(word string, line int) (int, bool) {
	word, protocol, _ := strings.Cut(word, "/")
	if strings.EqualFold(protocol, "udp") {
		return 0, false
	}
	word, _, _ = strings.Cut(f.replace(word, line), "-") // the first of a range
	n, err := strconv.Atoi(word)
	return n, err == nil && n > 0 && n <= 65535
}

// replace gives a word that is one variable its default from above line.
func (f *File) replace(word string, line int) string {
	name, ok := strings.CutPrefix(word, "$")
	if !ok {
		return word
	}
	name = strings.Trim(name, "{}")
	if bare, fallback, ok := strings.Cut(name, ":-"); ok {
		name, word = bare, fallback
	}
	for _, in := range f.Instructions {
		if in.Line > line || in.Name != "ARG" && in.Name != "ENV" {
			continue
		}
		if value, ok := assigned(in, name); ok {
			word = value
		}
	}
	return word
}

// assigned finds NAME=value in an ARG or ENV, or the old form "ENV NAME value".
func assigned(in Instruction, name string) (string, bool) {
	if in.Name == "ENV" && len(in.Words) == 2 && in.Words[0] == name {
		return in.Words[1], true
	}
	for _, w := range in.Words {
		if value, ok := strings.CutPrefix(w, name+"="); ok {
			return strings.Trim(value, `"'`), true
		}
	}
	return "", false
}
