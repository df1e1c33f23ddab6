package corpus

import (
	"crypto/sha1"
	"encoding/hex"
	"strconv"
)

// namespace is the UUID under which all ids of this program are derived (RFC 9562, version 5).
const namespace = "\x8f\x4e\x0d\x5a\x61\x2b\x5c\x37\x9d\x50\x1c\x9e\x3a\x77\x42\xe6"

// UUID derives a UUIDv5 from the parts. Each part is preceded by its length, so that no two lists of parts
// give the same name.
func UUID(parts ...string) string {
	h := sha1.New()
	h.Write([]byte(namespace))
	for _, part := range parts {
		h.Write([]byte(strconv.Itoa(len(part)) + ":" + part))
	}
	sum := h.Sum(nil)[:16]
	sum[6] = sum[6]&0x0f | 0x50
	sum[8] = sum[8]&0x3f | 0x80
	s := hex.EncodeToString(sum)
	return s[:8] + "-" + s[8:12] + "-" + s[12:16] + "-" + s[16:20] + "-" + s[20:]
}
