package api

import (
	"grounded/corpus"
	"grounded/retrieve"
)

// difyRequest is that of Dify's external knowledge. The knowledge is a collection.
type difyRequest struct {
	KnowledgeID string `json:"knowledge_id"`
	Query       string `json:"query"`
	Setting     struct {
		TopK      *int     `json:"top_k"`
		Threshold *float64 `json:"score_threshold"`
	} `json:"retrieval_setting"`
	Conditions *struct {
		Operator   string          `json:"logical_operator"`
		Conditions []difyCondition `json:"conditions"`
	} `json:"metadata_condition"`
}

type difyCondition struct {
	Name     string   `json:"name"`
	Names    []string `json:"names"` // as older documentation has it
	Operator string   `json:"comparison_operator"`
	Value    any      `json:"value"`
}

type difyRecord struct {
	Content  string         `json:"content"`
	Score    float64        `json:"score"`
	Title    string         `json:"title"`
	Metadata map[string]any `json:"metadata"` // never null, which breaks Dify's workflows
}

type difyRecords struct {
	Records []difyRecord `json:"records"`
}

// dify is POST /retrieval. Without a body Dify tries the address and the key out.
func (s *Server) dify(k *call) error {
	out := difyRecords{Records: []difyRecord{}}
	if len(k.body) == 0 {
		return k.json(out)
	}
	var r difyRequest
	if err := k.decode(&r); err != nil {
		return err
	}
	filter, err := r.filter()
	if err != nil {
		return err
	}
	ask, err := s.question(k, asked{collection: r.KnowledgeID, topK: r.Setting.TopK, filter: filter})
	if err != nil {
		return err
	}
	if err := s.reserve(k, tokensOf(r.Query)); err != nil {
		return err
	}
	found, err := s.engine.Retrieve(k.ctx, retrieve.Request{Scope: ask.Scope, Question: r.Query, TopK: ask.TopK, Mode: ask.Mode, Filter: ask.Filter})
	if err != nil {
		return s.failed(k, err, ask.Scope.Collection)
	}
	k.use(found.EmbeddingTokens)
	for _, p := range found.Passages {
		score := difyScore(p)
		if r.Setting.Threshold != nil && score < *r.Setting.Threshold {
			continue
		}
		out.Records = append(out.Records, difyRecord{
			Content: p.Text, Score: score, Title: titleOf(p.Title, p.Document),
			Metadata: map[string]any{
				"document_id": p.DocumentID, "path": p.Document, "page": p.PageStart, "heading": string(p.Heading), "chunk_id": p.ChunkID,
				"url": s.link(k, ask.Scope.Collection, p.DocumentID, p.PageStart),
			},
		})
	}
	return k.json(out)
}

// difyScore is from 0 to 1, so that a threshold means something: the similarity where there is one.
func difyScore(p corpus.Passage) float64 {
	score := p.Score
	if p.Scores.Dense != nil {
		score = *p.Scores.Dense
	}
	return max(0, min(1, score))
}

var difyOperators = map[string]string{
	"is": corpus.OpEqual, "=": corpus.OpEqual, "in": corpus.OpEqual, "is not": corpus.OpNotEqual, "≠": corpus.OpNotEqual, "not in": corpus.OpNotEqual,
	">": corpus.OpGreater, "≥": corpus.OpGreaterEqual, "<": corpus.OpLess, "≤": corpus.OpLessEqual, "after": corpus.OpGreater, "before": corpus.OpLess,
	"empty": corpus.OpExists, "not empty": corpus.OpExists,
}

// filter puts Dify's conditions into ours. What can't be said is refused: to leave it out would find too much.
func (r difyRequest) filter() (corpus.Filter, error) {
	if r.Conditions == nil {
		return nil, nil
	}
	var filter corpus.Filter
	list := r.Conditions.Conditions
	if r.Conditions.Operator == "or" && len(list) > 1 {
		return nil, unsupported("metadata_condition", "conditions joined by or are not supported; join them by and")
	}
	for _, c := range list {
		op, known := difyOperators[c.Operator]
		if !known {
			return nil, unsupported("metadata_condition", "the operator %s is not supported", quoted(c.Operator))
		}
		names := c.Names
		if c.Name != "" {
			names = []string{c.Name}
		}
		if len(names) != 1 {
			return nil, invalid("metadata_condition", "a condition names %d fields; it must name one", len(names))
		}
		values, isList := c.Value.([]any)
		if !isList {
			values = []any{c.Value}
		}
		if op == corpus.OpExists {
			values = []any{c.Operator == "not empty"}
		}
		for _, v := range values {
			switch v.(type) {
			case string, float64, bool:
			default:
				return nil, invalid("metadata_condition", "the condition on %s has no value", quoted(names[0]))
			}
		}
		if op != corpus.OpEqual && op != corpus.OpNotEqual && len(values) != 1 {
			return nil, invalid("metadata_condition", "the condition on %s takes one value", quoted(names[0]))
		}
		filter = append(filter, corpus.Condition{Key: names[0], Op: op, Values: values})
	}
	return filter, nil
}
