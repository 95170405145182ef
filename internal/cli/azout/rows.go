package azout

import (
	"io"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"
)

// list is what is printed a line each: the elements of a list, else the answer
// itself.
func list(answer any) []any {
	if l, ok := answer.([]any); ok {
		return l
	}
	return []any{answer}
}

// fields are the fields of an object: in their order, or by name.
func fields(v any) (Row, bool) {
	switch v := v.(type) {
	case Row:
		return v, true
	case map[string]any:
		row := make(Row, 0, len(v))
		for name, value := range v {
			row = append(row, Field{name, value})
		}
		slices.SortFunc(row, func(a, b Field) int { return strings.Compare(a.Name, b.Name) })
		return row, true
	}
	return nil, false
}

func isSimple(v any) bool {
	_, object := fields(v)
	_, isList := v.([]any)
	return !object && !isList
}

// text is a value as Python, in which az is written, prints it.
func text(v any) string {
	switch v := v.(type) {
	case nil:
		return "None"
	case string:
		return v
	case bool:
		if v {
			return "True"
		}
		return "False"
	case float64:
		return strconv.FormatFloat(v, 'f', -1, 64)
	}
	return ""
}

// writeTSV prints a line for each element, its values with tabs between. A
// list within shows as its length and an object as nothing, so that the number
// of columns stays.
func writeTSV(w io.Writer, answer any) error {
	var b strings.Builder
	for _, item := range list(answer) {
		values, isList := item.([]any)
		row, isObject := fields(item)
		switch {
		case isObject:
			values = nil
			for _, f := range row {
				values = append(values, f.Value)
			}
		case !isList:
			b.WriteString(alone(item) + "\n")
			continue
		}
		cells := make([]string, len(values))
		for i, v := range values {
			cells[i] = cell(v)
		}
		b.WriteString(strings.Join(cells, "\t") + "\n")
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// alone is a value that is a whole line. Booleans are in lower case there, and
// only there.
func alone(v any) string {
	if b, ok := v.(bool); ok {
		return strconv.FormatBool(b)
	}
	return text(v)
}

func cell(v any) string {
	if l, ok := v.([]any); ok {
		return strconv.Itoa(len(l))
	}
	return text(v)
}

// skipped are the fields a table never shows.
var skipped = []string{"id", "type", "etag"}

// writeTable prints the simple values of each element below their names.
func writeTable(w io.Writer, answer any, table Table) error {
	var rows []Row
	if table != nil {
		rows = table(answer)
	} else {
		for _, item := range list(answer) {
			rows = append(rows, tableRow(item))
		}
	}
	var head []string
	for _, row := range rows {
		for _, f := range row {
			if name := column(f.Name); !slices.Contains(head, name) {
				head = append(head, name)
			}
		}
	}
	if len(head) == 0 {
		return nil
	}
	lines := [][]string{head, nil}
	for _, row := range rows {
		line := make([]string, len(head))
		for _, f := range row {
			if f.Value != nil {
				line[slices.Index(head, column(f.Name))] = text(f.Value)
			}
		}
		lines = append(lines, line)
	}
	return writeColumns(w, lines)
}

// tableRow is what a table shows of an element.
func tableRow(item any) Row {
	row, ok := fields(item)
	if !ok {
		if values, isList := item.([]any); isList {
			for i, v := range values {
				row = append(row, Field{"Column" + strconv.Itoa(i+1), v})
			}
			return row
		}
		return Row{{"Result", item}}
	}
	var out Row
	for _, f := range row {
		if f.Value != nil && isSimple(f.Value) && !slices.Contains(skipped, f.Name) {
			out = append(out, f)
		}
	}
	return out
}

// column is the name of a field above its column.
func column(name string) string {
	if name == "" {
		return name
	}
	return strings.ToUpper(name[:1]) + name[1:]
}

// writeColumns prints lines with the second as a rule, columns two spaces apart
// and two wider than their names, as the Python module tabulate does for az.
func writeColumns(w io.Writer, lines [][]string) error {
	widths := make([]int, len(lines[0]))
	for n, line := range lines {
		for i, c := range line {
			width := utf8.RuneCountInString(c)
			if n == 0 {
				width += 2
			}
			widths[i] = max(widths[i], width)
		}
	}
	lines[1] = make([]string, len(widths))
	for i, n := range widths {
		lines[1][i] = strings.Repeat("-", n)
	}
	var b strings.Builder
	for _, line := range lines {
		var l strings.Builder
		for i, c := range line {
			l.WriteString(c + strings.Repeat(" ", widths[i]-utf8.RuneCountInString(c)+2))
		}
		b.WriteString(strings.TrimRight(l.String(), " ") + "\n")
	}
	_, err := io.WriteString(w, b.String())
	return err
}
