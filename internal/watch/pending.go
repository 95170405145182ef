package watch

import (
	"maps"
	"slices"
	"time"
)

// A batch of more than maxPaths is a Rescan: a branch was switched, or a
// directory unpacked. From burst paths on, more is likely to come.
const (
	maxPaths = 2000
	burst    = 10
)

// maxWait bounds how long a tree that never rests can hold a batch back.
const maxWait = 5 * time.Second

// pending collects paths until they rest. It knows no clock but what it is told.
type pending struct {
	quiet time.Duration
	paths map[string]bool // whether the first event made the file
	all   bool
	first time.Time
	last  time.Time
}

// note adds one path; made says that the event made the file.
func (p *pending) note(now time.Time, path string, made bool) {
	p.touch(now)
	if p.all {
		return
	}
	if _, ok := p.paths[path]; !ok {
		p.paths[path] = made
	}
	if len(p.paths) > maxPaths {
		p.all = true
	}
}

// rescan gives up naming paths.
func (p *pending) rescan(now time.Time) {
	p.touch(now)
	p.all = true
}

func (p *pending) touch(now time.Time) {
	if p.paths == nil {
		p.paths, p.first = map[string]bool{}, now
	}
	p.last = now
}

// due is when the batch may be taken if nothing more happens; ok is false when
// there is none.
func (p *pending) due() (at time.Time, ok bool) {
	if p.paths == nil {
		return time.Time{}, false
	}
	wait := p.quiet
	if p.all || len(p.paths) >= burst {
		wait *= 10
	}
	at = p.last.Add(wait)
	if limit := p.first.Add(max(maxWait, 2*wait)); at.After(limit) {
		at = limit
	}
	return at, true
}

// take returns the batch if it is due. Files that were made and are gone are
// left out: temporary ones, of a tool that saves by renaming.
func (p *pending) take(now time.Time, gone func(path string) bool) (Batch, bool) {
	at, ok := p.due()
	if !ok || now.Before(at) {
		return Batch{}, false
	}
	b := Batch{Rescan: p.all}
	if !p.all {
		maps.DeleteFunc(p.paths, func(path string, made bool) bool { return made && gone(path) })
		b.Paths = slices.Sorted(maps.Keys(p.paths))
	}
	p.paths, p.all = nil, false
	return b, b.Rescan || len(b.Paths) > 0
}
