package dataset

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"os"
	"path/filepath"
	"sort"
	"strings"

	"grounded/corpus"
)

// Imported is what an importer made.
type Imported struct {
	Questions []Question
	// Documents are the texts that the questions are about, by path, where the format holds them.
	Documents map[string]string
	Warnings  []string // sentences on what was left out
}

func (i *Imported) warnf(format string, args ...any) {
	i.Warnings = append(i.Warnings, fmt.Sprintf(format, args...))
}

// Formats that can be imported.
var formats = map[string]func(path string) (Imported, error){
	"squad":     importSQuAD,
	"csv":       importCSV,
	"beir":      importBEIR,
	"azure":     importAzure,
	"cranfield": importCranfield,
	"ragas":     importRAGAS,
	"promptfoo": importPromptfoo,
}

// Formats lists the names of the formats that Import reads.
func Formats() []string {
	var names []string
	for name := range formats {
		names = append(names, name)
	}
	sort.Strings(names)
	return names
}

// Import reads a dataset in another format:
//
//   - squad: SQuAD 1.1 and 2.0, XQuAD, and CMRC 2018 in both of its forms; a JSON file. Each paragraph is a document.
//   - csv: a header, then a question a row; see columns.
//   - beir: a folder with corpus.jsonl, queries.jsonl and qrels/test.tsv, or the path of one qrels file.
//   - cranfield: the folder of the Cranfield collection.
//   - ragas: a test set or evaluation dataset of RAGAS, as JSON Lines, JSON or CSV.
//   - promptfoo: a configuration of promptfoo, or a file of its test cases.
//   - azure: JSONL of question and truth, whose citations are [file.pdf#page=3].
//
// Errors are corpus.ErrInvalid with file and line or id.
func Import(format, path string) (Imported, error) {
	read, known := formats[format]
	if !known {
		return Imported{}, corpus.Hint(corpus.Errorf(corpus.ErrInvalid, "import dataset: there is no format %q", format),
			"the formats are "+strings.Join(Formats(), ", "))
	}
	made, err := read(path)
	if err != nil {
		return made, corpus.Hint(err, cmp.Or(corpus.HintOf(err), otherFormat(format)))
	}
	if len(made.Questions) == 0 {
		return made, corpus.Hint(corpus.Errorf(corpus.ErrInvalid, "import dataset %s: there are no questions", path), otherFormat(format))
	}
	seen := map[string]bool{}
	for _, q := range made.Questions {
		if p := q.problem(); p != "" {
			return made, corpus.Hint(corpus.Errorf(corpus.ErrInvalid, "import dataset %s, question %q: %s", path, q.ID, p), otherFormat(format))
		}
		if seen[q.ID] {
			return made, corpus.Errorf(corpus.ErrInvalid, "import dataset %s: the id %q is there twice", path, q.ID)
		}
		seen[q.ID] = true
	}
	return made, nil
}

func otherFormat(format string) string {
	return "it was read as " + format + "; the formats are " + strings.Join(Formats(), ", ")
}

// WriteDocuments writes the documents below a folder, to be ingested.
func (i Imported) WriteDocuments(folder string) error {
	for path, text := range i.Documents {
		if !filepath.IsLocal(filepath.FromSlash(path)) {
			return corpus.Errorf(corpus.ErrInvalid, "write document %q: its name leads out of the folder", path)
		}
		file := filepath.Join(folder, filepath.FromSlash(path))
		if err := os.MkdirAll(filepath.Dir(file), 0o700); err != nil {
			return corpus.Errorf(corpus.ErrUnavailable, "write document: %w", err)
		}
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			return corpus.Errorf(corpus.ErrUnavailable, "write document: %w", err)
		}
	}
	return nil
}

// shortHash tells texts apart.
func shortHash(text string) string {
	sum := sha256.Sum256([]byte(text))
	return hex.EncodeToString(sum[:6])
}

// fileName makes a file's name of an id.
func fileName(id string) string {
	name := strings.Map(func(r rune) rune {
		if strings.ContainsRune(`/\:*?"<>|`, r) || r < ' ' {
			return '_'
		}
		return r
	}, id)
	if strings.Trim(name, ". ") == "" {
		name = "_" + name
	}
	return name + ".txt"
}
