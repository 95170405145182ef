package logsink

import (
	"sync"
	"time"
)

// Problem is trouble the store lives with: a damaged file it has put aside, a
// disk that refuses writes.
type Problem struct {
	Time time.Time
	// What says what is wrong and what to do, in a sentence.
	What string
	// File is the file concerned, or the place in quarantine it was moved to.
	File string
	// Lost is how many rows cannot be served any more; -1 if it cannot be told.
	Lost int64
}

// maxProblems bounds the memory of problems; the oldest are forgotten first.
const maxProblems = 100

// problems remembers the latest problems and passes each on.
type problems struct {
	report func(Problem)

	mu   sync.Mutex
	list []Problem // guarded by mu
}

func (p *problems) add(pr Problem) {
	if pr.Time.IsZero() {
		pr.Time = time.Now()
	}
	p.mu.Lock()
	if len(p.list) == maxProblems {
		p.list = append(p.list[:0], p.list[1:]...)
	}
	p.list = append(p.list, pr)
	p.mu.Unlock()
	if p.report != nil {
		p.report(pr)
	}
}

func (p *problems) all() []Problem {
	p.mu.Lock()
	defer p.mu.Unlock()
	return append([]Problem(nil), p.list...)
}
