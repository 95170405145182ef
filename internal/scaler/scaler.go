// Package scaler reads the metrics of scale rules that the edge does not know:
// the length of a queue, the lag of a consumer, the answer to a query. A rule
// names its scaler, and the scaler's parameters, as KEDA does.
//
//	trigger (type, metadata, secrets, variables) ─New▶ Scaler ─Read▶ scale.Sample
//
// What is read here is scale.TriggerTypes; everything else KEDA knows is not
// emulated. Parameters, defaults and texts of errors are those of
// keda.sh/docs/latest/scalers and of the scalers' sources in
// github.com/kedacore/keda.
package scaler

import (
	"context"
	"crypto/tls"
	"net"
	"net/http"
	"time"

	"github.com/acalocal/acalocal/internal/container"
	"github.com/acalocal/acalocal/internal/scale"
)

// Scaler reads one metric. Its methods are not called concurrently.
type Scaler interface {
	// Read returns the metric now, with its target. Its Rule is left empty.
	Read(ctx context.Context) (scale.Sample, error)
	// Close gives back what the scaler holds.
	Close() error
}

// pusher is a scaler that also says by itself when it becomes active. Push
// calls active until ctx is done, beside Read.
type pusher interface {
	Push(ctx context.Context, active func())
}

// Options are how scalers reach what they read.
type Options struct {
	// Dial connects to an address as a replica would; nil dials from here.
	Dial func(ctx context.Context, network, addr string) (net.Conn, error)
	// Usage is what the replicas of a revision use; nil knows nothing.
	Usage func(ctx context.Context, app, revision string) ([]Usage, error)
	// Now is the time cron rules go by; nil is time.Now.
	Now func() time.Time
}

// Usage is what one running container uses, and what it asked for.
type Usage struct {
	Container string // its name in the template
	ID        container.ID
	container.Stats
	// RequestCPU is in cores, RequestMemory in bytes.
	RequestCPU    float64
	RequestMemory int64
}

// maker makes a scaler of a trigger, or says what is wrong with its
// parameters.
type maker func(p params, o Options) (Scaler, error)

// makers are the scalers by KEDA's names.
var makers = map[string]maker{
	"azure-queue":      newAzureQueue,
	"azure-servicebus": newServiceBus,
	"cpu":              newResource,
	"cron":             newCron,
	"external":         newExternal,
	"external-push":    newExternalPush,
	"kafka":            newKafka,
	"memory":           newResource,
	"postgresql":       newPostgreSQL,
	"prometheus":       newPrometheus,
	"rabbitmq":         newRabbitMQ,
	"redis":            newRedis,
	"redis-streams":    newRedisStreams,
}

// New returns the scaler of a trigger. It connects to nothing yet.
func New(t scale.Trigger, o Options) (Scaler, error) {
	if o.Dial == nil {
		var d net.Dialer
		o.Dial = d.DialContext
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	return build(params{t}, o)
}

// httpClient is a client of one scaler. It keeps no connection between two
// readings: half a minute later most servers have closed it.
func (o Options) httpClient(unsafe bool) *http.Client {
	return &http.Client{Transport: &http.Transport{
		Proxy:             http.ProxyFromEnvironment,
		DialContext:       o.Dial,
		DisableKeepAlives: true,
		TLSClientConfig:   &tls.Config{InsecureSkipVerify: unsafe}, // as the rule's unsafeSsl asks for
	}}
}

// average is the sample most scalers return: the whole metric over a target per
// replica.
func average(value, target, activation float64, p params) scale.Sample {
	kind := scale.Average
	if p.metricType() == "Value" {
		kind = scale.Value
	}
	return scale.Sample{Kind: kind, Value: value, Target: target, Activation: activation}
}
