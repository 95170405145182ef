package cli

import (
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/spf13/cobra"
)

// TestExamplesAreRealCommands holds the README and the examples of every
// command to the commands and flags there are.
func TestExamplesAreRealCommands(t *testing.T) {
	readme, err := os.ReadFile("../../README.md")
	if err != nil {
		t.Fatal(err)
	}
	checkCommands(t, "README.md", code(string(readme)))
	eachCommand(newRootCommand(Streams{}), func(cmd *cobra.Command) {
		checkCommands(t, cmd.CommandPath()+" --help", cmd.Example)
		checkCommands(t, cmd.CommandPath()+" --help", quoted(cmd.Long))
	})
}

// TestEveryCommandThatDoesSomethingHasAnExample is about help that shows how.
func TestEveryCommandThatDoesSomethingHasAnExample(t *testing.T) {
	for _, name := range []string{"up", "down", "status", "app show", "app list", "revision list", "replica list", "logs show", "logs query", "exec", "restart", "doctor", "version"} {
		cmd, _, err := newRootCommand(Streams{}).Find(strings.Fields(name))
		if err != nil || cmd.Example == "" {
			t.Errorf("%s has no example (%v)", name, err)
		}
	}
}

func eachCommand(cmd *cobra.Command, f func(*cobra.Command)) {
	f(cmd)
	for _, sub := range cmd.Commands() {
		eachCommand(sub, f)
	}
}

// commandLine finds a command with what follows it, up to a pipe, a comment, a
// line end outside quotes, or the end of inline code.
var commandLine = regexp.MustCompile("acalocal(?: +(?:'[^']*'|\"[^\"\n]*\"|[^\\s`'\"|#<>();,&]+))+")

// code keeps what a Markdown text has in code blocks and in inline code.
func code(text string) string {
	return strings.Join(regexp.MustCompile("(?s)```.*?```|`[^`\n]+`").FindAllString(text, -1), "\n")
}

// quoted keeps what a text has in double quotes.
func quoted(text string) string {
	return strings.Join(regexp.MustCompile(`"acalocal [^"]*"`).FindAllString(text, -1), "\n")
}

func checkCommands(t *testing.T, where, text string) {
	t.Helper()
	for _, line := range commandLine.FindAllString(text, -1) {
		words, err := splitWords(line)
		if err != nil {
			t.Errorf("%s: %s: %v", where, line, err)
			continue
		}
		checkCommand(t, where, words[1:])
	}
}

func checkCommand(t *testing.T, where string, words []string) {
	t.Helper()
	root := newRootCommand(Streams{})
	root.InitDefaultCompletionCmd()
	cmd, rest, err := root.Find(words)
	if err != nil || !cmd.HasParent() {
		t.Errorf("%s: there is no command %q", where, words)
		return
	}
	if err := cmd.ParseFlags(rest); err != nil {
		t.Errorf("%s: %q: %v", where, words, err)
	}
}
