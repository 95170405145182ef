package aca

import (
	"encoding/json"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestDecodeReadsWhatAzureReads(t *testing.T) {
	tests := []struct{ in, want string }{
		{`{"name":"a","properties":{"template":{"containers":[{"name":"c","image":"i","resources":{"cpu":"0.5","memory":"1Gi","ephemeralStorage":"2Gi"}}]}}}`,
			`{"name":"a","properties":{"configuration":{},"template":{"containers":[{"name":"c","image":"i","resources":{"cpu":0.5,"memory":"1Gi","ephemeralStorage":"2Gi"}}]}}}`},
		{`{"NAME":"a","properties":{"configuration":{"activeRevisionsMode":"multiple","ingress":{"External":true,"targetPort":"80","transport":"http2","traffic":[{"weight":"100","latestRevision":true}]}}}}`,
			`{"name":"a","properties":{"configuration":{"activeRevisionsMode":"Multiple","ingress":{"external":true,"targetPort":80,"transport":"Http2","traffic":[{"latestRevision":true,"weight":100}]}},"template":{}}}`},
		{`{"id":"/x","name":"a","systemData":{"createdBy":"me"},"properties":{"provisioningState":"Succeeded","latestRevisionName":"a--1","outboundIpAddresses":["1.2.3.4"],"configuration":{"ingress":null,"secrets":null,"dapr":null,"service":null},"template":{"scale":{"minReplicas":null},"volumes":null}}}`,
			`{"id":"/x","name":"a","properties":{"configuration":{},"template":{"scale":{}},"provisioningState":"Succeeded","latestRevisionName":"a--1","outboundIpAddresses":["1.2.3.4"]},"systemData":{"createdBy":"me"}}`},
		// What a later API version answers for what is not set.
		{`{"name":"a","plan":null,"properties":{"configuration":{"nextYears":null},"template":{"containers":[{"name":"c","image":"i","new":null}]}}}`,
			`{"name":"a","properties":{"configuration":{},"template":{"containers":[{"name":"c","image":"i"}]}}}`},
		// What an answer has of this machine.
		{`{"name":"a","properties":{},"local":{"port":8081},"revisions":[{"name":"a--1"}]}`, `{"name":"a","properties":{"configuration":{},"template":{}}}`},
		// What the service has answered is no mistake, whatever its shape.
		{`{"id":5,"name":"a","properties":{"latestRevisionName":["a--1"],"outboundIpAddresses":"1.2.3.4","runningStatus":"Running"}}`,
			`{"name":"a","properties":{"configuration":{},"template":{},"runningStatus":"Running"}}`},
		{`{"name":"a","identity":{"type":"SystemAssigned, UserAssigned"},"properties":{"workloadProfileName":"","configuration":{"secrets":[{"name":"s","keyVaultUrl":"","value":5}]}}}`,
			`{"name":"a","identity":{"type":"SystemAssigned,UserAssigned"},"properties":{"configuration":{"secrets":[{"name":"s","value":"5"}]},"template":{}}}`},
		{`{"name":"a","properties":{"template":{"containers":[{"name":"c","image":"i","env":[{"name":"N","value":1.10}],"probes":[{"type":"liveness","httpGet":{"port":80,"scheme":"https"}}]}],"scale":{"rules":[{"name":"h","http":{"metadata":{"concurrentRequests":50}}}]}}}}`,
			`{"name":"a","properties":{"configuration":{},"template":{"containers":[{"name":"c","image":"i","env":[{"name":"N","value":"1.10"}],"probes":[{"type":"Liveness","httpGet":{"port":80,"scheme":"HTTPS"}}]}],"scale":{"rules":[{"name":"h","http":{"metadata":{"concurrentRequests":"50"}}}]}}}}`},
	}
	for _, test := range tests {
		app, problems := DecodeJSON[ContainerApp]([]byte(test.in))
		if len(problems) > 0 {
			t.Errorf("%s: problems %v", test.in, lines(problems))
		}
		got, err := json.Marshal(app)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(test.want, string(got)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", test.in, diff)
		}
	}
}

func TestDecodeExplainsWhatItCannotRead(t *testing.T) {
	const schema = ": ContainerAppInvalidSchema: "
	tests := []struct {
		patch string
		want  []string
	}{
		{ing + `targetprt=80`, []string{"@" + ing + "targetprt" + schema + `unknown key "targetprt" → did you mean "targetPort"?`}},
		{ing + `target_port=80`, []string{"@" + ing + "target_port" + schema + `unknown key "target_port" → did you mean "targetPort"?`}},
		{tmpl + `ingress={}`, []string{"@" + tmpl + "ingress" + schema + `unknown key "ingress" → this key belongs under properties.configuration`}},
		{`properties.containers=[]`, []string{"@properties.containers" + schema + `unknown key "containers" → this key belongs under properties.template`}},
		{ing + `targetPort="http"`, []string{ing + "targetPort" + schema + `expected an integer, found the string "http"`}},
		{ing + `targetPort=80.5`, []string{ing + "targetPort" + schema + `expected an integer, found the number 80.5`}},
		{ing + `external="maybe"`, []string{ing + "external" + schema + `expected true or false, found the string "maybe"`}},
		{ing + `transport="htp2"`, []string{ing + `transport: ContainerAppInvalidValue: "htp2" is not a value of transport → did you mean "Http2"?`}},
		{cfg + `activeRevisionsMode="blue"`, []string{cfg + `activeRevisionsMode: ContainerAppInvalidValue: "blue" is not a value of activeRevisionsMode → use one of Single, Multiple, Labels`}},
		{container(`"command":"python app.py"`), []string{ctr + ".command" + schema + `expected a list, found the string "python app.py" → write one item per word: ["python", "app.py"]; no shell splits it`}},
		{container(`"env":{"A":"1"}`), []string{ctr + ".env" + schema + `expected a list, found an object → begin each item of the list with "- "`}},
		{container(`"image":5`), []string{ctr + ".image" + schema + `expected a string, found the number 5 → put it in quotes: "5"`}},
		{container(`"livenessProbe":{}`), []string{"~@" + ctr + ".livenessProbe: : livenessProbe is a key of Kubernetes; Azure ignores it and the container has no such probe → write it as an item of probes with type: Liveness"}},
		{container(`"env":[{"name":"A","value":true}]`), []string{"~" + ctr + `.env[0].value: : the boolean true becomes the text "true"; az may write it as "True" → put it in quotes: "true"`}},
		{container(`"env":[null]`), []string{ctr + ".env[0]" + schema + "the list item is empty"}},
		{`name=["a"]`, []string{"name" + schema + "expected a string, found a list"}},
		{`tags.a={}`, []string{"tags.a" + schema + "expected a string, found an object"}},
		{`Name="b"`, []string{"@Name" + schema + `"Name" and "name" are the same key`}},
		{`properties="x"`, []string{"properties" + schema + `expected an object, found the string "x"`}},
	}
	for _, test := range tests {
		t.Run(test.patch, func(t *testing.T) {
			_, problems := Decode[ContainerApp](patched(t, test.patch))
			if diff := cmp.Diff(test.want, lines(problems)); diff != "" {
				t.Errorf("problems (-want +got):\n%s", diff)
			}
		})
	}
}

func TestDecodeJSONRefusesTextAfterTheValue(t *testing.T) {
	for _, text := range []string{``, `{`, `{} {}`, `{"a":}`} {
		if _, problems := DecodeJSON[ContainerApp]([]byte(text)); len(problems) != 1 || problems[0].Code != "InvalidRequestContent" {
			t.Errorf("%q: problems %v", text, problems)
		}
	}
}

// FuzzDecodeResources holds for the other resources that neither reading nor
// checking ever panics, and that what was read once is read again as the same.
func FuzzDecodeResources(f *testing.F) {
	f.Add([]byte(`{"name":"e","properties":{"workloadProfiles":[{"name":"d","workloadProfileType":"D4"}],"zoneRedundant":true}}`))
	f.Add([]byte(`{"name":"j","properties":{"configuration":{"triggerType":"schedule","replicaTimeout":"1","scheduleTriggerConfig":{"cronExpression":"* * * * *"}},"template":{"containers":[{}]}}}`))
	f.Add([]byte(`{"name":"r","properties":{"rules":[{"routes":[{"match":{"prefix":"/","caseSensitive":false}}],"targets":[{"containerApp":"a","weight":1},{}]}]}}`))
	f.Add([]byte(`{"name":"p","properties":{"httpRetryPolicy":{"matches":{"httpStatusCodes":["1"],"errors":[""]}},"circuitBreakerPolicy":{}}}`))
	f.Add([]byte(`{"name":"s","properties":{"azureFile":{"accessMode":"readonly"},"nfsAzureFile":{}}}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		again[ManagedEnvironment](t, data, (*ManagedEnvironment).Validate)
		again[Job](t, data, (*Job).Validate)
		again[HTTPRouteConfig](t, data, (*HTTPRouteConfig).Validate)
		again[ResiliencyPolicy](t, data, (*ResiliencyPolicy).Validate)
		again[EnvironmentStorage](t, data, (*EnvironmentStorage).Validate)
	})
}

// again reads a resource, writes it, and reads what was written.
func again[T any](t *testing.T, data []byte, validate func(*T) []Problem) {
	t.Helper()
	v, found := DecodeJSON[T](data)
	validate(&v)
	if len(Errors(found)) > 0 {
		return // what is wrong is kept as it was written
	}
	text, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	second, problems := DecodeJSON[T](text)
	if errs := Errors(problems); len(errs) > 0 {
		t.Fatalf("what was written cannot be read: %v\n%s", lines(errs), text)
	}
	rewritten, err := json.Marshal(second)
	if err != nil {
		t.Fatal(err)
	}
	if string(rewritten) != string(text) {
		t.Errorf("not stable:\n%s\n%s", text, rewritten)
	}
}

// FuzzDecodeApp holds that what was read once is read again as the same, and
// that neither reading nor checking nor filling in ever panics.
func FuzzDecodeApp(f *testing.F) {
	f.Add([]byte(base))
	f.Add([]byte(`{"properties":{"template":{"containers":[{"probes":[{"type":"startup"}]}],"scale":{"minReplicas":"3"}}}}`))
	f.Add([]byte(`{"name":1,"tags":{"a":null},"properties":{"configuration":{"ingress":{"traffic":[{}]}}}}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		app, found := DecodeJSON[ContainerApp](data)
		app.Validate()
		app.ApplyDefaults()
		app.Validate()
		EffectiveProbes(&app, app.MainContainer())
		TemplateHash(&app.Properties.Template)
		if len(Errors(found)) > 0 {
			return // what is wrong is kept as it was written
		}
		text, err := json.Marshal(app)
		if err != nil {
			t.Fatal(err)
		}
		again, problems := DecodeJSON[ContainerApp](text)
		if errs := Errors(problems); len(errs) > 0 {
			t.Fatalf("what was written cannot be read: %v", lines(errs))
		}
		again.ApplyDefaults()
		second, err := json.Marshal(again)
		if err != nil {
			t.Fatal(err)
		}
		if string(second) != string(text) {
			t.Errorf("not stable:\n%s\n%s", text, second)
		}
	})
}
