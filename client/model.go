package client

import (
	"context"
	"net/url"

	"grounded/model"
	"grounded/wire"
)

// Models lists the cards of the server's catalog that pass the filter.
func (c *Client) Models(ctx context.Context, f model.Filter) ([]model.Card, error) {
	query := url.Values{}
	for name, value := range map[string]string{"task": string(f.Task), "provider": f.Provider, "kind": f.Access, "deployment": f.Deployment, "text": f.Text} {
		if value != "" {
			query.Set(name, value)
		}
	}
	page, err := call[wire.Page[model.Card]](ctx, c, request{method: "GET", path: []string{"api", "models"}, query: query})
	return page.Data, err
}

// Model returns the card of one.
func (c *Client) Model(ctx context.Context, id string) (model.Card, error) {
	return call[model.Card](ctx, c, request{method: "GET", path: []string{"api", "models", id}})
}
