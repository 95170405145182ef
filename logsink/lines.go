package logsink

import (
	"bytes"
	"unicode/utf8"
)

// joiner turns the entries of one stream of a container into lines: it joins
// entries without line end to the next and cuts lines that are too long.
type joiner struct {
	limit  int     // longest line
	buf    []byte  // the beginning of a line whose end has not come
	pieces []piece // the entries whose bytes are in buf, oldest first
	skip   int     // how many bytes of the first piece's entry are in rows
}

// emitter takes a line, without its end, and the time it began. The bytes are
// valid during the call. Partial says that the line was too long and goes on.
type emitter func(t int64, line []byte, partial bool)

// piece is an entry some bytes of which are not in a row yet.
type piece struct {
	time int64
	left int
}

// add takes the next entry and emits the lines it completes, each with the
// time of the entry it begins in.
func (j *joiner) add(t int64, data []byte, emit emitter) {
	if j.whole(data) {
		emit(t, trimEnd(data), false)
		return
	}
	j.pieces = append(j.pieces, piece{t, len(data)})
	for len(data) > 0 {
		i := bytes.IndexByte(data, '\n') + 1
		if i == 0 {
			i = len(data)
		}
		j.buf = append(j.buf, data[:i]...)
		data = data[i:]
		j.flushLong(emit)
		if j.buf[len(j.buf)-1] == '\n' {
			j.flush(len(j.buf), false, emit)
		}
	}
	j.consume(0)
}

// whole reports whether data is one line on its own, which nearly all are.
func (j *joiner) whole(data []byte) bool {
	n := len(data) - 1
	return len(j.pieces) == 0 && n >= 0 && n <= j.limit && bytes.IndexByte(data, '\n') == n
}

// flushLong emits what is certainly more than a line may have.
func (j *joiner) flushLong(emit emitter) {
	for len(trimMaybeEnd(j.buf)) > j.limit {
		j.flush(cutAt(j.buf, j.limit), true, emit)
	}
}

// trimMaybeEnd removes one line end, or what may turn out to begin one.
func trimMaybeEnd(line []byte) []byte {
	if n := len(line); n > 0 && line[n-1] == '\r' {
		return line[:n-1]
	}
	return trimEnd(line)
}

// end emits the line whose end will not come, because the stream has ended.
func (j *joiner) end(emit emitter) {
	if len(j.buf) > 0 {
		j.flush(len(j.buf), false, emit)
	}
}

// flush emits the first n bytes of buf as a line.
func (j *joiner) flush(n int, partial bool, emit emitter) {
	emit(j.pieces[0].time, trimEnd(j.buf[:n]), partial)
	j.consume(n)
	rest := copy(j.buf, j.buf[n:])
	if j.buf = j.buf[:rest]; rest == 0 && cap(j.buf) > 4096 {
		j.buf = nil // most streams never need it again
	}
}

// consume notes that n more bytes have become rows.
func (j *joiner) consume(n int) {
	for len(j.pieces) > 0 && j.pieces[0].left <= n {
		n -= j.pieces[0].left
		j.pieces = j.pieces[1:]
		j.skip = 0
	}
	if n > 0 {
		j.pieces[0].left -= n
		j.skip += n
	}
}

// pending returns what of the stream is not in rows, and the time of its
// oldest entry, or 0.
func (j *joiner) pending() (p pending, oldest int64) {
	for _, q := range j.pieces {
		if oldest == 0 || q.time < oldest {
			oldest = q.time
		}
	}
	return pending{entries: len(j.pieces), skip: j.skip}, oldest
}

// trimEnd removes one line end, as the container runtime does.
func trimEnd(line []byte) []byte {
	n := len(line)
	if n == 0 || line[n-1] != '\n' {
		return line
	}
	if n > 1 && line[n-2] == '\r' {
		return line[:n-2]
	}
	return line[:n-1]
}

// cutAt returns where to cut b, which is longer than n: at n, or up to three
// bytes earlier so as not to break a rune.
func cutAt(b []byte, n int) int {
	for i := n; i > 0 && i > n-utf8.UTFMax; i-- {
		if utf8.RuneStart(b[i]) {
			return i
		}
	}
	return n
}
