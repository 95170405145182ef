package kql

import (
	"encoding/csv"
	"encoding/xml"
	"math/big"
	"net/url"
	"strconv"
	"strings"
)

var parseFns = []scalarFn{
	{name: "parse_url", sig: "string -> dynamic", make: rows(parseURL)},
	{name: "parseurl", sig: "string -> dynamic", make: rows(parseURL)},
	{name: "parse_urlquery", sig: "string -> dynamic", make: rows(parseURLQuery)},
	{name: "parse_path", sig: "string -> dynamic", make: rows(parsePath)},
	{name: "parse_csv", sig: "string -> dynamic", named: asArg, make: rows(parseCSV)},
	{name: "parse_xml", sig: "string -> dynamic", named: asArg, make: rows(parseXML)},
	{name: "parse_version", sig: "string -> decimal", make: rows(parseVersion)},
	{name: "parse_command_line", sig: "string, string -> dynamic", make: rows(parseCommandLine)},
}

// parseURL takes a URL apart into the parts Kusto names.
func parseURL(a []Value) Value {
	out := &Bag{}
	set := func(scheme, host, port, path, user, pass, frag string, query *Bag) Value {
		for _, kv := range [][2]string{{"Scheme", scheme}, {"Host", host}, {"Port", port}, {"Path", path},
			{"Username", user}, {"Password", pass}} {
			out.Set(kv[0], kv[1])
		}
		out.Set("Query Parameters", query)
		out.Set("Fragment", frag)
		return dynamicValue(out)
	}
	u, err := url.Parse(a[0].Str)
	if err != nil {
		return set("", "", "", "", "", "", "", &Bag{})
	}
	pass, _ := u.User.Password()
	path := u.Path
	if u.Opaque != "" {
		path = u.Opaque
	}
	return set(u.Scheme, u.Hostname(), u.Port(), path, u.User.Username(), pass, u.Fragment, queryBag(u.RawQuery))
}

func queryBag(raw string) *Bag {
	out := &Bag{}
	for _, pair := range strings.Split(raw, "&") {
		if pair == "" {
			continue
		}
		k, v, _ := strings.Cut(pair, "=")
		out.Set(urlDecode(k), urlDecode(v))
	}
	return out
}

func parseURLQuery(a []Value) Value {
	out := &Bag{}
	out.Set("Query Parameters", queryBag(strings.TrimPrefix(a[0].Str, "?")))
	return dynamicValue(out)
}

