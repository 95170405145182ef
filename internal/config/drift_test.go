package config

import (
	"reflect"
	"strings"
	"testing"

	"github.com/acalocal/acalocal/emulator/aca"
	"github.com/google/go-cmp/cmp"
)

func TestDriftNamesEachFieldOnce(t *testing.T) {
	def, problems := readText(t, `type: Microsoft.App/managedEnvironments
name: env
properties: { zoneRedundant: true, workloadProfiles: [{ name: d, workloadProfileType: D4 }] }
---
name: web
identity: { type: SystemAssigned }
properties:
  workloadProfileName: Consumption
  configuration:
    dapr: { enabled: false }
    registries: [{ server: a.io, identity: system }, { server: b.io, identity: system }]
  template:
    containers: [{ name: web, image: w }]
    volumes: [{ name: v, storageType: EmptyDir }, { name: f, storageType: AzureFile, storageName: s, mountOptions: nobrl }]
`)
	if problems.HasErrors() {
		t.Fatal(problems)
	}
	var got []string
	for _, d := range def.Drift() {
		got = append(got, d.String())
	}
	want := []string{
		"containerapp.yaml:3:15: properties.zoneRedundant: there is one zone: this machine",
		"containerapp.yaml:3:36: properties.workloadProfiles: the sizes of nodes are no limit here",
		"containerapp.yaml:6:19: identity.type: no managed identity: nothing answers token requests",
		"containerapp.yaml:11:44: properties.configuration.registries[0].identity: images are pulled with the credentials of your Docker configuration",
		"containerapp.yaml:14:75: properties.template.volumes[1].storageType: a directory of this machine stands for the share: no SMB or NFS locks, modes and delays; the data goes with \"acalocal down\" unless acalocal.yaml names the directory",
		"containerapp.yaml:14:116: properties.template.volumes[1].mountOptions: of the mount options only ro has an effect on a local directory",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("drift (-want +got):\n%s", diff)
	}
}

func TestScalersThatAreNotEmulatedAreNamed(t *testing.T) {
	def, problems := readText(t, `name: worker
properties:
  template:
    containers: [{ name: web, image: w }]
    scale:
      rules:
        - { name: a, custom: { type: redis, metadata: { listName: l } } }
        - { name: b, custom: { type: azure-pipelines, metadata: { poolID: "1" } } }
`)
	if problems.HasErrors() {
		t.Fatal(problems)
	}
	var got []string
	for _, d := range def.Drift() {
		got = append(got, d.String())
	}
	want := []string{"containerapp.yaml:8:38: properties.template.scale.rules[1].custom.type: this KEDA scaler is not emulated; the rule adds no replica"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("drift (-want +got):\n%s", diff)
	}
}

// emulated lists the fields that behave here as on Azure; a path stands for
// all below it.
var emulated = strings.Fields(`
	name type location tags resourceGroup
	properties.environmentId properties.managedEnvironmentId
	properties.configuration.activeRevisionsMode properties.configuration.maxInactiveRevisions properties.configuration.targetLabel
	properties.configuration.ingress
	properties.configuration.dapr
	properties.configuration.secrets[].name properties.configuration.secrets[].value properties.configuration.secrets[].identity
	properties.configuration.registries[].server properties.configuration.registries[].username properties.configuration.registries[].passwordSecretRef
	properties.template.revisionSuffix properties.template.terminationGracePeriodSeconds
	properties.template.initContainers properties.template.containers
	properties.template.volumes[].name properties.template.volumes[].storageName properties.template.volumes[].secrets
	properties.template.scale.minReplicas properties.template.scale.maxReplicas
	properties.template.scale.cooldownPeriod properties.template.scale.pollingInterval
	properties.template.scale.rules[].name properties.template.scale.rules[].http.metadata properties.template.scale.rules[].tcp.metadata
	properties.template.scale.rules[].azureQueue properties.template.scale.rules[].custom`)

func TestEveryFieldIsEmulatedOrInTheDriftReport(t *testing.T) {
	f := func(resource reflect.Type, emulated []string, drift []driftRow, least int) {
		t.Helper()
		everyFieldIsKnown(t, resource, emulated, drift, least)
	}
	const child = "name type resourceGroup "
	f(reflect.TypeFor[aca.ContainerApp](), emulated, appDrift, 100)
	f(reflect.TypeFor[aca.ManagedEnvironment](), strings.Fields("name type location tags resourceGroup properties.appLogsConfiguration.destination"), environmentDrift, 20)
	f(reflect.TypeFor[aca.EnvironmentStorage](), strings.Fields(child+"properties.azureFile properties.nfsAzureFile"), storageDrift, 10)
	f(reflect.TypeFor[aca.HTTPRouteConfig](), strings.Fields(child+"properties.customDomains[].name properties.customDomains[].bindingType properties.rules"), routeConfigDrift, 10)
	f(reflect.TypeFor[aca.ResiliencyPolicy](), strings.Fields(child+`properties.timeoutPolicy.responseTimeoutInSeconds
		properties.httpRetryPolicy.maxRetries properties.httpRetryPolicy.retryBackOff
		properties.httpRetryPolicy.matches.httpStatusCodes properties.httpRetryPolicy.matches.errors
		properties.circuitBreakerPolicy`), resiliencyDrift, 15)
}

func everyFieldIsKnown(t *testing.T, resource reflect.Type, emulated []string, drift []driftRow, least int) {
	t.Helper()
	known := map[string]bool{}
	for _, path := range emulated {
		known[path] = true
	}
	for _, row := range drift {
		known[row.pattern] = true
	}
	covered := func(path string) bool {
		for at := path; at != ""; at = string(aca.Path(at).Parent()) {
			if known[at] || known[strings.TrimSuffix(at, "[]")] {
				return true
			}
		}
		return false
	}
	leaves := 0
	walkLeaves(resource, "", func(path string) {
		leaves++
		if !covered(path) {
			t.Errorf("%s: %s is neither emulated nor in the drift report", resource, path)
		}
	})
	if leaves < least {
		t.Errorf("%s: only %d fields were looked at", resource, leaves)
	}
}

// walkLeaves visits every writable field below t that has none below itself.
func walkLeaves(t reflect.Type, path aca.Path, visit func(string)) {
	for _, f := range aca.Fields(t) {
		if f.ReadOnly {
			continue
		}
		elem, below := f.Type, path.Field(f.Name)
		for elem.Kind() == reflect.Pointer || elem.Kind() == reflect.Slice {
			if elem.Kind() == reflect.Slice {
				below += "[]"
			}
			elem = elem.Elem()
		}
		if elem.Kind() == reflect.Struct {
			walkLeaves(elem, below, visit)
		} else {
			visit(string(below))
		}
	}
}
