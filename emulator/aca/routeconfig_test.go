package aca

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

const invalidValue = ": ContainerAppInvalidValue: "

func TestHTTPRouteConfigValidate(t *testing.T) {
	f := func(properties string, want ...string) {
		t.Helper()
		c, problems := DecodeJSON[HTTPRouteConfig]([]byte(`{"name":"shop","properties":` + properties + `}`))
		if diff := cmp.Diff(want, lines(append(problems, c.Validate()...))); diff != "" {
			t.Errorf("%s (-want +got):\n%s", properties, diff)
		}
	}
	const web, root = `"targets":[{"containerApp":"web"}]`, `"routes":[{"match":{"prefix":"/"}}]`
	f(`{"rules":[{"description":"all","routes":[{"match":{"prefix":"/","caseSensitive":"false"},"action":{"prefixRewrite":"/x"}}],` + web + `}]}`)
	f(`{"rules":[{` + root + `,"targets":[{"containerApp":"web","label":"blue","weight":20},{"containerApp":"api","revision":"api--1","weight":80}]}]}`)
	f(`{}`, "~properties.rules: : the route config has no rule: every request is answered with 404")
	f(`{"rules":[{`+web+`}]}`,
		`~properties.rules[0]: : the rule has no route and matches nothing → routes: [{match: {prefix: "/"}}] matches everything`)
	f(`{"rules":[{`+root+`}]}`, "properties.rules[0]"+invalidValue+"the rule has no target → targets: [{containerApp: <name of an app>}]")
	f(`{"rules":[{"routes":[{"match":{}},{"match":{"prefix":"/a","path":"/a"}},{"match":{"path":"a"}}],`+web+`}]}`,
		"properties.rules[0].routes[0].match"+invalidValue+"the match is empty → give one of prefix, path and pathSeparatedPrefix",
		"properties.rules[0].routes[1].match"+invalidValue+"the match has more than one of prefix, path and pathSeparatedPrefix → keep one of them",
		`properties.rules[0].routes[2].match.path`+invalidValue+`"a" matches no path → paths begin with a slash: "/a"`)
	f(`{"rules":[{`+root+`,"targets":[{"containerApp":"web","weight":20},{"containerApp":"api","weight":101}]}]}`,
		"properties.rules[0].targets[1].weight"+invalidValue+"101 is out of range → 0 to 100",
		"properties.rules[0].targets"+invalidValue+"the weights of the targets sum to 20, not 100")
	f(`{"rules":[{`+root+`,"targets":[{"containerApp":"Web","revision":"web--1","label":"blue"},{}]}]}`,
		`properties.rules[0].targets[0].containerApp`+invalidValue+`"Web" is not the name of a container app`,
		"properties.rules[0].targets[0]"+invalidValue+"the target has both a revision and a label → keep one of them",
		"properties.rules[0].targets[1]"+invalidValue+"the target has no containerApp",
		"properties.rules[0].targets"+invalidValue+"the weights of the targets sum to 0, not 100")

	named := HTTPRouteConfig{Name: "my--routes", Properties: HTTPRouteConfigProperties{Rules: []HTTPRouteRule{{Routes: []HTTPRoute{{Match: HTTPRouteMatch{Path: "/"}}}, Targets: []HTTPRouteTarget{{ContainerApp: "web"}}}}}}
	want := []string{`name` + invalidValue + `"my--routes" is not the name of a route config → 3 to 63 characters: lower case letters, digits and dashes, beginning with a letter, no --`}
	if diff := cmp.Diff(want, lines(named.Validate())); diff != "" {
		t.Errorf("name (-want +got):\n%s", diff)
	}
}

func TestResiliencyPolicyValidate(t *testing.T) {
	f := func(properties string, want ...string) {
		t.Helper()
		p, problems := DecodeJSON[ResiliencyPolicy]([]byte(`{"name":"calls","properties":` + properties + `}`))
		if diff := cmp.Diff(want, lines(append(problems, p.Validate()...))); diff != "" {
			t.Errorf("%s (-want +got):\n%s", properties, diff)
		}
	}
	f(`{}`)
	f(`{"timeoutPolicy":{"responseTimeoutInSeconds":"15","connectionTimeoutInSeconds":5},
		"httpRetryPolicy":{"maxRetries":5,"retryBackOff":{"initialDelayInMilliseconds":1000,"maxIntervalInMilliseconds":10000},
			"matches":{"headers":[{"header":"x-ms","match":{"exactMatch":"v"}}],"httpStatusCodes":[502,503],"errors":["retriable-status-codes","5xx"]}},
		"tcpRetryPolicy":{"maxConnectAttempts":3},"circuitBreakerPolicy":{"consecutiveErrors":5,"intervalInSeconds":10,"maxEjectionPercent":50},
		"httpConnectionPool":{"http1MaxPendingRequests":1024,"http2MaxRequests":1024},"tcpConnectionPool":{"maxConnections":100}}`)
	f(`{"timeoutPolicy":{"responseTimeoutInSeconds":0},"httpRetryPolicy":{"matches":{"httpStatusCodes":[1],"errors":["4xx"]}},"circuitBreakerPolicy":{"maxEjectionPercent":101}}`,
		"properties.timeoutPolicy.responseTimeoutInSeconds"+invalidValue+"0 is out of range → 1 to 2147483647",
		"properties.httpRetryPolicy"+invalidValue+"the retry policy has no maxRetries",
		`~properties.httpRetryPolicy.matches.httpStatusCodes: : status codes are retried only with the error "retriable-status-codes" → errors: [retriable-status-codes]`,
		"properties.httpRetryPolicy.matches.httpStatusCodes[0]"+invalidValue+"1 is out of range → 100 to 599",
		`properties.httpRetryPolicy.matches.errors[0]`+invalidValue+`"4xx" is no condition of a retry → 5xx, connect-failure, gateway-error, reset, retriable-headers, retriable-status-codes, or retriable-4xx`,
		"properties.circuitBreakerPolicy"+invalidValue+"the circuit breaker needs consecutiveErrors and intervalInSeconds",
		"properties.circuitBreakerPolicy.maxEjectionPercent"+invalidValue+"101 is out of range → 1 to 100")
}

func TestEnvironmentStorageValidate(t *testing.T) {
	f := func(name, properties string, readOnly bool, want ...string) {
		t.Helper()
		s, problems := DecodeJSON[EnvironmentStorage]([]byte(`{"name":"` + name + `","properties":` + properties + `}`))
		if diff := cmp.Diff(want, lines(append(problems, s.Validate()...))); diff != "" {
			t.Errorf("%s (-want +got):\n%s", properties, diff)
		}
		if s.ReadOnly() != readOnly {
			t.Errorf("%s: read-only is %t", properties, s.ReadOnly())
		}
	}
	f("files", `{"azureFile":{"accountName":"a","accountKey":"k","shareName":"s","accessMode":"readonly"}}`, true)
	f("nfs", `{"nfsAzureFile":{"server":"a.file.core.windows.net","shareName":"/a/s","accessMode":"ReadWrite"}}`, false)
	f("My_Files", `{}`, false,
		`name`+invalidValue+`"My_Files" is not the name of a storage → at most 32 characters: lower case letters, digits and dashes, beginning with a letter, no --`,
		`properties`+invalidValue+`the storage "My_Files" has neither azureFile nor nfsAzureFile`)
	f("both", `{"azureFile":{},"nfsAzureFile":{}}`, false, `properties`+invalidValue+`the storage "both" has both azureFile and nfsAzureFile → keep one of them`)
}
