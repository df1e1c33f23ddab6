package model

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math"
	"os"

	"grounded/corpus"
)

// GGUF is what the head of a GGUF file says: the keys of its metadata with their numbers, truths and texts. Arrays are
// left out.
type GGUF struct {
	Values  map[string]any // string, int64, float64 or bool
	Tensors int64
}

// Limits of a head. A vocabulary is an array of some 200,000 texts.
const (
	mostKeys  = 10_000
	mostArray = 10_000_000
	mostText  = 1 << 20 // bytes
)

// The types of GGUF's values.
const (
	ggufUint8 = iota
	ggufInt8
	ggufUint16
	ggufInt16
	ggufUint32
	ggufInt32
	ggufFloat32
	ggufBool
	ggufString
	ggufArray
	ggufUint64
	ggufInt64
	ggufFloat64
)

// ReadGGUF reads the head of a GGUF file of version 2 or 3 (github.com/ggml-org/ggml, docs/gguf.md). A file that is none,
// or whose head breaks off, is corpus.ErrInvalid.
func ReadGGUF(path string) (GGUF, error) {
	f, err := os.Open(path)
	if err != nil {
		return GGUF{}, corpus.Errorf(corpus.ErrInvalid, "read model: %w", err)
	}
	defer f.Close()
	g, err := readGGUF(bufio.NewReaderSize(f, 1<<16))
	if err != nil {
		return g, corpus.Hint(corpus.Errorf(corpus.ErrInvalid, "read model %s: %w", path, err),
			"a model or adapter in another format is converted with llama.cpp's convert_hf_to_gguf.py or convert_lora_to_gguf.py")
	}
	return g, nil
}

func readGGUF(r io.Reader) (GGUF, error) {
	in := ggufReader{r: r}
	g := GGUF{Values: map[string]any{}}
	if magic := in.bytes(4); string(magic) != "GGUF" {
		return g, errors.New("it is no GGUF file")
	}
	if version := in.uint(4); in.err == nil && (version < 2 || version > 3) {
		return g, fmt.Errorf("it has version %d of GGUF, not 2 or 3", version)
	}
	tensors, keys := in.uint(8), in.uint(8)
	if in.err == nil && (keys > mostKeys || tensors > math.MaxInt32) {
		return g, fmt.Errorf("it says that it has %d keys and %d tensors", keys, tensors)
	}
	g.Tensors = int64(tensors)
	for i := uint64(0); i < keys && in.err == nil; i++ {
		key := in.text()
		if value := in.value(int(in.uint(4)), 0); value != nil {
			g.Values[key] = value
		}
	}
	return g, in.err
}

// Text is a value that is one, or "".
func (g GGUF) Text(key string) string {
	text, _ := g.Values[key].(string)
	return text
}

// Number is a value that is a whole one, or 0.
func (g GGUF) Number(key string) int {
	n, _ := g.Values[key].(int64)
	return int(n)
}

// ggufReader reads little-endian values until the first error.
type ggufReader struct {
	r   io.Reader
	err error
}

func (in *ggufReader) bytes(n int) []byte {
	if in.err != nil {
		return nil
	}
	b := make([]byte, n)
	if _, err := io.ReadFull(in.r, b); err != nil {
		in.err = errors.New("its head breaks off")
		return nil
	}
	return b
}

func (in *ggufReader) uint(size int) uint64 {
	b := in.bytes(size)
	if b == nil {
		return 0
	}
	var whole [8]byte
	copy(whole[:], b)
	return binary.LittleEndian.Uint64(whole[:])
}

func (in *ggufReader) text() string {
	n := in.uint(8)
	if n > mostText {
		in.fail("a text of %d bytes", n)
		return ""
	}
	return string(in.bytes(int(n)))
}

func (in *ggufReader) fail(format string, args ...any) {
	if in.err == nil {
		in.err = fmt.Errorf("its head has "+format, args...)
	}
}

// value reads one of a type; nil for an array, whose values are passed over.
func (in *ggufReader) value(kind, depth int) any {
	switch kind {
	case ggufUint8, ggufUint16, ggufUint32, ggufUint64:
		return int64(in.uint(map[int]int{ggufUint8: 1, ggufUint16: 2, ggufUint32: 4, ggufUint64: 8}[kind]))
	case ggufInt8:
		return int64(int8(in.uint(1)))
	case ggufInt16:
		return int64(int16(in.uint(2)))
	case ggufInt32:
		return int64(int32(in.uint(4)))
	case ggufInt64:
		return int64(in.uint(8))
	case ggufFloat32:
		return float64(math.Float32frombits(uint32(in.uint(4))))
	case ggufFloat64:
		return math.Float64frombits(in.uint(8))
	case ggufBool:
		return in.uint(1) != 0
	case ggufString:
		return in.text()
	case ggufArray:
		of, n := int(in.uint(4)), in.uint(8)
		if n > mostArray || depth > 2 {
			in.fail("an array of %d values, %d deep", n, depth)
		}
		for i := uint64(0); i < n && in.err == nil; i++ {
			in.value(of, depth+1)
		}
		return nil
	}
	in.fail("a value of type %d", kind)
	return nil
}
