package change

//lint:file-ignore ST1005 az's own words

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/acalocal/acalocal/emulator/aca"
)

// Weight is one entry of --revision-weight or --label-weight.
type Weight struct {
	Name    string // of a revision or label; "latest" is the latest revision
	Percent int    // 0 to 100
	Label   bool   // Name is a label
}

// Az's refusals of weights, in its own words.
var (
	ErrTrafficSum    = errors.New("Traffic sums may not exceed 100.")
	ErrTrafficFormat = errors.New(`Traffic weights must be in format "<revision>=<weight> <revision2>=<weight2> ..."`)
	ErrTrafficWeight = errors.New("Traffic weights must be integers between 0 and 100")
	ErrNoTraffic     = errors.New("Must specify either --label-weight or --revision-weight.")
)

// ParseWeights reads NAME=PERCENT entries.
func ParseWeights(entries []string, labels bool) ([]Weight, error) {
	var out []Weight
	for _, entry := range entries {
		name, value, ok := strings.Cut(entry, "=")
		if !ok || name == "" {
			return nil, fmt.Errorf("%w: not %q", ErrTrafficFormat, entry)
		}
		percent, err := strconv.Atoi(value)
		if err != nil || percent < 0 || percent > 100 {
			return nil, fmt.Errorf("%w: not %q", ErrTrafficWeight, entry)
		}
		out = append(out, Weight{Name: name, Percent: percent, Label: labels})
	}
	return out, nil
}

// Traffic gives the named entries their weights and scales the others so that
// all sum to 100, as "az containerapp ingress traffic set" does. Entries that
// end with nothing and carry no label are dropped: after 100 for one revision
// the list holds just that one (observed, June 2026). A label must be there.
func Traffic(current []aca.TrafficWeight, set []Weight) ([]aca.TrafficWeight, error) {
	asked := 0
	for _, w := range set {
		asked += w.Percent
	}
	if asked > 100 {
		return nil, ErrTrafficSum
	}
	out := slices.Clone(current)
	named := map[int]bool{}
	for _, w := range set {
		i, err := find(&out, w)
		if err != nil {
			return nil, err
		}
		if named[i] {
			return nil, fmt.Errorf("the weight of %s is given twice", w.Name)
		}
		named[i] = true
		out[i].Weight = w.Percent
	}
	if err := fill(out, named, 100-asked); err != nil {
		return nil, err
	}
	return slices.DeleteFunc(out, func(w aca.TrafficWeight) bool { return w.Weight == 0 && w.Label == "" }), nil
}

// find returns the index of the entry a weight is about, appending one for a
// revision that has none.
func find(list *[]aca.TrafficWeight, w Weight) (int, error) {
	i := slices.IndexFunc(*list, func(t aca.TrafficWeight) bool { return means(t, w) })
	switch {
	case i >= 0:
		return i, nil
	case w.Label:
		return 0, fmt.Errorf("No labels '%s' assigned to any traffic weight.", w.Name)
	}
	*list = append(*list, newEntry(w.Name))
	return len(*list) - 1, nil
}

// newEntry is an entry of weight 0 for a revision.
func newEntry(revision string) aca.TrafficWeight {
	if strings.EqualFold(revision, "latest") {
		return aca.TrafficWeight{LatestRevision: true}
	}
	return aca.TrafficWeight{RevisionName: revision}
}

func means(t aca.TrafficWeight, w Weight) bool {
	switch {
	case w.Label:
		return strings.EqualFold(t.Label, w.Name)
	case t.LatestRevision:
		return strings.EqualFold(w.Name, "latest")
	}
	return strings.EqualFold(t.RevisionName, w.Name)
}

// fill shares rest among the entries that were not named, in proportion to
// what they had. What rounding leaves goes to the largest remainders first.
func fill(list []aca.TrafficWeight, named map[int]bool, rest int) error {
	had := 0
	for i := range list {
		if !named[i] {
			had += list[i].Weight
		}
	}
	if had == 0 {
		if rest == 0 {
			return nil
		}
		return fmt.Errorf("the weights sum to %d and nothing else takes the remaining %d", 100-rest, rest)
	}
	type share struct{ index, remainder int }
	var shares []share
	given := 0
	for i := range list {
		if named[i] {
			continue
		}
		exact := list[i].Weight * rest
		list[i].Weight = exact / had
		given += list[i].Weight
		shares = append(shares, share{i, exact % had})
	}
	slices.SortStableFunc(shares, func(a, b share) int { return b.remainder - a.remainder })
	for _, s := range shares[:rest-given] {
		list[s.index].Weight++
	}
	return nil
}

// TrafficSteps says how traffic changes, one line an entry that changes, in
// the order of the new list and then of what is gone.
func TrafficSteps(before, after []aca.TrafficWeight) []string {
	var steps []string
	for _, w := range after {
		old, there := entryOf(before, w)
		switch {
		case !there && w.Weight == 0 && w.Label != "":
			there = true // a label alone, which old has not
		case !there:
			steps = append(steps, fmt.Sprintf("send %d%% of the requests to %s%s", w.Weight, nameOf(w), labelOf(w)))
		case old.Weight != w.Weight:
			steps = append(steps, fmt.Sprintf("send %d%% of the requests to %s instead of %d%%", w.Weight, nameOf(w), old.Weight))
		}
		if there && old.Label != w.Label {
			steps = append(steps, fmt.Sprintf("label of %s: %s becomes %s (moves no weight, restarts nothing)", nameOf(w), orNone(old.Label), orNone(w.Label)))
		}
	}
	for _, w := range before {
		if _, there := entryOf(after, w); !there {
			steps = append(steps, fmt.Sprintf("send nothing to %s any more (it had %d%%%s)", nameOf(w), w.Weight, labelOf(w)))
		}
	}
	return steps
}

func entryOf(list []aca.TrafficWeight, w aca.TrafficWeight) (aca.TrafficWeight, bool) {
	for _, t := range list {
		if t.LatestRevision == w.LatestRevision && t.RevisionName == w.RevisionName {
			return t, true
		}
	}
	return aca.TrafficWeight{}, false
}

func nameOf(w aca.TrafficWeight) string {
	if w.LatestRevision {
		return "the latest ready revision"
	}
	return w.RevisionName
}

func labelOf(w aca.TrafficWeight) string {
	if w.Label == "" {
		return ""
	}
	return ", label " + w.Label
}

func orNone(s string) string {
	if s == "" {
		return "none"
	}
	return s
}
