package arm

import (
	"encoding/json"
	"fmt"
	"math"
	"reflect"
	"strconv"
	"strings"
)

// Unknown is a value that only Azure knows.
type Unknown struct {
	What string // an expression-like name: "listKeys(…).keys[0].value"
}

// String is what stands in the place of the value.
func (u Unknown) String() string { return "(known to Azure only: " + u.What + ")" }

// partial is the state of a resource of which only some properties are known.
type partial struct {
	what  string
	known map[string]func() (any, error)
}

func (p *partial) member(name string) (any, error) {
	for key, value := range p.known {
		if strings.EqualFold(key, name) {
			return value()
		}
	}
	return Unknown{p.what + "." + name}, nil
}

func isUnknown(v any) bool {
	switch v.(type) {
	case Unknown, *partial:
		return true
	}
	return false
}

// whatOf names an unknown value.
func whatOf(v any) string {
	switch v := v.(type) {
	case Unknown:
		return v.What
	case *partial:
		return v.what
	}
	return ""
}

func number(text string) json.Number { return json.Number(text) }

func fromInt(n int64) json.Number { return json.Number(strconv.FormatInt(n, 10)) }

// integer is a whole number, also when it is written as text.
func integer(v any) (int, bool) {
	var text string
	switch v := v.(type) {
	case json.Number:
		text = v.String()
	case string:
		text = v
	default:
		return 0, false
	}
	if n, err := strconv.ParseInt(text, 10, 64); err == nil && math.Abs(float64(n)) <= math.MaxInt32 {
		return int(n), true
	}
	f, err := strconv.ParseFloat(text, 64)
	if err != nil || f != math.Trunc(f) || math.Abs(f) > math.MaxInt32 {
		return 0, false
	}
	return int(f), true
}

func kindName(v any) string {
	switch v.(type) {
	case nil:
		return "null"
	case bool:
		return "true or false"
	case json.Number:
		return "a number"
	case string:
		return "text"
	case []any:
		return "a list"
	case map[string]any:
		return "an object"
	}
	return "a value that only Azure knows"
}

// textOf is a value as text, as string() gives it. What is too large to print
// is cut.
func textOf(v any) string {
	switch v := v.(type) {
	case nil:
		return ""
	case string:
		return v
	case bool:
		if v {
			return "True"
		}
		return "False"
	case json.Number:
		return v.String()
	case Unknown:
		return v.String()
	case *partial:
		return Unknown{v.what}.String()
	}
	budget := maxElements
	if measure(v, &budget); budget < 0 {
		return "(too large to print)"
	}
	text, err := json.Marshal(printable(v))
	if err != nil {
		return fmt.Sprint(v)
	}
	return string(text)
}

// measure counts the values below v; shared ones count as often as they are
// met, which is how often printing would meet them.
func measure(v any, budget *int) {
	if *budget--; *budget < 0 {
		return
	}
	switch v := v.(type) {
	case []any:
		for _, item := range v {
			measure(item, budget)
		}
	case map[string]any:
		for _, item := range v {
			measure(item, budget)
		}
	}
}

// printable replaces what is unknown by its text.
func printable(v any) any {
	switch v := v.(type) {
	case Unknown, *partial:
		return textOf(v)
	case []any:
		out := make([]any, len(v))
		for i, item := range v {
			out[i] = printable(item)
		}
		return out
	case map[string]any:
		out := make(map[string]any, len(v))
		for k, item := range v {
			out[k] = printable(item)
		}
		return out
	}
	return v
}

// equal compares as equals() does: text with case, numbers by value, objects
// and lists as a whole.
func equal(a, b any) bool {
	if x, ok := integer(a); ok {
		y, ok := integer(b)
		_, text := a.(string)
		_, otherText := b.(string)
		if ok && text == otherText && !text {
			return x == y
		}
	}
	budget := maxElements
	if measure(a, &budget); budget < 0 {
		return false
	}
	return reflect.DeepEqual(a, b)
}
