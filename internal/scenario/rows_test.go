package scenario

import "github.com/acalocal/acalocal/internal/explain/event"

// revisionRow is a row and the revision it is about, "" for the app.
type revisionRow struct {
	revision string
	event.Row
}

type rowList []revisionRow

// of are the rows about a revision, or all.
func (l rowList) of(revision string) []event.Row {
	var out []event.Row
	for _, r := range l {
		if revision == "" || r.revision == revision {
			out = append(out, r.Row)
		}
	}
	return out
}
