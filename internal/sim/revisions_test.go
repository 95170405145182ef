package sim

import (
	"fmt"
	"maps"
	"slices"
	"testing"
	"time"

	"github.com/acalocal/acalocal/emulator/aca"
	"github.com/acalocal/acalocal/internal/core"
)

// TestRevisionSeeds is TestSeeds for users who reload, swap, move labels and
// weights, and switch modes.
func TestRevisionSeeds(t *testing.T) { eachSeed(t, runRevisionSeed) }

// Seeds that once broke something, each with what it showed.
func TestRevisionSeedsThatShowedABug(t *testing.T) {
	for seed, what := range map[uint64]string{
		5:   "in labels mode the ready revision gets the first label",
		81:  "a latest revision that comes back takes no traffic before it is ready",
		600: "from multiple to single mode a revision stays that answers",
	} {
		if problem, s := runRevisionSeed(seed, true); problem != "" {
			t.Errorf("seed %d (%s): %s\n%s", seed, what, problem, s.text())
		}
	}
}

func TestLabelsModeBeginsWithTheReadyRevision(t *testing.T) {
	s := New(21, images())
	s.Apply(flask("web", "good:1"))
	s.RunUntil(time.Minute, func() bool { return s.ready("web") })
	app := flask("web", "good:1")
	app.Properties.Configuration.ActiveRevisionsMode, app.Properties.Configuration.TargetLabel = aca.Labels, "dev"
	app.ApplyDefaults()
	s.Apply(app)
	old := s.revisions("web")[0]
	if got := s.Table().Apps[0].Labels; len(got) != 1 || got[0].Revision != old {
		t.Errorf("labels are %v, want dev on %s", got, old)
	}
	app.Properties.Template.Containers = []aca.Container{{Name: "app", Image: "good:2"}}
	s.Apply(app)
	s.Run(time.Second)
	if got := s.Table().Apps[0]; len(endpoints(got)) != 1 || got.Labels[0].Revision != old {
		t.Errorf("while the new revision starts the routing is\n%s", s.Table())
	}
	s.Run(time.Minute)
	if got := s.Table().Apps[0].Labels; len(got) != 1 || got[0].Revision == old {
		t.Errorf("labels are %v, want dev on the new revision", got)
	}
	s.check(t)
}

func TestRevisionThatComesBackWaitsUntilItIsReady(t *testing.T) {
	s := New(22, images())
	app := flask("web", "good:1")
	app.Properties.Configuration.ActiveRevisionsMode = aca.Multiple
	s.Apply(app)
	s.RunUntil(time.Minute, func() bool { return s.ready("web") })
	app.Properties.Template.Containers = []aca.Container{{Name: "app", Image: "good:2"}}
	s.Apply(app)
	s.RunUntil(time.Minute, func() bool { return s.ready("web") })
	names := s.revisions("web")
	s.Activate("web", names[1], false)
	s.Run(time.Minute)
	s.Activate("web", names[1], true)
	if got := fmt.Sprint(s.Table().Apps[0].Split); got != "[{"+names[0]+" 100}]" {
		t.Errorf("before it is ready the split is %s", got)
	}
	s.Run(time.Minute)
	if got := fmt.Sprint(s.Table().Apps[0].Split); got != "[{"+names[1]+" 100}]" {
		t.Errorf("when it is ready the split is %s", got)
	}
	s.check(t)
}

func runRevisionSeed(seed uint64, silent bool) (string, *Sim) {
	s := New(seed, images())
	s.Silent = silent
	s.Apply(flask("a", "good:1"))
	s.Run(time.Minute)
	s.Faults = true
	for range 12 + s.rng.IntN(20) {
		s.evolve()
		s.checkTraffic()
		s.Run(s.between(0, 40*time.Second))
		s.checkTraffic()
		if len(s.errors) > 0 {
			return s.errors[0], s
		}
	}
	return s.calm("a")
}

