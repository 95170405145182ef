package telemetry

import (
	"encoding/json"
	"maps"
	"slices"
	"strconv"
	"unicode/utf8"

	"github.com/acalocal/acalocal/logsink"
)

// Limits of Application Insights for names and values of properties.
// https://learn.microsoft.com/azure/azure-monitor/app/data-model-complete
const (
	maxKey   = 150
	maxValue = 8192
)

// bag is a JSON object in the making, no longer than a field may be: members
// that do not fit any more are left out.
type bag struct{ b []byte }

func (g *bag) add(key string, value any) {
	name, err := json.Marshal(cut(key, maxKey))
	if err != nil {
		return // a string is always JSON
	}
	text, err := json.Marshal(value)
	if err != nil || len(g.b)+len(name)+len(text)+3 > logsink.MaxField {
		return
	}
	sep := byte(',')
	if len(g.b) == 0 {
		sep = '{'
	}
	g.b = append(append(append(append(g.b, sep), name...), ':'), text...)
}

func (g *bag) addText(key, value string) { g.add(key, cut(value, maxValue)) }

// String is the object, "" when it is empty.
func (g *bag) String() string {
	if len(g.b) == 0 {
		return ""
	}
	return string(g.b) + "}"
}

// cut shortens a text to n bytes and makes it valid UTF-8.
func cut(s string, n int) string {
	if len(s) > n {
		for n > 0 && !utf8.RuneStart(s[n]) {
			n--
		}
		s = s[:n]
	}
	return s
}

func properties[T ~string](m map[string]T) string {
	var g bag
	for _, key := range slices.Sorted(maps.Keys(m)) {
		g.addText(key, string(m[key]))
	}
	return g.String()
}

func measurements(m map[string]text) string {
	var g bag
	for _, key := range slices.Sorted(maps.Keys(m)) {
		if v, err := strconv.ParseFloat(string(m[key]), 64); err == nil {
			g.add(key, v)
		}
	}
	return g.String()
}

// detail is one exception as the column Details shows it.
type detail struct {
	ID      string  `json:"id,omitempty"`
	OuterID string  `json:"outerId,omitempty"`
	Type    string  `json:"type"`
	Message string  `json:"message"`
	Stack   string  `json:"rawStack,omitempty"`
	Frames  []frame `json:"parsedStack,omitempty"`
}

// details is the column Details: a list of exceptions. Stacks are shortened, and
// inner exceptions left out, when it would be longer than a field may be.
func details(chain []exceptionData) string {
	for _, frames := range []int{1000, 100, 10, 0} {
		list := make([]detail, 0, len(chain))
		for _, x := range chain {
			d := detail{string(x.ID), string(x.OuterID), string(x.Type), cut(string(x.Message), maxValue), "", x.Frames[:min(len(x.Frames), frames)]}
			if len(d.Frames) == 0 {
				d.Stack = cut(string(x.Stack), 2*maxValue*min(frames, 1))
			}
			list = append(list, d)
		}
		b, err := json.Marshal(list)
		if err == nil && len(b) <= logsink.MaxField {
			return string(b)
		}
	}
	return ""
}
