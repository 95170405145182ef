package scaler

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/acalocal/acalocal/internal/scale"
)

func TestCheckSaysWhatNewWouldRefuse(t *testing.T) {
	f := func(tr scale.Trigger, want *Mistake, unknown ...string) {
		t.Helper()
		if diff := cmp.Diff(want, Check(tr, unknown...)); diff != "" {
			t.Errorf("%s %v (-want +got):\n%s", tr.Type, tr.Metadata, diff)
		}
	}
	f(trigger("redis", "address=r:6379", "listName=l"), nil)
	f(trigger("redis", "address=r:6379"), &Mistake{Parameter: "listName", Text: "error parsing redis metadata: no list name given"})
	f(trigger("cron", "start=0 8 * * *", "end=0 9 * * *", "timezone=Europe/Bärlin", "desiredReplicas=3"),
		&Mistake{Parameter: "timezone", Text: "error parsing cron metadata: unable to load timezone: unknown time zone Europe/Bärlin"})
	f(trigger("memory", "metricType=Utilization", "value=much"), &Mistake{Parameter: "value", Text: `error parsing memory metadata: error parsing value: "much" is not a number`})
	f(trigger("azure-servicebus", "queueName=q", "useRegex=true", "auth:connection=Endpoint=sb://a/;SharedAccessKeyName=a;SharedAccessKey=b"),
		&Mistake{Parameter: "useRegex", Text: "error parsing azure service bus metadata: useRegex is not emulated", NotEmulated: true})
	f(trigger("rabbitmq", "queueName=q", "auth:host=hunter22"),
		&Mistake{Parameter: "host", Text: "error parsing RabbitMQ metadata: unknown host URL scheme: ``"})
	f(trigger("pulsar"), &Mistake{Text: "no scaler found for type: pulsar"})
	// What is not known is taken for right; the rest is looked at.
	f(trigger("azure-servicebus", "queueName=q"), nil, "connection")
	f(trigger("azure-servicebus"), &Mistake{Text: "error parsing azure service bus metadata: no service bus entity type set"}, "connection")
	f(trigger("azure-queue", "queueName=q"), nil, "connection")
	f(trigger("postgresql", "query=SELECT 1", "targetQueryValue=5"), nil, "connection")
	f(trigger("postgresql", "query=SELECT 1", "targetQueryValue=5", "host=h", "port=5432", "userName=u", "dbName=d", "sslmode=disable"), nil, "password")
	f(trigger("rabbitmq", "queueName=q", "mode=MessageRate", "value=5"), nil, "host")
	f(trigger("kafka", "bootstrapServers=k", "consumerGroup=g"), nil, "sasl", "username", "password", "tls", "ca")
	f(trigger("prometheus", "serverAddress=http://p", "query=up", "threshold=1"), nil, "bearerToken", "authModes")
	f(trigger("external", "scalerAddress=s:1"), nil, "caCert", "tlsClientCert", "tlsClientKey")
	f(trigger("redis-streams", "stream=s", "port=6379"), nil, "host", "password")
}

// Each parameter that a scaler asks for is among those that are known.
func TestParametersThatAreAskedForAreKnown(t *testing.T) {
	known := []string{"scalerAddress", "enableTLS", "caCert", "tlsClientCert", "tlsClientKey"} // external scalers take any
	for _, names := range parameters {
		known = append(known, names...)
		if !slices.IsSorted(names) {
			t.Errorf("not sorted: %v", names)
		}
	}
	files, err := filepath.Glob("*.go")
	if err != nil {
		t.Fatal(err)
	}
	asks := regexp.MustCompile(`\.(?:get|want|number|target|yes|list|oneOf|refuse)\("(\w+)"`)
	n := 0
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if strings.HasSuffix(file, "_test.go") {
			continue
		}
		for _, m := range asks.FindAllStringSubmatch(string(text), -1) {
			if n++; !slices.Contains(known, m[1]) {
				t.Errorf("%s asks for %s, which is unknown", file, m[1])
			}
		}
	}
	if n < 50 {
		t.Errorf("only %d parameters are asked for: the pattern finds nothing", n)
	}
}

func TestTypesThatAreReadAreKEDAs(t *testing.T) {
	if !slices.IsSorted(KEDATypes) {
		t.Error("not sorted")
	}
	for _, kind := range scale.TriggerTypes {
		if !slices.Contains(KEDATypes, kind) {
			t.Errorf("KEDA has no %s", kind)
		}
		if Parameters(kind) == nil && !strings.HasPrefix(kind, "external") {
			t.Errorf("the parameters of %s are not known", kind)
		}
	}
}
