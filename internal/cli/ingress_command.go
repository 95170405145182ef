package cli

import (
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"

	"github.com/acalocal/acalocal/emulator"
	"github.com/acalocal/acalocal/emulator/aca"
	"github.com/spf13/cobra"
)

func newIngressCommand(s Streams) *cobra.Command {
	cmd := &cobra.Command{Use: "ingress", Short: "Look at and change how an app is reached", Args: noSubcommand, RunE: showHelp}
	traffic := &cobra.Command{Use: "traffic", Short: "Divide requests among revisions", Args: noSubcommand, RunE: showHelp}
	traffic.AddCommand(newTrafficSetCommand(s), newTrafficShowCommand(s))
	sticky := &cobra.Command{Use: "sticky-sessions", Short: "Pin clients to replicas", Args: noSubcommand, RunE: showHelp}
	sticky.AddCommand(newStickySetCommand(s), newIngressPart(s, "Show the ingress with its affinity", whole))
	cmd.AddCommand(newIngressPart(s, "Show the ingress of an app", whole),
		newIngressEnableCommand(s), newIngressUpdateCommand(s), newIngressDisableCommand(s),
		traffic, sticky, newCorsCommand(s), newAccessCommand(s))
	return cmd
}

// whole is the answer of commands that print the ingress as it is.
func whole(in *aca.Ingress) any { return in }

// newIngressPart is a "show" command that prints a part of the ingress as JSON.
func newIngressPart(s Streams, short string, part func(*aca.Ingress) any) *cobra.Command {
	var t targetFlags
	o := output{asJSON: true}
	cmd := &cobra.Command{
		Use: "show", Short: short, Args: maximumNArgs(0),
		RunE: func(cmd *cobra.Command, _ []string) error {
			app, err := findApp(cmd, t.App)
			if err != nil {
				return err
			}
			in, err := ingressOf(app.Clone())
			if err != nil {
				return err
			}
			return o.write(s.Out, part(in))
		},
	}
	t.bindApp(cmd)
	o.bind(cmd, "the output is JSON either way")
	return cmd
}

// newIngressEdit is a command that changes the ingress there is and prints a
// part of it as JSON. The caller adds flags.
func newIngressEdit(s Streams, use, short string, f func(*aca.Ingress) error, part func(*aca.Ingress) any) *cobra.Command {
	e := edit{output: output{asJSON: true}}
	cmd := &cobra.Command{
		Use: use, Short: short, Args: maximumNArgs(0),
		RunE: func(cmd *cobra.Command, _ []string) error {
			done, err := e.run(cmd, s, func(_ *emulator.App, app *aca.ContainerApp) error {
				in, err := ingressOf(app)
				if err != nil {
					return err
				}
				return f(in)
			})
			if err != nil {
				return err
			}
			return e.write(s.Out, part(done.ingress()))
		},
	}
	e.bind(cmd)
	return cmd
}

// ingressFlags are az's flags of "ingress enable" and "ingress update".
type ingressFlags struct {
	kind       string
	targetPort *int
	exposed    *int
	transport  string
	insecure   *bool
	clientCert string
}

func (f *ingressFlags) bind(cmd *cobra.Command) {
	fs := cmd.Flags()
	fs.StringVar(&f.kind, "type", "", "external or internal")
	fs.Var(optional[int]{&f.targetPort, parseTargetPort, "port"}, "target-port", "the port the container listens on; a change replaces the replicas")
	fs.Var(optional[int]{&f.exposed, strconv.Atoi, "port"}, "exposed-port", "the port of a tcp ingress")
	fs.StringVar(&f.transport, "transport", "", "auto, http, http2 or tcp")
	fs.Var(optional[bool]{&f.insecure, strconv.ParseBool, "bool"}, "allow-insecure", "answer plain http instead of redirecting it")
	fs.Lookup("allow-insecure").NoOptDefVal = "true"
	fs.StringVar(&f.clientCert, "client-certificate-mode", "", "ignore, accept or require")
	completeWords(cmd, "type", "external", "internal")
	completeWords(cmd, "transport", "auto", "http", "http2", "tcp")
	completeWords(cmd, "client-certificate-mode", "ignore", "accept", "require")
}

// transports are the values of --transport.
var transports = map[string]aca.Transport{"auto": aca.TransportAuto, "http": aca.TransportHTTP, "http2": aca.TransportHTTP2, "tcp": aca.TransportTCP}

