package cli

import (
	"errors"
	"fmt"
	"net/url"
	"os/exec"
	"runtime"

	"github.com/acalocal/acalocal/internal/page"
	"github.com/spf13/cobra"
)

func newLogsPageCommand(s Streams) *cobra.Command {
	var named, file, timespan string
	var tail, open bool
	cmd := &cobra.Command{
		Use:   "page [QUERY]",
		Short: "Print a link to the log page: queries, charts, live tail",
		Long: `Print a link to the page where logs are queried, drawn and followed in a browser.
The link lets one browser in, within five minutes; afterwards that browser may
come back to the page as it likes until "acalocal down".`,
		Example: `  acalocal logs page --open
  acalocal logs page --saved errors-by-revision
  acalocal logs page --tail`,
		Args: maximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			fragment := url.Values{}
			if len(args) > 0 || named != "" || file != "" {
				text, err := queryText(s.In, args, file, named)
				if err != nil {
					return err
				}
				fragment.Set("q", text)
			}
			if cmd.Flags().Changed("timespan") {
				fragment.Set("t", timespan)
			}
			if tail {
				fragment.Set("view", "tail")
			}
			c, err := connect(cmd)
			if err != nil {
				return err
			}
			a, err := c.Access(cmd.Context())
			if err != nil {
				return notRunning(err)
			}
			fragment.Set("code", a.Code)
			link := a.URL + page.Path + "#" + fragment.Encode()
			if _, err := fmt.Fprintln(s.Out, link); err != nil || !open {
				return err
			}
			return openBrowser(link)
		},
	}
	f := cmd.Flags()
	f.StringVar(&named, "saved", "", "with the saved query of this name")
	f.StringVarP(&file, "file", "f", "", `with the query of a file ("-" is standard input)`)
	f.StringVar(&timespan, "timespan", "", "with this time range, as in logs query")
	f.BoolVar(&tail, "tail", false, "with the live tail in view")
	f.BoolVar(&open, "open", false, "open it in the browser, too")
	completeWords(cmd, "saved", savedNames()...)
	return cmd
}

// openers start the user's browser, by system.
var openers = map[string][]string{
	"darwin":  {"open"},
	"windows": {"rundll32", "url.dll,FileProtocolHandler"},
}

// openBrowser opens a link and does not wait for the browser to end.
func openBrowser(link string) error {
	opener, ok := openers[runtime.GOOS]
	if !ok {
		opener = []string{"xdg-open"}
	}
	cmd := exec.Command(opener[0], append(opener[1:], link)...)
	if err := cmd.Start(); err != nil {
		if errors.Is(err, exec.ErrNotFound) {
			return failed(fmt.Errorf("there is no %s to open a browser with", opener[0]), "open the link above yourself")
		}
		return fmt.Errorf("open the browser: %w", err)
	}
	return cmd.Process.Release()
}
