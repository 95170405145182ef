package emulator

import (
	"slices"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/acalocal/acalocal/emulator/aca"
	"github.com/acalocal/acalocal/internal/container"
	"github.com/google/go-cmp/cmp"
)

func TestUpdateKeepsWhatASnapshotDoesNotCarry(t *testing.T) {
	inBubble(t, func(w *world) {
		app := w.app("web:1")
		dirs := Directories{Storages: map[string]string{"shop": "/data"}, Mounts: []DirectoryMount{{Container: "web", Source: "/src", Target: "/app/src"}}}
		app.Properties.Configuration.Secrets = []aca.Secret{{Name: "key", Value: "v1"}, {Name: "other", Value: "v2"}}
		_, err := w.engine.Apply(w.Context(), ApplyRequest{App: app, HostPort: 9000, LocalImages: []string{"web:1"}, Directories: dirs})
		if err != nil {
			w.Fatal(err)
		}
		changed := *w.waitFor("web is ready", ready).App("web").ContainerApp.Clone()
		if got := changed.Properties.Configuration.Secrets[0].Value; got != "" {
			w.Fatalf("the snapshot shows the secret %q", got)
		}
		changed.Properties.Template.Containers[0].Image = "web:2"
		changed.Properties.Configuration.Secrets[1].Value = "v3"
		applied, err := w.engine.Update(w.Context(), ApplyRequest{App: changed, LocalImages: []string{"web:2"}})
		if err != nil {
			w.Fatal(err)
		}
		if want := "web--0000001"; applied.Revision != want || !applied.NewRevision {
			w.Errorf("got revision %q (new %t), want a new %s", applied.Revision, applied.NewRevision, want)
		}
		kept, ok := w.engine.state.Kept("web")
		want := map[string]string{"key": "v1", "other": "v3"}
		if diff := cmp.Diff(want, kept.Secrets); !ok || diff != "" {
			w.Errorf("secrets (-want +got):\n%s", diff)
		}
		if diff := cmp.Diff([]string{"web:1", "web:2"}, kept.Local); diff != "" {
			w.Errorf("local images (-want +got):\n%s", diff)
		}
		if diff := cmp.Diff(dirs, directoriesOf(kept.Directories)); diff != "" {
			w.Errorf("directories (-want +got):\n%s", diff)
		}
		if kept.HostPort != 9000 {
			w.Errorf("host port: got %d, want 9000", kept.HostPort)
		}
	})
}

func TestUpdateOfAnAppThatIsNotThere(t *testing.T) {
	inBubble(t, func(w *world) {
		_, err := w.engine.Update(w.Context(), ApplyRequest{App: w.app("web:1")})
		want := "(ResourceNotFound) The Resource 'Microsoft.App/containerApps/web' was not found."
		if err == nil || err.Error() != want {
			w.Errorf("got %v, want %s", err, want)
		}
	})
}