// evolve does one thing a user does to the revisions of an app, or fate does to
// the machine.
func (s *Sim) evolve() {
	app := s.app("a")
	switch s.rng.IntN(12) {
	case 0, 1, 2: // a reload, or any other change of the template
		pick := []string{"good:1", "good:2", "good:1", "good:2", "deaf", "crash", "broken", "missing"}
		app.Properties.Template.Containers[0].Image = pick[s.rng.IntN(len(pick))]
		app.Properties.Template.Containers[0].Env = []aca.EnvVar{{Name: "SAVE", Value: fmt.Sprint(s.rng.IntN(1000))}}
		s.note("user  reload: %s", app.Properties.Template.Containers[0].Image)
		s.Apply(app)
	case 3:
		s.switchMode(app)
	case 4, 5:
		s.shift(app)
	case 6, 7:
		s.label(app)
	case 8:
		s.activate("a", s.rng.IntN(2) == 0)
	case 9:
		s.Crash()
	case 10:
		s.Restart("a")
	default:
		s.harm()
	}
}

// app is what the user last asked for, to be changed.
func (s *Sim) app(name string) aca.ContainerApp {
	wanted := s.wanted[name]
	return *wanted.Clone()
}

// switchMode asks for another mode, with the traffic it begins with.
func (s *Sim) switchMode(app aca.ContainerApp) {
	c := &app.Properties.Configuration
	modes := []aca.RevisionsMode{aca.Single, aca.Multiple, aca.Multiple, aca.Labels}
	c.ActiveRevisionsMode, c.TargetLabel, c.Ingress.Traffic = modes[s.rng.IntN(len(modes))], "", nil
	if c.ActiveRevisionsMode == aca.Labels {
		c.TargetLabel = "dev"
	}
	app.ApplyDefaults()
	s.note("user  mode %s", c.ActiveRevisionsMode)
	if old := s.wanted[app.Name].Properties.Configuration.ActiveRevisionsMode; old != aca.Single {
		// The weights go, too: all to the latest ready revision, be it down or not.
		s.apply(app)
		return
	}
	s.Apply(app)
}

// revisions are the names of the app's revisions.
func (s *Sim) revisions(app string) (names []string) {
	for _, a := range s.View() {
		if a.Resource.Name == app {
			for _, r := range a.Revisions {
				names = append(names, r.Resource.Name)
			}
		}
	}
	return names
}

// shift divides the traffic among some revisions. Labels stay where they are.
func (s *Sim) shift(app aca.ContainerApp) {
	in := app.Properties.Configuration.Ingress
	names := s.revisions(app.Name)
	if app.Properties.Configuration.ActiveRevisionsMode != aca.Multiple || len(names) == 0 {
		return
	}
	s.rng.Shuffle(len(names), func(i, j int) { names[i], names[j] = names[j], names[i] })
	var traffic []aca.TrafficWeight
	left := 100
	for i, name := range names[:1+s.rng.IntN(min(3, len(names)))] {
		w := aca.TrafficWeight{RevisionName: name, Weight: s.rng.IntN(left + 1)}
		if i == 0 && s.rng.IntN(3) == 0 {
			w = aca.TrafficWeight{LatestRevision: true, Weight: w.Weight}
		}
		left -= w.Weight
		traffic = append(traffic, w)
	}
	traffic[len(traffic)-1].Weight += left
	for _, w := range in.Traffic {
		if w.Label != "" && !w.LatestRevision {
			traffic = pin(traffic, w.RevisionName, w.Label)
		}
	}
	s.traffic(app, traffic)
}

// label moves a label to some revision, or gives it to one first.
func (s *Sim) label(app aca.ContainerApp) {
	names := s.revisions(app.Name)
	if app.Properties.Configuration.ActiveRevisionsMode != aca.Multiple || len(names) == 0 {
		return
	}
	traffic := slices.Clone(app.Properties.Configuration.Ingress.Traffic)
	if len(traffic) == 0 {
		traffic = []aca.TrafficWeight{{LatestRevision: true, Weight: 100}}
	}
	s.traffic(app, pin(traffic, names[s.rng.IntN(len(names))], []string{"blue", "green"}[s.rng.IntN(2)]))
}

