package cli

import (
	"fmt"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// azFlag is a flag that "az containerapp" has and that has no meaning on this
// machine. It is taken, so that a command line for az works here, and says so;
// or it is refused, when what it asks for would be missed.
type azFlag struct {
	names  string // long names, then a short one of a letter
	toggle bool   // takes no value, or one of az's words for yes and no
	why    string // what is different here, "" when nobody would miss it
	refuse string // the hint of a refusal, "" when the flag is taken
}

// azCommon are the flags of az's every command.
var azCommon = []azFlag{
	{names: "resource-group g"},
	{names: "subscription"},
	{names: "acquire-policy-token", toggle: true},
	{names: "change-reference"},
	{names: "debug", toggle: true},
	{names: "verbose", toggle: true},
	{names: "only-show-errors", toggle: true},
	{names: "ids", refuse: "name the app with --name"},
}

// azNoWait is az's flag of commands that wait for Azure.
var azNoWait = azFlag{names: "no-wait", toggle: true}

// What several of az's commands have.
const (
	noIdentity = "there is no managed identity here"
	noDapr     = "no Dapr sidecar runs here"
	noJava     = "Java metrics and agents are not provided here"
	noBinding  = "nothing is bound here; set the variables with --env-vars"
	ownLogin   = "images are pulled with the credentials of your Docker configuration"
	noGitHub   = "clone the repository and run \"acalocal up DIR\""
	noFinding  = "no cloud builds here; write a Dockerfile and run \"acalocal up DIR\""
	noArc      = "leave it out: there is no connected environment here"
	noFoundry  = "leave it out: there is no model registry here; run an image of your own with --image"
	buildArgs  = "the Dockerfile builds the image; its arguments stand in acalocal.yaml"
	noKind     = "the app runs as an ordinary one; functions have no host here"
)

// azDeploy are those of az's commands that make or change an app.
var azDeploy = []azFlag{
	{names: "location l", why: "everything is on this machine"},
	{names: "registry-server", why: ownLogin},
	{names: "registry-username", why: ownLogin},
	{names: "registry-password", why: ownLogin},
	{names: "registry-identity", why: ownLogin},
	{names: "user-assigned", why: noIdentity},
	{names: "system-assigned", toggle: true, why: noIdentity},
	{names: "build-env-vars", why: buildArgs},
	{names: "artifact", refuse: noFinding},
	{names: "bind", why: noBinding},
	{names: "customized-keys", why: noBinding},
	{names: "service-type", why: noBinding},
	{names: "runtime", why: noJava},
	{names: "enable-java-metrics", toggle: true, why: noJava},
	{names: "enable-java-agent", toggle: true, why: noJava},
	{names: "kind", why: noKind},
	{names: "scale-rule-identity sri", why: noIdentity},
}

// azCreate are those of "az containerapp create" and "up".
var azCreate = []azFlag{
	{names: "enable-dapr", toggle: true, why: noDapr},
	{names: "dapr-app-port", why: noDapr},
	{names: "dapr-app-id", why: noDapr},
	{names: "dapr-app-protocol", why: noDapr},
	{names: "dapr-http-read-buffer-size dhrbs", why: noDapr},
	{names: "dapr-http-max-request-size dhmrs", why: noDapr},
	{names: "dapr-log-level", why: noDapr},
	{names: "dapr-enable-api-logging dal", toggle: true, why: noDapr},
	{names: "container-name", why: "containers keep the names of the definition, and one without a definition has the app's"},
	{names: "logs-workspace-id", why: "logs stay on this machine"},
	{names: "logs-workspace-key", why: "logs stay on this machine"},
	{names: "browse", toggle: true, why: "open the address that is printed when the app is ready"},
	{names: "environment-type", why: "there is one type of environment here"},
	{names: "repo", refuse: noGitHub},
	{names: "token", refuse: noGitHub},
	{names: "branch b", refuse: noGitHub},
	{names: "context-path", refuse: noGitHub},
	{names: "service-principal-client-id sp-cid", refuse: noGitHub},
	{names: "service-principal-client-secret sp-sec", refuse: noGitHub},
	{names: "service-principal-tenant-id sp-tid", refuse: noGitHub},
	{names: "custom-location", refuse: noArc},
	{names: "connected-cluster-id", refuse: noArc},
	{names: "model-registry", refuse: noFoundry},
	{names: "model-name", refuse: noFoundry},
	{names: "model-version", refuse: noFoundry},
	azNoWait,
}

// azUpdate are those of "az containerapp update".
var azUpdate = []azFlag{
	azNoWait,
	{names: "unbind", why: noBinding},
	{names: "source", refuse: "run \"acalocal up -d DIR\", which builds the image and makes the new revision"},
}

// azText are az's flags of output for commands whose output is a text.
var azText = []azFlag{
	{names: "output o"},
	{names: "query", why: "the output is text"},
}

// azWorkspace are those of "az monitor log-analytics query".
var azWorkspace = []azFlag{
	{names: "workspace w", why: "here is one workspace"},
	{names: "workspaces", why: "here is one workspace"},
}

// azVerbs are the commands that az has too, with its flags that they have not
// made their own.
var azVerbs = map[string][][]azFlag{
	"up":                         {azDeploy, azCreate},
	"create":                     {azDeploy, azCreate},
	"update":                     {azDeploy, azUpdate},
	"show":                       {{{names: "show-secrets", toggle: true, why: "the values of secrets are not shown; acalocal.yaml or the definition has them"}}},
	"list":                       {{{names: "environment-type", why: "there is one type of environment here"}}},
	"delete":                     {{azNoWait, {names: "yes y", toggle: true}}, azText},
	"app show":                   {{{names: "show-secrets", toggle: true, why: "the values of secrets are not shown; acalocal.yaml or the definition has them"}}},
	"app list":                   {{{names: "environment-type", why: "there is one type of environment here"}}},
	"exec":                       {azText},
	"logs show":                  {azText},
	"logs query":                 {azWorkspace},
	"revision list":              nil,
	"revision show":              nil,
	"revision activate":          nil,
	"revision deactivate":        nil,
	"revision restart":           nil,
	"revision copy":              {azDeploy},
	"revision set-mode":          nil,
	"revision label add":         nil,
	"revision label remove":      nil,
	"revision label swap":        nil,
	"replica list":               nil,
	"replica show":               nil,
	"ingress show":               nil,
	"ingress enable":             nil,
	"ingress update":             nil,
	"ingress disable":            {azText},
	"ingress traffic set":        nil,
	"ingress traffic show":       nil,
	"ingress cors enable":        nil,
	"ingress cors update":        nil,
	"ingress cors disable":       nil,
	"ingress cors show":          nil,
	"secret show":                nil,
	"secret list":                {{{names: "show-values", toggle: true, why: "the values of secrets are not shown"}}},
	"secret set":                 {azText},
	"secret remove":              {azText},
	"env show":                   nil,
	"env list":                   nil,
	"env http-route-config list": nil,

	"ingress sticky-sessions set":       nil,
	"ingress sticky-sessions show":      nil,
	"ingress access-restriction set":    nil,
	"ingress access-restriction remove": nil,
	"ingress access-restriction list":   nil,
	"env http-route-config show":        nil,
	"env http-route-config create":      nil,
	"env http-route-config update":      nil,
	"env http-route-config delete":      {{azNoWait}, azText},
}

// takeAzFlags gives the commands of a tree az's flags that have no meaning
// here.
func takeAzFlags(root *cobra.Command) {
	for verb, lists := range azVerbs {
		cmd, rest, err := root.Find(strings.Fields(verb))
		if err != nil || len(rest) > 0 {
			panic("bug: there is no command " + verb)
		}
		for _, list := range append([][]azFlag{azCommon}, lists...) {
			for i := range list {
				list[i].bind(cmd.Flags())
			}
		}
	}
}

func (a *azFlag) bind(fs *pflag.FlagSet) {
	var short string
	for name := range strings.FieldsSeq(a.names) {
		if len(name) == 1 && fs.ShorthandLookup(name) == nil {
			short = name
		}
	}
	for name := range strings.FieldsSeq(a.names) {
		if len(name) == 1 || fs.Lookup(name) != nil {
			continue
		}
		f := fs.VarPF(&unused{azFlag: a}, name, short, "as in az")
		f.Hidden = true
		if a.toggle {
			f.NoOptDefVal = "true"
		}
		short = ""
	}
}

// unused is the value of an azFlag.
type unused struct {
	*azFlag
	value string
}

// Set implements pflag.Value.
func (u *unused) Set(s string) error {
	u.value = s
	return nil
}

// String implements pflag.Value.
func (u *unused) String() string { return u.value }

// Type implements pflag.Value.
func (u *unused) Type() string { return "value" }

// sayUnused refuses what cannot be done and says what has no meaning here. It
// runs before every command.
func sayUnused(cmd *cobra.Command, _ []string) (err error) {
	cmd.Flags().Visit(func(f *pflag.Flag) {
		u, ok := f.Value.(*unused)
		switch {
		case !ok || err != nil:
		case u.refuse != "":
			err = misuse(fmt.Errorf("--%s is not done here", f.Name), u.refuse)
		case u.why != "" && !(u.toggle && isNo(u.value)):
			fmt.Fprintf(cmd.ErrOrStderr(), "note: --%s has no effect: %s\n", f.Name, u.why)
		}
	})
	return err
}

// toggles are az's flags that need no value and take one.
var toggles = []string{
	"--follow", "--allow-insecure", "--allow-credentials", "--remove-all-env-vars", "--show-secrets", "--show-values", "--browse",
	"--enable-dapr", "--dapr-enable-api-logging", "--dal", "--system-assigned", "--enable-java-metrics", "--enable-java-agent",
	"--no-wait", "--all", "--yes", "-y", "--no-prompt",
}

// azWords are az's words for yes and no.
var azWords = map[string]bool{"true": true, "t": true, "yes": true, "y": true, "1": true, "false": false, "f": false, "no": false, "n": false, "0": false}

func isNo(word string) bool {
	yes, known := azWords[strings.ToLower(word)]
	return known && !yes
}
