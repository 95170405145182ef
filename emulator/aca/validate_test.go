package aca

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// base is a valid app; the cases patch it.
const base = `{"name":"web","properties":{
	"configuration":{"secrets":[{"name":"db","value":"x"}],"ingress":{"external":true,"targetPort":8000}},
	"template":{"containers":[{"name":"app","image":"app:1","resources":{"cpu":0.5,"memory":"1Gi"}}]}}}`

// patched is base with an RFC 7396 merge patch applied; a path in front of the
// patch, ended by "=", says where it goes.
func patched(t *testing.T, patch string) any {
	t.Helper()
	path, value, _ := strings.Cut(patch, "=")
	tree := mustParse(t, base)
	under := mustParse(t, value)
	if path != "" {
		keys := strings.Split(path, ".")
		for i := len(keys) - 1; i >= 0; i-- {
			under = map[string]any{keys[i]: under}
		}
	}
	return mergePatch(tree, under)
}

func mergePatch(target, patch any) any {
	p, ok := patch.(map[string]any)
	if !ok {
		return patch
	}
	out, ok := target.(map[string]any)
	if !ok {
		out = map[string]any{}
	}
	for key, value := range p {
		if value == nil {
			delete(out, key)
			continue
		}
		out[key] = mergePatch(out[key], value)
	}
	return out
}

func mustParse(t *testing.T, text string) any {
	t.Helper()
	tree, err := parseJSON([]byte(text))
	if err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	return tree
}

// lines prints problems one a line: "path: code: message", "~" before a
// warning, "@" before a path whose key is meant, the hint after " → ".
func lines(problems []Problem) []string {
	var out []string
	for _, p := range problems {
		line := fmt.Sprintf("%s: %s: %s", p.Path, p.Code, p.Message)
		if p.Hint != "" {
			line += " → " + p.Hint
		}
		if p.OnKey {
			line = "@" + line
		}
		if p.Severity == SeverityWarning {
			line = "~" + line
		}
		out = append(out, line)
	}
	return out
}

const (
	cfg  = "properties.configuration."
	ing  = "properties.configuration.ingress."
	tmpl = "properties.template."
	ctr  = "properties.template.containers[0]"
)

func probe(fields string) string {
	return tmpl + `containers=[{"name":"app","image":"a","probes":[` + fields + `]}]`
}

func container(fields string) string {
	return tmpl + `containers=[{"name":"app","image":"a",` + fields + `}]`
}

