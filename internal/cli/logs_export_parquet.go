package cli

import (
	"encoding/json"
	"fmt"
	"io"
	"iter"
	"slices"
	"strconv"
	"time"

	"github.com/acalocal/acalocal/internal/api"
	"github.com/parquet-go/parquet-go"
)

// parquetType is how a Kusto type is stored in a Parquet file.
type parquetType struct {
	node func() parquet.Node
	// value reads a cell that is not null; false when the file's type cannot
	// hold it.
	value func(cell json.RawMessage) (parquet.Value, bool)
}

// parquetTypes are the types by their Kusto names. Datetimes are nanoseconds,
// which keeps all seven digits; those before 1678 or after 2262 are null.
// Decimals and timespans are text, as Parquet has no type that holds all.
var parquetTypes = map[string]parquetType{
	"bool": {func() parquet.Node { return parquet.Leaf(parquet.BooleanType) }, func(c json.RawMessage) (parquet.Value, bool) {
		return parquet.BooleanValue(string(c) == "true"), true
	}},
	"int": {func() parquet.Node { return parquet.Int(32) }, func(c json.RawMessage) (parquet.Value, bool) {
		n, err := strconv.ParseInt(string(c), 10, 32)
		return parquet.Int32Value(int32(n)), err == nil
	}},
	"long": {func() parquet.Node { return parquet.Int(64) }, func(c json.RawMessage) (parquet.Value, bool) {
		n, err := strconv.ParseInt(string(c), 10, 64)
		return parquet.Int64Value(n), err == nil
	}},
	"real": {func() parquet.Node { return parquet.Leaf(parquet.DoubleType) }, func(c json.RawMessage) (parquet.Value, bool) {
		n, err := strconv.ParseFloat(cellText(c), 64) // "NaN" and "Infinity" are text
		return parquet.DoubleValue(n), err == nil
	}},
	"datetime": {func() parquet.Node { return parquet.Timestamp(parquet.Nanosecond) }, func(c json.RawMessage) (parquet.Value, bool) {
		t, err := time.Parse(time.RFC3339Nano, cellText(c))
		return parquet.Int64Value(t.UnixNano()), err == nil && t.Year() > 1677 && t.Year() < 2262
	}},
	"dynamic": {parquet.JSON, parquetText},
}

func parquetText(c json.RawMessage) (parquet.Value, bool) {
	return parquet.ByteArrayValue([]byte(cellText(c))), true
}

// parquetOf is the type of a column; text unless there is a better one.
func parquetOf(column api.QueryColumn) parquetType {
	if t, ok := parquetTypes[column.Type]; ok {
		return t
	}
	return parquetType{parquet.String, parquetText}
}

// orderedGroup is a group whose fields are in the order of the columns, where a
// parquet.Group sorts them by name.
type orderedGroup struct {
	parquet.Group
	order map[string]int
}

// Fields implements parquet.Node.
func (g orderedGroup) Fields() []parquet.Field {
	fields := g.Group.Fields()
	slices.SortFunc(fields, func(a, b parquet.Field) int { return g.order[a.Name()] - g.order[b.Name()] })
	return fields
}

// parquetBatch is how many rows are handed over at once, parquetGroup how many
// are held in memory before they become a group of the file.
const (
	parquetBatch = 256
	parquetGroup = 100_000
)

// exportParquet writes a file of Apache Parquet with Zstandard.
func exportParquet(w io.Writer, columns []api.QueryColumn, rows iter.Seq2[[]json.RawMessage, error]) error {
	if isTerminal(w) {
		return misuse(fmt.Errorf("a Parquet file is nothing for a terminal"), "name a file, as in --output logs.parquet")
	}
	group := orderedGroup{parquet.Group{}, map[string]int{}}
	types := make([]parquetType, len(columns))
	for i, c := range columns {
		types[i] = parquetOf(c)
		group.Group[c.Name], group.order[c.Name] = parquet.Optional(types[i].node()), i
	}
	out := parquet.NewWriter(w, parquet.NewSchema("rows", group), parquet.Compression(&parquet.Zstd), parquet.MaxRowsPerRowGroup(parquetGroup))
	batch := make([]parquet.Row, 0, parquetBatch)
	flush := func() error {
		_, err := out.WriteRows(batch)
		batch = batch[:0]
		return err
	}
	for cells, err := range rows {
		if err != nil {
			return err
		}
		batch = append(batch, parquetRow(types, cells))
		if len(batch) == parquetBatch {
			if err := flush(); err != nil {
				return fmt.Errorf("write Parquet: %w", err)
			}
		}
	}
	if err := flush(); err != nil {
		return fmt.Errorf("write Parquet: %w", err)
	}
	return out.Close()
}

func parquetRow(types []parquetType, cells []json.RawMessage) parquet.Row {
	row := make(parquet.Row, len(cells))
	for i, cell := range cells {
		row[i] = parquet.NullValue().Level(0, 0, i)
		if string(cell) == "null" {
			continue
		}
		if v, ok := types[i].value(cell); ok {
			row[i] = v.Level(0, 1, i)
		}
	}
	return row
}
