package cli

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/acalocal/acalocal/internal/client"
	"github.com/acalocal/acalocal/internal/evidence"
)

// asker asks the log store of an environment that runs.
func asker(c *client.Client) evidence.Asker {
	return func(ctx context.Context, query string) ([][]json.RawMessage, error) {
		answer, err := c.Ask(ctx, query)
		if err != nil {
			return nil, err
		}
		if len(answer.Tables) != 1 {
			return nil, fmt.Errorf("the answer has %d tables", len(answer.Tables))
		}
		return answer.Tables[0].Rows, nil
	}
}

// shorten is a path relative to the current directory, when that is shorter.
func shorten(path string) string {
	dir, err := os.Getwd()
	if err != nil {
		return path
	}
	rel, err := filepath.Rel(dir, path)
	if err != nil || strings.HasPrefix(rel, "..") {
		return path
	}
	return rel
}