// parsePath takes a file path or URL apart.
// https://learn.microsoft.com/kusto/query/parse-path-function
func parsePath(a []Value) Value {
	s := a[0].Str
	out := &Bag{}
	scheme, root, rest := "", "", s
	if i := strings.Index(s, "://"); i >= 0 {
		scheme, rest = s[:i], s[i+3:]
	}
	if len(rest) >= 2 && rest[1] == ':' && (len(rest) == 2 || rest[2] == '\\' || rest[2] == '/') {
		root = rest[:2]
	}
	stream := ""
	cut := strings.LastIndexAny(rest, `/\`)
	name, dir := rest[cut+1:], rest[:max(cut, 0)]
	if i := strings.IndexByte(name, ':'); i >= 0 && name != root {
		name, stream = name[:i], name[i+1:]
	}
	ext := ""
	if i := strings.LastIndexByte(name, '.'); i >= 0 {
		ext = name[i+1:]
	}
	dirName := dir[strings.LastIndexAny(dir, `/\`)+1:]
	for _, kv := range [][2]string{{"Scheme", scheme}, {"RootPath", root}, {"DirectoryPath", dir}, {"DirectoryName", dirName},
		{"Filename", name}, {"Extension", ext}, {"AlternateDataStreamName", stream}} {
		out.Set(kv[0], kv[1])
	}
	return dynamicValue(out)
}

// parseCSV splits the first record of a text.
func parseCSV(a []Value) Value {
	r := csv.NewReader(strings.NewReader(a[0].Str))
	r.LazyQuotes = true
	rec, err := r.Read()
	if err != nil {
		rec = []string{""}
	}
	out := make([]any, len(rec))
	for i, f := range rec {
		out[i] = f
	}
	return dynamicValue(out)
}

// parseVersion packs up to four numbers into one that sorts like the version.
func parseVersion(a []Value) Value {
	parts := strings.Split(a[0].Str, ".")
	if len(parts) > 4 {
		return nullValue(Decimal)
	}
	out := &Dec{}
	base := big.NewInt(100000000)
	for i := range 4 {
		var n uint64
		if i < len(parts) {
			var err error
			if n, err = strconv.ParseUint(parts[i], 10, 64); err != nil || n >= 100000000 {
				return nullValue(Decimal)
			}
		}
		out.coef.Mul(&out.coef, base)
		out.coef.Add(&out.coef, new(big.Int).SetUint64(n))
	}
	return decValue(out)
}

// parseCommandLine splits by the rules of Windows command lines, the only
// kind Kusto knows.
func parseCommandLine(a []Value) Value {
	if !strings.EqualFold(a[1].Str, "windows") {
		return nullValue(Dynamic)
	}
	out := []any{}
	var b strings.Builder
	quoted, have := false, false
	s := a[0].Str
	for i := 0; i < len(s); i++ {
		switch c := s[i]; {
		case c == '\\' && i+1 < len(s) && s[i+1] == '"':
			b.WriteByte('"')
			i++
			have = true
		case c == '"':
			quoted, have = !quoted, true
		case (c == ' ' || c == '\t') && !quoted:
			if have {
				out = append(out, b.String())
				b.Reset()
				have = false
			}
		default:
			b.WriteByte(c)
			have = true
		}
	}
	if have {
		out = append(out, b.String())
	}
	if len(out) == 0 {
		return nullValue(Dynamic)
	}
	return dynamicValue(out)
}

// parseXML turns XML into the bag Kusto makes of it: elements are keys,
// attributes have @ before their name, repeated elements form an array.
func parseXML(a []Value) Value {
	d := xml.NewDecoder(strings.NewReader(a[0].Str))
	for {
		t, err := d.Token()
		if err != nil {
			return nullValue(Dynamic)
		}
		start, ok := t.(xml.StartElement)
		if !ok {
			continue
		}
		v, err := xmlElement(d, start, 0)
		if err != nil {
			return nullValue(Dynamic)
		}
		out := &Bag{}
		out.Set(xmlName(start.Name), v)
		return dynamicValue(out)
	}
}

func xmlName(n xml.Name) string { return n.Local }

func xmlElement(d *xml.Decoder, start xml.StartElement, depth int) (any, error) {
	if depth > maxJSONDepth {
		return nil, xml.UnmarshalError("nested too deeply")
	}
	out := &Bag{}
	for _, at := range start.Attr {
		out.Set("@"+xmlName(at.Name), at.Value)
	}
	var text strings.Builder
	for {
		t, err := d.Token()
		if err != nil {
			return nil, err
		}
		switch t := t.(type) {
		case xml.CharData:
			text.Write(t)
		case xml.StartElement:
			v, err := xmlElement(d, t, depth+1)
			if err != nil {
				return nil, err
			}
			addChild(out, xmlName(t.Name), v)
		case xml.EndElement:
			s := strings.TrimSpace(text.String())
			switch {
			case out.Len() == 0:
				return xmlScalar(s), nil
			case s != "":
				out.Set("#text", xmlScalar(s))
			}
			return out, nil
		}
	}
}

func addChild(b *Bag, name string, v any) {
	old, ok := b.Get(name)
	if !ok {
		b.Set(name, v)
		return
	}
	if list, isList := old.([]any); isList {
		b.Set(name, append(list, v))
		return
	}
	b.Set(name, []any{old, v})
}

// xmlScalar keeps text; an empty element is null.
func xmlScalar(s string) any {
	if s == "" {
		return nil
	}
	return s
}
