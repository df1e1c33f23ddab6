package parse

import (
	"bytes"
	"encoding/binary"
	"iter"
)

// tiffPages yields a file for each page of a TIFF; it is valid until the next. The pages are a list of directories,
// each with the place of the next behind it, and a decoder reads the first: each file has another first one.
func tiffPages(data []byte) iter.Seq[[]byte] {
	return func(yield func([]byte) bool) {
		var order binary.ByteOrder = binary.LittleEndian
		if bytes.HasPrefix(data, []byte("MM")) {
			order = binary.BigEndian
		}
		seen := map[uint32]bool{}
		page := data
		for n := 0; yield(page) && len(data) >= 8 && n <= maxScans; n++ {
			at := order.Uint32(page[4:])
			seen[at] = true
			if int64(at)+2 > int64(len(data)) {
				return
			}
			next := int64(at) + 2 + 12*int64(order.Uint16(data[at:]))
			if next+4 > int64(len(data)) {
				return
			}
			if at = order.Uint32(data[next:]); at == 0 || seen[at] || int64(at) >= int64(len(data)) {
				return
			}
			if n == 0 {
				page = bytes.Clone(data)
			}
			order.PutUint32(page[4:], at)
		}
	}
}
