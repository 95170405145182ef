package arm

import (
	"bytes"
	"cmp"
	"crypto/sha256"
	"encoding/base32"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strconv"
	"strings"
)

// function is one function of the template language. It gets evaluated
// arguments and must not keep them.
type function struct {
	min, max int  // number of arguments; max -1 is any number
	unknown  bool // takes values that only Azure knows
	eval     func(s *scope, args []any) (any, error)
}

func (f function) arity() string {
	switch {
	case f.max < 0:
		return fmt.Sprintf("%d arguments or more", f.min)
	case f.min == f.max:
		return fmt.Sprintf("%d arguments", f.min)
	}
	return fmt.Sprintf("%d to %d arguments", f.min, f.max)
}

// functions are by name in lower case
// (https://learn.microsoft.com/azure/azure-resource-manager/templates/template-functions).
var functions map[string]function

func init() {
	functions = map[string]function{}
	for _, table := range []map[string]function{textFunctions, timeFunctions, networkFunctions, listFunctions, objectFunctions, numberFunctions, logicFunctions, deploymentFunctions} {
		for name, f := range table {
			functions[name] = f
		}
	}
}

// text1 makes a function of one text.
func text1(f func(string) any) function {
	return function{1, 1, false, func(_ *scope, a []any) (any, error) {
		s, err := asText(a[0])
		if err != nil {
			return nil, err
		}
		return f(s), nil
	}}
}

// text2 makes a function of two texts.
func text2(f func(a, b string) any) function {
	return function{2, 2, false, func(_ *scope, args []any) (any, error) {
		a, err := asText(args[0])
		if err != nil {
			return nil, err
		}
		b, err := asText(args[1])
		if err != nil {
			return nil, err
		}
		return f(a, b), nil
	}}
}

func asText(v any) (string, error) {
	if s, ok := v.(string); ok {
		return s, nil
	}
	return "", fmt.Errorf("expected text, found %s", kindName(v))
}

func asInt(v any) (int, error) {
	if n, ok := integer(v); ok {
		return n, nil
	}
	return 0, fmt.Errorf("expected a whole number, found %s", kindName(v))
}

func asList(v any) ([]any, error) {
	if l, ok := v.([]any); ok {
		return l, nil
	}
	return nil, fmt.Errorf("expected a list, found %s", kindName(v))
}

var textFunctions = map[string]function{
	"tolower":      text1(func(s string) any { return strings.ToLower(s) }),
	"toupper":      text1(func(s string) any { return strings.ToUpper(s) }),
	"trim":         text1(func(s string) any { return strings.TrimSpace(s) }),
	"base64":       text1(func(s string) any { return base64.StdEncoding.EncodeToString([]byte(s)) }),
	"uricomponent": text1(func(s string) any { return strings.ReplaceAll(url.QueryEscape(s), "+", "%20") }),
	"datauri": text1(func(s string) any {
		return "data:text/plain;charset=utf8;base64," + base64.StdEncoding.EncodeToString([]byte(s))
	}),
	"startswith":           text2(func(a, b string) any { return strings.HasPrefix(strings.ToLower(a), strings.ToLower(b)) }),
	"endswith":             text2(func(a, b string) any { return strings.HasSuffix(strings.ToLower(a), strings.ToLower(b)) }),
	"parseuri":             {1, 1, false, parseURI},
	"builduri":             {1, 1, false, buildURI},
	"uri":                  text2(func(a, b string) any { return joinURI(a, b) }),
	"base64tostring":       {1, 1, false, fromBase64},
	"base64tojson":         {1, 1, false, func(s *scope, a []any) (any, error) { return decodeWith(fromBase64, s, a) }},
	"datauritostring":      {1, 1, false, fromDataURI},
	"uricomponenttostring": {1, 1, false, func(_ *scope, a []any) (any, error) { return url.QueryUnescape(textOf(a[0])) }},
	"json":                 {1, 1, false, func(_ *scope, a []any) (any, error) { return parseValue(textOf(a[0])) }},
	"string":               {1, 1, true, func(_ *scope, a []any) (any, error) { return textOf(a[0]), nil }},
	"format":               {1, -1, true, format},
	"replace": {3, 3, false, func(_ *scope, a []any) (any, error) {
		old, with := textOf(a[1]), textOf(a[2])
		if old == "" {
			return textOf(a[0]), nil
		}
		if n := strings.Count(textOf(a[0]), old); n*len(with) > maxText {
			return nil, errors.New("the result is too long")
		}
		return strings.ReplaceAll(textOf(a[0]), old, with), nil
	}},
	"split":        {2, 2, false, split},
	"substring":    {2, 3, false, substring},
	"padleft":      {2, 3, false, padLeft},
	"indexof":      {2, 2, false, func(_ *scope, a []any) (any, error) { return position(a, strings.Index, false) }},
	"lastindexof":  {2, 2, false, func(_ *scope, a []any) (any, error) { return position(a, strings.LastIndex, true) }},
	"uniquestring": {1, -1, false, func(_ *scope, a []any) (any, error) { return uniqueString(a), nil }},
	"guid":         {1, -1, false, func(_ *scope, a []any) (any, error) { return guid(a), nil }},
	// A new one each time would make a new revision at every load.
	"newguid": {0, 0, false, func(s *scope, _ []any) (any, error) { return guid([]any{s.d.name, "newGuid"}), nil }},
	// fail ends the deployment with a message of the template.
	"fail": {1, 1, true, func(_ *scope, a []any) (any, error) { return nil, errors.New(clip(textOf(a[0]))) }},
}

