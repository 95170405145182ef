package explain

import (
	"fmt"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/acalocal/acalocal/internal/explain/event"
	"github.com/acalocal/acalocal/internal/lazyregexp"
)

// createFailed is the newest failure to create a container that has not
// started since.
func (f *facts) createFailed(reason string) (*containerFacts, event.Event) {
	for _, c := range f.containers {
		for _, end := range last(c.terminated(reason), 1) {
			if start := c.lastStart(); start.Before(end.Time) {
				return c, end
			}
		}
	}
	return nil, event.Event{}
}

var secretWords = lazyregexp.New(`variable (\S+): secret "?([^"\s]+)"? has no value|SecretRef '([^']+)'`)

func secretMissing(f *facts) *Verdict {
	c, end := f.createFailed("ContainerCreateFailure")
	if c == nil {
		return nil
	}
	m := secretWords.FindStringSubmatch(strings.ReplaceAll(end.Detail, `\"`, `"`))
	if m == nil {
		return nil
	}
	secret := m[2] + m[3]
	return &Verdict{
		Title: fmt.Sprintf("the secret %s has no value here", secret),
		Why: fmt.Sprintf("Container %s takes a variable from the secret %s, and the definition holds only its name: secrets never leave Azure with an export. "+
			"A container is not started with a variable missing.", c.Name, secret),
		Evidence: evidence(rowLine(end)),
		Fix:      fmt.Sprintf("Give %s a value for this machine under secrets in acalocal.yaml, then run \"acalocal up\" again.", secret),
	}
}

func volumeMount(f *facts) *Verdict {
	c, end := f.createFailed("VolumeMountFailure")
	if c == nil {
		return nil
	}
	return &Verdict{
		Title: fmt.Sprintf("a volume of container %s cannot be mounted", c.Name),
		Why: "A container whose volume cannot be mounted is never created, so it prints nothing and nothing listens; the definition itself was accepted. " +
			"On Azure the usual reasons are a wrong account key, a share that does not exist, and a firewall.",
		Evidence: evidence(rowLine(end)),
		Fix:      "Check the directory or volume that stands for the storage on this machine (volumes and storages in acalocal.yaml), and on Azure the storage definition of the environment.",
	}
}

// commandWords that an engine uses for a program that cannot be run.
var (
	execName = lazyregexp.New(`exec: \\?"(.+?)\\?":`)
	notFound = []string{"executable file not found", "no such file or directory", "permission denied", "is a directory", "no command specified", "No command specified"}
)

func commandMissing(f *facts) *Verdict {
	c, end := f.createFailed("ContainerCreateFailure")
	if c == nil || !containsAny(end.Detail, notFound...) {
		return nil
	}
	v := &Verdict{Evidence: evidence(rowLine(end))}
	program := ""
	if m := execName.FindStringSubmatch(end.Detail); m != nil {
		program = strings.ReplaceAll(m[1], `\"`, `"`)
	}
	switch {
	case program == "":
		v.Title = fmt.Sprintf("container %s has no command to run", c.Name)
		v.Why = "Neither the image nor the definition names a program."
		v.Fix = "Give the image an ENTRYPOINT or CMD, or the container a command."
	case strings.Contains(end.Detail, "permission denied"):
		v.Title = fmt.Sprintf("the program %q in the image may not be executed", program)
		v.Why = fmt.Sprintf("Container %s was created, but its first program has no permission to execute.", c.Name)
		v.Fix = fmt.Sprintf("Make it executable in the Dockerfile: RUN chmod +x %s.", program)
	case strings.ContainsAny(program, " \t"):
		v.Title = fmt.Sprintf("the command %q is one word; nothing of that name is in the image", program)
		v.Why = fmt.Sprintf("Each item of command and args is one word for the container, and no shell splits them, so container %s looks for a program whose name contains spaces.", c.Name)
		v.Fix = "Write each word as an item of its own."
		v.Patch = f.splitCommand(c, program)
	default:
		v.Title = fmt.Sprintf("the program %q is not in the image", program)
		v.Why = fmt.Sprintf("Container %s is created from %s and then has nothing to run; it never starts and prints nothing. "+
			"command replaces the image's ENTRYPOINT, args its CMD. A script whose first line names a missing interpreter, or ends in a carriage return, fails in the same words.", c.Name, c.Image)
		v.Fix = fmt.Sprintf("Check the spelling and the PATH of the image, or leave command out to run what the image names: docker run --rm --entrypoint ls %s -l /.", c.Image)
	}
	return v
}

// splitCommand makes the words of the first item of command items.
func (f *facts) splitCommand(c *containerFacts, program string) string {
	if len(c.Command) == 0 || c.Command[0] != program || strings.ContainsAny(program, `"'$\`) {
		return ""
	}
	p := f.newPatch()
	list := p.container(c.Name, "command")
	if list == nil || list.Kind != yaml.SequenceNode || len(list.Content) == 0 {
		return ""
	}
	words := strings.Fields(program)
	for i, w := range words {
		words[i] = fmt.Sprintf("%q", w)
	}
	separator := ", "
	if list.Style&yaml.FlowStyle == 0 {
		indent, ok := dashIndent(p.lines[list.Content[0].Line-1])
		if !ok {
			return ""
		}
		separator = "\n" + indent + "- "
	}
	p.set(list.Content[0], strings.Join(words, separator))
	p.lines = strings.Split(strings.Join(p.lines, "\n"), "\n")
	return p.diff()
}

func createFailure(f *facts) *Verdict {
	c, end := f.createFailed("ContainerCreateFailure")
	if c == nil {
		return nil
	}
	return &Verdict{
		Title:    fmt.Sprintf("container %s cannot be created", c.Name),
		Why:      "The container engine refuses to create or start it, in the words below; it is tried again, each time after a longer wait.",
		Evidence: evidence(rowLine(end)),
		Fix:      "Change what the engine complains about, then run \"acalocal up\" again.",
	}
}

func createChecked(f *facts) string {
	started := 0
	for _, c := range f.containers {
		if c.running || c.ready {
			started++
		}
	}
	if started == 0 {
		return ""
	}
	return "commands start: " + plural(started, "container runs", "containers run")
}
