package scaler

import (
	"context"
	"maps"
	"net"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/acalocal/acalocal/internal/scale"
)

// trigger is one of a type, with parameters as "name=value" parts.
func trigger(kind string, parts ...string) scale.Trigger {
	t := scale.Trigger{
		TriggerKey: scale.TriggerKey{App: "web", Revision: "web--1", Rule: "r"},
		Type:       kind, Interval: 30 * time.Second,
		Metadata: map[string]string{}, Auth: map[string]string{}, Env: map[string]string{},
	}
	for _, part := range parts {
		name, value, _ := strings.Cut(part, "=")
		switch {
		case strings.HasPrefix(name, "auth:"):
			t.Auth[name[5:]] = value
		case strings.HasPrefix(name, "env:"):
			t.Env[name[4:]] = value
		default:
			t.Metadata[name] = value
		}
	}
	return t
}

// read makes a scaler and reads it once.
func read(t *testing.T, o Options, tr scale.Trigger) (scale.Sample, error) {
	t.Helper()
	s, err := New(tr, o)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	return s.Read(ctx)
}

// wantSample reads a trigger and compares.
func wantSample(t *testing.T, o Options, tr scale.Trigger, want scale.Sample) {
	t.Helper()
	got, err := read(t, o, tr)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("sample (-want +got):\n%s", diff)
	}
}

// to is a dialer that reaches one server, whatever the name, and notes the
// names.
func to(addr string, names *[]string) func(context.Context, string, string) (net.Conn, error) {
	return func(ctx context.Context, network, name string) (net.Conn, error) {
		if names != nil {
			*names = append(*names, name)
		}
		var d net.Dialer
		return d.DialContext(ctx, network, addr)
	}
}

// Mistakes in parameters, in the words of the log rows on Azure where they were
// captured (azureossd.github.io, 2024-08-23, KEDA scaling).
func TestMistakesInParameters(t *testing.T) {
	const conn = "connection=AccountName=a;AccountKey=a2V5"
	for _, c := range []struct {
		trigger scale.Trigger
		want    string
	}{
		{trigger("azure-queue", "queueName=q"), "error parsing azure queue metadata: no connection setting given"},
		{trigger("azure-servicebus", "queueName=q"), "error parsing azure service bus metadata: no connection setting given"},
		{trigger("cron", "end=0 9 * * *", "timezone=Etc/UTC", "desiredReplicas=3"), "error parsing cron metadata: no start schedule specified."},
		{trigger("azure-pipelines"), "no scaler found for type: azure-pipelines"},
		{trigger("azure-queue", conn), "error parsing azure queue metadata: no queueName given"},
		{trigger("azure-queue", "queueName=q", conn, "queueLength=0"), "error parsing azure queue metadata: queueLength must be greater than 0"},
		{trigger("azure-queue", "queueName=q", conn, "queueLength=many"), `error parsing azure queue metadata: error parsing queueLength: "many" is not a number`},
		{trigger("azure-queue", "queueName=q", conn, "queueLengthStrategy=some"), `error parsing azure queue metadata: queueLengthStrategy must be one of all, visibleonly, not "some"`},
		{trigger("azure-queue", "queueName=q", "connection=secret"), "error parsing azure queue metadata: the connection string is not made of name=value parts"},
		{trigger("azure-servicebus", "queueName=q", "topicName=t"), "error parsing azure service bus metadata: both topic and queue name metadata provided"},
		{trigger("azure-servicebus", "topicName=t"), "error parsing azure service bus metadata: no subscription name provided with topic name"},
		{trigger("azure-servicebus"), "error parsing azure service bus metadata: no service bus entity type set"},
		{trigger("cron", "start=0 8 * * *", "end=0 8 * * *", "timezone=Etc/UTC", "desiredReplicas=3"), "error parsing cron metadata: error parsing schedule. start and end can not have exactly same time input"},
		{trigger("cron", "start=x", "end=0 8 * * *", "timezone=Etc/UTC", "desiredReplicas=3"), "error parsing cron metadata: error parsing start schedule: expected exactly 5 fields, found 1: [x]"},
		{trigger("redis", "address=r:6379"), "error parsing redis metadata: no list name given"},
		{trigger("redis", "listName=l"), "error parsing redis metadata: no addresses or hosts given. address should be a comma separated list of host:port or set the host/port values"},
		{trigger("redis-streams", "address=r:6379"), "error parsing redis metadata: no stream given"},
		{trigger("rabbitmq", "queueName=q"), "error parsing RabbitMQ metadata: no host setting given"},
		{trigger("rabbitmq", "queueName=q", "host=amqp://r", "mode=MessageRate", "value=5"), "error parsing RabbitMQ metadata: protocol amqp not supported; must be HTTP to use trigger mode MessageRate"},
		{trigger("rabbitmq", "queueName=q", "host=r:5672"), "error parsing RabbitMQ metadata: unknown host URL scheme: `r`"},
		{trigger("rabbitmq", "queueName=q", "host=http://r", "queueLength=5", "mode=QueueLength"), "error parsing RabbitMQ metadata: queueLength is deprecated; use mode and value"},
		{trigger("kafka", "consumerGroup=g"), "error parsing kafka metadata: no bootstrapServers given"},
		{trigger("kafka", "bootstrapServers=k:9092"), "error parsing kafka metadata: no consumer group given"},
		{trigger("kafka", "bootstrapServers=k:9092", "consumerGroup=g", "sasl=gssapi", "username=u", "password=p"), "error parsing kafka metadata: sasl gssapi is not emulated"},
		{trigger("kafka", "bootstrapServers=k:9092", "consumerGroup=g", "topic=t", "partitionLimitation=1,x"), "error parsing kafka metadata: invalid partition limitation: x"},
		{trigger("postgresql", "targetQueryValue=5"), "error parsing postgreSQL metadata: no query given"},
		{trigger("postgresql", "query=SELECT 1"), "error parsing postgreSQL metadata: no targetQueryValue given"},
		{trigger("postgresql", "query=SELECT 1", "targetQueryValue=5", "host=h"), "error parsing postgreSQL metadata: no port given"},
		{trigger("prometheus", "query=up", "threshold=1"), "error parsing prometheus metadata: no serverAddress given"},
		{trigger("prometheus", "serverAddress=http://p", "query=up"), "error parsing prometheus metadata: no threshold given"},
		{trigger("external"), "error parsing external scaler metadata: scaler Address is required"},
		{trigger("cpu", "value=60"), "error parsing cpu metadata: unknown metric type: , allowed values are 'Utilization' or 'AverageValue'"},
		{trigger("cpu", "type=Utilization"), "error parsing cpu metadata: value must be specified"},
		{trigger("memory", "metricType=AverageValue", "value=much"), `error parsing memory metadata: "much" is not a quantity such as 500m or 512Mi`},
	} {
		t.Run(c.trigger.Type+" "+c.want, func(t *testing.T) {
			s, err := New(c.trigger, Options{})
			if err == nil {
				s.Close()
				t.Fatal("no error")
			}
			if err.Error() != c.want {
				t.Errorf("got  %s\nwant %s", err, c.want)
			}
		})
	}
}