func (f *ingressFlags) apply(in *aca.Ingress) error {
	if f.kind != "" {
		kind, ok := choice(f.kind, "external", "internal")
		if !ok {
			return misuse(fmt.Errorf("%q is no type of ingress", f.kind), "write --type external or internal")
		}
		in.External = kind == "external"
	}
	if f.transport != "" {
		t, ok := transports[strings.ToLower(f.transport)]
		if !ok {
			return misuse(fmt.Errorf("%q is no transport", f.transport), "write --transport auto, http, http2 or tcp")
		}
		in.Transport = t
	}
	if f.targetPort != nil {
		in.TargetPort = *f.targetPort
	}
	if f.exposed != nil {
		in.ExposedPort = *f.exposed
	}
	if f.insecure != nil {
		in.AllowInsecure = *f.insecure
	}
	if f.clientCert != "" {
		mode, ok := choice(f.clientCert, "ignore", "accept", "require")
		if !ok {
			return misuse(fmt.Errorf("%q is no mode of client certificates", f.clientCert), "write --client-certificate-mode ignore, accept or require")
		}
		in.ClientCertificateMode = mode
	}
	return nil
}

// choice returns the word of words that was written, in any case as az takes it.
func choice(written string, words ...string) (word string, ok bool) {
	for _, w := range words {
		if strings.EqualFold(written, w) {
			return w, true
		}
	}
	return "", false
}

func newIngressUpdateCommand(s Streams) *cobra.Command {
	var f ingressFlags
	cmd := newIngressEdit(s, "update", "Change the ingress of an app", f.apply, whole)
	cmd.Example = "  acalocal ingress update --target-port 8080"
	f.bind(cmd)
	return cmd
}

func newIngressEnableCommand(s Streams) *cobra.Command {
	e := edit{output: output{asJSON: true}}
	var f ingressFlags
	cmd := &cobra.Command{
		Use: "enable", Short: "Open an ingress for an app", Example: "  acalocal ingress enable --type external --target-port 8080", Args: maximumNArgs(0),
		RunE: func(cmd *cobra.Command, _ []string) error {
			if f.kind == "" || f.targetPort == nil {
				return misuse(errors.New("an ingress needs a type and a port"), "give --type external or internal, and --target-port PORT")
			}
			done, err := e.run(cmd, s, func(_ *emulator.App, app *aca.ContainerApp) error {
				in := &aca.Ingress{}
				if old := app.Properties.Configuration.Ingress; old != nil {
					*in = *old
				}
				app.Properties.Configuration.Ingress = in
				return f.apply(in)
			})
			if err != nil {
				return err
			}
			return e.write(s.Out, done.ingress())
		},
	}
	e.bind(cmd)
	f.bind(cmd)
	return cmd
}

func newIngressDisableCommand(s Streams) *cobra.Command {
	var e edit
	cmd := &cobra.Command{
		Use: "disable", Short: "Close the ingress of an app", Example: "  acalocal ingress disable", Args: maximumNArgs(0),
		RunE: func(cmd *cobra.Command, _ []string) error {
			_, err := e.run(cmd, s, func(_ *emulator.App, app *aca.ContainerApp) error {
				if _, err := ingressOf(app); err != nil {
					return err
				}
				app.Properties.Configuration.Ingress = nil
				return nil
			})
			if err != nil {
				return err
			}
			_, err = io.WriteString(s.Out, "Ingress has been disabled successfully.\n")
			return err
		},
	}
	e.bind(cmd)
	return cmd
}

func newStickySetCommand(s Streams) *cobra.Command {
	var affinity string
	cmd := newIngressEdit(s, "set", "Choose the affinity", func(in *aca.Ingress) error {
		word, ok := choice(affinity, "sticky", "none")
		if !ok {
			return misuse(fmt.Errorf("%q is no affinity", affinity), "write --affinity sticky or none")
		}
		in.StickySessions = &aca.StickySessions{Affinity: word}
		return nil
	}, whole)
	cmd.Example = "  acalocal ingress sticky-sessions set --affinity sticky"
	cmd.Flags().StringVar(&affinity, "affinity", "", "sticky or none")
	completeWords(cmd, "affinity", "sticky", "none")
	return cmd
}