// pin puts a label on a revision, and takes it from every other.
func pin(traffic []aca.TrafficWeight, revision, label string) []aca.TrafficWeight {
	at := -1
	for i := range traffic {
		if traffic[i].Label == label {
			traffic[i].Label = ""
		}
		if traffic[i].RevisionName == revision {
			at = i
		}
	}
	if at < 0 {
		return append(traffic, aca.TrafficWeight{RevisionName: revision, Label: label})
	}
	traffic[at].Label = label
	return traffic
}

// traffic asks for other traffic and nothing else, which must make no revision
// and take no replica away.
func (s *Sim) traffic(app aca.ContainerApp, traffic []aca.TrafficWeight) {
	app.Properties.Configuration.Ingress.Traffic = traffic
	s.note("user  traffic %+v", traffic)
	before, serving := s.revisions(app.Name), s.staying(app.Name)
	s.apply(app)
	if now := s.revisions(app.Name); !slices.Equal(before, now) {
		s.fail("traffic alone turned the revisions %v into %v", before, now)
	}
	for name := range serving {
		if !s.staying(app.Name)[name] {
			s.fail("traffic alone took the replica %s away", name)
		}
	}
}

// apply is Apply for a user who moves traffic, maybe to what is down.
func (s *Sim) apply(app aca.ContainerApp) {
	s.wanted[app.Name] = app
	s.taken[app.Name] = true
	s.handle(core.SpecChanged{App: app, Edit: true})
}

// staying are the replicas of an app that are ready and not on their way out.
func (s *Sim) staying(app string) map[string]bool {
	out := map[string]bool{}
	for _, a := range s.View() {
		for _, rev := range a.Revisions {
			for _, r := range rev.Replicas {
				if a.Resource.Name == app && r.Ready && !r.Draining {
					out[r.Resource.Name] = true
				}
			}
		}
	}
	return out
}

// checkTraffic holds the routing to what the user asked for: in multiple mode
// the weights and labels as they are, whatever the health of the revisions, and
// in single mode all to one revision.
func (s *Sim) checkTraffic() {
	for _, a := range s.View() {
		wanted, ok := s.wanted[a.Resource.Name]
		if !ok {
			continue
		}
		got := map[string]int{}
		labels := map[string]string{}
		for _, t := range s.table.Apps {
			if t.Name != a.Resource.Name {
				continue
			}
			for _, w := range t.Split {
				got[w.Revision] += w.Weight
			}
			for _, l := range t.Labels {
				if other, twice := labels[l.Name]; twice {
					s.fail("the label %s is on %s and on %s", l.Name, other, l.Revision)
				}
				labels[l.Name] = l.Revision
			}
		}
		switch wanted.Properties.Configuration.ActiveRevisionsMode {
		case aca.Single:
			if len(got) > 1 {
				s.fail("in single mode the traffic is divided: %v", got)
			}
		case aca.Multiple:
			s.checkWeights(a, wanted.Properties.Configuration.Ingress.Traffic, got, labels)
		}
	}
}

func (s *Sim) checkWeights(a core.AppView, wish []aca.TrafficWeight, got map[string]int, labels map[string]string) {
	want, named := map[string]int{}, false
	for _, w := range wish {
		if w.LatestRevision || !active(a, w.RevisionName) {
			return // what the latest ready one is, and who gets the share of an inactive one, is tested elsewhere
		}
		named = true
		if w.Weight > 0 {
			want[w.RevisionName] += w.Weight
		}
		if w.Label != "" && labels[w.Label] != w.RevisionName {
			s.fail("the label %s is on %q, not on %s", w.Label, labels[w.Label], w.RevisionName)
		}
	}
	if named && !maps.Equal(want, got) {
		s.fail("the weights are %v, not %v", got, want)
	}
}

func active(a core.AppView, revision string) bool {
	return slices.ContainsFunc(a.Revisions, func(r core.RevisionView) bool {
		return r.Resource.Name == revision && r.Resource.Properties.Active
	})
}
