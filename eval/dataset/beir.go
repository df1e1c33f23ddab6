package dataset

import (
	"bufio"
	"encoding/json"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"grounded/corpus"
)

// beir is what is read of a folder in BEIR's form (Thakur et al., 2021): texts and queries with ids, and judgements
// of query, text and score.
type beir struct {
	Imported
	file     map[string]string // of a text, by its id
	queries  []beirEntry
	query    map[string]int // place in queries, by id
	evidence [][]Evidence   // by query
}

type beirEntry struct {
	ID    string `json:"_id"`
	Title string `json:"title"`
	Text  string `json:"text"`
}

// importBEIR leaves queries without a judgement above 0 out, as trec_eval does.
func importBEIR(path string) (Imported, error) {
	folder, judgements := path, filepath.Join(path, "qrels", "test.tsv")
	info, err := os.Stat(path)
	if err != nil {
		return Imported{}, corpus.Errorf(corpus.ErrInvalid, "import dataset: %w", err)
	}
	if !info.IsDir() {
		folder, judgements = filepath.Dir(path), path
		if filepath.Base(folder) == "qrels" {
			folder = filepath.Dir(folder)
		}
	}
	if err := judged(judgements); err != nil {
		return Imported{}, err
	}
	b := beir{Imported: Imported{Documents: map[string]string{}}, file: map[string]string{}, query: map[string]int{}}
	if err := b.readCorpus(filepath.Join(folder, "corpus.jsonl")); err != nil {
		return b.Imported, err
	}
	if err := b.readQueries(filepath.Join(folder, "queries.jsonl")); err != nil {
		return b.Imported, err
	}
	if err := b.readJudgements(judgements); err != nil {
		return b.Imported, err
	}
	left := 0
	for i, q := range b.queries {
		if len(b.evidence[i]) == 0 {
			left++
			continue
		}
		b.Questions = append(b.Questions, Question{ID: q.ID, Question: strings.TrimSpace(q.Text), Evidence: b.evidence[i], Answerable: true})
	}
	if left > 0 {
		b.warnf("%d queries have no relevant text in %s and were left out.", left, filepath.Base(judgements))
	}
	return b.Imported, nil
}

// judged says which other judgements there are, when a file of them is not.
func judged(path string) error {
	if _, err := os.Stat(path); err == nil {
		return nil
	}
	others, _ := filepath.Glob(filepath.Join(filepath.Dir(path), "*.tsv")) // a wrong pattern finds nothing
	err := corpus.Errorf(corpus.ErrInvalid, "import dataset: there is no %s", path)
	if len(others) == 0 {
		return corpus.Hint(err, "a folder in BEIR's form has corpus.jsonl, queries.jsonl and qrels/test.tsv")
	}
	return corpus.Hint(err, "name one of the judgements instead of the folder: "+strings.Join(others, ", "))
}

func (b *beir) readCorpus(path string) error {
	taken := map[string]bool{}
	empty := 0
	err := eachLine(path, func(text string) error {
		var e beirEntry
		if err := json.Unmarshal([]byte(text), &e); err != nil {
			return err
		}
		if e.ID == "" {
			return corpus.Errorf(corpus.ErrInvalid, "there is no _id")
		}
		file := fileName(e.ID)
		for taken[strings.ToLower(file)] {
			file = "_" + file
		}
		taken[strings.ToLower(file)] = true
		b.file[e.ID] = file
		whole := strings.TrimSpace(e.Title + "\n\n" + e.Text)
		if whole == "" {
			empty++
			return nil
		}
		b.Documents[file] = whole
		return nil
	})
	if empty > 0 {
		b.warnf("%d texts of the corpus are empty and were left out.", empty)
	}
	return err
}

func (b *beir) readQueries(path string) error {
	err := eachLine(path, func(text string) error {
		var e beirEntry
		if err := json.Unmarshal([]byte(text), &e); err != nil {
			return err
		}
		if _, double := b.query[e.ID]; double || e.ID == "" {
			return corpus.Errorf(corpus.ErrInvalid, "the _id %q is missing or there twice", e.ID)
		}
		b.query[e.ID] = len(b.queries)
		b.queries = append(b.queries, e)
		return nil
	})
	b.evidence = make([][]Evidence, len(b.queries))
	return err
}

// readJudgements reads query, text and score a line, under a header or not, or trec_eval's own form, which has an
// unused second field.
func (b *beir) readJudgements(path string) error {
	unknown, n := 0, 0
	err := eachLine(path, func(text string) error {
		n++
		fields := strings.Fields(text)
		if len(fields) == 4 {
			fields = []string{fields[0], fields[2], fields[3]}
		}
		if len(fields) != 3 {
			return corpus.Errorf(corpus.ErrInvalid, "there are %d fields; a judgement is query-id, corpus-id and score", len(fields))
		}
		grade, err := strconv.ParseFloat(fields[2], 64)
		switch {
		case err != nil && n == 1:
			return nil // the header
		case err != nil:
			return corpus.Errorf(corpus.ErrInvalid, "the score %q is no number", fields[2])
		}
		i, asked := b.query[fields[0]]
		file, there := b.file[fields[1]]
		if !asked || !there {
			unknown++
			return nil
		}
		if grade > 0 {
			e := Evidence{Document: file}
			if grade != 1 {
				e.Grade = grade
			}
			b.evidence[i] = append(b.evidence[i], e)
		}
		return nil
	})
	if unknown > 0 {
		b.warnf("%d judgements are of queries or texts that are not there, and were left out.", unknown)
	}
	return err
}

// eachLine calls use with each line that is not blank, and names file and line of its error.
func eachLine(path string, use func(text string) error) error {
	if err := notFolder(path); err != nil {
		return corpus.Errorf(corpus.ErrInvalid, "import dataset: %w", err)
	}
	f, err := os.Open(path)
	if err != nil {
		return corpus.Errorf(corpus.ErrInvalid, "import dataset: %w", err)
	}
	defer f.Close()
	lines := bufio.NewScanner(f)
	lines.Buffer(nil, longestLine)
	n := 0
	for lines.Scan() {
		n++
		if text := strings.TrimPrefix(lines.Text(), "\ufeff"); strings.TrimSpace(text) != "" {
			if err := use(text); err != nil {
				return corpus.Errorf(corpus.ErrInvalid, "import dataset %s, line %d: %w", path, n, err)
			}
		}
	}
	if err := lines.Err(); err != nil {
		return corpus.Errorf(corpus.ErrInvalid, "import dataset %s, line %d: %w", path, n+1, err)
	}
	return nil
}
