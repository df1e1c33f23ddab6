package pdftext

import (
	"strconv"
	"strings"

	"github.com/ledongthuc/pdf"
)

// Labels returns what the document calls each of its pages, such as "iv" or "A-3" (ISO 32000-1, 12.4.2), or nil if
// it does not say.
func (f *File) Labels() (labels []string) {
	defer func() {
		if recover() != nil {
			labels = nil
		}
	}()
	root := f.reader.Trailer().Key("Root").Key("PageLabels")
	ranges := map[int]pdf.Value{}
	numbers := tree{list: "Nums", visit: func(key, value pdf.Value) { ranges[int(key.Int64())] = value }}
	numbers.walk(root, 0)
	if len(ranges) == 0 {
		return nil
	}
	var style pdf.Value
	first := 0
	for i := range f.pages {
		if v, ok := ranges[i]; ok {
			style, first = v, i
		}
		start := max(style.Key("St").Int64(), 1)
		labels = append(labels, textString([]byte(style.Key("P").RawString()))+numeral(style.Key("S").Name(), start+int64(i-first)))
	}
	return labels
}

// numeral writes n, from 1, in a style of page labels.
func numeral(style string, n int64) string {
	switch style {
	case "D":
		return strconv.FormatInt(n, 10)
	case "R":
		return roman(n)
	case "r":
		return strings.ToLower(roman(n))
	case "A":
		return letters(n)
	case "a":
		return strings.ToLower(letters(n))
	}
	return ""
}

func roman(n int64) string {
	if n > 4999 {
		return strconv.FormatInt(n, 10)
	}
	var b strings.Builder
	for _, r := range []struct {
		value int64
		sign  string
	}{{1000, "M"}, {900, "CM"}, {500, "D"}, {400, "CD"}, {100, "C"}, {90, "XC"}, {50, "L"}, {40, "XL"}, {10, "X"}, {9, "IX"}, {5, "V"}, {4, "IV"}, {1, "I"}} {
		for ; n >= r.value; n -= r.value {
			b.WriteString(r.sign)
		}
	}
	return b.String()
}

// letters are A to Z, then AA to ZZ, AAA to ZZZ and so on.
func letters(n int64) string {
	times := (n-1)/26 + 1
	if times > 20 {
		return strconv.FormatInt(n, 10)
	}
	return strings.Repeat(string(rune('A'+(n-1)%26)), int(times))
}
