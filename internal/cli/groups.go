package cli

import "github.com/spf13/cobra"

// groups order the commands in the help of the program. A command in no group
// stands under "Additional Commands".
var groups = []struct {
	title    string
	commands []string
}{
	{"Every day:", []string{"up", "update", "down", "status", "logs", "exec", "restart"}},
	{"Look closer:", []string{"app", "revision", "replica", "ingress", "secret", "env", "requests", "metrics", "explain", "timeline", "capture", "replay", "verify", "api"}},
	{"As az has them:", []string{"create", "show", "list", "delete"}},
	{"In tests:", []string{"run", "wait", "serve", "fault"}},
	{"The definition:", []string{"init", "check", "config", "schema", "scale"}},
	{"Parts by themselves:", []string{"edge", "kql"}},
	{"This machine:", []string{"doctor", "trust", "untrust", "completion", "version"}},
}

// groupCommands puts the commands that exist into their groups.
func groupCommands(root *cobra.Command) {
	for _, g := range groups {
		root.AddGroup(&cobra.Group{ID: g.title, Title: g.title})
		for _, name := range g.commands {
			for _, cmd := range root.Commands() {
				if cmd.Name() == name {
					cmd.GroupID = g.title
				}
			}
			if name == "completion" {
				root.SetCompletionCommandGroupID(g.title) // cobra adds it later
			}
		}
	}
}
