package logsink

import "sync"

// queue is the feeders that have rows, in the order they got them.
type queue struct {
	wake chan struct{} // holds one token when list may be non-empty or closed set

	mu     sync.Mutex
	list   []feeder // guarded by mu
	closed bool     // guarded by mu
}

// push queues f. It reports whether the queue is open.
func (q *queue) push(f feeder) bool {
	q.mu.Lock()
	open := !q.closed
	if open {
		q.list = append(q.list, f)
	}
	q.mu.Unlock()
	q.signal()
	return open
}

// again queues f even when the queue is closed: it has rows left that were
// accepted before.
func (q *queue) again(f feeder) {
	q.mu.Lock()
	q.list = append(q.list, f)
	q.mu.Unlock()
	q.signal()
}

func (q *queue) close() {
	q.mu.Lock()
	q.closed = true
	q.mu.Unlock()
	q.signal()
}

func (q *queue) signal() {
	select {
	case q.wake <- struct{}{}:
	default:
	}
}

// take waits for feeders and returns all there are; not ok means that the
// queue is closed and empty.
func (q *queue) take() (list []feeder, ok bool) {
	for {
		q.mu.Lock()
		list, q.list = q.list, nil
		closed := q.closed
		q.mu.Unlock()
		if len(list) > 0 || closed {
			return list, len(list) > 0
		}
		<-q.wake
	}
}

// len returns how many feeders wait.
func (q *queue) len() int {
	q.mu.Lock()
	defer q.mu.Unlock()
	return len(q.list)
}
