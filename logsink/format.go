package logsink

import (
	"strconv"
	"time"
	"unicode/utf8"
)

// Format is the shape of lines of `logs show`.
type Format uint8

// The values of --format; az's default is json.
const (
	FormatJSON Format = iota
	FormatText
)

// Time layouts of the log stream, as captured: the stream's own lines have up
// to five digits and no zone, lines of the app seven digits, events the form
// Go prints.
const (
	layoutHeader     = "2006-01-02T15:04:05.99999"
	layoutJSON       = "2006-01-02T15:04:05.0000000-07:00"
	layoutText       = "2006-01-02T15:04:05.0000000Z"
	layoutTextOld    = "2006-01-02T15:04:05.000000000Z"
	layoutEvent      = "2006-01-02 15:04:05.999999999 -0700 MST"
	layoutConnecting = "2006-01-02T15:04:05Z"
)

// AppendConsoleHeader appends the two lines that begin a console stream, as
// `az containerapp logs show` prints them.
func AppendConsoleHeader(b []byte, f Format, connecting, connected time.Time, c Container) []byte {
	b = appendConsoleHeader(b, f, connecting, "Connecting to the container '"+c.Name+"'...")
	return appendConsoleHeader(b, f, connected, "Successfully Connected to container: '"+c.Name+
		"' [Revision: '"+c.Revision+"', Replica: '"+c.Replica+"']")
}

func appendConsoleHeader(b []byte, f Format, t time.Time, msg string) []byte {
	if f == FormatText {
		b = t.UTC().AppendFormat(b, layoutHeader)
		b = append(b, "  "...)
		b = append(b, msg...)
		return append(b, '\n')
	}
	return appendLogJSON(b, t.UTC().Format(layoutHeader), msg)
}

// AppendConsoleLine appends a console row as `az containerapp logs show` prints
// it. Environments of the legion kind show the container runtime's tag before
// the text, F for whole lines and P for parts, in json, and stream and tag in
// text; the older ones show neither.
func (d Dialect) AppendConsoleLine(b []byte, f Format, l ConsoleLine) []byte {
	tag := tagFull
	if l.Partial {
		tag = tagPartial
	}
	switch {
	case f == FormatJSON && d == Kubelet:
		return appendLogJSON(b, l.Time.UTC().Format(layoutJSON), l.Text)
	case f == FormatJSON && l.Text == "":
		return appendLogJSON(b, l.Time.UTC().Format(layoutJSON), tag)
	case f == FormatJSON:
		return appendLogJSON(b, l.Time.UTC().Format(layoutJSON), tag+" "+l.Text)
	case d == Kubelet:
		b = l.Time.UTC().AppendFormat(b, layoutTextOld)
	default:
		b = l.Time.UTC().AppendFormat(b, layoutText)
		b = append(b, ' ')
		b = append(b, l.Stream.String()...)
		b = append(b, ' ')
		b = append(b, tag...)
	}
	b = append(b, ' ')
	b = append(b, l.Text...)
	return append(b, '\n')
}

func appendLogJSON(b []byte, stamp, log string) []byte {
	o := object{b: b, style: spaced}
	o.text("TimeStamp", stamp)
	o.text("Log", log)
	return append(o.end(), '\n')
}

// AppendEventHeader appends the two lines that begin a system stream, as
// `az containerapp logs show --type system` prints them.
func AppendEventHeader(b []byte, f Format, connecting, connected time.Time) []byte {
	const source = "ContainerAppController"
	b = appendEvent(b, f, connecting.UTC().Format(layoutConnecting), true,
		Event{Msg: "Connecting to the events collector...", Reason: "StartingGettingEvents", Source: source, Count: 1})
	return appendEvent(b, f, connected.UTC().Format(layoutConnecting), true,
		Event{Msg: "Successfully connected to events server", Reason: "ConnectedToEventsServer", Source: source, Count: 1})
}

// AppendEventLine appends a system event as `az containerapp logs show --type
// system` prints it. The service writes events as JSON whatever format was
// asked for; az sets them anew, with spaces, for json.
func AppendEventLine(b []byte, f Format, e Event) []byte {
	return appendEvent(b, f, e.Time.UTC().Format(layoutEvent), false, e)
}

// appendEvent appends an event; one of the stream itself is about no app.
func appendEvent(b []byte, f Format, stamp string, ofStream bool, e Event) []byte {
	o := object{b: b, style: spaced}
	if f == FormatText {
		o.style = compact
	}
	o.text("TimeStamp", stamp)
	o.text("Type", e.Type.String())
	for _, field := range [][2]string{{"ContainerAppName", e.App}, {"RevisionName", e.Revision}, {"ReplicaName", e.Replica}} {
		if ofStream {
			o.raw(field[0], "null")
		} else {
			o.text(field[0], field[1])
		}
	}
	o.text("Msg", e.Msg)
	o.text("Reason", e.Reason)
	o.text("EventSource", e.Source)
	o.raw("Count", strconv.Itoa(e.Count))
	return append(o.end(), '\n')
}

// style is the separators of a JSON object.
type style struct{ comma, colon string }

var (
	spaced  = style{", ", ": "} // as Python's json writes it
	compact = style{",", ":"}
)

// object writes a JSON object behind what b holds.
type object struct {
	b     []byte
	style style
	open  bool
}

func (o *object) key(name string) {
	if o.open {
		o.b = append(o.b, o.style.comma...)
	} else {
		o.b = append(o.b, '{')
		o.open = true
	}
	o.b = appendJSONText(o.b, name)
	o.b = append(o.b, o.style.colon...)
}

func (o *object) text(name, value string) {
	o.key(name)
	o.b = appendJSONText(o.b, value)
}

func (o *object) raw(name, value string) {
	o.key(name)
	o.b = append(o.b, value...)
}

func (o *object) end() []byte { return append(o.b, '}') }

// appendJSONText appends s in quotes, in ASCII only, as Python's json does.
// Bytes that are not UTF-8 appear as U+FFFD.
func appendJSONText(b []byte, s string) []byte {
	b = append(b, '"')
	for _, r := range s {
		switch {
		case r == '"' || r == '\\':
			b = append(b, '\\', byte(r))
		case r == '\n':
			b = append(b, `\n`...)
		case r == '\r':
			b = append(b, `\r`...)
		case r == '\t':
			b = append(b, `\t`...)
		case r == '\b':
			b = append(b, `\b`...)
		case r == '\f':
			b = append(b, `\f`...)
		case r >= ' ' && r < utf8.RuneSelf:
			b = append(b, byte(r))
		case r > 0xffff:
			r -= 0x10000
			b = appendEscape(b, 0xd800+r>>10)
			b = appendEscape(b, 0xdc00+r&0x3ff)
		default:
			b = appendEscape(b, r)
		}
	}
	return append(b, '"')
}

func appendEscape(b []byte, r rune) []byte {
	const hex = "0123456789abcdef"
	return append(b, '\\', 'u', hex[r>>12&15], hex[r>>8&15], hex[r>>4&15], hex[r&15])
}
