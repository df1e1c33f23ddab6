package model

import (
	"strings"
	"sync"
)

// remembered is how many words a memo keeps; memory is bounded by it.
const remembered = 1 << 16

// memo remembers what was found out of words: texts repeat them.
type memo[T any] struct {
	mu    sync.RWMutex
	known map[string]T
}

// get returns what find says of the word. Long ones, which are no words, are not remembered.
func (m *memo[T]) get(word string, find func(string) T) T {
	if len(word) > 48 {
		return find(word)
	}
	m.mu.RLock()
	v, ok := m.known[word]
	m.mu.RUnlock()
	if ok {
		return v
	}
	v = find(word)
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.known == nil || len(m.known) >= remembered {
		m.known = map[string]T{}
	}
	m.known[strings.Clone(word)] = v
	return v
}
