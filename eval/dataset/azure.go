package dataset

import (
	"encoding/json"
	"fmt"
	"regexp"
	"strconv"
	"strings"

	"grounded/corpus"
)

// azureCitation is how Azure's RAG samples cite: [file.pdf#page=3], [file.pdf#page=3(figure3_1.png)] for a figure on that
// page, or [file.md] for what has no pages.
var azureCitation = regexp.MustCompile(`\s*\[([^\[\]#]+\.[A-Za-z0-9]{2,5})(?:#page=(\d+))?(?:\([^()\[\]]*\))?\]`)

// importAzure reads the ground truth of Azure's RAG samples: the citations become evidence and leave the answer. A
// question gets its number as its id.
func importAzure(path string) (Imported, error) {
	var made Imported
	n, bare := 0, 0
	err := eachObject(path, func(object json.RawMessage) error {
		n++
		var entry struct {
			Question string `json:"question"`
			Truth    string `json:"truth"`
		}
		if err := json.Unmarshal(object, &entry); err != nil {
			return err
		}
		q := Question{ID: fmt.Sprintf("q%03d", n), Question: strings.TrimSpace(entry.Question), Answerable: true}
		if a := strings.TrimSpace(azureCitation.ReplaceAllString(entry.Truth, "")); a != "" {
			q.Answers = []string{a}
		}
		known := map[Evidence]bool{}
		for _, m := range azureCitation.FindAllStringSubmatch(entry.Truth, -1) {
			e := Evidence{Document: m[1]}
			if m[2] != "" {
				page, err := strconv.Atoi(m[2])
				if err != nil || page < 1 {
					return corpus.Errorf(corpus.ErrInvalid, "page %q of %s is not a number from 1", m[2], m[1])
				}
				e.Page = page
			}
			if !known[e] {
				known[e] = true
				q.Evidence = append(q.Evidence, e)
			}
		}
		if len(q.Evidence) == 0 {
			bare++
		}
		if p := q.problem(); p != "" {
			return corpus.Errorf(corpus.ErrInvalid, "%s", p)
		}
		made.Questions = append(made.Questions, q)
		return nil
	})
	if bare > 0 {
		made.warnf("%d answers cite no document.", bare)
	}
	return made, err
}
