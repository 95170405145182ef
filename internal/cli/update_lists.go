package cli

import (
	"slices"
	"strconv"
	"strings"
)

// listFlags are az's flags that take the words after them up to the next flag,
// --set-env-vars A=1 B=2, with what says that a further word is one of theirs.
type listFlags map[string]func(word string) bool

// changeLists are those of the commands that change what runs. They have no
// arguments a list could swallow.
var changeLists = listFlags{
	"--set-env-vars": anyWord, "--remove-env-vars": anyWord, "--replace-env-vars": anyWord,
	"--revision-weight": anyWord, "--traffic-weight": anyWord, "--label-weight": anyWord,
	"--allowed-origins": anyWord, "--allowed-methods": anyWord, "--allowed-headers": anyWord, "--expose-headers": anyWord,
	"-r": anyWord, "-m": anyWord, "-a": anyWord, "-e": anyWord, // az's short names of these
	"--command": anyWord, "--args": anyWord, "--tags": anyWord,
	"--scale-rule-metadata": anyWord, "--srm": anyWord, "--scale-rule-auth": anyWord, "--sra": anyWord,
	"--build-env-vars": anyWord, "--bind": anyWord, "--unbind": anyWord, "--customized-keys": anyWord, "--user-assigned": anyWord, "--ids": anyWord,
}

// definitionLists are those of the commands that take a definition, FILE or
// DIR, which may stand behind a list: a word without "=" ends it.
var definitionLists = listFlags{
	"--env-vars": isAssignment, "--secrets": isAssignment, "-s": isAssignment, "--parameters": isParameter,
	"--command": anyWord, "--args": anyWord, "--tags": isAssignment,
	"--scale-rule-metadata": isAssignment, "--srm": isAssignment, "--scale-rule-auth": isAssignment, "--sra": isAssignment,
	"--build-env-vars": isAssignment, "--customized-keys": isAssignment,
}

// listsOf are the list flags of each command; other command lines stay as they
// are.
var listsOf = map[string]listFlags{
	"secret": {"--secrets": anyWord, "-s": anyWord, "--secret-names": anyWord}, "update": changeLists, "revision": changeLists, "ingress": changeLists,
	"up": definitionLists, "create": definitionLists, "run": definitionLists, "check": definitionLists, "config": definitionLists,
}

func anyWord(string) bool { return true }

// isAssignment says that a word is NAME=value.
func isAssignment(word string) bool {
	name, _, ok := strings.Cut(word, "=")
	return ok && name != "" && !strings.ContainsAny(name, `/\`)
}

// isParameter says that a word can only be a parameter of a template.
func isParameter(word string) bool { return isAssignment(word) || strings.HasPrefix(word, "@") }

// azArguments writes the flags of a command line for az as this program's flag
// library takes them.
func azArguments(args []string) []string { return spreadLists(joinValues(args)) }

// joinValues writes flags whose value may be left out with the value they
// have: --follow true as --follow=true, a bare --max-age as one of nothing.
func joinValues(args []string) []string {
	out := make([]string, 0, len(args))
	for i := 0; i < len(args); i++ {
		a := args[i]
		if a == "--" {
			return append(out, args[i:]...)
		}
		next := ""
		if i+1 < len(args) {
			next = args[i+1]
		}
		yes, isWord := azWords[strings.ToLower(next)]
		switch {
		case isWord && slices.Contains(toggles, a):
			a += "=" + strconv.FormatBool(yes)
			i++
		case a == "--max-age" && (i+1 == len(args) || strings.HasPrefix(next, "-")):
			a += "="
		}
		out = append(out, a)
	}
	return out
}

// spreadLists writes az's list flags as one flag for each word.
func spreadLists(args []string) []string {
	lists := listsOf[verbOf(args)]
	if lists == nil {
		return args
	}
	var out []string
	flag, words := "", 0 // the list flag whose words come, and how many did
	for i, a := range args {
		if a == "--" {
			return append(out, args[i:]...)
		}
		switch {
		case lists[a] != nil && (flag == "" || words > 0):
			flag, words = a, 0
			out = append(out, a)
		case flag != "" && words == 0:
			out, words = append(out, a), 1
		case flag == "" || strings.HasPrefix(a, "-") || !lists[flag](a):
			flag = ""
			out = append(out, a)
		default:
			out = append(out, flag, a)
		}
	}
	return out
}

// verbOf is the command of a command line, "" when there is none.
func verbOf(args []string) string {
	i := slices.IndexFunc(args, func(a string) bool { return !strings.HasPrefix(a, "-") })
	if i > 0 && args[i-1] == "--env" {
		return verbOf(args[i+1:])
	}
	if i < 0 {
		return ""
	}
	return args[i]
}
