package move

import (
	"context"

	"grounded/corpus"
)

// bringSources brings what is known of sources.
func (m *mover) bringSources(ctx context.Context, may rules) error {
	wanted, err := m.from.Sources(ctx, m.from.collection)
	if err != nil {
		return err
	}
	there, err := m.to.Sources(ctx, m.to.collection)
	if err != nil {
		return err
	}
	known := map[string]corpus.Source{}
	for _, s := range there {
		known[s.Name] = s
	}
	for _, s := range wanted {
		k, isThere := known[s.Name]
		delete(known, s.Name)
		if !isThere && !may.add || isThere && !may.replace && k.UsedAt.After(s.UsedAt) {
			continue
		}
		s.Collection = m.to.collection
		if err := m.to.PutSource(ctx, s); err != nil {
			return err
		}
	}
	if !may.replace {
		return nil
	}
	for name := range known {
		if err := m.to.DeleteSource(ctx, m.to.collection, name); err != nil {
			return err
		}
	}
	return nil
}

// bringQuarantine brings what is known of files that could not be read.
func (m *mover) bringQuarantine(ctx context.Context, may rules) error {
	wanted, err := m.from.Quarantined(ctx, m.from.collection)
	if err != nil {
		return err
	}
	there, err := m.to.Quarantined(ctx, m.to.collection)
	if err != nil {
		return err
	}
	known := map[corpus.DocumentID]corpus.Quarantined{}
	for _, q := range there {
		known[q.DocumentID] = q
	}
	for _, q := range wanted {
		k, isThere := known[q.DocumentID]
		delete(known, q.DocumentID)
		q.Collection = m.to.collection
		if isThere && sameQuarantine(k, q) || !isThere && !may.add || isThere && !may.replace && k.At.After(q.At) {
			continue
		}
		if d, stored, err := m.to.find(ctx, q.DocumentID); err != nil || !may.replace && stored && d.IngestedAt.After(q.At) {
			if err != nil {
				return err
			}
			continue // it could be read since
		}
		if err := m.to.Quarantine(ctx, q); err != nil {
			return err
		}
	}
	if !may.replace {
		return nil
	}
	for id := range known {
		// That of a stored document ended when the document was written.
		_, stored, err := m.to.find(ctx, id)
		if err == nil && !stored {
			err = m.to.Delete(ctx, m.to.collection, id)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func sameQuarantine(a, b corpus.Quarantined) bool {
	return a.ContentHash == b.ContentHash && a.PipelineFingerprint == b.PipelineFingerprint && a.Code == b.Code && a.Reason == b.Reason
}
