package cli

import (
	"errors"
	"fmt"
	"strconv"

	"github.com/acalocal/acalocal/emulator/aca"
	"github.com/acalocal/acalocal/internal/cli/change"
	"github.com/spf13/cobra"
)

func newCorsCommand(s Streams) *cobra.Command {
	cmd := &cobra.Command{Use: "cors", Short: "Let the edge answer for other origins", Args: noSubcommand, RunE: showHelp}
	disable := newIngressEdit(s, "disable", "Leave CORS to the app", func(in *aca.Ingress) error {
		in.CorsPolicy = nil
		return nil
	}, whole)
	cmd.AddCommand(newCorsEdit(s, "enable", "Set the policy, dropping the one there is", true), newCorsEdit(s, "update", "Change the policy", false),
		disable, newIngressPart(s, "Show the policy", corsPolicy))
	return cmd
}

// corsPolicy is the policy of an ingress; without one az prints an empty object.
func corsPolicy(in *aca.Ingress) any {
	if in.CorsPolicy == nil {
		return struct{}{}
	}
	return in.CorsPolicy
}

// newCorsEdit is a command that sets the given parts of the policy.
func newCorsEdit(s Streams, use, short string, fresh bool) *cobra.Command {
	var given aca.CorsPolicy
	var credentials *bool
	var age ageFlag
	cmd := newIngressEdit(s, use, short, func(in *aca.Ingress) error {
		p := aca.CorsPolicy{}
		if in.CorsPolicy != nil && !fresh {
			p = *in.CorsPolicy
		}
		for _, list := range []struct{ to, from *[]string }{
			{&p.AllowedOrigins, &given.AllowedOrigins}, {&p.AllowedMethods, &given.AllowedMethods},
			{&p.AllowedHeaders, &given.AllowedHeaders}, {&p.ExposeHeaders, &given.ExposeHeaders},
		} {
			if *list.from != nil {
				*list.to = words(*list.from)
			}
		}
		if age.given {
			p.MaxAge = age.seconds
		}
		if credentials != nil {
			p.AllowCredentials = *credentials
		}
		if len(p.AllowedOrigins) == 0 {
			return misuse(errors.New("a policy needs an origin"), "give --allowed-origins https://example.com, or \"*\"")
		}
		in.CorsPolicy = &p
		return nil
	}, corsPolicy)
	f := cmd.Flags()
	f.StringArrayVarP(&given.AllowedOrigins, "allowed-origins", "r", nil, "ORIGIN ...")
	f.StringArrayVarP(&given.AllowedMethods, "allowed-methods", "m", nil, "METHOD ...")
	f.StringArrayVarP(&given.AllowedHeaders, "allowed-headers", "a", nil, "HEADER ...")
	f.StringArrayVarP(&given.ExposeHeaders, "expose-headers", "e", nil, "HEADER ...")
	f.Var(&age, "max-age", "seconds a browser may keep the answer, \"\" for its own choice")
	f.Var(optional[bool]{&credentials, strconv.ParseBool, "bool"}, "allow-credentials", "let browsers send cookies")
	f.Lookup("allow-credentials").NoOptDefVal = "true"
	cmd.Example = "  acalocal ingress cors " + use + " --allowed-origins https://example.com --allowed-methods GET POST"
	return cmd
}

// ageFlag is a number of seconds that an empty text takes back.
type ageFlag struct {
	given   bool
	seconds *int
}

// Set implements pflag.Value.
func (a *ageFlag) Set(s string) error {
	a.given, a.seconds = true, nil
	if s == "" {
		return nil
	}
	n, err := strconv.Atoi(s)
	if err != nil || n < 0 {
		return fmt.Errorf("%q is not a number of seconds, 0 or more", s)
	}
	a.seconds = &n
	return nil
}

// String implements pflag.Value.
func (a *ageFlag) String() string {
	if a.seconds == nil {
		return ""
	}
	return strconv.Itoa(*a.seconds)
}

// Type implements pflag.Value.
func (a *ageFlag) Type() string { return "s" }

func newAccessCommand(s Streams) *cobra.Command {
	cmd := &cobra.Command{Use: "access-restriction", Short: "Admit or refuse addresses", Args: noSubcommand, RunE: showHelp}
	rules := func(in *aca.Ingress) any { return orEmpty(in.IPSecurityRestrictions) }
	list := newIngressPart(s, "List the rules", rules)
	list.Use = "list"
	cmd.AddCommand(newAccessSetCommand(s, rules), newAccessRemoveCommand(s, rules), list)
	return cmd
}

func newAccessSetCommand(s Streams, rules func(*aca.Ingress) any) *cobra.Command {
	var rule aca.IPSecurityRestriction
	cmd := newIngressEdit(s, "set", "Add a rule or replace the one of its name", func(in *aca.Ingress) (err error) {
		if rule.Name == "" || rule.IPAddressRange == "" {
			return misuse(errors.New("a rule needs a name and addresses"), "give --rule-name NAME, --ip-address CIDR and --action Allow or Deny")
		}
		action, ok := choice(rule.Action, "Allow", "Deny")
		if !ok {
			return misuse(fmt.Errorf("%q is no action", rule.Action), "write --action Allow or Deny")
		}
		rule.Action = action
		if in.IPSecurityRestrictions, err = change.SetRestriction(in.IPSecurityRestrictions, rule); err != nil {
			return failed(err, "remove the others first, with \"acalocal ingress access-restriction remove\"")
		}
		return nil
	}, rules)
	f := cmd.Flags()
	f.StringVar(&rule.Name, "rule-name", "", "the rule")
	f.StringVar(&rule.IPAddressRange, "ip-address", "", "an IPv4 address or range, such as 10.0.0.0/8")
	f.StringVar(&rule.Description, "description", "", "what it is for")
	f.StringVar(&rule.Action, "action", "", "Allow or Deny")
	completeWords(cmd, "action", "Allow", "Deny")
	cmd.Example = "  acalocal ingress access-restriction set --rule-name office --ip-address 203.0.113.0/24 --action Allow"
	return cmd
}

func newAccessRemoveCommand(s Streams, rules func(*aca.Ingress) any) *cobra.Command {
	var name string
	cmd := newIngressEdit(s, "remove", "Remove a rule", func(in *aca.Ingress) (err error) {
		if in.IPSecurityRestrictions, err = change.RemoveRestriction(in.IPSecurityRestrictions, name); err != nil {
			return failed(err, "see the rules with \"acalocal ingress access-restriction list\"")
		}
		return nil
	}, rules)
	cmd.Flags().StringVar(&name, "rule-name", "", "the rule")
	cmd.Example = "  acalocal ingress access-restriction remove --rule-name office"
	return cmd
}
