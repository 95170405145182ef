package scaler

import (
	"context"
	"math"
	"net"
	"strings"
	"testing"

	"google.golang.org/grpc"

	"github.com/acalocal/acalocal/internal/scale"
	pb "github.com/acalocal/acalocal/internal/scaler/externalscaler"
)

// own is a user's scaler.
type own struct {
	pb.UnimplementedExternalScalerServer
	active bool
	specs  []*pb.MetricSpec
	values map[string]*pb.MetricValue
	ref    *pb.ScaledObjectRef
	wake   chan bool
}

func (s *own) IsActive(_ context.Context, ref *pb.ScaledObjectRef) (*pb.IsActiveResponse, error) {
	s.ref = ref
	return &pb.IsActiveResponse{Result: s.active}, nil
}

func (s *own) GetMetricSpec(context.Context, *pb.ScaledObjectRef) (*pb.GetMetricSpecResponse, error) {
	return &pb.GetMetricSpecResponse{MetricSpecs: s.specs}, nil
}

func (s *own) GetMetrics(_ context.Context, r *pb.GetMetricsRequest) (*pb.GetMetricsResponse, error) {
	return &pb.GetMetricsResponse{MetricValues: []*pb.MetricValue{s.values[r.MetricName]}}, nil
}

func (s *own) StreamIsActive(_ *pb.ScaledObjectRef, stream grpc.ServerStreamingServer[pb.IsActiveResponse]) error {
	for {
		select {
		case active := <-s.wake:
			if err := stream.Send(&pb.IsActiveResponse{Result: active}); err != nil {
				return err
			}
		case <-stream.Context().Done():
			return nil
		}
	}
}

func serveOwn(t *testing.T, s *own) string {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	srv := grpc.NewServer()
	pb.RegisterExternalScalerServer(srv, s)
	done := make(chan error, 1)
	go func() { done <- srv.Serve(l) }()
	t.Cleanup(func() { srv.Stop(); <-done })
	return l.Addr().String()
}

func TestExternal(t *testing.T) {
	s := &own{active: true,
		specs:  []*pb.MetricSpec{{MetricName: "small", TargetSize: 10}, {MetricName: "large", TargetSizeFloat: 0.5}},
		values: map[string]*pb.MetricValue{"small": {MetricValue: 20}, "large": {MetricValueFloat: 3.5}}}
	addr := serveOwn(t, s)
	var names []string
	rule := trigger("external", "scalerAddress=scaler:9090", "longitude=1", "keyFromEnv=K", "env:K=v")
	wantSample(t, Options{Dial: to(addr, &names)}, rule, scale.Sample{Kind: scale.Average, Value: 3.5, Target: 0.5, Active: true, Activation: math.Inf(1)})
	if s.ref.Name != "web--1" || s.ref.ScalerMetadata["longitude"] != "1" || s.ref.ScalerMetadata["keyFromEnv"] != "v" {
		t.Errorf("the scaler was asked about %v", s.ref)
	}
	if len(names) == 0 || names[0] != "scaler:9090" {
		t.Errorf("dialled %v", names)
	}
	s.specs = []*pb.MetricSpec{{MetricName: "small"}}
	if _, err := read(t, Options{Dial: to(addr, nil)}, rule); err == nil || err.Error() != "external scaler: the target of metric small is not above 0" {
		t.Errorf("without a target: %v", err)
	}
}

// An external-push scaler is read again when its stream says that it is active.
func TestExternalPushIsReadWhenItBecomesActive(t *testing.T) {
	s := &own{specs: []*pb.MetricSpec{{MetricName: "m", TargetSize: 1}}, values: map[string]*pb.MetricValue{"m": {MetricValue: 4}}, wake: make(chan bool)}
	rule := trigger("external-push", "scalerAddress="+serveOwn(t, s))
	rule.Interval = scale.Window // never in this test
	reports := make(chan scale.TriggerReport, 8)
	run(t, Options{}, reports, rule)
	if r := <-reports; r.Err != "" || r.Sample.Active {
		t.Fatalf("first %+v", r)
	}
	s.wake <- false
	s.active = true
	s.wake <- true
	if r := <-reports; r.Err != "" || !r.Sample.Active || r.Sample.Value != 4 {
		t.Errorf("when it became active %+v", r)
	}
}

func TestExternalThatIsAway(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	l.Close()
	_, err = read(t, Options{}, trigger("external", "scalerAddress="+l.Addr().String()))
	if err == nil || !strings.Contains(err.Error(), "error calling GetMetricSpec on external scaler") || !strings.Contains(err.Error(), "connection refused") {
		t.Errorf("error %v", err)
	}
}