func TestReferencesToAKeyVaultHaveLocalValues(t *testing.T) {
	inBubble(t, func(w *world) {
		app := w.app("web:1")
		app.Properties.Configuration.Secrets = []aca.Secret{
			{Name: "key", KeyVaultURL: "https://v.vault.azure.net/secrets/key"}, // an identity is not needed here
			{Name: "none", KeyVaultURL: "https://v.vault.azure.net/secrets/none", Identity: "system"},
		}
		app.Properties.Template.Containers[0].Env = []aca.EnvVar{{Name: "KEY", SecretRef: "key"}, {Name: "NONE", SecretRef: "none"}}
		values := map[string]string{"key": "v1"}
		if _, err := w.engine.Apply(w.Context(), ApplyRequest{App: app}); err == nil {
			w.Error("a reference without an identity and without a value is accepted")
		}
		if _, err := w.engine.Apply(w.Context(), ApplyRequest{App: app, SecretValues: values}); err != nil {
			w.Fatal(err)
		}
		variables := func() []string {
			w.Helper()
			synctest.Wait()
			s := w.waitFor("web is ready", ready)
			latest := s.App("web").Revision(s.App("web").Properties.LatestRevisionName)
			w.waitFor("the latest revision is ready", func(s *Snapshot) bool {
				latest = s.App("web").Revision(s.App("web").Properties.LatestRevisionName)
				return len(latest.Replicas) == 1 && latest.Replicas[0].Ready
			})
			spec, ok := w.runtime.Spec(container.ID(latest.Replicas[0].Properties.Containers[0].ContainerID))
			if !ok {
				w.Fatal("no container")
			}
			return slices.DeleteFunc(slices.Clone(spec.Variables), func(v string) bool {
				return !strings.HasPrefix(v, "KEY=") && !strings.HasPrefix(v, "NONE=")
			})
		}
		want := []string{"KEY=v1", "NONE="}
		if diff := cmp.Diff(want, variables()); diff != "" {
			w.Errorf("variables (-want +got):\n%s", diff)
		}
		changed := *w.engine.Snapshot().App("web").ContainerApp.Clone()
		if got := changed.Properties.Configuration.Secrets[0]; got.Value != "" || got.KeyVaultURL == "" {
			w.Errorf("the snapshot shows %+v", got)
		}
		changed.Properties.Template.Containers[0].Image = "web:2"
		if _, err := w.engine.Update(w.Context(), ApplyRequest{App: changed}); err != nil {
			w.Fatal(err)
		}
		if diff := cmp.Diff(want, variables()); diff != "" {
			w.Errorf("variables after an update (-want +got):\n%s", diff)
		}
		app.Properties.Configuration.Secrets[0].Identity = "system"
		if _, err := w.engine.Apply(w.Context(), ApplyRequest{App: app, KeepLocal: true}); err != nil {
			w.Fatal(err)
		}
		if diff := cmp.Diff(want, variables()); diff != "" {
			w.Errorf("variables after a definition by ARM (-want +got):\n%s", diff)
		}
	})
}

func TestSecretThatAnActiveRevisionUsesStays(t *testing.T) {
	inBubble(t, func(w *world) {
		app := w.app("web:1")
		app.Properties.Configuration.ActiveRevisionsMode = aca.Multiple
		app.Properties.Configuration.Secrets = []aca.Secret{{Name: "old", Value: "1"}, {Name: "new", Value: "2"}}
		app.Properties.Template.Containers[0].Env = []aca.EnvVar{{Name: "KEY", SecretRef: "old"}}
		apply := func(app aca.ContainerApp) (Applied, error) {
			return w.engine.Apply(w.Context(), ApplyRequest{App: app})
		}
		first, err := apply(app)
		if err != nil {
			w.Fatal(err)
		}
		next := *app.Clone()
		next.Properties.Template.Containers[0].Env[0].SecretRef = "new"
		next.Properties.Configuration.Secrets = next.Properties.Configuration.Secrets[1:]
		want := "(ContainerAppSecretRefNotFound) SecretRef 'old' defined for container 'app' of the active revision '" + first.Revision +
			"' not found. Deactivate the revision before its secret is removed."
		if _, err := apply(next); err == nil || err.Error() != want {
			w.Errorf("the secret is removed: %v, want %s", err, want)
		}
		next.Properties.Configuration.Secrets = app.Properties.Configuration.Secrets
		if _, err := apply(next); err != nil {
			w.Fatal(err)
		}
		if err := w.engine.SetRevisionActive(w.Context(), "web", first.Revision, false); err != nil {
			w.Fatal(err)
		}
		next.Properties.Configuration.Secrets = []aca.Secret{{Name: "new", Value: "2"}}
		if _, err := apply(next); err != nil {
			w.Errorf("nobody uses the secret any more: %v", err)
		}
	})
	inBubble(t, func(w *world) { // in single mode the revision goes with its secret
		app := w.app("web:1")
		app.Properties.Configuration.Secrets = []aca.Secret{{Name: "old", Value: "1"}}
		app.Properties.Template.Containers[0].Env = []aca.EnvVar{{Name: "KEY", SecretRef: "old"}}
		for range 2 {
			if _, err := w.engine.Apply(w.Context(), ApplyRequest{App: app}); err != nil {
				w.Fatal(err)
			}
			app = w.app("web:2")
		}
	})
}

