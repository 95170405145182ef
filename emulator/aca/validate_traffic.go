package aca

import "fmt"

// traffic checks the shares of an app. Azure's own wording for a bad sum is not
// public; this is the wording its neighbours have.
func (v *validator) traffic(c *Configuration, traffic []TrafficWeight, path Path) {
	if len(traffic) == 0 {
		return
	}
	sum, latest, labels := 0, 0, once{}
	for i, w := range traffic {
		v.trafficWeight(c, w, path.Index(i), labels)
		sum += w.Weight
		if w.LatestRevision {
			latest++
		}
	}
	if sum != 100 {
		v.trafficf(path, "Invalid value: %d: traffic weights must sum to 100", sum)
	}
	if latest > 1 {
		v.trafficf(path, "latestRevision is listed %d times", latest)
	}
	if c.singleMode() && (len(traffic) > 1 || traffic[0].RevisionName != "") {
		v.warnf(path, "in single revision mode all traffic goes to the latest ready revision; these weights have no effect").
			Hint = "set activeRevisionsMode: Multiple to split traffic"
	}
}

func (v *validator) trafficWeight(c *Configuration, w TrafficWeight, at Path, labels once) {
	if w.Weight < 0 || w.Weight > 100 {
		v.trafficf(at.Field("weight"), "Invalid value: %d: a weight is 0 to 100", w.Weight)
	}
	switch {
	case w.RevisionName == "" && !w.LatestRevision:
		v.trafficf(at, "the entry names no revision").Hint = "give revisionName or latestRevision: true"
	case w.RevisionName != "" && w.LatestRevision:
		v.trafficf(at, "the entry has both revisionName and latestRevision").Hint = "keep one of them"
	}
	if w.Label == "" {
		return
	}
	if !labelNameRule.ok(w.Label) {
		v.badLabel(at.Field("label"), w.Label)
	} else if labels.again(w.Label) {
		v.trafficf(at.Field("label"), "the label %q is used twice", w.Label)
	}
	if c.singleMode() {
		v.trafficf(at.Field("label"), "labels need activeRevisionsMode Multiple or Labels")
	}
}

func (v *validator) trafficf(path Path, format string, args ...any) *Problem {
	return v.errorf(path, "InvalidParameterValueInContainerTemplate", "The following field(s) are either invalid or missing. "+
		"Field 'configuration.ingress.traffic' is invalid with details: '%s';.", fmt.Sprintf(format, args...))
}

func (c *Configuration) singleMode() bool {
	return c.ActiveRevisionsMode == "" || c.ActiveRevisionsMode == Single
}