func TestValidateSaysWhatAzureRefuses(t *testing.T) {
	const invalidValue = ": ContainerAppInvalidValue: "
	const nameRule = ". A name must consist of lower case alphanumeric characters or '-', start with an alphabetic character, and end with an " +
		"alphanumeric character and cannot have '--'. The length must be between 2 and 32 characters inclusive."
	const suffixRule = "'. A revision name must consist of lower case alphanumeric characters or '-', start with an alphabetic character, and end " +
		"with an alphanumeric character. The length of the revision name must not be more than a combined 54 characters with the container app name."
	const traffic = "InvalidParameterValueInContainerTemplate: The following field(s) are either invalid or missing. Field 'configuration.ingress.traffic' is invalid with details: "
	tests := []struct {
		patch string
		want  []string
	}{
		{`={}`, nil},
		{`name="Web1"`, []string{"name: ContainerAppInvalidName: Invalid ContainerApp name 'Web1'" + nameRule + ` → for example "web1"`}},
		{`name=""`, []string{"name: ContainerAppInvalidName: Invalid ContainerApp name ''" + nameRule}},
		{tmpl + `revisionSuffix="r--1"`, []string{tmpl + "revisionSuffix: ContainerAppInvalidRevisionName: Revision name has an invalid value 'r--1" + suffixRule + ` → for example "r-1"`}},
		{tmpl + `revisionSuffix="42"`, nil},
		{tmpl + `containers=[]`, []string{tmpl + "containers: ContainerAppCreateMustContainContainer: Must specify atleast one container for the container app."}},
		{tmpl + `containers=[{"name":"app"}]`, []string{ctr + ": ContainerAppImageRequired: Container with name 'app' must have an 'Image' property specified."}},
		{tmpl + `containers=[{"name":"app","image":"https://acr.io/a:1"}]`, []string{ctr + ".image" + invalidValue + `"https://acr.io/a:1" is not an image reference → it looks like myregistry.azurecr.io/app:1.0, without https://`}},
		{tmpl + `containers=[{"name":"app","image":"${ACR}/a:1"}]`, []string{ctr + ".image" + invalidValue + `"${ACR}/a:1" is not an image reference → the placeholder must be replaced before the file is used`}},
		{tmpl + `terminationGracePeriodSeconds=601`, []string{tmpl + "terminationGracePeriodSeconds" + invalidValue + "601 is out of range → 0 to 600"}},

		{ing + `targetPort=80800`, []string{ing + "targetPort" + invalidValue + "80800 is not a port → ports are 1 to 65535; did you mean 8080?"}},
		{ing + `targetPort=-1`, []string{ing + "targetPort" + invalidValue + "-1 is not a port → ports are 1 to 65535"}},
		{ing + `targetPort=36985`, []string{ing + "targetPort" + invalidValue + "port 36985 is reserved for the platform's health checks"}},
		{ing + `exposedPort=8000`, []string{ing + "exposedPort" + invalidValue + "exposedPort is only for transport Tcp → an HTTP app is reached on 80 and 443; remove exposedPort"}},
		{`properties.configuration.ingress={"transport":"tcp","exposedPort":443}`, []string{ing + "exposedPort" + invalidValue + "ports 80 and 443 cannot be exposed for TCP"}},
		{`properties.configuration.ingress={"transport":"tcp","allowInsecure":true}`, []string{ing + "allowInsecure" + invalidValue + "allowInsecure is only for HTTP ingress, not with transport Tcp"}},
		{ing + `additionalPortMappings=[{"external":false,"targetPort":8000}]`, []string{ing + "additionalPortMappings[0].targetPort" + invalidValue + "the target port 8000 is used twice"}},
		{ing + `corsPolicy={"maxAge":-1}`, []string{
			ing + "corsPolicy" + invalidValue + `corsPolicy needs allowedOrigins → allowedOrigins: ["*"] allows every origin`,
			ing + "corsPolicy.maxAge" + invalidValue + "maxAge is a number of seconds, at least 0"}},
		{ing + `ipSecurityRestrictions=[{"name":"a","ipAddressRange":"10.0.0.0/40","action":"Allow"},{"name":"b","ipAddressRange":"10.0.0.1","action":"deny"}]`, []string{
			ing + "ipSecurityRestrictions[0].ipAddressRange" + invalidValue + `"10.0.0.0/40" is not an IPv4 address or CIDR range → for example 203.0.113.0/24`,
			ing + "ipSecurityRestrictions" + invalidValue + "Allow and Deny rules cannot be mixed → only Allow rules let in the listed ranges and nobody else; only Deny rules keep out the listed ones"}},
		{`properties.configuration={"activeRevisionsMode":"multiple","ingress":{"stickySessions":{"affinity":"sticky"}}}`, []string{
			ing + "stickySessions.affinity: ContainerAppInvalidIngressStickySessionRevisionMode: Sticky sessions are only supported in single revision mode, not with activeRevisionsMode Multiple."}},
		{`properties.configuration={"activeRevisionsMode":"Multiple","ingress":{"traffic":[{"latestRevision":true,"weight":"60"},{"revisionName":"web--a","weight":30}]}}`, []string{
			ing + "traffic: " + traffic + "'Invalid value: 90: traffic weights must sum to 100';."}},
		{`properties.configuration={"ingress":{"traffic":[{"latestRevision":true,"weight":100,"label":"blue"}]}}`, []string{
			ing + "traffic[0].label: " + traffic + "'labels need activeRevisionsMode Multiple or Labels';."}},
		{`properties.configuration={"activeRevisionsMode":"labels"}`, []string{cfg + "targetLabel" + invalidValue + "the revisions mode Labels needs a targetLabel"}},

		{`properties.configuration={"activeRevisionsMode":"Multiple","ingress":{"traffic":[{"weight":-5,"label":"B_lue","latestRevision":true,"revisionName":"a"},{"weight":105,"label":"x"},{"revisionName":"b","label":"x"}]}}`, []string{
			ing + "traffic[0].weight: " + traffic + "'Invalid value: -5: a weight is 0 to 100';.",
			ing + "traffic[0]: " + traffic + "'the entry has both revisionName and latestRevision';. → keep one of them",
			ing + "traffic[0].label" + invalidValue + `"B_lue" is not a label → lower case letters, digits and dashes, beginning with a letter, ending in a letter or digit, no '--', at most 64; for example "b-lue"`,
			ing + "traffic[1].weight: " + traffic + "'Invalid value: 105: a weight is 0 to 100';.",
			ing + "traffic[1]: " + traffic + "'the entry names no revision';. → give revisionName or latestRevision: true",
			ing + `traffic[2].label: ` + traffic + `'the label "x" is used twice';.`}},
		{ing + `customDomains=[{"name":""},{"name":"a.io","bindingType":"SniEnabled"},{"name":"A.io"}]`, []string{
			ing + "customDomains[0]" + invalidValue + "the custom domain has no name",
			ing + "customDomains[1]" + invalidValue + "bindingType SniEnabled needs a certificateId",
			ing + `customDomains[2].name` + invalidValue + `the custom domain "A.io" is listed twice`}},
		{`properties.configuration.ingress={"transport":"tcp","corsPolicy":{"allowedOrigins":["*"]},"stickySessions":{"affinity":"sticky"},"customDomains":[{"name":"a.io"}],"clientCertificateMode":"require"}`, []string{
			ing + "corsPolicy" + invalidValue + "corsPolicy is only for HTTP ingress, not with transport Tcp",
			ing + "stickySessions" + invalidValue + "stickySessions is only for HTTP ingress, not with transport Tcp",
			ing + "customDomains" + invalidValue + "customDomains is only for HTTP ingress, not with transport Tcp",
			ing + "clientCertificateMode" + invalidValue + "clientCertificateMode is only for HTTP ingress, not with transport Tcp"}},
		{ing + `additionalPortMappings=[{"external":true,"targetPort":1,"exposedPort":80},{"external":true,"targetPort":2,"exposedPort":9},{"external":true,"targetPort":9},{"external":true,"targetPort":4},{"external":true,"targetPort":5},{"external":true,"targetPort":6}]`, []string{
			ing + "additionalPortMappings" + invalidValue + "6 additional ports; at most 5 are allowed",
			ing + "additionalPortMappings[0].exposedPort" + invalidValue + "ports 80 and 443 cannot be exposed for TCP",
			ing + "additionalPortMappings[2].targetPort" + invalidValue + "port 9 is exposed twice"}},
		{ing + `corsPolicy={"allowedOrigins":["https://a.io/"]}`, []string{"~" + ing + `corsPolicy.allowedOrigins[0]: : browsers send an Origin without a slash at the end; "https://a.io/" matches none → write "https://a.io"`}},
		{cfg + `dapr={"enabled":true,"appPort":0,"logLevel":"loud"}`, []string{
			cfg + `dapr.logLevel: ContainerAppInvalidValue: "loud" is not a value of logLevel → use one of info, debug, warn, error`,
			"~" + cfg + "dapr: : dapr is enabled without an appId; other apps cannot call this one through it → set appId",
			cfg + "dapr.appPort" + invalidValue + "0 is not a port → ports are 1 to 65535"}},
		{`identity={"type":"SystemAssigned","userAssignedIdentities":{"/id":{}}}`, []string{`identity.type` + invalidValue + `user-assigned identities are listed but the type is "SystemAssigned" → set type: UserAssigned`}},
		{`identity={"type":"UserAssigned"}`, []string{`identity.userAssignedIdentities` + invalidValue + `the identity type UserAssigned needs at least one user-assigned identity → write userAssignedIdentities: {"<resource id>": {}}`}},

		{cfg + `secrets=[{"name":"db-","value":"x"}]`, []string{cfg + "secrets[0].name: ContainerAppInvalidSecretName: Invalid secret name 'db-'. A secret name must consist of lower case " +
			`alphanumeric characters or '-', and must start and end with an alphanumeric character. → for example "db"`}},
		{cfg + `secrets=[{"name":"db","keyVaultUrl":"https://v.vault.azure.net/secrets/db"}]`, []string{cfg + "secrets[0]: ContainerAppSecretInvalid: Invalid Request: Container app secret(s) with name(s) 'db' are invalid: value or keyVaultUrl and identity should be provided."}},
		{cfg + `registries=[{"server":"r.io","username":"u","passwordSecretRef":"pw"}]`, []string{cfg + "registries[0].passwordSecretRef: ContainerAppSecretRefNotFound: SecretRef 'pw' defined for registry 'r.io' not found. → defined are db"}},
		{container(`"env":[{"name":"A","secretRef":"bd"}]`), []string{ctr + `.env[0].secretRef: ContainerAppSecretRefNotFound: SecretRef 'bd' defined for container 'app' not found. → did you mean "db"?`}},
		{container(`"env":[{"name":"A","value":"1"},{"name":"A","value":"2"}]`), []string{"~" + ctr + ".env[1].name: : the variable A is set twice; the last one wins here, on Azure the revision may fail without an error → remove one of them"}},
		{container(`"env":[{"name":"1A","value":"1"}]`), []string{ctr + ".env[0].name" + invalidValue + `"1A" is not a variable name → letters, digits, '_', '-' and '.', not beginning with a digit`}},

		{container(`"resources":{"cpu":1.555,"memory":"512Mi"}`), []string{
			ctr + ".resources.cpu: ContainerAppInvalidCpuResource: Container with name 'app' has an invalid CPU resource request: '1.555'. The 'cpu' field for each container, if provided, must contain a decimal value to no more than two decimal places. Example: '0.25'.",
			ctr + ".resources.memory: ContainerAppInvalidMemoryResource: Container with name 'app' has an invalid memory resource request: '512Mi'. The 'memory' field for each container, if provided, must contain a decimal value to no more than two decimal places followed by 'Gi'. Example: '0.5Gi'. → write cpu: 1.75, memory: 3.5Gi"}},
		{probe(`{"type":"Liveness","httpGet":{"port":0}}`), []string{ctr + ".probes[0].httpGet.port" + invalidValue + "the probe has no port → it is not taken from the target port"}},
		{`properties={"workloadProfileName":"d4","template":{"containers":[{"name":"app","image":"a","resources":{"cpu":3,"memory":"1Gi"}}]}}`, nil},
		{tmpl + `containers=[{"name":"a","image":"a","resources":{"cpu":"0.3","memory":"0.7Gi"}},{"name":"b","image":"b","resources":{"cpu":0.2,"memory":"0.3Gi"}}]`, nil},

		{probe(`{"type":"liveness","httpGet":{"port":8000},"failureThreshold":31}`), []string{ctr + ".probes[0].failureThreshold: ContainerAppProbeFailureThresholdOutOfRange: Container 'app' 'Type' probe's FailureThreshold must be in the range of ['1', '30']."}},
		{probe(`{"type":"Startup","tcpSocket":{"port":8000},"failureThreshold":240}`), []string{"~" + ctr + ".probes[0].failureThreshold: : the service refused a failureThreshold above 30 until 2026 → a longer period with a lower threshold gives the same budget everywhere"}},
		{probe(`{"type":"Startup","tcpSocket":{"port":8000},"initialDelaySeconds":61,"successThreshold":2}`), []string{
			ctr + ".probes[0].initialDelaySeconds: ContainerAppProbeInitialDelaySecondsOutOfRange: Container 'app' 'Type' probe's InitialDelaySeconds must be in the range of ['0', '60'].",
			ctr + ".probes[0].successThreshold: ContainerAppProbeSuccessThresholdOutOfRange: Container 'app' 'Type' probe's SuccessThreshold must be in the range of ['1', '1']."}},
		{probe(`{"type":"Readiness"},{"type":"readiness","tcpSocket":{"port":1}}`), []string{
			ctr + ".probes[0]" + invalidValue + "the Readiness probe of container 'app' asks nothing → give httpGet or tcpSocket",
			ctr + ".probes[1].type" + invalidValue + "Container 'app' has two Readiness probes; one of each type is allowed"}},
		{tmpl + `initContainers=[{"name":"i","image":"i","probes":[{"type":"Liveness","tcpSocket":{"port":1}}]}]`, []string{tmpl + "initContainers[0].probes: ContainerAppInvalidSchema: an init container has no probes → it is done when it ends with exit code 0"}},

		{tmpl + `scale={"minReplicas":5,"maxReplicas":2}`, []string{tmpl + "scale.minReplicas" + invalidValue + "minReplicas 5 is above maxReplicas 2"}},
		{tmpl + `scale={"rules":[{"name":"h","http":{"metadata":{"concurrentRequests":"many"}}}]}`, []string{tmpl + "scale.rules[0].http.metadata.concurrentRequests" + invalidValue + `concurrentRequests is a whole number of at least 1, not "many" → concurrentRequests: "10"`}},
		{tmpl + `scale={"rules":[{"name":"h","http":{"auth":[{"secretRef":"none","triggerParameter":"p"}]}}]}`,
			[]string{tmpl + "scale.rules[0].http.auth[0].secretRef: ContainerAppSecretRefNotFound: SecretRef 'none' defined for scale rule 'h' not found. → defined are db"}},
		{tmpl + `scale={"rules":[{"name":"h"}]}`, []string{tmpl + "scale.rules[0]" + invalidValue + `the scale rule "h" has 0 of http, tcp, custom and azureQueue; it must have one`}},

		{tmpl + `scale={"maxReplicas":0,"pollingInterval":0,"rules":[{"name":"c","custom":{"auth":[{"secretRef":"dbb","triggerParameter":"p"}]}},{"name":"c","azureQueue":{}},{"tcp":{"metadata":{"concurrentConnections":"0"}}}]}`, []string{
			tmpl + "scale.maxReplicas" + invalidValue + "0 is out of range → 1 to 1000",
			tmpl + "scale.pollingInterval" + invalidValue + "0 is out of range → 1 to 1048576",
			tmpl + "scale.rules[0].custom" + invalidValue + `the custom rule "c" has no type → the name of a KEDA scaler, for example azure-servicebus`,
			tmpl + "scale.rules[0].custom.auth[0].secretRef: ContainerAppSecretRefNotFound: SecretRef 'dbb' defined for scale rule 'c' not found. → did you mean \"db\"?",
			tmpl + "scale.rules[1].name" + invalidValue + `the scale rule "c" is defined twice`,
			tmpl + "scale.rules[1].azureQueue" + invalidValue + `the queue rule "c" has no queueName`,
			tmpl + "scale.rules[2]" + invalidValue + "the scale rule has no name",
			tmpl + "scale.rules[2].tcp.metadata.concurrentConnections" + invalidValue + `concurrentConnections is a whole number of at least 1, not "0" → concurrentConnections: "10"`}},
		{tmpl + `volumes=[{"name":"e","storageName":"s"},{"name":"e","secrets":[{"secretRef":"db"}]}]`, []string{
			tmpl + "volumes[0].storageName" + invalidValue + "a volume of type EmptyDir has no storageName → set storageType: AzureFile or remove storageName",
			tmpl + `volumes[1].name` + invalidValue + `the volume "e" is defined twice`,
			tmpl + "volumes[1].secrets" + invalidValue + "secrets are only for a volume of type Secret"}},
		{`properties.template={"volumes":[{"name":"v"}],"containers":[{"name":"app","image":"a","volumeMounts":[{"volumeName":"v","mountPath":"data"},{"volumeName":"v","mountPath":"/d/"},{"volumeName":"v","mountPath":"/d","subPath":"../x"},{"volumeName":"v","mountPath":""}]}]}`, []string{
			ctr + ".volumeMounts[0].mountPath" + invalidValue + `"data" is not an absolute path without ':'`,
			ctr + ".volumeMounts[2].mountPath" + invalidValue + "two volumes are mounted at /d",
			ctr + ".volumeMounts[2].subPath" + invalidValue + `"../x" leads out of the volume`,
			ctr + ".volumeMounts[3]" + invalidValue + `the volume "v" has no mountPath`}},
		{container(`"volumeMounts":[{"volumeName":"date","mountPath":"/data"}]`), []string{ctr + ".volumeMounts[0].volumeName" + invalidValue + `the volume "date" of container 'app' is not defined`}},
		{tmpl + `volumes=[{"name":"my.data"}]`, []string{tmpl + "volumes[0].name" + invalidValue + `"my.data" is not a volume name → lower case letters, digits and dashes; for example "my-data"`}},
		{tmpl + `volumes=[{"name":"d","storageType":"AzureFile"}]`, []string{tmpl + "volumes[0]" + invalidValue + `the volume "d" of type AzureFile needs a storageName → the name of a storage of the environment`}},
		{tmpl + `volumes=[{"name":"s","storageType":"Secret","secrets":[{"secretRef":"db","path":"../../etc/passwd"}]}]`, []string{tmpl + "volumes[0].secrets[0].path" + invalidValue + `"../../etc/passwd" leads out of the volume`}},
	}
	for _, test := range tests {
		t.Run(test.patch, func(t *testing.T) {
			app, problems := Decode[ContainerApp](patched(t, test.patch))
			problems = append(problems, app.Validate()...)
			if diff := cmp.Diff(test.want, lines(problems)); diff != "" {
				t.Errorf("problems (-want +got):\n%s", diff)
			}
		})
	}
}

