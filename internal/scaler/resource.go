package scaler

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/acalocal/acalocal/internal/container"
	"github.com/acalocal/acalocal/internal/scale"
)

// resource compares the processor or memory that the replicas use with what
// they asked for (keda.sh/docs/latest/scalers/cpu, memory).
type resource struct {
	p         params
	usage     func(context.Context, string, string) ([]Usage, error)
	container string  // "" is all of a replica together
	percent   bool    // the target is a percentage of the request
	target    float64 // percent, cores or bytes
	before    map[container.ID]container.Stats
}

func newResource(p params, o Options) (Scaler, error) {
	s := &resource{p: p, usage: o.Usage, container: p.get("containerName"), before: map[container.ID]container.Stats{}}
	if err := s.parse(); err != nil {
		return nil, fmt.Errorf("error parsing %s metadata: %w", p.Type, err)
	}
	return s, nil
}

func (s *resource) parse() (err error) {
	value, err := s.p.want("value", "value must be specified")
	if err != nil {
		return err
	}
	switch kind := s.kind(); kind {
	case "Utilization":
		s.percent = true
		s.target, err = s.p.target("value", 0)
	case "AverageValue":
		if s.target, err = quantity(value); err == nil && s.target <= 0 {
			err = errors.New("value must be greater than 0")
		}
		err = wrong("value", err)
	case "":
		err = wrong("metricType", errors.New("unknown metric type: , allowed values are 'Utilization' or 'AverageValue'"))
	default:
		err = wrong("metricType", fmt.Errorf("unknown metric type: %s, allowed values are 'Utilization' or 'AverageValue'", kind))
	}
	return err
}

func (s *resource) kind() string {
	if t := s.p.metricType(); t != "" {
		return t
	}
	return s.p.Metadata["type"]
}

// Warning is what KEDA says of the older name of a setting.
func (s *resource) Warning() string {
	if s.p.Metadata["type"] == "" {
		return ""
	}
	return "The 'type' setting is DEPRECATED and will be removed in v2.18 - Use 'metricType' instead."
}

// Read implements Scaler. Processor time needs two readings, so the first one
// has no answer, as on Azure while an app starts.
func (s *resource) Read(ctx context.Context) (scale.Sample, error) {
	if s.usage == nil {
		return scale.Sample{}, s.nothing()
	}
	all, err := s.usage(ctx, s.p.App, s.p.Revision)
	if err != nil {
		return scale.Sample{}, err
	}
	var used, asked float64
	replicas := 0
	seen := map[container.ID]container.Stats{}
	for _, u := range all {
		seen[u.ID] = u.Stats
		if s.container != "" && u.Container != s.container {
			continue
		}
		n, ok := s.of(u)
		if !ok {
			continue
		}
		used += n
		asked += s.asked(u)
		if s.container != "" || u.Container == all[0].Container {
			replicas++
		}
	}
	s.before = seen
	if replicas == 0 {
		return scale.Sample{}, s.nothing()
	}
	out := scale.Sample{Kind: scale.Utilization, Value: used / float64(replicas), Target: s.target, Over: replicas}
	if s.percent {
		if asked <= 0 {
			return scale.Sample{}, fmt.Errorf("failed to get %s utilization: missing request for %s", s.p.Type, s.p.Type)
		}
		out.Value = 100 * used / asked
	}
	return out, nil
}

// of is what one container uses: cores over the time since the reading before,
// or bytes.
func (s *resource) of(u Usage) (float64, bool) {
	if s.p.Type == "memory" {
		return float64(u.WorkingSet), true
	}
	before, ok := s.before[u.ID]
	if !ok {
		return 0, false
	}
	return Cores(before, u.Stats)
}

// Cores are the processors used on average between two readings of one
// container; ok is false when no time lies between them.
func Cores(before, now container.Stats) (cores float64, ok bool) {
	took := now.At.Sub(before.At)
	if took <= 0 || now.CPU < before.CPU {
		return 0, false
	}
	return float64(now.CPU-before.CPU) / float64(took), true
}

func (s *resource) asked(u Usage) float64 {
	if s.p.Type == "memory" {
		return float64(u.RequestMemory)
	}
	return u.RequestCPU
}

// nothing is the autoscaler's sentence about replicas without metrics.
func (s *resource) nothing() error {
	what := s.p.Type + " utilization"
	if !s.percent || s.p.Type == "memory" {
		what = s.p.Type + " usage"
	}
	return fmt.Errorf("failed to get %s: unable to get metrics for resource %s: no metrics returned from resource metrics API", what, s.p.Type)
}

// Close implements Scaler.
func (*resource) Close() error { return nil }

// quantity reads a number as Kubernetes writes it: 500m, 2, 512Mi, 1G.
func quantity(text string) (float64, error) {
	text = strings.TrimSpace(text)
	number := strings.TrimRight(text, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ")
	factor, ok := quantityUnits[text[len(number):]]
	n, err := strconv.ParseFloat(number, 64)
	if err != nil || !ok {
		return 0, fmt.Errorf("%q is not a quantity such as 500m or 512Mi", text)
	}
	return n * factor, nil
}

var quantityUnits = map[string]float64{
	"": 1, "m": 1e-3, "k": 1e3, "M": 1e6, "G": 1e9, "T": 1e12,
	"Ki": 1 << 10, "Mi": 1 << 20, "Gi": 1 << 30, "Ti": 1 << 40,
}
