// Command conformance runs the conformance data of package kql, prints how
// much of it passes, and writes the page docs/kql.md from the code.
//
//	go run ./logsink/kql/internal/conformance [-data DIR] [-docs FILE]
//
// It fails when something does not pass that is not known to.
package main

import (
	"flag"
	"fmt"
	"io"
	"os"

	"github.com/acalocal/acalocal/logsink/kql/kqltest"
)

func main() {
	data := flag.String("data", "logsink/kql/testdata", "read cases.jsonl, rejects.jsonl and corpus.txt from this `directory`")
	docs := flag.String("docs", "docs/kql.md", "write the reference page to this `file`; empty writes none")
	flag.Parse()
	if err := run(os.Stdout, *data, *docs); err != nil {
		fmt.Fprintln(os.Stderr, "conformance:", err)
		os.Exit(1)
	}
}

func run(w io.Writer, data, docs string) error {
	s, err := kqltest.Score(data)
	if err != nil {
		return err
	}
	fmt.Fprint(w, s)
	if docs != "" {
		if err := os.WriteFile(docs, []byte(kqltest.Page(s)), 0o644); err != nil {
			return err
		}
	}
	if len(s.Failures) > 0 {
		for _, f := range s.Failures {
			fmt.Fprintln(w, "FAIL", f)
		}
		return fmt.Errorf("%d failures", len(s.Failures))
	}
	return nil
}