func TestWrongPairNamesEveryPairAndTheNextOne(t *testing.T) {
	app, _ := Decode[ContainerApp](patched(t, container(`"resources":{"cpu":1,"memory":"1Gi"}`)))
	problems := app.Validate()
	if len(problems) != 1 {
		t.Fatalf("problems = %v", lines(problems))
	}
	const begin = "The total requested CPU and memory resources for this application (CPU: 1, memory: 1.0) is invalid. Total CPU and memory for all " +
		"containers defined in a Consumption Container App must add up to one of the following CPU - Memory combinations: [cpu: 0.25, memory: 0.5Gi]; [cpu: 0.5, memory: 1.0Gi]; "
	p := problems[0]
	if !strings.HasPrefix(p.Message, begin) || !strings.HasSuffix(p.Message, "; [cpu: 4.0, memory: 8.0Gi]") {
		t.Errorf("message = %s", p.Message)
	}
	if want := "the smallest pair that holds this is cpu: 1, memory: 2Gi"; p.Hint != want {
		t.Errorf("hint = %q, want %q", p.Hint, want)
	}
}

func TestMemoryHintsAreAllowedPairs(t *testing.T) {
	f := func(resources, hint, replace string) {
		t.Helper()
		app, _ := Decode[ContainerApp](patched(t, container(`"resources":`+resources)))
		problems := app.Validate()
		if len(problems) != 1 || problems[0].Hint != hint || problems[0].Replace != replace {
			t.Errorf("%s: got %+v, want hint %q, replace %q", resources, problems, hint, replace)
		}
	}
	f(`{"cpu":0.25,"memory":"128Mi"}`, "write 0.5Gi", "0.5Gi")
	f(`{"cpu":1,"memory":"512Mi"}`, "write 2Gi", "2Gi")
	f(`{"memory":"512Mi"}`, "write 1Gi", "1Gi")
	f(`{"cpu":0.25,"memory":"2GB"}`, "write cpu: 1, memory: 2Gi", "")
	f(`{"cpu":4,"memory":"16GiB"}`, tooLarge, "")
	f(`{"cpu":1,"memory":"lots"}`, "only the unit Gi is understood", "")
	f(`{"cpu":3,"memory":"1Gi"}`, "the smallest pair that holds this is cpu: 3, memory: 6Gi", "")
	f(`{"cpu":5,"memory":"1Gi"}`, tooLarge, "")
}

