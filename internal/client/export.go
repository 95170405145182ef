package client

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"iter"
	"net/http"

	"github.com/acalocal/acalocal/internal/api"
)

// Export reads all rows of a query, or of the table whose name text is. The
// rows must be read to their end, or until they yield an error; a row and its
// cells are used again for the next one.
func (c *Client) Export(ctx context.Context, text, timespan string) ([]api.QueryColumn, iter.Seq2[[]json.RawMessage, error], error) {
	body, err := c.open(ctx, http.MethodPost, own("export", nil), api.QueryBody{Query: text, Timespan: timespan})
	if err != nil {
		return nil, nil, err
	}
	in := bufio.NewReaderSize(body, 256<<10)
	var head api.ExportHead
	first, err := in.ReadBytes('\n')
	if err == nil {
		err = json.Unmarshal(first, &head)
	}
	if err != nil {
		_ = body.Close() // nothing more is wanted of it
		return nil, nil, fmt.Errorf("read the export: %w", err)
	}
	return head.Columns, func(yield func([]json.RawMessage, error) bool) {
		defer body.Close()
		for rows := int64(0); ; rows++ {
			line, err := in.ReadBytes('\n')
			if err != nil {
				yield(nil, cutOff(err))
				return
			}
			if !bytes.HasPrefix(line, []byte("[")) {
				if err := checkEnd(line, rows); err != nil {
					yield(nil, err)
				}
				return
			}
			var row []json.RawMessage
			if err := json.Unmarshal(line, &row); err != nil {
				yield(nil, fmt.Errorf("read the export: %w", err))
				return
			}
			if !yield(row, nil) {
				return
			}
		}
	}, nil
}

// checkEnd says whether the last line of an export tells that it is whole.
func checkEnd(line []byte, rows int64) error {
	var end api.ExportEnd
	switch err := json.Unmarshal(line, &end); {
	case err != nil:
		return fmt.Errorf("read the export: %w", err)
	case end.Error != nil:
		return fmt.Errorf("the export broke off after %d rows: %s", end.Rows, end.Error.Message)
	case end.Rows != rows:
		return fmt.Errorf("the export is not whole: %d of %d rows came", rows, end.Rows)
	}
	return nil
}

func cutOff(err error) error {
	if err == io.EOF {
		err = io.ErrUnexpectedEOF
	}
	return fmt.Errorf("the export was cut off: %w", err)
}

// Import sends rows in a form that package incident reads, and returns how many
// were stored of each table.
func (c *Client) Import(ctx context.Context, rows io.Reader) (api.ImportAnswer, error) {
	var out api.ImportAnswer
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://acalocal"+own("import", nil), rows)
	if err != nil {
		return out, err
	}
	resp, err := c.http.Do(req)
	if err != nil {
		return out, plain(err)
	}
	defer resp.Body.Close()
	if resp.StatusCode >= 300 {
		return out, readError(resp)
	}
	if err := json.NewDecoder(resp.Body).Decode(&out); err != nil {
		return out, fmt.Errorf("read the answer to the import: %w", err)
	}
	return out, nil
}
