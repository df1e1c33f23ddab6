// Package embed gets the vectors of chunks for whatever writes documents: from documents of the same run that are
// being written, from the store, or from the embedder, in batches that documents share.
package embed

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

// Config says whose vectors are reused, and how others are made. Store, Collection and Embedder must be set.
type Config struct {
	Store      store.Store
	Collection string // whose vectors are of the embedder
	Embedder   model.Embedder
	BatchTexts int // embedded by one call at most; 0 means 64
	Requests   int // to the embedder in flight at most; 0 means 4
}

// Vectors gets the vector of each input once. It is safe for concurrent use.
type Vectors struct {
	Config
	slots chan struct{} // one for each request in flight
	queue chan []*claim

	mu     sync.Mutex
	claims map[string]*claim // by input hash, until the document that made it is stored
}

// New prepares for a run; Serve must be running for as long as Get is called.
func New(c Config) *Vectors {
	if c.BatchTexts == 0 {
		c.BatchTexts = 64
	}
	if c.Requests == 0 {
		c.Requests = 4
	}
	return &Vectors{Config: c, slots: make(chan struct{}, c.Requests), queue: make(chan []*claim), claims: map[string]*claim{}}
}

// claim is an input whose vector is being got for the document that came first with it.
type claim struct {
	hash, text string
	done       chan struct{} // closed when vector or err is set
	vector     []float32
	err        error
}

// Lease has the vectors of a document.
type Lease struct {
	Vectors  map[string][]float32 // by input hash
	Embedded int                  // of them, made for this document
	claims   []*claim
}

// Get returns the vectors of all inputs of the chunks. The lease must be released when they are stored, or
// never will be.
func (v *Vectors) Get(ctx context.Context, chunks []corpus.Chunk) (*Lease, error) {
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

	l := &Lease{Vectors: make(map[string][]float32, len(wanted)), claims: mine}
	missing, err := v.lookUp(ctx, mine)
	if err != nil {
		v.Release(l)
		return nil, err
	}
	l.Embedded = len(missing)
	if len(missing) > 0 {
		select {
		case v.queue <- missing:
		case <-ctx.Done():
			v.Release(l)
			return nil, ctx.Err()
		}
	}
	for _, k := range wanted {
		if err := k.wait(ctx); err != nil {
			v.Release(l)
			return nil, err
		}
		l.Vectors[k.hash] = k.vector
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
func (v *Vectors) lookUp(ctx context.Context, claims []*claim) ([]*claim, error) {
	if len(claims) == 0 {
		return nil, nil
	}
	hashes := make([]string, len(claims))
	for i, k := range claims {
		hashes[i] = k.hash
	}
	stored, err := v.Store.Vectors(ctx, v.Collection, hashes)
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

// Release forgets the document's claims. From now on the store is asked for them.
func (v *Vectors) Release(l *Lease) {
	v.mu.Lock()
	defer v.mu.Unlock()
	for _, k := range l.claims {
		delete(v.claims, k.hash)
	}
}

// Serve sends the queued claims to the embedder, as full batches while there is enough, until ctx ends.
func (v *Vectors) Serve(ctx context.Context) {
	var pending []*claim
	lingered := false
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		in, slot := v.queue, v.slots
		if len(pending) >= 4*v.BatchTexts {
			in = nil
		}
		if len(pending) == 0 || len(pending) < v.BatchTexts && !lingered {
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
			n := min(len(pending), v.BatchTexts)
			go v.embed(ctx, pending[:n:n])
			pending = pending[n:]
			lingered = false
			timer.Reset(linger)
		case <-ctx.Done():
			return
		}
	}
}

func (v *Vectors) embed(ctx context.Context, batch []*claim) {
	texts := make([]string, len(batch))
	for i, k := range batch {
		texts[i] = k.text
	}
	got, err := v.Embedder.Embed(ctx, model.Passage, texts)
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
