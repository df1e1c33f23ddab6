package sqlite

import (
	"encoding/binary"
	"fmt"
	"math"
	"slices"
	"strings"

	"grounded/corpus"
)

// dictionary numbers a collection's terms, from 1. Numbers are only ever added, so knowing the terms below next
// is knowing them all when the collection's next number is the same.
type dictionary struct {
	next    int64
	numbers map[string]uint64
}

// dictionary returns a collection's, with what other processes have added.
func (t *transaction) dictionary(c *collectionState) (*dictionary, error) {
	d := t.terms[c.key]
	if d == nil {
		d = &dictionary{next: 1, numbers: map[string]uint64{}}
		t.terms[c.key] = d
	}
	if d.next == c.nextTerm {
		return d, nil
	}
	rows, err := t.query("SELECT key, text FROM terms WHERE key BETWEEN ? AND ?", firstKey(c.key)+d.next, lastKey(c.key))
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	for rows.Next() {
		var key int64
		var text string
		if err := rows.Scan(&key, &text); err != nil {
			return nil, err
		}
		d.numbers[text] = uint64(key - firstKey(c.key))
	}
	d.next = c.nextTerm
	return d, rows.Err()
}

// numberTerms returns the terms by number, those that are new added to the file.
func (t *transaction) numberTerms(c *collectionState, terms []corpus.Term) ([]numberedTerm, error) {
	d, err := t.dictionary(c)
	if err != nil {
		return nil, err
	}
	numbered := make([]numberedTerm, 0, len(terms))
	for _, term := range terms {
		n, known := d.numbers[term.Text]
		if !known {
			n = uint64(c.nextTerm)
			if _, err := t.exec("INSERT INTO terms VALUES (?, ?)", firstKey(c.key)+c.nextTerm, term.Text); err != nil {
				return nil, err
			}
			d.numbers[strings.Clone(term.Text)] = n // else it would keep the text that it was cut from
			c.nextTerm++
			d.next = c.nextTerm
		}
		numbered = append(numbered, numberedTerm{n, term.Count})
	}
	return numbered, nil
}

// numberedTerm is a corpus.Term by its number in the collection's dictionary.
type numberedTerm struct {
	number uint64
	count  float32
}

// encodeTerms stores terms in order of number: the distance from the last number, then the count, doubled if it is
// whole, else 1 and the float32.
func encodeTerms(terms []numberedTerm) []byte {
	slices.SortFunc(terms, func(a, b numberedTerm) int { return int(int64(a.number) - int64(b.number)) })
	b := make([]byte, 0, 3*len(terms))
	last := uint64(0)
	for _, t := range terms {
		b = binary.AppendUvarint(b, t.number-last)
		last = t.number
		if whole := uint64(t.count); float32(whole) == t.count && whole < 1<<24 {
			b = binary.AppendUvarint(b, whole<<1)
			continue
		}
		b = binary.AppendUvarint(b, 1)
		b = binary.LittleEndian.AppendUint32(b, math.Float32bits(t.count))
	}
	return b
}

// decodeTerms calls f with each number and count.
func decodeTerms(b []byte, f func(number uint64, count float32) error) error {
	number := uint64(0)
	for len(b) > 0 {
		if len(b) > 1 && b[0] < 0x80 && b[1] < 0x80 && b[1]&1 == 0 { // the usual case, as below
			number += uint64(b[0])
			if err := f(number, float32(b[1]>>1)); err != nil {
				return err
			}
			b = b[2:]
			continue
		}
		step, n := binary.Uvarint(b)
		if n <= 0 {
			return errTerms
		}
		whole, m := binary.Uvarint(b[n:])
		if m <= 0 {
			return errTerms
		}
		b = b[n+m:]
		number += step
		count := float32(whole >> 1)
		if whole&1 == 1 {
			if len(b) < 4 {
				return errTerms
			}
			count = math.Float32frombits(binary.LittleEndian.Uint32(b))
			b = b[4:]
		}
		if err := f(number, count); err != nil {
			return err
		}
	}
	return nil
}

var errTerms = fmt.Errorf("stored terms are cut short: %w", corpus.ErrCorrupt)
