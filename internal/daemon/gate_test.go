package daemon

import (
	"slices"
	"testing"

	"github.com/acalocal/acalocal/ingress"
)

func TestGateNamesAreThoseAppsCallEachOtherBy(t *testing.T) {
	web := ingress.App{Name: "web", External: true, Enabled: true, Revisions: []ingress.Revision{{Name: "web--r1"}}}
	back := ingress.App{Name: "back", Enabled: true}
	db := ingress.App{Name: "db", Enabled: true, Transport: ingress.TransportTCP}
	job := ingress.App{Name: "job"}
	for _, c := range []struct {
		name string
		apps []ingress.App
		want []string
	}{
		{"a single app calls nobody", []ingress.App{web}, nil},
		{"short names and hosts", []ingress.App{back, web}, []string{"back", "back.internal.x.localhost", "web", "web--r1.x.localhost", "web.x.localhost"}},
		{"no names without HTTP ingress", []ingress.App{db, job}, nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := namesOf(ingress.Table{Domain: "x.localhost", Apps: c.apps}); !slices.Equal(got, c.want) {
				t.Errorf("got %v, want %v", got, c.want)
			}
		})
	}
}
