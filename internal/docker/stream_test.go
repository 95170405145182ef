package docker

import (
	"bytes"
	"encoding/binary"
	"errors"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/acalocal/acalocal/internal/container"
)

// multiplexed is a frame as an engine writes it.
func multiplexed(stream byte, text string) []byte {
	b := []byte{stream, 0, 0, 0}
	b = binary.BigEndian.AppendUint32(b, uint32(len(text)))
	return append(b, text...)
}

type nopCloser struct{}

func (nopCloser) Close() error { return nil }

func TestLogEntriesAreParsed(t *testing.T) {
	stream := bytes.Join([][]byte{
		multiplexed(1, "2026-11-25T18:00:00.123456789Z out\n"),
		multiplexed(2, "2026-11-25T18:00:00.2Z part of a line"),
		multiplexed(1, "2026-11-25T18:00:01Z \n"),
	}, nil)
	l := &logReader{body: nopCloser{}, frames: newFrames(bytes.NewReader(stream))}
	var got []container.LogEntry
	for {
		e, err := l.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		e.Data = bytes.Clone(e.Data)
		got = append(got, e)
	}
	at := func(ns int) time.Time { return time.Date(2026, 11, 25, 18, 0, 0, ns, time.UTC) }
	want := []container.LogEntry{
		{Time: at(123456789), Data: []byte("out\n")},
		{Time: at(200000000), Stderr: true, Data: []byte("part of a line")},
		{Time: at(1e9), Data: []byte("\n")},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("entries (-want +got):\n%s", diff)
	}
}

func TestBrokenOutputIsAnError(t *testing.T) {
	for name, c := range map[string]struct {
		in   []byte
		want string
	}{
		"cut header":    {[]byte{1, 0, 0}, "unexpected EOF"},
		"cut data":      {multiplexed(1, "2026-11-25T18:00:00Z x")[:20], "read output: unexpected EOF"},
		"no time":       {multiplexed(1, "hello world"), `output entry "hello" has no time`},
		"not this":      {[]byte("HTTP/1.1 400 Bad Request"), "output is not multiplexed: header 48 54 54 50 2f 31 2e 31"},
		"engine's word": {multiplexed(3, "error from daemon\n"), "engine: error from daemon"},
	} {
		l := &logReader{body: nopCloser{}, frames: newFrames(bytes.NewReader(c.in))}
		if _, err := l.Next(); err == nil || err.Error() != c.want {
			t.Errorf("%s: %v, want %s", name, err, c.want)
		}
	}
}

func TestSinceKeepsNanoseconds(t *testing.T) {
	for in, want := range map[time.Time]string{
		{}:                       "",
		time.Unix(1700000000, 5): "1700000000.000000005",
	} {
		if got := sinceParameter(in); got != want {
			t.Errorf("since %v is %q, want %q", in, got, want)
		}
	}
}

func TestAgentStreamIsStandardOutput(t *testing.T) {
	in := bytes.Join([][]byte{multiplexed(1, "hel"), multiplexed(2, "panic"), multiplexed(1, ""), multiplexed(1, "lo")}, nil)
	var complaints strings.Builder
	r := &stdoutReader{frames: newFrames(bytes.NewReader(in)), complain: func(b []byte) { complaints.Write(b) }}
	got, err := io.ReadAll(r)
	if string(got) != "hello" || complaints.String() != "panic" || err != nil {
		t.Errorf("read %q, complaints %q, %v", got, complaints.String(), err)
	}
}

func FuzzFrames(f *testing.F) {
	f.Add(multiplexed(1, "2026-11-25T18:00:00.123456789Z out\n"))
	f.Add(multiplexed(9, "x"))
	f.Fuzz(func(t *testing.T, in []byte) {
		l := &logReader{body: nopCloser{}, frames: newFrames(bytes.NewReader(in))}
		read := 0
		for {
			e, err := l.Next()
			if err != nil {
				return
			}
			if read += len(e.Data); read > len(in) {
				t.Fatal("read more than there is")
			}
		}
	})
}

func TestTailKeepsTheLastLines(t *testing.T) {
	var got tail
	for _, part := range []string{"one\ntw", "o\n", "three\r\n", "fo", "ur"} {
		got.write([]byte(part))
	}
	if want := "  | one\n  | two\n  | three\n  | four"; got.String() != want {
		t.Errorf("tail\n%s\nwant\n%s", got.String(), want)
	}
	for range 100 {
		got.write([]byte("\nmore"))
	}
	if n := strings.Count(got.String(), "more"); n != tailLines {
		t.Errorf("%d lines kept of %d", n, tailLines)
	}
}
