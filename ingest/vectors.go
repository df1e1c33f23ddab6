package ingest

import (
	"context"
	"fmt"
	"sync"
	"time"

	"grounded/corpus"
	"grounded/model"
	"grounded/store"
)

// linger is how long a batch that is not full waits for more texts.
const linger = 10 * time.Millisecond

// vectors gets the vector of each input once: from another document of the run that is being written, from
// the store, or from the embedder, in batches that documents share.
type vectors struct {
	store      store.Store
	embedder   model.Embedder
	collection string
	batch      int
	slots      chan struct{} // one for each request in flight
	queue      chan []*claim

	mu     sync.Mutex
	claims map[string]*claim // by input hash, until the document that made it is stored
}

// claim is an input whose vector is being got for the document that came first with it.
type claim struct {
	hash, text string
	done       chan struct{} // closed when vector or err is set
	vector     []float32
	err        error
}

// lease has the vectors of a document.
type lease struct {
	vectors  map[string][]float32 // by input hash
	embedded int                  // of them, made for this document
	claims   []*claim
}

// get returns the vectors of all inputs of the chunks. The lease must be released when they are stored, or
// never will be.
func (v *vectors) get(ctx context.Context, chunks []corpus.Chunk) (*lease, error) {
	var wanted, mine []*claim
	seen := map[string]bool{}
	v.mu.Lock()
	for _, c := range chunks {
		hash := c.InputHash()
		if seen[hash] {
			continue
		}
		seen[hash] = true
		k, taken := v.claims[hash]
		if !taken {
			k = &claim{hash: hash, text: c.Input(), done: make(chan struct{})}
			v.claims[hash] = k
			mine = append(mine, k)
		}
		wanted = append(wanted, k)
	}
	v.mu.Unlock()

	l := &lease{vectors: make(map[string][]float32, len(wanted)), claims: mine}
	missing, err := v.lookUp(ctx, mine)
	if err != nil {
		v.release(l)
		return nil, err
	}
	l.embedded = len(missing)
	if len(missing) > 0 {
		select {
		case v.queue <- missing:
		case <-ctx.Done():
			v.release(l)
			return nil, ctx.Err()
		}
	}
	for _, k := range wanted {
		if err := k.wait(ctx); err != nil {
			v.release(l)
			return nil, err
		}
		l.vectors[k.hash] = k.vector
	}
	return l, nil
}

// wait returns when the vector is there. One that is there already is got even after the end of ctx.
func (k *claim) wait(ctx context.Context) error {
	select {
	case <-k.done:
		return k.err
	default:
	}
	select {
	case <-k.done:
		return k.err
	case <-ctx.Done():
		return ctx.Err()
	}
}

// lookUp settles the claims whose vectors are stored, and returns the others.
func (v *vectors) lookUp(ctx context.Context, claims []*claim) ([]*claim, error) {
	if len(claims) == 0 {
		return nil, nil
	}
	hashes := make([]string, len(claims))
	for i, k := range claims {
		hashes[i] = k.hash
	}
	stored, err := v.store.Vectors(ctx, v.collection, hashes)
	if err != nil {
		return nil, fmt.Errorf("look up vectors: %w", err)
	}
	var missing []*claim
	for _, k := range claims {
		if k.vector = stored[k.hash]; k.vector != nil {
			close(k.done)
		} else {
			missing = append(missing, k)
		}
	}
	return missing, nil
}

// release forgets the document's claims. From now on the store is asked for them.
func (v *vectors) release(l *lease) {
	v.mu.Lock()
	defer v.mu.Unlock()
	for _, k := range l.claims {
		delete(v.claims, k.hash)
	}
}

// serve sends the queued claims to the embedder, as full batches while there is enough.
func (v *vectors) serve(ctx context.Context) {
	var pending []*claim
	lingered := false
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		in, slot := v.queue, v.slots
		if len(pending) >= 4*v.batch {
			in = nil
		}
		if len(pending) == 0 || len(pending) < v.batch && !lingered {
			slot = nil
		}
		select {
		case more := <-in:
			if len(pending) == 0 {
				lingered = false
				timer.Reset(linger)
			}
			pending = append(pending, more...)
		case <-timer.C:
			lingered = true
		case slot <- struct{}{}:
			n := min(len(pending), v.batch)
			go v.embed(ctx, pending[:n:n])
			pending = pending[n:]
			lingered = false
			timer.Reset(linger)
		case <-ctx.Done():
			return
		}
	}
}

func (v *vectors) embed(ctx context.Context, batch []*claim) {
	texts := make([]string, len(batch))
	for i, k := range batch {
		texts[i] = k.text
	}
	got, err := v.embedder.Embed(ctx, model.Passage, texts)
	<-v.slots
	if err == nil && len(got.Vectors) != len(texts) {
		err = corpus.Errorf(corpus.ErrUnavailable, "the embedder answered %d vectors to %d texts", len(got.Vectors), len(texts))
	}
	for i, k := range batch {
		if err != nil {
			k.err = fmt.Errorf("embed: %w", err)
		} else {
			k.vector = got.Vectors[i]
		}
		close(k.done)
	}
}
