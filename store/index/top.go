package index

// candidate is a row that may be found.
type candidate struct {
	score float32
	view  uint16 // of the state
	place uint16 // in the view
	row   int64
}

// before tells whether a ranks before b: by score, then by row.
func (a candidate) before(b candidate) bool {
	return a.score > b.score || a.score == b.score && a.row < b.row
}

// top keeps the best k candidates of those it is offered. It is a heap whose first is the last of them.
type top struct {
	k    int
	heap []candidate
	// floor is the score below which nothing enters.
	floor float32
}

func newTop(k int, floor float32) *top { return &top{k: k, floor: floor} }

// offer takes a candidate in if it is good enough.
func (t *top) offer(c candidate) {
	if len(t.heap) < t.k {
		t.heap = append(t.heap, c)
		t.up(len(t.heap) - 1)
	} else if c.before(t.heap[0]) {
		t.heap[0] = c
		t.down(0)
	}
	if len(t.heap) == t.k {
		t.floor = t.heap[0].score
	}
}

func (t *top) up(i int) {
	for i > 0 {
		parent := (i - 1) / 2
		if !t.heap[parent].before(t.heap[i]) {
			return
		}
		t.heap[parent], t.heap[i] = t.heap[i], t.heap[parent]
		i = parent
	}
}

func (t *top) down(i int) {
	for {
		last := i
		for child := 2*i + 1; child <= 2*i+2 && child < len(t.heap); child++ {
			if t.heap[last].before(t.heap[child]) {
				last = child
			}
		}
		if last == i {
			return
		}
		t.heap[last], t.heap[i] = t.heap[i], t.heap[last]
		i = last
	}
}
