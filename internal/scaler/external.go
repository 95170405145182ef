package scaler

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"maps"
	"math"
	"net"
	"strings"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/credentials/insecure"

	"github.com/acalocal/acalocal/internal/scale"
	pb "github.com/acalocal/acalocal/internal/scaler/externalscaler"
)

// external asks a scaler of the user's own, over gRPC
// (keda.sh/docs/latest/concepts/external-scalers).
type external struct {
	conn *grpc.ClientConn
	rpc  pb.ExternalScalerClient
	ref  *pb.ScaledObjectRef
	p    params
}

func newExternal(p params, o Options) (Scaler, error) {
	s, err := makeExternal(p, o)
	if err != nil {
		return nil, fmt.Errorf("error parsing external scaler metadata: %w", err)
	}
	return s, nil
}

func makeExternal(p params, o Options) (*external, error) {
	address, err1 := p.want("scalerAddress", "scaler Address is required")
	withTLS, err2 := p.yes("enableTLS")
	if err := all(err1, err2); err != nil {
		return nil, err
	}
	creds := insecure.NewCredentials()
	if withTLS || p.get("caCert") != "" || p.get("tlsClientCert") != "" {
		config, err := p.renamed(map[string]string{"ca": "caCert", "cert": "tlsClientCert", "key": "tlsClientKey"}).tls()
		if err != nil {
			return nil, err
		}
		config.MinVersion = tls.VersionTLS12
		creds = credentials.NewTLS(config)
	}
	conn, err := grpc.NewClient("passthrough:///"+address, grpc.WithTransportCredentials(creds),
		grpc.WithContextDialer(func(ctx context.Context, addr string) (net.Conn, error) { return o.Dial(ctx, "tcp", addr) }))
	if err != nil {
		return nil, err
	}
	return &external{
		conn: conn, rpc: pb.NewExternalScalerClient(conn), p: p,
		ref: &pb.ScaledObjectRef{Name: p.Revision, Namespace: "k8se-apps", ScalerMetadata: p.resolved()},
	}, nil
}

// renamed are the parameters under other names.
func (p params) renamed(names map[string]string) params {
	auth := maps.Clone(p.Auth)
	if auth == nil {
		auth = map[string]string{}
	}
	for to, from := range names {
		auth[to] = p.get(from)
	}
	p.Auth = auth
	return p
}

// resolved is the metadata a user's scaler gets, with the variables that
// FromEnv names put in.
func (p params) resolved() map[string]string {
	out := map[string]string{}
	for key, value := range p.Metadata {
		if strings.HasSuffix(key, "FromEnv") {
			if value = p.Env[value]; value == "" {
				continue
			}
		}
		out[key] = value
	}
	return out
}

// Read implements Scaler. Of several metrics the one that asks for the most
// counts.
func (s *external) Read(ctx context.Context) (scale.Sample, error) {
	specs, err := s.rpc.GetMetricSpec(ctx, s.ref)
	if err != nil {
		return scale.Sample{}, fmt.Errorf("error calling GetMetricSpec on external scaler: %w", err)
	}
	out, err := s.most(ctx, specs.GetMetricSpecs())
	if err != nil {
		return scale.Sample{}, err
	}
	active, err := s.rpc.IsActive(ctx, s.ref)
	if err != nil {
		return scale.Sample{}, fmt.Errorf("error calling IsActive on external scaler: %w", err)
	}
	out.Active = active.GetResult()
	return out, nil
}

func (s *external) most(ctx context.Context, specs []*pb.MetricSpec) (scale.Sample, error) {
	// The scaler says itself whether it is active, whatever the value is.
	best := average(0, 1, math.Inf(1), s.p)
	for _, spec := range specs {
		target := spec.GetTargetSizeFloat()
		if target <= 0 {
			target = float64(spec.GetTargetSize())
		}
		if target <= 0 {
			return best, errors.New("external scaler: the target of metric " + spec.GetMetricName() + " is not above 0")
		}
		answer, err := s.rpc.GetMetrics(ctx, &pb.GetMetricsRequest{ScaledObjectRef: s.ref, MetricName: spec.GetMetricName()})
		if err != nil {
			return best, fmt.Errorf("error calling GetMetrics on external scaler: %w", err)
		}
		for _, v := range answer.GetMetricValues() {
			value := v.GetMetricValueFloat()
			if value <= 0 {
				value = float64(v.GetMetricValue())
			}
			if value/target > best.Value/best.Target {
				best.Value, best.Target = value, target
			}
		}
	}
	return best, nil
}

// Close implements Scaler.
func (s *external) Close() error { return s.conn.Close() }

// externalPush is an external scaler that also tells by itself when it becomes
// active, on a stream.
type externalPush struct{ *external }

func newExternalPush(p params, o Options) (Scaler, error) {
	s, err := makeExternal(p, o)
	if err != nil {
		return nil, fmt.Errorf("error parsing external scaler metadata: %w", err)
	}
	return externalPush{s}, nil
}

// Push implements pusher. A stream that breaks is opened again, after two
// seconds and then twice as long each time, up to a minute, as KEDA does.
func (s externalPush) Push(ctx context.Context, active func()) {
	for delay := 2 * time.Second; ctx.Err() == nil; delay = min(2*delay, time.Minute) {
		if s.stream(ctx, active) {
			delay = 2 * time.Second
		}
		select {
		case <-time.After(delay):
		case <-ctx.Done():
		}
	}
}

// stream reads one stream to its end and says whether anything came.
func (s externalPush) stream(ctx context.Context, active func()) (came bool) {
	stream, err := s.rpc.StreamIsActive(ctx, s.ref)
	for err == nil {
		var answer *pb.IsActiveResponse
		if answer, err = stream.Recv(); err == nil {
			came = true
			if answer.GetResult() {
				active()
			}
		}
	}
	return came
}
