package docker

import (
	"bufio"
	"bytes"
	"context"
	"encoding/binary"
	"fmt"
	"io"
	"strconv"
	"time"

	"github.com/moby/moby/client"

	"github.com/acalocal/acalocal/internal/container"
)

// Logs implements container.Runtime.
func (e *Engine) Logs(ctx context.Context, id container.ID, since time.Time) (container.LogReader, error) {
	body, err := e.client.ContainerLogs(ctx, string(id), client.ContainerLogsOptions{
		ShowStdout: true,
		ShowStderr: true,
		Timestamps: true,
		Follow:     true,
		Since:      sinceParameter(since),
	})
	if err != nil {
		return nil, e.wrap(err, "read output of container %s", short(id))
	}
	return &logReader{body: body, frames: newFrames(body)}, nil
}

// sinceParameter is a time as seconds and nanoseconds, which the engine takes
// inclusively.
func sinceParameter(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return fmt.Sprintf("%d.%09d", t.Unix(), t.Nanosecond())
}

// logReader reads entries from the engine's multiplexed stream.
type logReader struct {
	body   io.Closer
	frames *frames
}

// Next implements container.LogReader.
func (l *logReader) Next() (container.LogEntry, error) {
	stream, data, err := l.frames.next()
	if err != nil {
		return container.LogEntry{}, err
	}
	return parseEntry(stream, data)
}

// Close implements container.LogReader.
func (l *logReader) Close() error { return l.body.Close() }

// parseEntry splits the time stamp the engine puts before each entry.
func parseEntry(stream byte, data []byte) (container.LogEntry, error) {
	stamp, text, found := bytes.Cut(data, []byte(" "))
	at, err := time.Parse(time.RFC3339Nano, string(stamp))
	if !found || err != nil {
		return container.LogEntry{}, fmt.Errorf("output entry %s has no time", strconv.Quote(string(stamp[:min(len(stamp), 40)])))
	}
	return container.LogEntry{Time: at, Stderr: stream == streamStderr, Data: text}, nil
}

// The streams of the engine's multiplexed format.
const (
	streamStdout = 1
	streamStderr = 2
	streamSystem = 3 // an error of the engine's own
)

// frames reads the format in which an engine multiplexes output: one byte of
// stream, three of zero, four of length, then the data. See "Stream format" in
// the Engine API reference, operation ContainerAttach.
type frames struct {
	r   *bufio.Reader
	buf []byte
}

func newFrames(r io.Reader) *frames { return &frames{r: bufio.NewReaderSize(r, 64<<10)} }

// maxFrame bounds what is believed of a length: an entry is at most 16 KiB and
// its time.
const maxFrame = 1 << 20

// next returns the next frame, whose data is valid until the next call, or
// io.EOF between frames at the end of the stream.
func (f *frames) next() (stream byte, data []byte, err error) {
	var header [8]byte
	if _, err := io.ReadFull(f.r, header[:]); err != nil {
		return 0, nil, err
	}
	size := binary.BigEndian.Uint32(header[4:])
	if header[0] > streamSystem || size > maxFrame {
		return 0, nil, fmt.Errorf("output is not multiplexed: header % x", header)
	}
	if cap(f.buf) < int(size) {
		f.buf = make([]byte, size)
	}
	f.buf = f.buf[:size]
	if _, err := io.ReadFull(f.r, f.buf); err != nil {
		return 0, nil, fmt.Errorf("read output: %w", io.ErrUnexpectedEOF)
	}
	if header[0] == streamSystem {
		return 0, nil, fmt.Errorf("engine: %s", bytes.TrimSpace(f.buf))
	}
	return header[0], f.buf, nil
}