func TestValidateChangesNothing(t *testing.T) {
	app, _ := DecodeJSON[ContainerApp]([]byte(base))
	before, err := json.Marshal(app)
	if err != nil {
		t.Fatal(err)
	}
	app.Validate()
	after, err := json.Marshal(app)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(before), string(after)); diff != "" {
		t.Errorf("app changed (-before +after):\n%s", diff)
	}
}

func TestEnvironmentValidate(t *testing.T) {
	env, problems := DecodeJSON[ManagedEnvironment]([]byte(`{"name":"-x","properties":{"zoneRedundant":"true","workloadProfiles":[{"Name":"a","workloadProfileType":"D4"},{"name":"a"}]}}`))
	want := []string{
		"name: ManagedEnvironmentInvalidName: Invalid managed environment name '-x'. A name must consist of letters, digits or '-', start with a letter and end with a letter or digit. The length must be between 2 and 60 characters.",
		`properties.workloadProfiles[1].name: ContainerAppInvalidValue: the workload profile "a" is defined twice`,
	}
	if diff := cmp.Diff(want, lines(append(problems, env.Validate()...))); diff != "" {
		t.Errorf("problems (-want +got):\n%s", diff)
	}
	if !env.Properties.ZoneRedundant {
		t.Error("the text true is not read as true")
	}
}

