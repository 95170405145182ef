package cli

import (
	"fmt"

	"github.com/acalocal/acalocal/ingress"
	"github.com/spf13/cobra"
)

// apiAnswer is what "acalocal api --json" prints.
type apiAnswer struct {
	URL         string `json:"url"`
	SecureURL   string `json:"secureUrl"`
	Token       string `json:"token"`
	Workspace   string `json:"workspace"`
	Certificate string `json:"certificateAuthority"`
}

func newAPICommand(s Streams) *cobra.Command {
	var asJSON, token bool
	cmd := &cobra.Command{
		Use:   "api",
		Short: "Show where the local API answers, and its token",
		Long: `Show the address of the environment's API on this machine's loopback, and the
token it wants as "Authorization: Bearer TOKEN". It answers Azure Resource
Manager's paths for Container Apps, the Azure Monitor Logs query API
(/v1/workspaces/WORKSPACE/query) and acalocal's own (/acalocal/v1/). Port and
token stay the same until "acalocal down".

Azure's clients send a token only over https: they need the certificate of the
local authority, or "acalocal trust".`,
		Example: `  curl -H "Authorization: Bearer $(acalocal api --token)" http://127.0.0.1:8079/acalocal/v1/status
  acalocal api --json | jq -r .workspace`,
		Args: maximumNArgs(0),
		RunE: func(cmd *cobra.Command, _ []string) error {
			c, err := connect(cmd)
			if err != nil {
				return err
			}
			a, err := c.Access(cmd.Context())
			if err != nil {
				return notRunning(err)
			}
			dir, err := ingress.DefaultAuthorityDir()
			if err != nil {
				return err
			}
			authority, err := ingress.OpenAuthority(dir)
			if err != nil {
				return err
			}
			answer := apiAnswer{a.URL, "https" + a.URL[len("http"):], a.Token, a.Workspace, authority.CertificateFile()}
			switch {
			case asJSON:
				return writeJSON(s.Out, answer)
			case token:
				_, err = fmt.Fprintln(s.Out, answer.Token)
				return err
			}
			_, err = fmt.Fprintf(s.Out, "url          %s\nhttps        %s\nauthority    %s\nworkspace    %s\ntoken        acalocal api --token\n",
				answer.URL, answer.SecureURL, answer.Certificate, answer.Workspace)
			return err
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print all of it as JSON, the token too")
	cmd.Flags().BoolVar(&token, "token", false, "print the token alone")
	cmd.MarkFlagsMutuallyExclusive("json", "token")
	return cmd
}
