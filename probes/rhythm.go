package probes

import "time"

// rhythm says when a probe is due. Its ticks are anchored at the start of the
// container, as captures of Azure show; kubelet's are anchored at the start of
// the replica and survive a restart.
type rhythm struct {
	anchor        time.Time // with a monotonic reading, so a jump of the wall clock moves nothing
	period, delay time.Duration
}

// grain is what container starts are rounded up to, so that the ticks of many
// probes share one wake-up of the process: with a thousand probes a second that
// is most of their cost. The rows of one probe stay exactly a period apart.
const grain = 10 * time.Millisecond

// newRhythm anchors t's ticks. now must come from time.Now; a start in the
// future (the engine's clock runs ahead of ours) counts as now.
func newRhythm(t Target, now time.Time) rhythm {
	start := t.StartedAt.Round(0).Add(grain - 1).Truncate(grain)
	age := max(now.Round(0).Sub(start), 0)
	return rhythm{anchor: now.Add(-age), period: max(t.Period, time.Millisecond), delay: t.Delay}
}

// first returns when a probe that may begin now makes its first attempt: at
// once when the container is old enough, else on the first tick at which it is.
func (r rhythm) first(now time.Time) time.Time {
	if now.Sub(r.anchor) >= r.delay {
		return now
	}
	return r.tickFrom(r.anchor.Add(r.delay))
}

// next returns the tick after an attempt that began at begin and ended at end.
// Ticks that fell between the two are dropped, never caught up.
func (r rhythm) next(begin, end time.Time) time.Time {
	tick := r.tickFrom(end)
	if !tick.After(begin) {
		tick = tick.Add(r.period)
	}
	return tick
}

// tickFrom returns the first tick that is not before at.
func (r rhythm) tickFrom(at time.Time) time.Time {
	n := (at.Sub(r.anchor) + r.period - 1) / r.period
	return r.anchor.Add(n * r.period)
}
