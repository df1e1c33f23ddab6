package qdrant

import (
	"encoding/json"

	"github.com/qdrant/go-client/qdrant"

	"grounded/corpus"
)

// payload is what a point carries beside its vectors.
type payload = map[string]*qdrant.Value

func text(s string) *qdrant.Value { return qdrant.NewValueString(s) }
func whole(n int) *qdrant.Value   { return qdrant.NewValueInt(int64(n)) }

func list(texts []string) *qdrant.Value {
	values := make([]*qdrant.Value, len(texts))
	for i, s := range texts {
		values[i] = text(s)
	}
	return qdrant.NewValueFromList(values...)
}

func texts(v *qdrant.Value) []string {
	values := v.GetListValue().GetValues()
	if len(values) == 0 {
		return nil
	}
	out := make([]string, len(values))
	for i, x := range values {
		out[i] = x.GetStringValue()
	}
	return out
}

// packed is anything as JSON.
func packed(v any) (*qdrant.Value, error) {
	b, err := json.Marshal(v)
	if err != nil {
		return nil, corpus.Errorf(corpus.ErrInvalid, "write as JSON: %w", err)
	}
	return text(string(b)), nil
}

func unpack(p payload, field string, into any) error {
	if err := json.Unmarshal([]byte(p[field].GetStringValue()), into); err != nil {
		return corpus.Errorf(corpus.ErrCorrupt, "read %s of a point: %w", field, err)
	}
	return nil
}

// pointID derives the id of a point from what tells it from all others.
func pointID(parts ...string) *qdrant.PointId { return qdrant.NewIDUUID(corpus.UUID(parts...)) }

func all(must ...*qdrant.Condition) *qdrant.Filter { return &qdrant.Filter{Must: must} }

func keyword(field, value string) *qdrant.Condition { return qdrant.NewMatchKeyword(field, value) }

func below(field string, n int64) *qdrant.Condition {
	lt := float64(n)
	return qdrant.NewRange(field, &qdrant.Range{Lt: &lt})
}

// ofDocuments is a condition that points belong to one of the documents.
func ofDocuments(ids []corpus.DocumentID) *qdrant.Condition {
	names := make([]string, len(ids))
	for i, id := range ids {
		names[i] = string(id)
	}
	return qdrant.NewMatchKeywords(fieldDocument, names...)
}

func only(fields ...string) *qdrant.WithPayloadSelector {
	return qdrant.NewWithPayloadInclude(fields...)
}

func everything() *qdrant.WithPayloadSelector { return qdrant.NewWithPayload(true) }
