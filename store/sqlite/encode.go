package sqlite

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"math"
	"time"

	"grounded/corpus"
)

// encodeID stores a UUID in its canonical form as 16 bytes, any other id as text.
func encodeID[T ~string](id T) any {
	s := string(id)
	if len(s) != 36 || s[8] != '-' || s[13] != '-' || s[18] != '-' || s[23] != '-' {
		return s
	}
	digits := s[:8] + s[9:13] + s[14:18] + s[19:23] + s[24:]
	for i := 0; i < len(digits); i++ {
		if c := digits[i]; (c < '0' || c > '9') && (c < 'a' || c > 'f') {
			return s
		}
	}
	raw, err := hex.DecodeString(digits)
	if err != nil {
		return s
	}
	return raw
}

// idColumn scans what encodeID made.
type idColumn string

// Scan implements sql.Scanner.
func (c *idColumn) Scan(v any) error {
	switch v := v.(type) {
	case string:
		*c = idColumn(v)
		return nil
	case []byte:
		if len(v) == 16 {
			s := hex.EncodeToString(v)
			*c = idColumn(s[:8] + "-" + s[8:12] + "-" + s[12:16] + "-" + s[16:20] + "-" + s[20:])
			return nil
		}
	}
	return fmt.Errorf("stored id is a %T, not text or 16 bytes", v)
}

// inputKey is the beginning of an input hash as the number that is indexed. Equal keys are not proof of equal
// inputs; whoever looks up compares the whole hash.
func inputKey(input string) int64 {
	sum := sha256.Sum256([]byte(input))
	return int64(binary.BigEndian.Uint64(sum[:]))
}

// inputKeyOfHash is inputKey of a whole hash in hex; false if it is not one.
func inputKeyOfHash(hash string) (int64, bool) {
	raw, err := hex.DecodeString(hash)
	if err != nil || len(raw) != sha256.Size {
		return 0, false
	}
	return int64(binary.BigEndian.Uint64(raw)), true
}

// encodeVector stores float32s, little-endian.
func encodeVector(v []float32) []byte {
	b := make([]byte, 4*len(v))
	for i, x := range v {
		binary.LittleEndian.PutUint32(b[4*i:], math.Float32bits(x))
	}
	return b
}

// decodeVector fills v, which has the collection's dimensions.
func decodeVector(b []byte, v []float32) error {
	if len(b) != 4*len(v) {
		return fmt.Errorf("stored vector has %d bytes, want %d", len(b), 4*len(v))
	}
	for i := range v {
		v[i] = math.Float32frombits(binary.LittleEndian.Uint32(b[4*i:]))
	}
	return nil
}

func encodeTime(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format(time.RFC3339Nano)
}

// timeColumn scans what encodeTime made.
type timeColumn time.Time

// Scan implements sql.Scanner.
func (c *timeColumn) Scan(v any) error {
	s, ok := v.(string)
	if !ok {
		return fmt.Errorf("stored time is a %T, not text", v)
	}
	*c = timeColumn{}
	if s == "" {
		return nil
	}
	t, err := time.Parse(time.RFC3339Nano, s)
	*c = timeColumn(t)
	return err
}

// jsonColumn scans JSON into what it points to; empty text leaves it as it is.
type jsonColumn struct{ to any }

// Scan implements sql.Scanner.
func (c jsonColumn) Scan(v any) error {
	s, ok := v.(string)
	if !ok {
		return fmt.Errorf("stored JSON is a %T, not text", v)
	}
	if s == "" {
		return nil
	}
	return json.Unmarshal([]byte(s), c.to)
}

// encodeStrings stores a list as JSON, an empty one as empty text.
func encodeStrings(list []string) (string, error) {
	if len(list) == 0 {
		return "", nil
	}
	b, err := json.Marshal(list)
	return string(b), err
}

// encodeMetadata stores metadata as JSON. What JSON cannot say is corpus.ErrInvalid.
func encodeMetadata(m map[string]any) (string, error) {
	if len(m) == 0 {
		return "", nil
	}
	b, err := json.Marshal(m)
	if err != nil {
		return "", corpus.Errorf(corpus.ErrInvalid, "metadata: %w", err)
	}
	return string(b), nil
}
