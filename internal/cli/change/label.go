package change

//lint:file-ignore ST1005 az's own words

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/acalocal/acalocal/emulator/aca"
)

// Az's refusals of labels, in its own words.
var (
	errNoLabel   = errors.New("Please specify a label name with an associated traffic weight.")
	errSameLabel = errors.New("Label names to be swapped must be different.")
)

// LabelHolder names the revision that has a label, "latest" for the entry of
// the latest revision; ok is false when nothing has it.
func LabelHolder(traffic []aca.TrafficWeight, label string) (revision string, ok bool) {
	i := labelIndex(traffic, label)
	if i < 0 {
		return "", false
	}
	if traffic[i].LatestRevision {
		return "latest", true
	}
	return traffic[i].RevisionName, true
}

// AddLabel puts a label on a revision and takes it off where it was. The label
// the revision had is replaced: through az a revision has one at most. Weights
// stay; a revision without an entry gets one of weight 0.
func AddLabel(traffic []aca.TrafficWeight, label, revision string) []aca.TrafficWeight {
	out := slices.Clone(traffic)
	if i := labelIndex(out, label); i >= 0 {
		out[i].Label = ""
	}
	i := slices.IndexFunc(out, func(w aca.TrafficWeight) bool { return means(w, Weight{Name: revision}) })
	if i < 0 {
		out = append(out, newEntry(revision))
		i = len(out) - 1
	}
	out[i].Label = label
	return dropEmpty(out)
}

// RemoveLabel takes a label away.
func RemoveLabel(traffic []aca.TrafficWeight, label string) ([]aca.TrafficWeight, error) {
	i := labelIndex(traffic, label)
	if i < 0 {
		return nil, errNoLabel
	}
	out := slices.Clone(traffic)
	out[i].Label = ""
	return dropEmpty(out), nil
}

// SwapLabels exchanges two labels. Weights stay with their revisions.
func SwapLabels(traffic []aca.TrafficWeight, source, target string) ([]aca.TrafficWeight, error) {
	if strings.EqualFold(source, target) {
		return nil, errSameLabel
	}
	i, j := labelIndex(traffic, source), labelIndex(traffic, target)
	switch {
	case i < 0 && j < 0:
		return nil, notInTraffic(source + "' nor label '" + target)
	case i < 0:
		return nil, notInTraffic(source)
	case j < 0:
		return nil, notInTraffic(target)
	}
	out := slices.Clone(traffic)
	out[i].Label, out[j].Label = out[j].Label, out[i].Label
	return out, nil
}

func notInTraffic(label string) error {
	return fmt.Errorf("Could not find label '%s' in traffic.", label)
}

func labelIndex(traffic []aca.TrafficWeight, label string) int {
	return slices.IndexFunc(traffic, func(w aca.TrafficWeight) bool { return label != "" && strings.EqualFold(w.Label, label) })
}

// dropEmpty takes out entries that say nothing.
func dropEmpty(traffic []aca.TrafficWeight) []aca.TrafficWeight {
	return slices.DeleteFunc(traffic, func(w aca.TrafficWeight) bool { return w.Weight == 0 && w.Label == "" })
}
