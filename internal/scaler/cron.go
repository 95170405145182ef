package scaler

import (
	"context"
	"errors"
	"fmt"
	"time"
	_ "time/tzdata" // rules name time zones, and not every machine has them

	"github.com/robfig/cron/v3"

	"github.com/acalocal/acalocal/internal/scale"
)

// cronScaler wants a number of replicas between two points of a schedule
// (keda.sh/docs/latest/scalers/cron).
type cronScaler struct {
	start, end cron.Schedule
	zone       *time.Location
	replicas   float64
	now        func() time.Time
	p          params
}

func newCron(p params, o Options) (Scaler, error) {
	s := &cronScaler{now: o.Now, p: p}
	if err := s.parse(); err != nil {
		return nil, fmt.Errorf("error parsing cron metadata: %w", err)
	}
	return s, nil
}

func (s *cronScaler) parse() error {
	start, err1 := s.p.want("start", "no start schedule specified.")
	end, err2 := s.p.want("end", "no end schedule specified.")
	zone, err3 := s.p.want("timezone", "no timezone specified.")
	_, err4 := s.p.want("desiredReplicas", "no DesiredReplicas specified.")
	if err := all(err3, err1, err2, err4); err != nil {
		if err1 != nil {
			return err1 // what is captured names the start first
		}
		return err
	}
	if start == end {
		return wrong("end", errors.New("error parsing schedule. start and end can not have exactly same time input"))
	}
	parser := cron.NewParser(cron.Minute | cron.Hour | cron.Dom | cron.Month | cron.Dow)
	var err error
	if s.start, err = parser.Parse(start); err != nil {
		return wrong("start", fmt.Errorf("error parsing start schedule: %w", err))
	}
	if s.end, err = parser.Parse(end); err != nil {
		return wrong("end", fmt.Errorf("error parsing end schedule: %w", err))
	}
	if s.zone, err = time.LoadLocation(zone); err != nil {
		return wrong("timezone", fmt.Errorf("unable to load timezone: %w", err))
	}
	s.replicas, err = s.p.target("desiredReplicas", 0)
	return err
}

// Read implements Scaler. The time is between start and end when the next end
// comes before the next start.
func (s *cronScaler) Read(context.Context) (scale.Sample, error) {
	now := s.now().In(s.zone)
	out := average(0, 1, 0, s.p)
	if s.end.Next(now).Before(s.start.Next(now)) {
		out.Value, out.Active = s.replicas, true
	}
	return out, nil
}

// Close implements Scaler.
func (*cronScaler) Close() error { return nil }