func fromBase64(_ *scope, a []any) (any, error) {
	text, err := base64.StdEncoding.DecodeString(textOf(a[0]))
	if err != nil {
		return nil, errors.New("the text is not base64")
	}
	return string(text), nil
}

// fromDataURI is the content of a data URI, base64 or not.
func fromDataURI(_ *scope, a []any) (any, error) {
	head, data, ok := strings.Cut(strings.TrimPrefix(textOf(a[0]), "data:"), ",")
	if !ok || !strings.HasPrefix(textOf(a[0]), "data:") {
		return nil, errors.New("the text is not a data URI")
	}
	if !strings.HasSuffix(head, ";base64") {
		return url.PathUnescape(data)
	}
	return fromBase64(nil, []any{data})
}

func decodeWith(f func(*scope, []any) (any, error), s *scope, a []any) (any, error) {
	text, err := f(s, a)
	if err != nil {
		return nil, err
	}
	return parseValue(textOf(text))
}

func parseValue(text string) (any, error) {
	dec := json.NewDecoder(bytes.NewReader([]byte(text)))
	dec.UseNumber()
	var v any
	if err := dec.Decode(&v); err != nil {
		return nil, errors.New("the text is not JSON")
	}
	return v, nil
}

func joinURI(base, relative string) string {
	b, err := url.Parse(base)
	if err != nil {
		return base + relative
	}
	r, err := b.Parse(relative)
	if err != nil {
		return base + relative
	}
	return r.String()
}

// parseURI takes an absolute URI apart: scheme, host, port, path, and query with
// its question mark. A port that is not written is null
// (https://learn.microsoft.com/azure/azure-resource-manager/bicep/bicep-functions-string#parseuri).
func parseURI(_ *scope, a []any) (any, error) {
	text, err := asText(a[0])
	if err != nil {
		return nil, err
	}
	u, err := url.Parse(text)
	if err != nil || u.Scheme == "" || u.Host == "" {
		return nil, errors.New("the text is not an absolute URI")
	}
	out := map[string]any{"scheme": u.Scheme, "host": u.Host, "port": nil, "path": cmp.Or(u.EscapedPath(), "/"), "query": ""}
	if port := u.Port(); port != "" {
		out["host"], out["port"] = strings.TrimSuffix(u.Host, ":"+port), number(port)
	}
	if u.RawQuery != "" {
		out["query"] = "?" + u.RawQuery
	}
	return out, nil
}

// buildURI is the reverse of parseURI; port and query may be left out.
func buildURI(_ *scope, a []any) (any, error) {
	parts, ok := a[0].(map[string]any)
	if !ok {
		return nil, fmt.Errorf("expected an object, found %s", kindName(a[0]))
	}
	text := map[string]string{}
	for _, name := range []string{"scheme", "host", "port", "path", "query"} {
		v, _ := lookup(parts, name)
		if isUnknown(v) {
			return Unknown{"buildUri(" + whatOf(v) + ")"}, nil
		}
		if text[name] = textOf(v); text[name] == "" && name != "port" && name != "query" {
			return nil, fmt.Errorf("the components have no %s", name)
		}
	}
	out := text["scheme"] + "://" + text["host"]
	if text["port"] != "" {
		out += ":" + text["port"]
	}
	out += "/" + strings.TrimPrefix(text["path"], "/")
	if query := strings.TrimPrefix(text["query"], "?"); query != "" {
		out += "?" + query
	}
	if _, err := url.Parse(out); err != nil {
		return nil, errors.New("the components make no URI")
	}
	return out, nil
}

// format replaces {0}, {1:N0}, …; {{ and }} stand for braces.
func format(_ *scope, a []any) (any, error) {
	pattern, err := asText(a[0])
	if err != nil {
		return nil, err
	}
	var b strings.Builder
	for i := 0; i < len(pattern); i++ {
		c := pattern[i]
		if i+1 < len(pattern) && (c == '{' || c == '}') && pattern[i+1] == c {
			b.WriteByte(c)
			i++
			continue
		}
		if c != '{' {
			b.WriteByte(c)
			continue
		}
		end := strings.IndexByte(pattern[i:], '}')
		if end < 0 {
			return nil, errors.New("a brace is not closed")
		}
		number, how, _ := strings.Cut(pattern[i+1:i+end], ":")
		n, ok := integer(strings.TrimSpace(number))
		if !ok || n < 0 || n+1 >= len(a) {
			return nil, fmt.Errorf("there is no argument {%s}", clip(number))
		}
		b.WriteString(formatted(textOf(a[n+1]), how))
		if b.Len() > maxText {
			return nil, errors.New("the result is too long")
		}
		i += end
	}
	return b.String(), nil
}

