package scaler

import (
	"errors"
	"maps"
	"slices"

	"github.com/acalocal/acalocal/internal/scale"
)

// Mistake is why New refuses a trigger.
type Mistake struct {
	// Parameter is what is wrong or missing, "" when it is not one alone.
	Parameter string
	// Text is that of the row in the system log, without the values of secrets.
	Text string
	// NotEmulated says that only acalocal refuses it: Azure takes it.
	NotEmulated bool
}

// Check says what New would refuse, nil for nothing. Unknown are parameters
// that are given, with a value that is not known here, such as that of a secret
// in a key vault: they are taken for right. It connects to nothing.
func Check(t scale.Trigger, unknown ...string) *Mistake {
	s, err := New(withStandIns(t, unknown), Options{})
	if err == nil {
		_ = s.Close() // it was never used
		return nil
	}
	m := &Mistake{Text: hide(t, err.Error())}
	var p *parameterError
	if errors.As(err, &p) {
		m.Parameter = p.name
	}
	var n notEmulated
	m.NotEmulated = errors.As(err, &n)
	return m
}

// standIns are values that can be read, for parameters of which a text is not
// enough.
var standIns = map[string]map[string]string{
	"azure-queue":      {"connection": "AccountName=a;AccountKey=a2V5"},
	"azure-servicebus": {"connection": "Endpoint=sb://a/;SharedAccessKeyName=a;SharedAccessKey=a"},
	"kafka":            {"sasl": "plaintext", "tls": "disable"},
	"postgresql":       {"connection": "host=a", "sslmode": "disable"},
	"prometheus":       {"authModes": "bearer"},
	"rabbitmq":         {"host": "http://a", "protocol": "auto"},
}

// withStandIns puts something in the place of what is not known. What TLS is
// made of is left out: all of it is there, or none.
func withStandIns(t scale.Trigger, unknown []string) scale.Trigger {
	if len(unknown) == 0 {
		return t
	}
	t.Auth = maps.Clone(t.Auth)
	if t.Auth == nil {
		t.Auth = map[string]string{}
	}
	certificates := []string{"ca", "cert", "key", "caCert", "tlsClientCert", "tlsClientKey"}
	for _, name := range unknown {
		if slices.Contains(certificates, name) {
			for _, part := range certificates {
				delete(t.Auth, part)
			}
			continue
		}
		value, ok := standIns[t.Type][name]
		if !ok {
			value = "1" // is a number, too
		}
		t.Auth[name] = value
	}
	return t
}

// KEDATypes are the scalers KEDA has, sorted; those of scale.TriggerTypes are
// read here (github.com/kedacore/keda, schema/generated/scalers-schema.json, as
// of August 2026).
var KEDATypes = []string{
	"activemq", "apache-kafka", "arangodb", "artemis-queue", "aws-cloudwatch", "aws-dynamodb", "aws-dynamodb-streams", "aws-kinesis-stream",
	"aws-sqs-queue", "azure-app-insights", "azure-blob", "azure-data-explorer", "azure-eventhub", "azure-log-analytics", "azure-monitor",
	"azure-pipelines", "azure-queue", "azure-servicebus", "beanstalkd", "cassandra", "clickhouse", "couchdb", "cpu", "cron", "datadog",
	"dynatrace", "elastic-forecast", "elasticsearch", "etcd", "external", "external-push", "forgejo-runner", "gcp-cloudtasks", "gcp-pubsub",
	"gcp-spanner", "gcp-stackdriver", "gcp-storage", "github-runner", "graphite", "huawei-cloudeye", "ibmmq", "influxdb", "kafka",
	"kubernetes-resource", "kubernetes-workload", "liiklus", "loki", "memory", "metrics-api", "mongodb", "mssql", "mysql", "nats-jetstream",
	"new-relic", "nsq", "opensearch", "openstack-metric", "openstack-swift", "postgresql", "predictkube", "prometheus", "pulsar", "rabbitmq",
	"redis", "redis-cluster", "redis-cluster-streams", "redis-sentinel", "redis-sentinel-streams", "redis-streams", "selenium-grid",
	"solace-direct-messaging", "solace-event-queue", "solarwinds", "solr", "splunk", "splunk-observability", "stan", "sumologic", "temporal",
}

// Parameters are the names a scaler of KEDA's takes, in metadata or from
// secrets, without the ending FromEnv; nil when any is taken, or the scaler is
// not read here. The caller must not change it.
func Parameters(kind string) []string { return parameters[kind] }

// parameters are those of the schema KEDATypes names, of the documentation of
// the scalers, and older ones that KEDA drops in silence but once wanted.
var parameters = map[string][]string{
	"azure-queue": {"accountName", "activationQueueLength", "cloud", "connection", "endpointSuffix", "metricType", "queueLength",
		"queueLengthStrategy", "queueName"},
	"azure-servicebus": {"activationMessageCount", "cloud", "connection", "endpointSuffix", "messageCount", "metricType", "namespace",
		"operation", "queueName", "subscriptionName", "topicName", "useRegex"},
	"cpu":  {"containerName", "metricType", "type", "value"},
	"cron": {"desiredReplicas", "end", "metricType", "start", "timezone"},
	"kafka": {"activationLagThreshold", "allowIdleConsumers", "awsRegion", "bootstrapServers", "ca", "cert", "consumerGroup",
		"ensureEvenDistributionOfPartitions", "excludePersistentLag", "fullMetadata", "kerberosConfig", "kerberosDisableFAST",
		"kerberosServiceName", "key", "keyPassword", "keytab", "lagThreshold", "limitToPartitionsWithLag", "metricType", "oauthExtensions",
		"oauthTokenEndpointUri", "offsetResetPolicy", "partitionLimitation", "password", "realm", "sasl", "saslTokenProvider",
		"scaleToZeroOnInvalidOffset", "scopes", "tls", "topic", "unsafeSsl", "username", "version"},
	"memory": {"containerName", "metricType", "type", "value"},
	"postgresql": {"activationTargetQueryValue", "connection", "dbName", "host", "metricName", "metricType", "password", "port", "query",
		"sslmode", "targetQueryValue", "userName"},
	"prometheus": {"activationThreshold", "authModes", "awsRegion", "bearerToken", "ca", "cert", "cortexOrgID", "customAuthHeader",
		"customAuthValue", "customHeaders", "identityOwner", "ignoreNullValues", "key", "metricName", "metricType", "namespace", "password",
		"query", "queryParameters", "serverAddress", "threshold", "timeout", "tls", "unsafeSsl", "username"},
	"rabbitmq": {"activationValue", "ca", "cert", "clientId", "excludeUnacknowledged", "host", "key", "keyPassword", "metricName",
		"metricType", "mode", "operation", "pageSize", "password", "protocol", "queueLength", "queueName", "timeout", "tls", "unsafeSsl",
		"useRegex", "username", "value", "vhostName", "workloadIdentityResource"},
	"redis": {"activationListLength", "address", "addresses", "ca", "cert", "databaseIndex", "enableTLS", "host", "hosts", "key",
		"keyPassword", "listLength", "listName", "metricType", "password", "port", "ports", "sentinelMaster", "sentinelPassword",
		"sentinelUsername", "tls", "unsafeSsl", "username"},
	"redis-streams": {"activationLagCount", "address", "addresses", "ca", "cert", "consumerGroup", "databaseIndex", "enableTLS", "host",
		"hosts", "key", "keyPassword", "lagCount", "metricType", "password", "pendingEntriesCount", "port", "ports", "sentinelMaster",
		"sentinelPassword", "sentinelUsername", "stream", "streamLength", "tls", "unsafeSsl", "username"},
}
