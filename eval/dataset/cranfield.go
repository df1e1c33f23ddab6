package dataset

import (
	"fmt"
	"path/filepath"
	"strconv"
	"strings"

	"grounded/corpus"
)

// importCranfield reads the Cranfield collection (Cleverdon, 1967) from its folder: cran.all.1400, cran.qry and
// cranqrel. Judgements count the questions by their place, 1 to 4 are relevant ("a complete answer" first, grade 4 to 1
// here), 5 is "of no interest". The paper that a question was taken from, judged -1, is not relevant.
func importCranfield(folder string) (Imported, error) {
	made := Imported{Documents: map[string]string{}}
	texts, err := smartEntries(filepath.Join(folder, "cran.all.1400"))
	if err != nil {
		return made, err
	}
	empty := 0
	for _, t := range texts {
		whole := strings.TrimSpace(t["T"] + "\n" + t["W"])
		if whole == "" {
			empty++
			continue
		}
		made.Documents[fileName(t["I"])] = whole
	}
	if empty > 0 {
		made.warnf("%d texts are empty and were left out.", empty)
	}
	queries, err := smartEntries(filepath.Join(folder, "cran.qry"))
	if err != nil {
		return made, err
	}
	for i, q := range queries {
		made.Questions = append(made.Questions, Question{ID: fmt.Sprint(i + 1), Question: strings.Join(strings.Fields(q["W"]), " "), Answerable: true})
	}
	err = eachLine(filepath.Join(folder, "cranqrel"), func(text string) error {
		fields := strings.Fields(text)
		if len(fields) != 3 {
			return corpus.Errorf(corpus.ErrInvalid, "there are %d fields; a judgement is question, text and grade", len(fields))
		}
		n, err := strconv.Atoi(fields[0])
		grade, err2 := strconv.Atoi(fields[2])
		if err != nil || err2 != nil || n < 1 || n > len(made.Questions) {
			return corpus.Errorf(corpus.ErrInvalid, "%q is no judgement of the %d questions", text, len(made.Questions))
		}
		if _, there := made.Documents[fileName(fields[1])]; there && grade >= 1 && grade <= 4 {
			made.Questions[n-1].Evidence = append(made.Questions[n-1].Evidence, Evidence{Document: fileName(fields[1]), Grade: float64(5 - grade)})
		}
		return nil
	})
	return made, err
}

// smartEntries reads entries that begin with ".I n" and have fields .T, .W and so on, the form of SMART's collections.
func smartEntries(path string) (entries []map[string]string, err error) {
	field := ""
	err = eachLine(path, func(text string) error {
		switch id, begins := strings.CutPrefix(text, ".I "); {
		case begins:
			entries = append(entries, map[string]string{"I": strings.TrimSpace(id)})
		case len(entries) == 0:
			return corpus.Errorf(corpus.ErrInvalid, "there is text before the first entry, which begins with .I")
		case len(strings.TrimSpace(text)) == 2 && text[0] == '.' && text[1] >= 'A' && text[1] <= 'Z':
			field = text[1:2]
		default:
			entries[len(entries)-1][field] += text + "\n"
		}
		return nil
	})
	return entries, err
}
