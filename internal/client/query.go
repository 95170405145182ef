package client

import (
	"context"
	"net/http"

	"github.com/acalocal/acalocal/internal/api"
)

// Query runs a KQL query over the log tables. timespan limits TimeGenerated;
// see api.QueryBody. Faults of the query's text come as an *Error whose details
// have a target "start+length" in UTF-16 units.
func (c *Client) Query(ctx context.Context, text, timespan string) (*api.QueryAnswer, error) {
	var out api.QueryAnswer
	err := c.call(ctx, http.MethodPost, own("query", nil), api.QueryBody{Query: text, Timespan: timespan}, &out)
	if err != nil {
		return nil, err
	}
	return &out, nil
}
