package client_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/acalocal/acalocal/internal/client"
)

func TestAnExportThatIsNotWholeIsAnError(t *testing.T) {
	f := func(body, want string) {
		t.Helper()
		c, end := client.Local(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, body) }))
		defer func() {
			if err := end(); err != nil {
				t.Error(err)
			}
		}()
		columns, rows, err := c.Export(within(t), "T", "")
		n := 0
		if err == nil {
			for _, rowErr := range rows {
				if rowErr != nil {
					err = rowErr
					break
				}
				n++
			}
		}
		got := fmt.Sprintf("%d columns, %d rows, %v", len(columns), n, err)
		if !strings.Contains(got, want) {
			t.Errorf("%q: got %s, want %s", body, got, want)
		}
	}
	const head = `{"columns":[{"name":"n","type":"long"}]}` + "\n"
	f(head+"[1]\n[2]\n"+`{"rows":2}`+"\n", "1 columns, 2 rows, <nil>")
	f(head+"[1]\n[2]\n", "the export was cut off: unexpected EOF")
	f(head+"[1]\n"+`{"rows":2}`+"\n", "the export is not whole: 1 of 2 rows came")
	f(head+"[1]\n"+`{"rows":1,"error":{"code":"x","message":"disk"}}`+"\n", "the export broke off after 1 rows: disk")
	f("", "read the export: EOF")
}