// exported is an app as "az containerapp show" of Azure prints it.
func exported(t *testing.T, status string) aca.ContainerApp {
	t.Helper()
	app, problems := aca.DecodeJSON[aca.ContainerApp]([]byte(`{
		"id": "/subscriptions/0/resourceGroups/rg/providers/Microsoft.App/containerapps/web", "name": "web", "location": "West Europe",
		"tags": {"team": "shop"}, "systemData": {"createdBy": "me@example.com"},
		"identity": {"type": "SystemAssigned", "principalId": "11111111", "tenantId": "22222222"},
		"properties": {
			"provisioningState": "` + status + `", "runningStatus": "Stopped", "latestRevisionName": "web--azure", "latestRevisionFqdn": "web--azure.azure.example",
			"customDomainVerificationId": "ABC", "outboundIpAddresses": ["20.1.2.3"], "eventStreamEndpoint": "https://azure.example/eventstream",
			"workloadProfileName": "D4", "delegatedIdentities": [],
			"configuration": {"ingress": {"external": true, "targetPort": 8000, "fqdn": "web.azure.example"}},
			"template": {"containers": [{"name": "web", "image": "web:1", "imageType": "ContainerImage",
				"resources": {"cpu": 0.5, "memory": "1Gi", "ephemeralStorage": "` + status + `"}}]}}}`))
	if len(problems) > 0 {
		t.Fatal(problems)
	}
	return app
}

func TestReadOnlyFieldsOfADefinitionMeanNothing(t *testing.T) {
	inBubble(t, func(w *world) {
		if _, err := w.engine.Apply(w.Context(), ApplyRequest{App: exported(w.T, "Succeeded")}); err != nil {
			w.Fatal(err)
		}
		got := w.waitFor("web is ready", ready).App("web").ContainerApp
		revision := got.Properties.LatestRevisionName
		applied, err := w.engine.Apply(w.Context(), ApplyRequest{App: exported(w.T, "Failed"), KeepLocal: true})
		if err != nil || applied.NewRevision || applied.Revision != revision {
			w.Errorf("other read-only fields: %+v, %v; want no revision besides %s", applied, err, revision)
		}
		want := aca.ContainerApp{
			ID: aca.LocalGroup().App("web"), ResourceGroup: "local", SystemData: got.SystemData,
			Name: "web", Type: "Microsoft.App/containerApps", Location: "West Europe", Tags: map[string]string{"team": "shop"},
			Identity:   &aca.Identity{Type: "SystemAssigned"},
			Properties: got.Properties,
		}
		want.Properties.WorkloadProfileName = "D4"
		want.Properties.ProvisioningState, want.Properties.RunningStatus = "Succeeded", "Running"
		want.Properties.OutboundIPAddresses, want.Properties.DelegatedIdentities = []string{"127.0.0.1"}, []any{}
		want.Properties.CustomDomainVerificationID, want.Properties.EventStreamEndpoint = "", ""
		if diff := cmp.Diff(want, got); diff != "" {
			w.Errorf("the app (-want +got):\n%s", diff)
		}
		if fqdn := got.Properties.Configuration.Ingress.Fqdn; revision == "web--azure" || strings.Contains(fqdn, "azure.example") {
			w.Errorf("revision %s at %s is Azure's", revision, fqdn)
		}
		if c := got.Properties.Template.Containers[0]; c.ImageType != "" || c.Resources.EphemeralStorage != "2Gi" {
			w.Errorf("the container is %+v, %+v", c, c.Resources)
		}
	})
}
