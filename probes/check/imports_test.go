package check

import (
	"go/parser"
	"go/token"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestImports keeps the program inside the replica small: fmt, net/http and
// crypto/tls are what it must not grow by.
func TestImports(t *testing.T) {
	allowed := map[string]bool{
		"bufio": true, "context": true, "errors": true, "io": true, "net": true, "os": true,
		"strconv": true, "strings": true, "syscall": true, "time": true,
	}
	files, err := filepath.Glob("*.go")
	if err != nil {
		t.Fatal(err)
	}
	var found []string
	for _, name := range files {
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		file, err := parser.ParseFile(token.NewFileSet(), name, nil, parser.ImportsOnly)
		if err != nil {
			t.Fatal(err)
		}
		for _, imp := range file.Imports {
			if path, _ := strconv.Unquote(imp.Path.Value); !allowed[path] {
				found = append(found, name+": "+path)
			}
		}
	}
	if diff := cmp.Diff([]string(nil), found); diff != "" {
		t.Errorf("imports the replica's program cannot afford (-want +got):\n%s", diff)
	}
}
