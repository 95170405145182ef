package arm

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

var testTime = time.Date(2026, 3, 4, 5, 6, 7, 0, time.UTC)

// evaluate runs a template and prints its problems as "line:column: message".
func evaluate(t testing.TB, text string, o Options) (Result, []string) {
	t.Helper()
	root, err := Parse([]byte(text))
	if err != nil {
		t.Fatalf("%v in %s", err, text)
	}
	o.Now = testTime
	r := Evaluate(root, o)
	var problems []string
	for _, p := range r.Problems {
		line := fmt.Sprintf("%d:%d: %s", p.Pos.Line, p.Pos.Column, p.Message)
		if p.Warning {
			line = "~" + line
		}
		problems = append(problems, line)
	}
	return r, problems
}

func TestExpressions(t *testing.T) {
	const template = `{"parameters": {"p": {"type": "string", "defaultValue": "Web"}, "o": {"type": "object", "defaultValue": {"A": {"b": [1, 2]}}}},
		"variables": {"v": "[concat(parameters('p'), '-x')]", "list": ["c", "a", "b"]},
		"functions": [{"namespace": "my", "members": {"twice": {"parameters": [{"name": "s", "type": "string"}], "output": {"type": "string", "value": "[concat(parameters('s'), parameters('s'))]"}}}}],
		"resources": [], "outputs": {"out": {"type": "string", "value": %s}}}`
	tests := []struct{ in, want string }{
		{`plain`, `"plain"`},
		{`[[not an expression]`, `"[not an expression]"`},
		{`[parameters('P')]`, `"Web"`},
		{`[variables('v')]`, `"Web-x"`},
		{`[parameters('o').a.B[1]]`, `2`},
		{`[parameters('o')['A'].b[0]]`, `1`},
		{`[parameters('o').?none.?x]`, `null`},
		{`[concat('it''s', 1, true())]`, `"it's1True"`},
		{`[format('{0}/{1}:{0} {{}}', 'a', 2)]`, `"a/2:a {}"`},
		{`[if(equals(1, 1), 'yes', fail())]`, `"yes"`},
		{`[and(true(), not(false()), or(false(), true()))]`, `true`},
		{`[toLower(toUpper(' aB '))]`, `" ab "`},
		{`[trim(' a ')]`, `"a"`},
		{`[replace('a-b-c', '-', '')]`, `"abc"`},
		{`[split('a,b;c', createArray(',', ';'))]`, `["a","b","c"]`},
		{`[join(split('a.b', '.'), '/')]`, `"a/b"`},
		{`[substring('hello', 1, 3)]`, `"ell"`},
		{`[take('hello', 2)]`, `"he"`},
		{`[take(variables('list'), 9)]`, `["c","a","b"]`},
		{`[skip('hello', 3)]`, `"lo"`},
		{`[skip(variables('list'), -1)]`, `["c","a","b"]`},
		{`[padLeft('7', 3, '0')]`, `"007"`},
		{`[format('{0:D3} {1:N0} {2:X4} {3:00} {4:N}', 7, 8175133, 255, 5, 1234)]`, `"007 8,175,133 00FF 05 1,234.00"`},
		{`[format('{0:D3} {1:D2}', 'x', -5)]`, `"x -5"`},
		{`[dataUriToString('data:;base64,SGVsbG8sIFdvcmxkIQ==')]`, `"Hello, World!"`},
		{`[dataUriToString('data:,a%20b')]`, `"a b"`},
		{`[dateTimeAdd('2020-04-07 14:53:14Z', 'P3Y')]`, `"2023-04-07 14:53:14Z"`},
		{`[dateTimeAdd('2020-04-07 14:53:14Z', '-P9D')]`, `"2020-03-29 14:53:14Z"`},
		{`[dateTimeAdd('2020-04-07 14:53:14Z', 'PT1H')]`, `"2020-04-07 15:53:14Z"`},
		{`[dateTimeAdd(utcNow('u'), 'P1W', 'yyyy-MM-dd')]`, `"2026-03-11"`},
		{`[dateTimeFromEpoch(1683040573)]`, `"2023-05-02T15:16:13Z"`},
		{`[dateTimeToEpoch('2023-05-02T15:16:13Z')]`, `1683040573`},
		{`[parseCidr('10.144.0.0/20')]`, `{"broadcast":"10.144.15.255","cidr":20,"firstUsable":"10.144.0.1","lastUsable":"10.144.15.254","netmask":"255.255.240.0","network":"10.144.0.0"}`},
		{`[parseCidr('fdad:3236:5555::/48')]`, `{"cidr":48,"firstUsable":"fdad:3236:5555::","lastUsable":"fdad:3236:5555:ffff:ffff:ffff:ffff:ffff","netmask":"ffff:ffff:ffff::","network":"fdad:3236:5555::"}`},
		{`[map(range(0, 3), lambda('i', cidrSubnet('10.144.0.0/20', 24, lambdaVariables('i'))))]`, `["10.144.0.0/24","10.144.1.0/24","10.144.2.0/24"]`},
		{`[map(range(0, 2), lambda('i', cidrHost('10.144.3.0/24', lambdaVariables('i'))))]`, `["10.144.3.1","10.144.3.2"]`},
		{`[groupBy(createArray('foo', 'bar', 'baz'), lambda('x', substring(lambdaVariables('x'), 0, 1)))]`, `{"b":["bar","baz"],"f":["foo"]}`},
		{`[mapValues(createObject('a', 1, 'b', 2), lambda('v', mul(lambdaVariables('v'), 2)))]`, `{"a":2,"b":4}`},
		{`[createArray(indexFromEnd(variables('list'), 1), tryIndexFromEnd(variables('list'), 9))]`, `["b",null]`},
		{`[pickZones('Microsoft.Compute', 'virtualMachines', 'westus2')]`, `["1"]`},
		{`[managementGroupResourceId('mg', 'Microsoft.Authorization/policyDefinitions', 'x')]`, `"/providers/Microsoft.Management/managementGroups/mg/providers/Microsoft.Authorization/policyDefinitions/x"`},
		{`[indexOf('abcABC', 'C')]`, `2`},
		{`[first(variables('list'))]`, `"c"`},
		{`[last('abc')]`, `"c"`},
		{`[length(parameters('o'))]`, `1`},
		{`[contains(variables('list'), 'a')]`, `true`},
		{`[contains(parameters('o'), 'a')]`, `true`},
		{`[startsWith('Abc', 'aB')]`, `true`},
		{`[empty('')]`, `true`},
		{`[union(createObject('a', 1, 'n', createObject('x', 1)), createObject('A', 2, 'n', createObject('y', 2)))]`, `{"a":2,"n":{"x":1,"y":2}}`},
		{`[union(createArray(1, 2), createArray(2, 3))]`, `[1,2,3]`},
		{`[intersection(createArray(1, 2), createArray(2, 3))]`, `[2]`},
		{`[coalesce(null(), 'b')]`, `"b"`},
		{`[range(3, 2)]`, `[3,4]`},
		{`[add(mul(2, 3), div(7, 2))]`, `9`},
		{`[mod(7, 4)]`, `3`},
		{`[min(3, 1, 2)]`, `1`},
		{`[max(createArray(3, 9))]`, `9`},
		{`[int('42')]`, `42`},
		{`[json('0.5')]`, `0.5`},
		{`[json('{\"a\": [1]}').a]`, `[1]`},
		{`[string(createObject('a', 1))]`, `"{\"a\":1}"`},
		{`[base64ToString(base64('hi'))]`, `"hi"`},
		{`[uriComponent('a b/c')]`, `"a%20b%2Fc"`},
		{`[uri('https://x.io/a/', 'b')]`, `"https://x.io/a/b"`},
		{`[parseUri('https://x.io:8080/a/b%20c?st=1&t=2#end')]`, `{"host":"x.io","path":"/a/b%20c","port":8080,"query":"?st=1\u0026t=2","scheme":"https"}`},
		{`[parseUri('https://x.io')]`, `{"host":"x.io","path":"/","port":null,"query":"","scheme":"https"}`},
		{`[parseUri('http://[::1]:80/').host]`, `"[::1]"`},
		{`[buildUri(createObject('scheme', 'https', 'host', 'x.io', 'port', 8080, 'path', '/a', 'query', '?st=1'))]`, `"https://x.io:8080/a?st=1"`},
		{`[buildUri(createObject('scheme', 'https', 'host', 'x.io', 'path', 'a'))]`, `"https://x.io/a"`},
		{`[buildUri(parseUri('https://x.io/a?st=1'))]`, `"https://x.io/a?st=1"`},
		{`[concat('u=', buildUri(createObject('scheme', 'https', 'host', listKeys('/x/providers/A/b/c', '2020').host, 'path', '/')))]`, `"u=(known to Azure only: buildUri(listkeys('c').host))"`},
		{`[greater(2, 1)]`, `true`},
		{`[lessOrEquals('a', 'b')]`, `true`},
		{`[length(uniqueString('a', 'b'))]`, `13`},
		{`[equals(uniqueString('a'), uniqueString('a'))]`, `true`},
		{`[length(guid('a'))]`, `36`},
		{`[utcNow('yyyy-MM-dd')]`, `"2026-03-04"`},
		{`[resourceGroup().location]`, `"eastus"`},
		{`[subscription().subscriptionId]`, `"00000000-0000-0000-0000-000000000000"`},
		{`[environment().suffixes.acrLoginServer]`, `".azurecr.io"`},
		{`[deployment().name]`, `"main"`},
		{`[resourceId('Microsoft.App/managedEnvironments/storages', 'e', 's')]`, `"/subscriptions/00000000-0000-0000-0000-000000000000/resourceGroups/local/providers/Microsoft.App/managedEnvironments/e/storages/s"`},
		{`[resourceId('rg2', 'Microsoft.App/containerApps', 'a')]`, `"/subscriptions/00000000-0000-0000-0000-000000000000/resourceGroups/rg2/providers/Microsoft.App/containerApps/a"`},
		{`[reference(resourceId('Microsoft.ContainerRegistry/registries', 'Acr')).loginServer]`, `"acr.azurecr.io"`},
		{`[concat('k=', listKeys('/x/providers/A/b/c', '2020').keys[0].value)]`, `"k=(known to Azure only: listkeys('c').keys[0].value)"`},
		{`[my.twice('ab')]`, `"abab"`},
		{`[map(variables('list'), lambda('x', 'i', concat(lambdaVariables('x'), lambdaVariables('i'))))]`, `["c0","a1","b2"]`},
		{`[filter(range(0, 5), lambda('n', greater(lambdaVariables('n'), 2)))]`, `[3,4]`},
		{`[reduce(range(1, 4), 0, lambda('a', 'b', add(lambdaVariables('a'), lambdaVariables('b'))))]`, `10`},
		{`[sort(variables('list'), lambda('a', 'b', less(lambdaVariables('a'), lambdaVariables('b'))))]`, `["a","b","c"]`},
		{`[toObject(variables('list'), lambda('x', lambdaVariables('x')))]`, `{"a":"a","b":"b","c":"c"}`},
		{`[items(createObject('b', 1))]`, `[{"key":"b","value":1}]`},
		{`[flatten(createArray(createArray(1), createArray(2)))]`, `[1,2]`},
		{`[tryGet(parameters('o'), 'A', 'b', 0)]`, `1`},
		{`[tryGet(parameters('o'), 'none', 'b')]`, `null`},
		{`[array('a')]`, `["a"]`},
		{`[float('0.5')]`, `0.5`},
		{`[bool('TRUE')]`, `true`},
		{`[not(bool(0))]`, `true`},
		{`[base64ToJson(base64('[1]'))]`, `[1]`},
		{`[dataUri('a')]`, `"data:text/plain;charset=utf8;base64,YQ=="`},
		{`[uriComponentToString('a%20b')]`, `"a b"`},
		{`[indexOf(variables('list'), 'a')]`, `1`},
		{`[lastIndexOf('abab', 'AB')]`, `2`},
		{`[lastIndexOf(createArray(1, 2, 1), 1)]`, `2`},
		{`[length('äö')]`, `2`},
		{`[length(variables('list'))]`, `3`},
		{`[first('')]`, `""`},
		{`[first(createArray())]`, `null`},
		{`[last(variables('list'))]`, `"b"`},
		{`[contains('abc', 'b')]`, `true`},
		{`[empty(null())]`, `true`},
		{`[empty(createArray())]`, `true`},
		{`[empty(createObject('a', 1))]`, `false`},
		{`[empty(reference('/x/providers/A/b/c').d)]`, `false`},
		{`[if(reference('/x/providers/A/b/c').d, 'first', 'second')]`, `"first"`},
		{`[reference('/x/providers/Microsoft.KeyVault/vaults/Kv').vaultUri]`, `"https://kv.vault.azure.net/"`},
		{`[reference('/x/providers/Microsoft.Storage/storageAccounts/St').primaryEndpoints.blob]`, `"https://st.blob.core.windows.net/"`},
		{`[reference('/x/providers/A/b/c', '1', 'full').properties.d]`, `"(known to Azure only: reference('c').d)"`},
		{`[shallowMerge(createArray(createObject('a', 1), createObject('b', 2)))]`, `{"a":1,"b":2}`},
		{`[objectKeys(createObject('b', 1, 'a', 2))]`, `["a","b"]`},
		{`[toObject(variables('list'), lambda('x', lambdaVariables('x')), lambda('x', 1))]`, `{"a":1,"b":1,"c":1}`},
		{`[tenant().tenantId]`, `"00000000-0000-0000-0000-000000000000"`},
		{`[subscriptionResourceId('Microsoft.Authorization/roleDefinitions', 'r')]`, `"/subscriptions/00000000-0000-0000-0000-000000000000/providers/Microsoft.Authorization/roleDefinitions/r"`},
		{`[extensionResourceId('/x', 'A/b', 'c')]`, `"/x/providers/A/b/c"`},
		{`[uri('https://x.io', '/b?c=1')]`, `"https://x.io/b?c=1"`},
	}
	for _, test := range tests {
		t.Run(test.in, func(t *testing.T) {
			r, problems := evaluate(t, fmt.Sprintf(template, `"`+test.in+`"`), Options{})
			if len(problems) > 0 {
				t.Fatal(problems)
			}
			got, err := json.Marshal(printable(r.Outputs["out"]))
			if err != nil {
				t.Fatal(err)
			}
			var compact strings.Builder
			enc := json.NewEncoder(&compact)
			enc.SetEscapeHTML(false)
			if err := enc.Encode(json.RawMessage(got)); err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(test.want, strings.TrimSpace(compact.String())); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

func TestBadExpressionsAreNamedWithTheirPlace(t *testing.T) {
	// The expression begins at column 33, inside of its quotes.
	tests := []struct{ in, want string }{
		{`[fromat('a')]`, `1:34: the function "fromat" is not known here; did you mean "format"?`},
		{`[dateTimeAdd('today', 'P1D')]`, `1:34: datetimeadd: "today" is not a time as in 2026-03-04T05:06:07Z`},
		{`[dateTimeAdd('2020-04-07', 'P')]`, `1:34: datetimeadd: "P" is not a duration as in P3Y, -P9D or PT1H`},
		{`[dateTimeAdd('2020-04-07', 'P999999Y')]`, `1:34: datetimeadd: the duration "P999999Y" is too long`},
		{`[cidrSubnet('10.0.0.0/16', 24, 256)]`, `1:34: cidrsubnet: 10.0.0.0/16 has no range /24 with the number 256`},
		{`[cidrHost('10.0.0.0/30', 3)]`, `1:34: cidrhost: 10.0.0.0/30 has no host with the number 3`},
		{`[parseCidr('10.0.0.1')]`, `1:34: parsecidr: "10.0.0.1" is not an address range as in 10.0.0.0/16`},
		{`[indexFromEnd(createArray(1), 2)]`, `1:34: indexfromend: the list has 1 items; there is none 2 from its end`},
		{`[fail('no such region')]`, `1:34: fail: no such region`},
		{`[concat('a', xyzzyplugh())]`, `1:46: the function "xyzzyplugh" is not known here`},
		{`[parameters('x')]`, `1:34: the template has no parameter "x"`},
		{`[variables('selv')]`, `1:34: the template has no variable "selv"; did you mean "self"?`},
		{`[variables('self')]`, `1:92: the variable "self" refers to itself`},
		{`[concat('a']`, `1:44: expected a comma or )`},
		{`[concat('a]`, `1:41: the text does not end with a quote`},
		{`[a]`, `1:34: "a" is not a value; text stands in single quotes`},
		{`[add(1)]`, `1:34: add takes 2 arguments, not 1`},
		{`[add('x', 1)]`, `1:34: add: expected a whole number, found text`},
		{`[div(1, 0)]`, `1:34: div: division by zero`},
		{`[createObject('a', 1).b]`, `1:54: an object has no property "b"; did you mean "a"?`},
		{`[createArray(1)[3]]`, `1:48: the list has 1 items, there is no item 3`},
		{`[copyIndex()]`, `1:34: copyIndex stands outside of a copy loop`},
		{`[reference('none')]`, `1:34: no resource of the template is called "none"`},
		{`[references('none')]`, `1:34: no resource of the template has the symbolic name "none"`},
		{`[references()]`, `1:34: references takes 1 to 2 arguments, not 0`},
		{`[referencse('none')]`, `1:34: the function "referencse" is not known here; did you mean "reference"?`},
		{`[parseUri('x.io')]`, `1:34: parseuri: the text is not an absolute URI`},
		{`[buildUri('x.io')]`, `1:34: builduri: expected an object, found text`},
		{`[buildUri(createObject('scheme', 'https', 'path', '/'))]`, `1:34: builduri: the components have no host`},
		{`[range(0, 99999)]`, `1:34: range: a range has 0 to 10000 numbers`},
		{`[lambda('x', 1)]`, `1:34: a lambda is an argument of map, filter, reduce, sort, toObject, groupBy or mapValues`},
	}
	for _, test := range tests {
		t.Run(test.in, func(t *testing.T) {
			_, problems := evaluate(t, `{"outputs": {"o": {"value":    "`+test.in+`"}}, "variables": {"self": "[variables('self')]"}}`, Options{})
			var want []string
			line, message, _ := strings.Cut(test.want, ": ")
			if strings.Contains(message, "refers to itself") {
				line = fmt.Sprintf("1:%d", 33+len(test.in)+len(`"}}, "variables": {"self": "`)+1)
			}
			want = append(want, line+": "+message)
			if diff := cmp.Diff(want, problems); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

func TestReferencesAreTheStatesOfALoop(t *testing.T) {
	f := func(value, want string) {
		t.Helper()
		text := `{"languageVersion": "2.0", "resources": {
			"env": {"type": "Microsoft.App/managedEnvironments", "apiVersion": "x", "name": "cae", "properties": {}},
			"apps": {"copy": {"name": "apps", "count": 2}, "type": "Microsoft.App/containerApps", "apiVersion": "x", "name": "[format('app{0}', copyIndex())]",
				"properties": {"environmentId": "[resourceId('Microsoft.App/managedEnvironments', 'cae')]",
					"configuration": {"ingress": {"external": true, "targetPort": "[add(8000, copyIndex())]"}}}},
			"none": {"copy": {"name": "none", "count": 0}, "type": "Microsoft.App/containerApps", "apiVersion": "x", "name": "n"}},
			"outputs": {"o": {"type": "array", "value": "` + value + `"}}}`
		r, problems := evaluate(t, text, Options{})
		got, err := json.Marshal(r.Outputs["o"])
		if err != nil {
			t.Fatal(err)
		}
		if len(problems) > 0 {
			got = []byte(strings.Join(problems, "\n"))
		}
		if diff := cmp.Diff(want, string(got)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", value, diff)
		}
	}
	f(`[map(references('apps'), lambda('a', lambdaVariables('a').configuration.ingress.fqdn))]`, `["app0.cae.localhost","app1.cae.localhost"]`)
	f(`[map(references('Apps', 'Full'), lambda('a', lambdaVariables('a').name))]`, `["app0","app1"]`)
	f(`[references('apps')[1].configuration.ingress.targetPort]`, `8001`)
	f(`[references('none')]`, `[]`)
	f(`[references('env')]`, `7:50: "env" is one resource, not a copy loop; reference gives its state`)
}

const template = `{
  // a template as people write it
  "$schema": "https://schema.management.azure.com/schemas/2019-04-01/deploymentTemplate.json#",
  "contentVersion": "1.0.0.0",
  "parameters": {
    "prefix": { "type": "string" },
    "count": { "type": "int", "defaultValue": 2, "allowedValues": [1, 2, 3] },
    "password": { "type": "securestring", "defaultValue": "hunter2" },
  },
  "variables": {
    "envName": "[format('{0}-env', parameters('prefix'))]",
    "copy": [{ "name": "ports", "count": 2, "input": "[add(8000, copyIndex('ports'))]" }]
  },
  "resources": [
    { "type": "Microsoft.App/managedEnvironments", "apiVersion": "2024-03-01", "name": "[variables('envName')]", "location": "[resourceGroup().location]",
      "properties": {}, "resources": [{ "type": "storages", "apiVersion": "x", "name": "files", "properties": {} }] },
    { "type": "Microsoft.App/containerApps", "apiVersion": "2024-03-01", "name": "[concat('web', copyIndex(1))]", "dependsOn": ["[variables('envName')]"],
      "copy": { "name": "apps", "count": "[parameters('count')]" },
      "properties": {
        "environmentId": "[resourceId('Microsoft.App/managedEnvironments', variables('envName'))]",
        "configuration": { "ingress": { "external": true, "targetPort": "[variables('ports')[copyIndex()]]" } },
        "template": { "containers": [{ "name": "web", "image": "nginx", "copy": [{ "name": "env", "count": 2, "input": { "name": "[concat('V', copyIndex('env'))]", "value": "[string(copyIndex('apps'))]" } }] }] }
      } },
    { "condition": "[equals(parameters('prefix'), 'none')]", "type": "Microsoft.App/containerApps", "name": "never", "apiVersion": "x" },
    { "type": "Microsoft.Resources/deployments", "apiVersion": "2022-09-01", "name": "module",
      "properties": { "mode": "Incremental", "expressionEvaluationOptions": { "scope": "inner" },
        "parameters": { "backend": { "value": "[reference(resourceId('Microsoft.App/containerApps', 'web1')).configuration.ingress.fqdn]" } },
        "template": {
          "parameters": { "backend": { "type": "string" } },
          "resources": [{ "type": "Microsoft.App/containerApps", "apiVersion": "x", "name": "api", "properties": { "backend": "[parameters('backend')]" } }],
          "outputs": { "name": { "type": "string", "value": "api-out" } } } } }
  ],
  "outputs": { "fqdn": { "type": "string", "value": "[reference('module').outputs.name.value]" } }
}`

func TestTemplate(t *testing.T) {
	r, problems := evaluate(t, template, Options{Parameters: map[string]any{"prefix": "shop"}})
	if len(problems) > 0 {
		t.Fatal(problems)
	}
	var got []string
	for _, res := range r.Resources {
		text, err := json.Marshal(res.Value)
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, fmt.Sprintf("%d %s %s %s", res.Pos.Line, res.Type, res.Name, text))
	}
	const env = `"environmentId":"/subscriptions/00000000-0000-0000-0000-000000000000/resourceGroups/local/providers/Microsoft.App/managedEnvironments/shop-env"`
	app := func(port, name, i string) string {
		return `17 Microsoft.App/containerApps ` + name + ` {"name":"` + name + `","properties":{"configuration":{"ingress":{"external":true,"targetPort":` + port + `}},` + env +
			`,"template":{"containers":[{"env":[{"name":"V0","value":"` + i + `"},{"name":"V1","value":"` + i + `"}],"image":"nginx","name":"web"}]}},"type":"Microsoft.App/containerApps"}`
	}
	want := []string{
		`15 Microsoft.App/managedEnvironments shop-env {"location":"eastus","name":"shop-env","properties":{},"type":"Microsoft.App/managedEnvironments"}`,
		`16 Microsoft.App/managedEnvironments/storages shop-env/files {"name":"files","properties":{},"type":"storages"}`,
		app("8000", "web1", "0"), app("8001", "web2", "1"),
		`30 Microsoft.App/containerApps api {"name":"api","properties":{"backend":"web1.shop-env.localhost"},"type":"Microsoft.App/containerApps"}`,
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("resources (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(map[string]any{"fqdn": "api-out"}, r.Outputs); diff != "" {
		t.Errorf("outputs (-want +got):\n%s", diff)
	}
	if got := r.Resources[2].Places["properties.configuration.ingress.targetport"]; got.Key.Line != 21 {
		t.Errorf("the target port stands on line %d", got.Key.Line)
	}
}

func TestTemplateProblems(t *testing.T) {
	tests := []struct {
		name, text string
		params     map[string]any
		want       []string
	}{
		{"parameter without a value", `{"parameters": {"a": {"type": "string"}}}`, nil, []string{`1:17: the parameter "a" has no value`}},
		{"unknown parameter", `{"parameters": {"prefix": {"defaultValue": ""}}}`, map[string]any{"prefx": "x"}, []string{`1:16: the template has no parameter "prefx"`}},
		{"not allowed", `{"parameters": {"a": {"type": "int", "allowedValues": [1, 2]}}, "outputs": {"o": {"value": "[parameters('a')]"}}}`, map[string]any{"a": number("3")},
			[]string{`1:55: the parameter "a" does not allow 3`}},
		{"secure values stay out", `{"parameters": {"a": {"type": "secureString", "allowedValues": ["x"]}}, "outputs": {"o": {"value": "[parameters('a')]"}}}`, map[string]any{"a": "hunter2"},
			[]string{`1:64: the parameter "a" does not allow its value`}},
		{"wrong type", `{"parameters": {"a": {"type": "int"}}, "outputs": {"o": {"value": "[parameters('a')]"}}}`, map[string]any{"a": "x"}, []string{`1:22: the parameter "a" is a number, its value is text`}},
		{"too small", `{"parameters": {"a": {"type": "int", "minValue": 2}}, "outputs": {"o": {"value": "[parameters('a')]"}}}`, map[string]any{"a": number("1")}, []string{`1:50: the value of the parameter "a" is 1; minValue is 2`}},
		{"too long", `{"parameters": {"a": {"type": "string", "maxLength": 2}}, "outputs": {"o": {"value": "[parameters('a')]"}}}`, map[string]any{"a": "123"}, []string{`1:54: the length of the parameter "a" is 3; maxLength is 2`}},
		{"mutual variables", `{"variables": {"a": "[variables('b')]", "b": "[variables('a')]"}, "outputs": {"o": {"value": "[variables('a')]"}}}`, nil, []string{`1:48: the variable "a" refers to itself`}},
		{"copy count", `{"resources": [{"type": "A/b", "name": "x", "copy": {"name": "l", "count": 801}}]}`, nil, []string{`1:76: count is a number from 0 to 800, not 801`}},
		{"no template", `{"resources": [{"type": "Microsoft.Resources/deployments", "name": "m", "properties": {"templateLink": {"uri": "https://x"}}}]}`, nil,
			[]string{`1:104: the template of the deployment m: templates behind a URI are not fetched; use a relativePath`}},
		{"unknown value", `{"resources": [{"type": "Microsoft.App/containerApps", "name": "x", "properties": {"a": "[listKeys('s', '1').k]"}}]}`, nil,
			[]string{`~1:89: properties.a is (known to Azure only: listkeys('s').k)`}},
		{"apps that need each other", `{"resources": [{"type": "Microsoft.App/containerApps", "name": "a", "properties": {"x": "[reference('b').template.x]"}}, {"type": "Microsoft.App/containerApps", "name": "b", "properties": {"x": "[reference('a').template.x]"}}]}`, nil,
			[]string{`1:197: the resource a refers to itself`}},
		{"every problem", `{"outputs": {"a": {"value": "[x()]"}, "b": {"value": {"c": "[y1()]", "d": ["[z1()]"]}}}}`, nil,
			[]string{`1:31: the function "x" is not known here`, `1:62: the function "y1" is not known here`, `1:78: the function "z1" is not known here`}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			_, problems := evaluate(t, test.text, Options{Parameters: test.params})
			if diff := cmp.Diff(test.want, problems); diff != "" {
				t.Errorf("problems (-want +got):\n%s", diff)
			}
			if strings.Contains(strings.Join(problems, ""), "hunter2") {
				t.Error("a secure value is shown")
			}
		})
	}
}

func TestHostileTemplatesEndInAProblem(t *testing.T) {
	double := ""
	for i := range 60 {
		double += fmt.Sprintf(`"v%d": "[createArray(variables('v%d'), variables('v%d'))]",`, i+1, i, i)
	}
	texts := ""
	for i := range 60 {
		texts += fmt.Sprintf(`"v%d": "[concat(variables('v%d'), variables('v%d'))]",`, i+1, i, i)
	}
	tests := []struct {
		name, text string
		want       []string // none: it is evaluated, to a bounded value
	}{
		{"shared lists, printed", `{"variables": {` + double + `"v0": "x"}, "outputs": {"o": {"value": "[length(string(variables('v60')))]"}}}`, nil},
		{"shared lists, compared", `{"variables": {` + double + `"v0": "x"}, "outputs": {"o": {"value": "[equals(variables('v60'), variables('v60'))]"}}}`, nil},
		{"shared lists, deployed", `{"variables": {` + double + `"v0": "x"}, "resources": [{"type": "Microsoft.App/containerApps", "name": "x", "properties": {"a": "[variables('v60')]"}}]}`, []string{"1:3553: the resource x is too large"}},
		{"growing text", `{"variables": {` + texts + `"v0": "xxxxxxxxxxxxxxxx"}, "outputs": {"o": {"value": "[variables('v60')]"}}}`, []string{"1:860: concat: the result is too long"}},
		{"loops of loops", `{"outputs": {"o": {"value": "[map(range(0, 10000), lambda('x', map(range(0, 10000), lambda('y', map(range(0, 10000), lambda('z', 1))))))]"}}}`, []string{"1:97: the template takes more than 500000 steps to evaluate"}},
		{"a function that calls itself", `{"functions": [{"namespace": "a", "members": {"b": {"parameters": [], "output": {"value": "[a.b()]"}}}}], "outputs": {"o": {"value": "[a.b()]"}}}`, []string{"1:93: a.b calls itself"}},
		{"deep expression", `{"outputs": {"o": {"value": "[` + strings.Repeat("not(", 5000) + strings.Repeat(")", 5000) + `]"}}}`, []string{"1:29: the expression is longer than 24576 characters"}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			r, problems := evaluate(t, test.text, Options{})
			if diff := cmp.Diff(test.want, problems); diff != "" {
				t.Errorf("problems (-want +got):\n%s", diff)
			}
			if test.want == nil && r.Outputs["o"] == nil {
				t.Error("nothing is said")
			}
		})
	}
}

func TestSymbolicNamesAndExisting(t *testing.T) {
	r, problems := evaluate(t, `{"languageVersion": "2.0", "resources": {
		"env": {"existing": true, "type": "Microsoft.App/managedEnvironments@2024-03-01", "name": "cae"},
		"app": {"type": "Microsoft.App/containerApps", "name": "web", "properties": {"id": "[resourceId('Microsoft.App/managedEnvironments', 'cae')]", "d": "[reference('env').defaultDomain]"}}}}`, Options{})
	if len(problems) > 0 || len(r.Resources) != 1 {
		t.Fatal(problems, r.Resources)
	}
	if got := r.Resources[0].Value["properties"].(map[string]any)["d"]; got != "dev.localhost" {
		t.Errorf("domain = %v", got)
	}
}

func TestLinkedTemplates(t *testing.T) {
	files := map[string]string{
		"modules/app.json":    `{"parameters": {"n": {"type": "string"}}, "resources": [{"type": "Microsoft.Resources/deployments", "name": "in", "properties": {"templateLink": {"relativePath": "deeper.json"}}}, {"type": "A/b", "name": "[parameters('n')]"}]}`,
		"modules/deeper.json": `{"resources": [{"type": "A/b", "name": "[nope()]"}]}`,
	}
	root, err := Parse([]byte(`{"resources": [{"type": "Microsoft.Resources/deployments", "name": "m", "properties": {"templateLink": {"relativePath": "modules/app.json"}, "parameters": {"n": {"value": "x"}}}}]}`))
	if err != nil {
		t.Fatal(err)
	}
	r := Evaluate(root, Options{ReadFile: func(name string) ([]byte, error) {
		if text, ok := files[name]; ok {
			return []byte(text), nil
		}
		return nil, errors.New("not there")
	}})
	if len(r.Resources) != 1 || r.Resources[0].Name != "x" || r.Resources[0].File != "modules/app.json" {
		t.Errorf("resources = %+v", r.Resources)
	}
	if len(r.Problems) != 1 || r.Problems[0].File != "modules/deeper.json" {
		t.Errorf("problems = %+v", r.Problems)
	}
}

func TestParseJSONAsClientsSendIt(t *testing.T) {
	n, err := Parse([]byte("\ufeff/* c */ {a: 1, // x\n \"b\\u00e9\": [true, null, -1.5e3,], 'x\": 1}"))
	if err == nil {
		t.Fatalf("single quotes are taken: %+v", n)
	}
	if want := `2:36: expected a key in double quotes`; err.Error() != want {
		t.Errorf("error = %v, want %s", err, want)
	}
	n, err = Parse([]byte("{a: 1, // x\n\t\"b\\u00e9\\ud83d\\ude00\": [true, null, -1.5e3,], \"c\": \"two\nlines\"}"))
	if err != nil {
		t.Fatal(err)
	}
	if n.Fields[1].Name != "bé😀" || n.Fields[1].Pos != (Position{2, 2}) || len(n.Fields[1].Value.Items) != 3 || n.Fields[2].Value.Text != "two\nlines" {
		t.Errorf("fields = %+v", n.Fields)
	}
	for _, text := range []string{"", "{", "[1", `{"a"}`, `{"a":}`, `{"a":1 "b":2}`, `"x`, `"\x"`, `01`, `tru`, `{} x`, `/* x`, strings.Repeat("[", 1000)} {
		if _, err := Parse([]byte(text)); err == nil {
			t.Errorf("%.20q is taken", text)
		}
	}
}

// FuzzEvaluate holds that no template panics, and that every problem has a
// place in the text.
func FuzzEvaluate(f *testing.F) {
	f.Add(template)
	f.Add(`{"outputs":{"o":{"value":"[concat(parameters('a')[0].?b, format('{0}', '''')))]"}}}`)
	f.Add(`{"resources":{"a":{"type":"Microsoft.App/containerApps","name":"[reference('a').x]","copy":{"count":2}}}}`)
	f.Add(`{"variables":{"copy":[{"name":"x","count":3,"input":"[copyIndex('x', 1)]"}]},"outputs":{"o":{"value":"[reduce(variables('x'),0,lambda('a','b',add(lambdaVariables('a'),1)))]"}}}`)
	f.Fuzz(func(t *testing.T, text string) {
		if len(text) > 1<<14 {
			return
		}
		root, err := Parse([]byte(text))
		if err != nil {
			return
		}
		r := Evaluate(root, Options{Now: testTime, Parameters: map[string]any{"prefix": "x"}})
		lines := strings.Count(text, "\n") + 1
		for _, p := range r.Problems {
			if p.Pos.Line > lines || p.Pos.Line < 0 {
				t.Errorf("%+v is outside of the text", p)
			}
		}
	})
}

// BenchmarkTemplate2000Lines parses and evaluates a template of 2,000 lines.
func BenchmarkTemplate2000Lines(b *testing.B) {
	var text strings.Builder
	text.WriteString("{\n\"parameters\": {\"tag\": {\"type\": \"string\", \"defaultValue\": \"1\"}},\n\"variables\": {\"env\": \"prod\"},\n\"resources\": [\n")
	apps := 0
	for strings.Count(text.String(), "\n") < 1990 {
		if apps > 0 {
			text.WriteString(",\n")
		}
		fmt.Fprintf(&text, `{
  "type": "Microsoft.App/containerApps",
  "apiVersion": "2024-03-01",
  "name": "[format('app{0}', %d)]",
  "properties": {
    "environmentId": "[resourceId('Microsoft.App/managedEnvironments', variables('env'))]",
    "configuration": {
      "ingress": {
        "external": true,
        "targetPort": "[add(8000, %d)]"
      }
    },
    "template": {
      "containers": [
        {
          "name": "web",
          "image": "[concat('acme/web:', parameters('tag'))]",
          "env": [
            { "name": "ENV", "value": "[variables('env')]" },
            { "name": "SELF", "value": "[reference(resourceId('Microsoft.App/managedEnvironments', variables('env'))).defaultDomain]" }
          ]
        }
      ]
    }
  }
}`, apps, apps)
		apps++
	}
	text.WriteString("\n]}\n")
	lines := strings.Count(text.String(), "\n")
	b.ReportMetric(float64(lines), "lines")
	for b.Loop() {
		root, err := Parse([]byte(text.String()))
		if err != nil {
			b.Fatal(err)
		}
		if r := Evaluate(root, Options{}); len(r.Resources) != apps || len(r.Problems) > 0 {
			b.Fatal(len(r.Resources), r.Problems)
		}
	}
}
