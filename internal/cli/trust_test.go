package cli

import (
	"bytes"
	"crypto/x509"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/acalocal/acalocal/internal/cli/trust"
)

// fakeStore keeps certificates in memory, or refuses.
type fakeStore struct {
	name string
	err  error
	has  map[string]bool
}

func (f *fakeStore) Name() string { return f.name }

func (f *fakeStore) Install(c *x509.Certificate) error {
	if f.err == nil {
		f.has[c.SerialNumber.String()] = true
	}
	return f.err
}

func (f *fakeStore) Uninstall(c *x509.Certificate) error {
	if f.err == nil {
		delete(f.has, c.SerialNumber.String())
	}
	return f.err
}

func TestTrustTellsHowEachStoreWent(t *testing.T) {
	absent := fmt.Errorf("%w: no certutil", trust.ErrAbsent)
	tests := []struct {
		name             string
		errs             []error
		out, errOut, end string
	}{
		{"both", []error{nil, nil}, "trusted by: store 0\ntrusted by: store 1\n", "", ""},
		{"one is absent", []error{nil, absent}, "trusted by: store 0\n", "skipped: store 1 (not here: no certutil)\n", ""},
		{"none is there", []error{absent}, "", "skipped: store 0 (not here: no certutil)\n", "there is no store this program knows"},
		{"one refuses", []error{errors.New("no password"), nil}, "trusted by: store 1\n", "", "store 0: no password"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Setenv("ACALOCAL_CA_DIR", t.TempDir())
			var stores []trust.Store
			for i, err := range tt.errs {
				stores = append(stores, &fakeStore{name: fmt.Sprintf("store %d", i), err: err, has: map[string]bool{}})
			}
			var out, errOut bytes.Buffer
			s := Streams{Out: &out, Err: &errOut}
			cmd := trustCommand(s, stores)
			cmd.SetArgs([]string{})
			cmd.SilenceErrors, cmd.SilenceUsage = true, true
			end := ""
			if err := cmd.Execute(); err != nil {
				end = err.Error()
			}
			if diff := cmp.Diff([]string{tt.out, tt.errOut, tt.end}, []string{out.String(), errOut.String(), end}); diff != "" {
				t.Errorf("stdout, stderr, error (-want +got):\n%s", diff)
			}
		})
	}
}

func TestUntrustTakesTheSameCertificateOut(t *testing.T) {
	t.Setenv("ACALOCAL_CA_DIR", t.TempDir())
	store := &fakeStore{name: "store", has: map[string]bool{}}
	var out bytes.Buffer
	s := Streams{Out: &out, Err: &out}
	for _, c := range []struct {
		run  func() error
		want int
	}{
		{func() error { return changeTrust(s, []trust.Store{store}, "trusted by", trust.Store.Install) }, 1},
		{func() error { return changeTrust(s, []trust.Store{store}, "not trusted by", trust.Store.Uninstall) }, 0},
	} {
		if err := c.run(); err != nil {
			t.Fatal(err)
		}
		if len(store.has) != c.want {
			t.Errorf("the store has %d certificates, want %d", len(store.has), c.want)
		}
	}
	if !strings.HasSuffix(out.String(), "not trusted by: store\n") {
		t.Errorf("said %q", out.String())
	}
}
