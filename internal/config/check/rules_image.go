package check

import (
	"slices"
	"strings"

	"github.com/acalocal/acalocal/emulator/aca"
	"github.com/acalocal/acalocal/internal/lazyregexp"
)

var imageRules = []Rule{
	{
		ID: "image-latest-tag", Severity: aca.SeverityWarning,
		Title: "an image without a fixed tag",
		Why: "A revision is a snapshot of the template's text. Pushing a new image under the same tag makes no revision, and a restarted container " +
			"may run other code than its neighbours, because the tag is resolved at every start.",
		Do:     "use a tag or digest that never moves",
		Source: "https://learn.microsoft.com/azure/container-apps/revisions",
		look: func(s *subject) {
			for i := range s.template.Containers {
				c := &s.template.Containers[i]
				if _, built := s.app.Builds[c.Name]; !built && c.Image != "" && movingTag(c.Image) {
					s.at(containerPath(i).Field("image"), "%s is whatever was pushed last", c.Image)
				}
			}
		},
	},
	{
		ID: "image-not-amd64", Severity: aca.SeverityWarning, Fixable: true,
		Title: "an image for another platform than linux/amd64",
		Why:   "Azure Container Apps runs linux/amd64 only; an arm64 image ends in \"exec format error\" or is not pulled at all.",
		Do:    "build for linux/amd64", Source: "https://learn.microsoft.com/azure/container-apps/containers",
		look: func(s *subject) {
			if s.docker == nil {
				return
			}
			for _, in := range s.docker.Instructions {
				for _, w := range in.Words {
					value, ok := strings.CutPrefix(w, "--platform=")
					if in.Name == "FROM" && in.Stage == s.stage && ok && !strings.HasPrefix(value, "$") && value != "linux/amd64" {
						f := s.inFile(s.dockerAt, in.Line, "the image is built for %s", value)
						f.Edits = replaceWord(s.dockerAt, in.Line, value, "linux/amd64")
					}
				}
			}
		},
	},
	{
		ID: "command-single-string", Severity: aca.SeverityError,
		Title: "a command with its arguments in one string",
		Why:   "No shell splits the words: Azure looks for a file of that whole name, and the container is never created (\"no such file or directory\").",
		Do:    "write one list item per word", Source: "https://azureossd.github.io/2024/01/17/Container-Apps-command-override/",
		look: func(s *subject) {
			for i := range s.template.Containers {
				c := &s.template.Containers[i]
				if len(c.Command) == 1 && strings.Contains(strings.TrimSpace(c.Command[0]), " ") {
					s.at(containerPath(i).Field("command").Index(0), "%q is taken for the name of one file", c.Command[0])
				}
			}
		},
	},
	{
		ID: "command-shell-form", Severity: aca.SeverityWarning, Fixable: true,
		Title: "a shell is PID 1 and swallows SIGTERM",
		Why: "The shell form of CMD and ENTRYPOINT starts sh -c, which does not pass SIGTERM on. At every roll-out and scale-in the app notices " +
			"nothing and is killed when the grace period ends, with its requests in flight.",
		Do:     `use the exec form, CMD ["program", "argument"], or begin the shell command with exec`,
		Source: "https://azureossd.github.io/2024/05/27/Container-Apps-graceful-termination/",
		look: func(s *subject) {
			c := s.command
			if !c.shell || c.exec || len(c.words) == 0 || c.script != nil && trapsTerm(c.script) {
				return
			}
			f := s.atCommand("a shell is PID 1; %s gets no SIGTERM", c.words[0])
			if c.file == s.dockerAt && c.file != nil {
				f.Edits = execForm(c)
			}
		},
	},
	{
		ID: "command-hides-cmd", Severity: aca.SeverityNote,
		Title: "command also replaces the image's CMD",
		Why:   "command replaces ENTRYPOINT, and the image's CMD is ignored with it. What stood in CMD must be repeated in args.",
		Do:    "repeat the arguments in args, or set args alone", Source: "https://kubernetes.io/docs/tasks/inject-data-application/define-command-argument-container/",
		look: func(s *subject) {
			entry, hasEntry := s.instruction("ENTRYPOINT")
			cmd, hasCmd := s.instruction("CMD")
			if hasEntry && hasCmd && len(s.main.Command) > 0 && len(s.main.Args) == 0 && slices.Equal(s.main.Command, entry.Words) {
				s.onKey(s.mainPath.Field("command"), "the image's CMD (%s) is ignored", cmd.Text)
			}
		},
	},
	{
		ID: "log-file-only", Severity: aca.SeverityWarning,
		Title: "logs go to a file",
		Why: "Only stdout and stderr reach the log stream and Log Analytics. A log file inside the container is seen by nobody, fills the replica's " +
			"disk and is gone with it.",
		Do:     "log to stdout or stderr; for gunicorn --access-logfile - --error-logfile -",
		Source: "https://learn.microsoft.com/azure/container-apps/logging",
		look: func(s *subject) {
			for _, name := range []string{"--access-logfile", "--error-logfile", "--log-file", "--logfile", "--log-path"} {
				if value, ok := s.command.flag(name); ok && value != "-" && !strings.HasPrefix(value, "/dev/") && !strings.HasPrefix(value, "/proc/") {
					s.atCommand("%s writes to %s", name, value)
					return
				}
			}
			if m := redirect.FindStringSubmatch(s.command.text); s.command.shell && m != nil {
				s.atCommand("the output goes to %s", m[1])
			}
		},
	},
	{
		ID: "python-unbuffered", Severity: aca.SeverityNote, Fixable: true,
		Title: "Python keeps its output back",
		Why: "Python buffers stdout when it is no terminal: print lines appear late, and the last ones before a crash never. Logging to stderr is not " +
			"affected.",
		Do:     "set PYTHONUNBUFFERED=1",
		Source: "https://docs.python.org/3/using/cmdline.html#envvar-PYTHONUNBUFFERED",
		look: func(s *subject) {
			c := s.command
			if s.docker == nil || s.stage < 0 || len(c.words) == 0 || !pythonProgram.MatchString(c.words[0]) || slices.Contains(c.words, "-u") {
				return
			}
			if _, ok := s.env["PYTHONUNBUFFERED"]; ok || s.inherited("PYTHONUNBUFFERED") {
				return
			}
			line := s.docker.Stages[s.stage].Line
			f := s.inFile(s.dockerAt, line, "%s runs with buffered output", c.words[0])
			f.Edits = []Edit{{File: s.dockerAt.name, Line: line, New: "ENV PYTHONUNBUFFERED=1"}}
		},
	},
}

var (
	redirect      = lazyregexp.New(`[^2&]?>{1,2}\s*(/?[\w./-]+\.(?:log|txt|out))`)
	pythonProgram = lazyregexp.New(`(^|/)python[0-9.]*$`)
)

// inherited says whether any stage of the Dockerfile sets a variable.
func (s *subject) inherited(name string) bool {
	for _, in := range s.docker.Instructions {
		if in.Name == "ENV" && strings.Contains(in.Text, name) {
			return true
		}
	}
	return false
}

func movingTag(image string) bool {
	if strings.Contains(image, "@sha256:") {
		return false
	}
	name := image[strings.LastIndexByte(image, '/')+1:]
	_, tag, ok := strings.Cut(name, ":")
	return !ok || tag == "latest"
}

var trap = lazyregexp.New(`(?m)^[^#]*\btrap\b.*\b(SIG)?TERM\b`)

func trapsTerm(script *textFile) bool { return trap.Match(script.text) }
