package client

import (
	"context"
	"net/http"

	"github.com/acalocal/acalocal/internal/api"
)

// Query runs a KQL query over the log tables. Faults of the query's text come as an *Error whose details
// have a target "start+length" in UTF-16 units.
func (c *Client) Query(ctx context.Context, q api.QueryBody) (*api.QueryAnswer, error) {
	var out api.QueryAnswer
	if err := c.call(ctx, http.MethodPost, own("query", nil), q, &out); err != nil {
		return nil, err
	}
	return &out, nil
}

// Ask runs a query over all rows, for commands that judge an app: they find
// rows and tables that queries of users are to see later, as on Azure.
func (c *Client) Ask(ctx context.Context, text string) (*api.QueryAnswer, error) {
	return c.Query(ctx, api.QueryBody{Query: text, Now: true})
}
