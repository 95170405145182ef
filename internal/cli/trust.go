package cli

import (
	"crypto/x509"
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/acalocal/acalocal/ingress"
	"github.com/acalocal/acalocal/internal/cli/trust"
)

func newTrustCommand(s Streams) *cobra.Command { return trustCommand(s, trust.Stores()) }

func newUntrustCommand(s Streams) *cobra.Command { return untrustCommand(s, trust.Stores()) }

func trustCommand(s Streams, stores []trust.Store) *cobra.Command {
	return &cobra.Command{
		Use:   "trust",
		Short: "Let this machine trust the local HTTPS certificates",
		Long: `Put acalocal's certificate authority into the stores of this machine, so that
browsers and other clients accept https://APP.ENVIRONMENT.localhost.

The authority is made at first use and kept in a directory only you can read.
It can sign for names below "localhost" and for loopback addresses, and for
nothing else. Changing the system's store may ask for a password.

Nothing has to be trusted to use acalocal: the plain HTTP ports work without.`,
		Args: maximumNArgs(0),
		RunE: func(*cobra.Command, []string) error {
			return changeTrust(s, stores, "trusted by", trust.Store.Install)
		},
	}
}

func untrustCommand(s Streams, stores []trust.Store) *cobra.Command {
	return &cobra.Command{
		Use:   "untrust",
		Short: "Take the local certificate authority out of this machine's stores",
		Args:  maximumNArgs(0),
		RunE: func(*cobra.Command, []string) error {
			return changeTrust(s, stores, "not trusted by", trust.Store.Uninstall)
		},
	}
}

// changeTrust applies change to every store and says how each went. It fails
// when a store that is there refused, or when none is there.
func changeTrust(s Streams, stores []trust.Store, done string, change func(trust.Store, *x509.Certificate) error) error {
	dir, err := ingress.DefaultAuthorityDir()
	if err != nil {
		return err
	}
	authority, err := ingress.OpenAuthority(dir)
	if err != nil {
		return err
	}
	var refused error
	changed := 0
	for _, store := range stores {
		err := change(store, authority.Certificate())
		switch {
		case err == nil:
			changed++
			fmt.Fprintf(s.Out, "%s: %s\n", done, store.Name())
		case errors.Is(err, trust.ErrAbsent):
			fmt.Fprintf(s.Err, "skipped: %s (%v)\n", store.Name(), err)
		default:
			refused = errors.Join(refused, fmt.Errorf("%s: %w", store.Name(), err))
		}
	}
	hint := fmt.Sprintf("the certificate is in %s, to be added by hand", authority.CertificateFile())
	if refused != nil {
		return failed(refused, hint)
	}
	if changed == 0 {
		return failed(errors.New("there is no store this program knows"), hint)
	}
	return nil
}
