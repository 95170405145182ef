// Package trust puts a certificate authority into the stores browsers and
// other clients of this machine look into, and takes it out again.
//
// It is the only importer of github.com/smallstep/truststore, which knows
// where each system and each browser keeps its authorities.
package trust

import (
	"bytes"
	"crypto/x509"
	"errors"
	"fmt"
	"path/filepath"

	"github.com/smallstep/truststore"
)

// Store is a place where clients look for authorities.
type Store interface {
	// Name says what the store is for, in words a user knows.
	Name() string
	// Install adds the certificate; once it is there, it does nothing.
	Install(cert *x509.Certificate) error
	// Uninstall removes the certificate; when it is not there, it does nothing.
	Uninstall(cert *x509.Certificate) error
}

// ErrAbsent says that this machine does not have such a store, or lacks the
// tool to change it.
var ErrAbsent = errors.New("not here")

// Stores returns the stores of this machine: that of the system, and that of
// Firefox and Chromium (NSS), which needs the program certutil.
func Stores() []Store { return []Store{system{}, nss{}} }

type system struct{}

func (system) Name() string { return "system" }

func (system) Install(cert *x509.Certificate) error {
	return explain(truststore.Install(cert))
}

func (system) Uninstall(cert *x509.Certificate) error {
	startFresh()
	return explain(truststore.Uninstall(cert))
}

type nss struct{}

func (nss) Name() string { return "Firefox and Chromium" }

func (nss) Install(cert *x509.Certificate) error {
	if err := available(); err != nil {
		return err
	}
	return explain(truststore.Install(cert, truststore.WithFirefox(), truststore.WithNoSystem()))
}

func (nss) Uninstall(cert *x509.Certificate) error {
	if err := available(); err != nil {
		return err
	}
	return explain(truststore.Uninstall(cert, truststore.WithFirefox(), truststore.WithNoSystem()))
}

// available reports why NSS cannot be changed: no program for it, or no
// profile to change.
func available() error {
	t, err := truststore.NewNSSTrust()
	if err != nil {
		return fmt.Errorf("%w: %w", ErrAbsent, err)
	}
	if err := t.PreCheck(); err != nil {
		return fmt.Errorf("%w: %w", ErrAbsent, err)
	}
	return nil
}

// explain adds what the tool behind a failure has printed.
func explain(err error) error {
	var cmd *truststore.CmdError
	switch {
	case errors.Is(err, truststore.ErrNotSupported), errors.Is(err, truststore.ErrTrustNotSupported):
		return fmt.Errorf("%w: %w", ErrAbsent, err)
	case errors.Is(err, truststore.ErrTrustNotFound), errors.Is(err, truststore.ErrNotFound):
		return nil
	case errors.As(err, &cmd):
		return fmt.Errorf("%s: %w: %s", filepath.Base(cmd.Cmd().Path), cmd.Err(), bytes.TrimSpace(cmd.Out()))
	}
	return err
}
