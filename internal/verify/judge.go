package verify

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"
)

// Step is one change that was made under load.
type Step struct {
	Name       string    `json:"name"`  // the revision it made or restarted
	Begin, End time.Time `json:"-"`     // End is when it served, or was given up
	Err        string    `json:"error"` // why it did not succeed, "" otherwise
}

// Event is one row of the platform's log.
type Event struct {
	Time     time.Time
	Revision string
	Replica  string
	Reason   string
	Text     string
}

// Settings are the user's settings that let changes lose requests.
type Settings struct {
	Readiness bool          // a readiness probe is written
	Grace     time.Duration // between SIGTERM and SIGKILL
	// Killed says that containers had to be killed when the grace was over.
	Killed bool
	// Slow is the time from which on a request is called slow.
	Slow time.Duration
}

// Finding is a request that was lost or slow, with what explains it.
type Finding struct {
	Time   time.Time `json:"time"`
	Took   string    `json:"took"`
	Fresh  bool      `json:"freshConnection"`
	Status int       `json:"status,omitempty"`
	Error  string    `json:"error,omitempty"`
	Step   string    `json:"step,omitempty"`  // the change under way
	Event  string    `json:"event,omitempty"` // the nearest row before it
}

// Report is what a verification has found.
type Report struct {
	App      string    `json:"app"`
	Requests int       `json:"requests"`
	Lost     int       `json:"lost"`
	NotSent  int       `json:"notSent"` // of the lost; they are in no Times and no Findings
	Slow     int       `json:"slow"`
	Steps    int       `json:"steps"`
	Failed   []string  `json:"failedSteps,omitempty"`
	Rest     Times     `json:"atRest"`
	During   Times     `json:"duringChanges"`
	Findings []Finding `json:"findings,omitempty"` // the lost first, at most maxFindings
	Causes   []string  `json:"causes,omitempty"`
}

// Times are percentiles of what requests took, in milliseconds.
type Times struct {
	Requests int     `json:"requests"`
	P50      float64 `json:"p50ms"`
	P99      float64 `json:"p99ms"`
	Max      float64 `json:"maxms"`
}

// OK says that nothing was lost and every change succeeded.
func (r Report) OK() bool { return r.Lost == 0 && len(r.Failed) == 0 }

const maxFindings = 100

// Judge brings together what happened. Events and steps are in order of time.
func Judge(app string, samples []Sample, steps []Step, events []Event, s Settings) Report {
	r := Report{App: app, Requests: len(samples), Steps: len(steps)}
	var rest, during []time.Duration
	for _, sample := range samples {
		if sample.NotSent {
			r.Lost++
			r.NotSent++
			continue
		}
		step := stepAt(steps, sample)
		if step != "" {
			during = append(during, sample.Took)
		} else {
			rest = append(rest, sample.Took)
		}
		slow := s.Slow > 0 && sample.Took >= s.Slow
		switch {
		case sample.Failed():
			r.Lost++
		case slow:
			r.Slow++
		default:
			continue
		}
		r.Findings = append(r.Findings, finding(sample, step, events))
	}
	slices.SortStableFunc(r.Findings, func(a, b Finding) int { return cmp.Compare(lostFirst(a), lostFirst(b)) })
	r.Findings = r.Findings[:min(len(r.Findings), maxFindings)]
	r.Rest, r.During = timesOf(rest), timesOf(during)
	for _, step := range steps {
		if step.Err != "" {
			r.Failed = append(r.Failed, step.Name+": "+step.Err)
		}
	}
	if r.Lost > 0 || r.Slow > 0 {
		r.Causes = causes(r.Findings, s)
	}
	if r.NotSent > 0 {
		r.Causes = append(r.Causes, fmt.Sprintf("%d of the lost requests were %s: the app answers more slowly than they come", r.NotSent, notSent))
	}
	return r
}

func lostFirst(f Finding) int {
	if f.Error != "" || f.Status >= 500 {
		return 0
	}
	return 1
}

// stepAt names the change during which a request was under way.
func stepAt(steps []Step, s Sample) string {
	for _, step := range steps {
		if s.Begin.Add(s.Took).After(step.Begin) && s.Begin.Before(step.End) {
			return step.Name
		}
	}
	return ""
}

// explains is how long before a request's end an event may lie to explain it.
const explains = 5 * time.Second

func finding(s Sample, step string, events []Event) Finding {
	f := Finding{Time: s.Begin, Took: s.Took.Round(time.Millisecond).String(), Fresh: s.Fresh, Status: s.Status, Error: s.Err, Step: step}
	end := s.Begin.Add(s.Took)
	for _, e := range slices.Backward(events) {
		if e.Time.After(end) || end.Sub(e.Time) > explains+s.Took || !tells(e) {
			continue
		}
		f.Event = fmt.Sprintf("%s %s: %s", cmp.Or(e.Replica, e.Revision), e.Reason, e.Text)
		break
	}
	return f
}

// tells says that a row is about what serves. The controller's own rows and the
// scaler's come with every change and explain nothing.
func tells(e Event) bool {
	switch e.Reason {
	case "ContainerTerminated", "ContainerStarted", "ProbeFailed", "ReplicaUnhealthy", "ContainerBackOff", "OOMKilled":
		return true
	case "RevisionUpdate":
		return strings.HasPrefix(e.Text, "Setting traffic weight")
	}
	return false
}

// causes names the settings that let the findings happen, each with what to
// change.
func causes(findings []Finding, s Settings) []string {
	var out []string
	starting, ending := 0, 0
	for _, f := range findings {
		if strings.Contains(f.Event, "ContainerTerminated") || strings.Contains(f.Error, "closed before") || strings.Contains(f.Error, "reset") {
			ending++
		} else {
			starting++
		}
	}
	if starting > 0 && !s.Readiness {
		out = append(out, "there is no readiness probe: a new replica gets requests as soon as its port opens, ready or not; add a Readiness probe that asks the app")
	}
	if ending > 0 && s.Killed {
		out = append(out, fmt.Sprintf("a container did not end on SIGTERM and was killed after %s: handle SIGTERM in process 1 (the exec form of CMD makes the app process 1)", s.Grace))
	}
	if ending > 0 && !s.Killed && s.Grace < 10*time.Second {
		out = append(out, fmt.Sprintf("terminationGracePeriodSeconds is %d: requests that take longer are cut", int(s.Grace.Seconds())))
	}
	if len(out) == 0 {
		out = append(out, "no setting is known to cause this; look at the events beside each request, and at the app's own output with \"acalocal logs show\"")
	}
	return out
}

func timesOf(list []time.Duration) Times {
	if len(list) == 0 {
		return Times{}
	}
	slices.Sort(list)
	at := func(percent int) float64 {
		i := (len(list)*percent + 99) / 100
		return float64(list[max(i-1, 0)].Microseconds()) / 1000
	}
	return Times{Requests: len(list), P50: at(50), P99: at(99), Max: at(100)}
}