// formatted writes a whole number in one of .NET's formats for them: D3, X2,
// N0, 000. Other formats, and what is no whole number, are passed over.
func formatted(text, how string) string {
	n, ok := integer(text)
	if !ok || how == "" {
		return text
	}
	digits, err := strconv.Atoi(how[1:])
	if how[1:] == "" {
		digits, err = 0, nil
	}
	switch {
	case strings.Trim(how, "0") == "" && len(how) < 100:
		return fmt.Sprintf("%0*d", len(how), n)
	case err != nil || digits > 99 || n < 0:
		return text
	}
	switch how[0] {
	case 'D', 'd':
		return fmt.Sprintf("%0*d", digits, n)
	case 'X':
		return fmt.Sprintf("%0*X", digits, n)
	case 'x':
		return fmt.Sprintf("%0*x", digits, n)
	case 'N', 'n':
		return grouped(n, how[1:])
	}
	return text
}

// grouped writes a number with commas between thousands and, as .NET does
// unless told otherwise, two decimals.
func grouped(n int, digits string) string {
	text := strconv.Itoa(n)
	for i := len(text) - 3; i > 0; i -= 3 {
		text = text[:i] + "," + text[i:]
	}
	decimals, err := strconv.Atoi(digits)
	if err != nil {
		decimals = 2
	}
	if decimals > 0 {
		text += "." + strings.Repeat("0", decimals)
	}
	return text
}

func split(_ *scope, a []any) (any, error) {
	separators := []string{}
	switch by := a[1].(type) {
	case string:
		separators = append(separators, by)
	case []any:
		for _, s := range by {
			separators = append(separators, textOf(s))
		}
	}
	text := textOf(a[0])
	if len(separators) == 0 || slices.Contains(separators, "") {
		return []any{text}, nil
	}
	for _, s := range separators[1:] {
		text = strings.ReplaceAll(text, s, separators[0])
	}
	parts := strings.Split(text, separators[0])
	out := make([]any, len(parts))
	for i, p := range parts {
		out[i] = p
	}
	return out, nil
}

func substring(_ *scope, a []any) (any, error) {
	runes := []rune(textOf(a[0]))
	from, err := asInt(a[1])
	if err != nil {
		return nil, err
	}
	n := len(runes) - from
	if len(a) == 3 {
		if n, err = asInt(a[2]); err != nil {
			return nil, err
		}
	}
	if from < 0 || n < 0 || from+n > len(runes) {
		return nil, fmt.Errorf("the text has %d characters; %d from %d are not in it", len(runes), n, from)
	}
	return string(runes[from : from+n]), nil
}

func padLeft(_ *scope, a []any) (any, error) {
	text, pad := textOf(a[0]), " "
	n, err := asInt(a[1])
	if err != nil {
		return nil, err
	}
	if len(a) == 3 {
		pad = textOf(a[2])
	}
	if n > 1000 || len([]rune(pad)) != 1 {
		return nil, errors.New("a text is padded to at most 1000 characters, with one character")
	}
	return strings.Repeat(pad, max(0, n-len([]rune(text)))) + text, nil
}

// position finds b in a: in a list, or in text without regard to case.
func position(a []any, in func(s, sub string) int, last bool) (any, error) {
	list, ok := a[0].([]any)
	if !ok {
		return fromInt(int64(in(strings.ToLower(textOf(a[0])), strings.ToLower(textOf(a[1]))))), nil
	}
	found := -1
	for i, item := range list {
		if equal(item, a[1]) && (last || found < 0) {
			found = i
		}
	}
	return fromInt(int64(found)), nil
}

// uniqueString is 13 characters that depend on the arguments only. They are
// not the ones Azure computes, whose hash is not public.
func uniqueString(a []any) string {
	sum := sha256.Sum256([]byte(joinArgs(a)))
	return strings.ToLower(base32.StdEncoding.EncodeToString(sum[:])[:13])
}

func guid(a []any) string {
	sum := sha256.Sum256([]byte(joinArgs(a)))
	sum[6], sum[8] = sum[6]&0x0f|0x50, sum[8]&0x3f|0x80
	return fmt.Sprintf("%x-%x-%x-%x-%x", sum[0:4], sum[4:6], sum[6:8], sum[8:10], sum[10:16])
}

func joinArgs(a []any) string {
	parts := make([]string, len(a))
	for i, v := range a {
		parts[i] = textOf(v)
	}
	return strings.Join(parts, "-")
}
