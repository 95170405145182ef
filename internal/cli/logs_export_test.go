package cli

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"iter"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/parquet-go/parquet-go"

	"github.com/acalocal/acalocal/internal/api"
)

// exported are columns of every type and rows of them.
func exported(t *testing.T, lines ...string) ([]api.QueryColumn, iter.Seq2[[]json.RawMessage, error]) {
	var columns []api.QueryColumn
	for _, c := range []string{"s:string", "b:bool", "i:int", "l:long", "r:real", "d:decimal", "t:datetime", "p:timespan", "g:guid", "y:dynamic"} {
		name, typ, _ := strings.Cut(c, ":")
		columns = append(columns, api.QueryColumn{Name: name, Type: typ})
	}
	return columns, func(yield func([]json.RawMessage, error) bool) {
		for _, l := range lines {
			var row []json.RawMessage
			if err := json.Unmarshal([]byte(l), &row); err != nil {
				t.Error(err)
				return
			}
			if !yield(row, nil) {
				return
			}
		}
	}
}

const (
	fullRow = `["ä\n",true,1,9007199254740993,"NaN","1.5","2026-01-02T03:04:05.1234567Z","1.00:00:00","74be27de-1e4e-49d9-b579-fe0b331d3642","{\"a\":[1]}"]`
	nullRow = `["",null,null,null,null,null,null,null,null,null]`
)

func TestParquetKeepsTypesOrderAndNulls(t *testing.T) {
	columns, rows := exported(t, fullRow, nullRow)
	var b bytes.Buffer
	if err := exportParquet(&b, columns, rows); err != nil {
		t.Fatal(err)
	}
	file, err := parquet.OpenFile(bytes.NewReader(b.Bytes()), int64(b.Len()))
	if err != nil {
		t.Fatal(err)
	}
	want := `message rows {
	optional binary s (STRING);
	optional boolean b;
	optional int32 i (INT(32,true));
	optional int64 l (INT(64,true));
	optional double r;
	optional binary d (STRING);
	optional int64 t (TIMESTAMP(isAdjustedToUTC=true,unit=NANOS));
	optional binary p (STRING);
	optional binary g (STRING);
	optional binary y (JSON);
}`
	if diff := cmp.Diff(want, file.Schema().String()); diff != "" {
		t.Errorf("schema (-want +got):\n%s", diff)
	}
	reader := parquet.NewReader(file)
	defer reader.Close()
	got := make([]parquet.Row, 2)
	if n, err := reader.ReadRows(got); n != 2 || err != nil && !errors.Is(err, io.EOF) {
		t.Fatal(n, err)
	}
	var cells []string
	for _, v := range got[0] {
		cells = append(cells, v.String())
	}
	if diff := cmp.Diff([]string{"ä\n", "true", "1", "9007199254740993", "NaN", "1.5", "1767323045123456700", "1.00:00:00", "74be27de-1e4e-49d9-b579-fe0b331d3642", `{"a":[1]}`}, cells); diff != "" {
		t.Errorf("row (-want +got):\n%s", diff)
	}
	for i, v := range got[1] {
		if v.IsNull() != (i > 0) {
			t.Errorf("column %d of the empty row is null: %t", i, v.IsNull())
		}
	}
}

func TestJSONLinesAndCSV(t *testing.T) {
	f := func(write exportWriter, want string) {
		t.Helper()
		columns, rows := exported(t, fullRow, nullRow)
		var b bytes.Buffer
		if err := write(&b, columns, rows); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, b.String()); diff != "" {
			t.Errorf("(-want +got):\n%s", diff)
		}
	}
	f(exportJSONLines, `{"s":"ä\n","b":true,"i":1,"l":9007199254740993,"r":"NaN","d":"1.5","t":"2026-01-02T03:04:05.1234567Z","p":"1.00:00:00","g":"74be27de-1e4e-49d9-b579-fe0b331d3642","y":{"a":[1]}}
{"s":"","b":null,"i":null,"l":null,"r":null,"d":null,"t":null,"p":null,"g":null,"y":null}
`)
	f(exportCSV, `s,b,i,l,r,d,t,p,g,y
"ä
",true,1,9007199254740993,NaN,1.5,2026-01-02T03:04:05.1234567Z,1.00:00:00,74be27de-1e4e-49d9-b579-fe0b331d3642,"{""a"":[1]}"
,,,,,,,,,
`)
}

func TestAnExportThatFailsLeavesNoFile(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "logs.csv")
	broken := errors.New("broken")
	err := writeWhole(path, func(w io.Writer) error {
		_, _ = io.WriteString(w, "half")
		return broken
	})
	left, readErr := os.ReadDir(dir)
	if !errors.Is(err, broken) || readErr != nil || len(left) != 0 {
		t.Errorf("got %v; %v is left", err, left)
	}
}
