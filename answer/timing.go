package answer

import (
	"time"

	"grounded/corpus"
)

// timer counts from the beginning of a request, retrieval included even if it was done once for several answers.
type timer struct {
	start     time.Time
	retrieved *time.Duration
	first     *time.Duration
	checked   *time.Duration
}

func newTimer(f *found) *timer {
	t := &timer{start: time.Now()}
	if f != nil {
		t.retrieved = &f.took
		t.start = t.start.Add(-f.took)
	}
	return t
}

// text notes that the model wrote something.
func (t *timer) text(s string) {
	if t.first == nil && s != "" {
		d := time.Since(t.start)
		t.first = &d
	}
}

// check runs what looks at the finished answer and notes how long it takes.
func (t *timer) check(look func() error) error {
	begun := time.Now()
	err := look()
	d := time.Since(begun)
	t.checked = &d
	return err
}

func (t *timer) timings() corpus.Timings {
	total := time.Since(t.start)
	return corpus.Timings{RetrieveMS: milliseconds(t.retrieved), FirstTokenMS: milliseconds(t.first), CheckMS: milliseconds(t.checked), TotalMS: milliseconds(&total)}
}

func milliseconds(d *time.Duration) *float64 {
	if d == nil {
		return nil
	}
	ms := float64(d.Microseconds()) / 1000
	return &ms
}
