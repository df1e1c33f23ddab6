package report

import (
	"encoding/json"
	"io"

	"grounded/eval"
)

// JSON writes all of a report but its items.
func JSON(w io.Writer, r eval.Report) error {
	encoder := json.NewEncoder(w)
	encoder.SetEscapeHTML(false)
	encoder.SetIndent("", "  ")
	return encoder.Encode(r)
}
