package main

import (
	"github.com/spf13/cobra"

	"grounded/corpus"
)

// filterFlag adds --filter, which may be given several times.
func filterFlag(c *cobra.Command, filters *[]string) {
	c.Flags().StringArrayVar(filters, "filter", nil, "only documents with this metadata, as `key=value`, key=a,b (either), key!=value or key>=value; all must hold when given several times")
}

// parseFilter reads the values of --filter.
func parseFilter(conditions []string) (corpus.Filter, error) {
	var filter corpus.Filter
	for _, text := range conditions {
		c, err := corpus.ParseCondition(text)
		if err != nil {
			return nil, usageError{err}
		}
		filter = append(filter, c)
	}
	return filter, nil
}
