package api

import (
	"bytes"
	"errors"
	"io"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestFramesHaveTheLayoutOfACA(t *testing.T) {
	f := func(f Frame, want string) {
		t.Helper()
		if got := string(f.appendPayload(nil)); got != want {
			t.Errorf("%+v: got % x, want % x", f, got, want)
		}
	}
	f(Frame{Channel: Stdin, Data: []byte{3}}, "\x00\x00\x03")
	f(Frame{Channel: Resize, Data: []byte(`{"Width": 80, "Height": 24}`)}, "\x00\x04{\"Width\": 80, \"Height\": 24}")
	f(Frame{Channel: Stdout, Data: []byte("hi")}, "\x00\x01hi")
	f(Frame{Channel: Stderr, Data: []byte("hi")}, "\x00\x02hi")
	f(Frame{Control: ProxyInfo, Data: []byte("Connecting")}, "\x01Connecting")
	f(Frame{Control: ProxyError, Data: []byte("{}")}, "\x02{}")
}

func TestFramesSurviveTheWire(t *testing.T) {
	want := []Frame{
		{Channel: Stdin, Data: []byte("ls\n")},
		{Channel: CloseInput, Data: []byte{}},
		{Control: ProxyInfo, Data: []byte("hello")},
		{Channel: Exit, Data: []byte(`{"exitCode":3}`)},
	}
	var wire bytes.Buffer
	w := NewFrameWriter(&wire)
	for _, f := range want {
		if err := w.Write(f); err != nil {
			t.Fatal(err)
		}
	}
	var got []Frame
	r := NewFrameReader(&wire)
	for {
		f, err := r.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		f.Data = bytes.Clone(f.Data)
		got = append(got, f)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("frames (-want +got):\n%s", diff)
	}
}

func TestFrameReaderRefusesWhatIsNoFrame(t *testing.T) {
	f := func(in, want string) {
		t.Helper()
		_, err := NewFrameReader(strings.NewReader(in)).Next()
		if err == nil || err.Error() != want {
			t.Errorf("%q: got %v, want %s", in, err, want)
		}
	}
	f("", "EOF")
	f("\x00\x00", "unexpected EOF")
	f("\x00\x00\x00\x05\x00", "unexpected EOF")
	f("\x00\x00\x00\x00", "malformed exec frame: empty")
	f("\x00\x00\x00\x01\x07", "malformed exec frame: control 7")
	f("\x00\x00\x00\x01\x00", "malformed exec frame: no such channel")
	f("\x00\x00\x00\x02\x00\x09", "malformed exec frame: no such channel")
	f("\x7f\xff\xff\xff", "malformed exec frame: 2147483647 bytes")
}

func TestStreamCutsLongWritesIntoFrames(t *testing.T) {
	var wire bytes.Buffer
	in := bytes.Repeat([]byte("0123456789"), 10_000)
	if n, err := NewFrameWriter(&wire).Stream(Stdout).Write(in); n != len(in) || err != nil {
		t.Fatalf("Write: %d, %v", n, err)
	}
	var out []byte
	frames := 0
	for r := NewFrameReader(&wire); ; frames++ {
		f, err := r.Next()
		if err != nil {
			break
		}
		out = append(out, f.Data...)
	}
	if frames != 4 || !bytes.Equal(in, out) {
		t.Errorf("got %d frames, %d bytes; want 4 frames, %d bytes", frames, len(out), len(in))
	}
}

func FuzzParsePayload(f *testing.F) {
	f.Add([]byte("\x00\x01hi"))
	f.Add([]byte("\x02{}"))
	f.Add([]byte{})
	f.Fuzz(func(t *testing.T, p []byte) {
		fr, err := parsePayload(p)
		if err != nil {
			return
		}
		if got := fr.appendPayload(nil); !bytes.Equal(got, p) {
			t.Errorf("parse and print: got % x, want % x", got, p)
		}
	})
}