func TestTypesAreThoseTheDriftReportKnows(t *testing.T) {
	if diff := cmp.Diff(scale.TriggerTypes, slices.Sorted(maps.Keys(makers))); diff != "" {
		t.Errorf("scale.TriggerTypes and the scalers differ (-listed +made):\n%s", diff)
	}
}

func TestParametersComeFromSecretsMetadataAndTheFirstContainersVariables(t *testing.T) {
	p := params{trigger("redis", "a=1", "bFromEnv=B", "c=3", "auth:c=secret", "env:B=2")}
	for name, want := range map[string]string{"a": "1", "b": "2", "c": "secret", "d": ""} {
		if got := p.get(name); got != want {
			t.Errorf("%s is %q, want %q", name, got, want)
		}
	}
}

func TestErrorsShowNoSecrets(t *testing.T) {
	tr := trigger("rabbitmq", "hostFromEnv=HOST", "auth:password=hunter22", "env:HOST=amqp://u:p@r", "env:OTHER=plain")
	got := hide(tr, "dial amqp://u:p@r with hunter22: http://me:it@x/plain")
	if want := "dial *** with ***: http://***@x/plain"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

// A working day in Berlin, in winter and in summer.
func TestCron(t *testing.T) {
	rule := trigger("cron", "start=0 8 * * 1-5", "end=0 18 * * 1-5", "timezone=Europe/Berlin", "desiredReplicas=5")
	for at, inside := range map[string]bool{
		"2026-01-07T06:59:59Z": false,
		"2026-01-07T07:00:01Z": true,
		"2026-01-07T16:59:59Z": true,
		"2026-01-07T17:00:01Z": false,
		"2026-07-08T06:00:01Z": true,
		"2026-07-08T16:00:01Z": false,
		"2026-01-10T12:00:00Z": false, // Saturday
	} {
		now, err := time.Parse(time.RFC3339, at)
		if err != nil {
			t.Fatal(err)
		}
		want := scale.Sample{Kind: scale.Average, Target: 1}
		if inside {
			want.Value, want.Active = 5, true
		}
		t.Run(at, func(t *testing.T) {
			wantSample(t, Options{Now: func() time.Time { return now }}, rule, want)
		})
	}
}