func TestPaths(t *testing.T) {
	path := Path("properties").Field("a").Index(3).Field("cost.center").Field("x")
	if want := Path(`properties.a[3]["cost.center"].x`); path != want {
		t.Errorf("path = %s, want %s", path, want)
	}
	var parents []string
	for p := path; p != ""; p = p.Parent() {
		parents = append(parents, string(p))
	}
	want := []string{`properties.a[3]["cost.center"].x`, `properties.a[3]["cost.center"]`, "properties.a[3]", "properties.a", "properties"}
	if diff := cmp.Diff(want, parents); diff != "" {
		t.Errorf("parents (-want +got):\n%s", diff)
	}
}

func TestProblemsBecomeARMErrors(t *testing.T) {
	p := Problem{Path: "name", Code: "ContainerAppInvalidName", Message: "no"}
	if got := p.Err().Error(); got != "(ContainerAppInvalidName) no" {
		t.Errorf("error = %q", got)
	}
	if got := (&Error{Message: "only words"}).Error(); got != "only words" {
		t.Errorf("error = %q", got)
	}
	for severity, want := range map[Severity]string{SeverityError: "error", SeverityWarning: "warning", SeverityNote: "note"} {
		if severity.String() != want {
			t.Errorf("severity %d = %q, want %q", severity, severity, want)
		}
	}
}

func TestDiskFollowsCPU(t *testing.T) {
	for cpu, want := range map[float64]string{0.25: "1Gi", 0.5: "2Gi", 1: "4Gi", 1.25: "8Gi"} {
		if got := EphemeralStorage(cpu); got != want {
			t.Errorf("EphemeralStorage(%v) = %s, want %s", cpu, got, want)
		}
	}
}
