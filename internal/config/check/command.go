package check

import (
	"bytes"
	"path"
	"slices"
	"strconv"
	"strings"

	"github.com/acalocal/acalocal/emulator/aca"
	"github.com/acalocal/acalocal/internal/lazyregexp"
)

// command is what the main container starts with, as far as files tell.
type command struct {
	words  []string
	shell  bool // a shell is PID 1
	exec   bool // the shell replaces itself by the program
	text   string
	path   aca.Path  // in the definition
	file   *textFile // or a Dockerfile or script
	line   int
	script *textFile // the entrypoint script, when it could be found
}

// resolveCommand follows the rules of Kubernetes: command replaces ENTRYPOINT
// and CMD, args alone replace CMD.
func (s *subject) resolveCommand() command {
	c := command{}
	switch {
	case len(s.main.Command) > 0:
		c.words, c.path = slices.Concat(s.main.Command, s.main.Args), s.mainPath.Field("command")
	default:
		c = s.imageCommand()
	}
	c.unwrapShell()
	if len(c.words) > 0 && strings.HasSuffix(c.words[0], ".sh") && s.build != nil {
		if script := s.contextFile(path.Base(c.words[0])); script != nil {
			c.script = script
			c.followScript(script)
		}
	}
	return c
}

func (s *subject) imageCommand() command {
	entry, hasEntry := s.instruction("ENTRYPOINT")
	cmd, hasCmd := s.instruction("CMD")
	c := command{file: s.dockerAt}
	switch {
	case hasEntry && !entry.Exec:
		return command{words: entry.Words, text: entry.Text, shell: true, file: s.dockerAt, line: entry.Line}
	case hasEntry:
		c.words, c.line = slices.Clone(entry.Words), entry.Line
	case hasCmd && !cmd.Exec && len(s.main.Args) == 0:
		return command{words: cmd.Words, text: cmd.Text, shell: true, file: s.dockerAt, line: cmd.Line}
	}
	switch {
	case len(s.main.Args) > 0:
		c.words = append(c.words, s.main.Args...)
		c.file, c.path = nil, s.mainPath.Field("args")
	case hasCmd:
		c.words = append(c.words, cmd.Words...)
		if !hasEntry {
			c.line = cmd.Line
		}
	}
	return c
}

// unwrapShell looks into sh -c "…".
func (c *command) unwrapShell() {
	if len(c.words) >= 3 && slices.Contains([]string{"sh", "bash", "ash", "dash"}, path.Base(c.words[0])) && strings.HasPrefix(c.words[1], "-") && strings.HasSuffix(c.words[1], "c") {
		c.shell, c.text = true, c.words[2]
		c.words = strings.Fields(c.text)
	}
	if c.shell && len(c.words) > 0 && c.words[0] == "exec" {
		c.exec = true
		c.words = c.words[1:]
	}
	if last := separator.Split(strings.TrimSpace(c.text), -1); c.shell && strings.HasPrefix(strings.TrimSpace(last[len(last)-1]), "exec ") {
		c.exec = true // export A=1; exec app
	}
}

// separator stands between the commands of a shell's line.
var separator = lazyregexp.New(`;|&&|\|\||&|\n`)

// followScript takes the line of an entrypoint script that starts a web
// server for the command.
func (c *command) followScript(script *textFile) {
	text := strings.ReplaceAll(string(script.text), "\\\n", " \x00")
	line := 1
	for _, l := range strings.Split(text, "\n") {
		if server.MatchString(l) && !strings.HasPrefix(strings.TrimSpace(l), "#") {
			words := strings.Fields(strings.ReplaceAll(l, "\x00", ""))
			c.shell = true
			c.exec = len(words) > 0 && words[0] == "exec"
			c.words = slices.DeleteFunc(words, func(w string) bool { return w == "exec" || w == "&" })
			c.text, c.file, c.line, c.path = l, script, line, ""
			return
		}
		line += 1 + strings.Count(l, "\x00")
	}
}

var server = lazyregexp.New(`(^|[\s/"])(gunicorn|uvicorn|hypercorn|waitress-serve|flask run|node|java|dotnet)(\s|$)`)

// runs says whether the command starts a program, directly or through -m.
func (c *command) runs(program string) bool {
	return slices.ContainsFunc(c.words, func(w string) bool { return path.Base(strings.Trim(w, `"'`)) == program })
}

// flag is the value of the first of the names that is given: "--workers 4",
// "--workers=4", "-w4".
func (c *command) flag(names ...string) (value string, ok bool) {
	for i, w := range c.words {
		for _, name := range names {
			if w == name && i+1 < len(c.words) {
				return strings.Trim(c.words[i+1], `"'`), true
			}
			if rest, found := strings.CutPrefix(w, name+"="); found {
				return strings.Trim(rest, `"'`), true
			}
			if rest, found := strings.CutPrefix(w, name); found && len(name) == 2 && name[0] == '-' && name[1] != '-' && rest != "" {
				return rest, true
			}
		}
	}
	return "", false
}

var (
	address  = lazyregexp.New(`(?:^|[=\s"'/@])((?:\d{1,3}(?:\.\d{1,3}){3})|localhost|\[::1?\]|\*)?:(\d{2,5}|\$\{?\w+\}?)(?:$|[\s"'/])`)
	bareport = lazyregexp.New(`^\d{2,5}$`)
)

// ports lists the ports that the command says it listens on, with the host of
// each ("" when none is named).
func (c *command) ports() []listen {
	var found []listen
	for _, name := range []string{"--bind", "-b", "--listen", "--address", "--addr", "-addr", "--urls"} {
		if value, ok := c.flag(name); ok {
			for _, m := range address.FindAllStringSubmatch(value, -1) {
				found = appendPort(found, m[1], m[2])
			}
		}
	}
	host, _ := c.flag("--host")
	names := []string{"--port", "--server.port"}
	if c.runs("flask") {
		names = append(names, "-p")
	}
	for _, name := range names {
		if value, ok := c.flag(name); ok && bareport.MatchString(value) {
			found = appendPort(found, host, value)
		}
	}
	return found
}

// listen is one listener; port is 0 when a variable gives it.
type listen struct {
	host string
	port int
}

func appendPort(list []listen, host, port string) []listen {
	if strings.HasPrefix(port, "$") {
		return append(list, listen{host: host})
	}
	n, err := strconv.Atoi(port)
	if err != nil || n < 1 || n > 65535 {
		return list
	}
	return append(list, listen{host, n})
}

// loopback says whether only the container itself can reach the listener.
func (l listen) loopback() bool {
	return l.host == "localhost" || l.host == "[::1]" || strings.HasPrefix(l.host, "127.")
}

// lineOf is the first line of a file that holds text, counted from 1; 0 when
// none does.
func (f *textFile) lineOf(text string) int {
	i := bytes.Index(f.text, []byte(text))
	if i < 0 {
		return 0
	}
	return 1 + bytes.Count(f.text[:i], []byte("\n"))
}
