package pdftext

import (
	"bytes"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strconv"
)

var (
	objectStart  = regexp.MustCompile(`(?:^|[\r\n\t >])(\d{1,8})[ \t\r\n]+(\d{1,5})[ \t\r\n]+obj\b`)
	catalogType  = regexp.MustCompile(`/Type\s*/Catalog\b`)
	encryptEntry = regexp.MustCompile(`/Encrypt\s+\d+\s+\d+\s+R`)
	idEntry      = regexp.MustCompile(`/ID\s*\[[^\]]{0,400}\]`)
)

const maxObjects = 1 << 21

// Repair finds the objects of a PDF whose end is missing or whose table of objects is wrong, and returns the file
// with a new table behind it. ok is false if the objects that lead to the pages are gone.
func Repair(data []byte) (repaired []byte, ok bool) {
	begin := bytes.Index(data[:min(len(data), 1024)], []byte("%PDF-"))
	if begin < 0 {
		return nil, false
	}
	data = data[begin:]
	type place struct{ offset, generation int }
	objects := map[int]place{}
	root := 0
	for at := 0; len(objects) < maxObjects; {
		m := objectStart.FindSubmatchIndex(data[at:])
		if m == nil {
			break
		}
		number, _ := strconv.Atoi(string(data[at+m[2] : at+m[3]]))
		generation, _ := strconv.Atoi(string(data[at+m[4] : at+m[5]]))
		end := at + m[1]
		if number < maxObjects {
			objects[number] = place{at + m[2], generation} // the last of a number counts
			head := data[end:min(len(data), end+2000)]
			if stop := bytes.Index(head, []byte("endobj")); stop >= 0 && catalogType.Match(head[:stop]) {
				root = number
			}
		}
		at = end
	}
	if root == 0 {
		return nil, false
	}
	out := bytes.NewBuffer(append(slices.Clip(bytes.Clone(data)), '\n'))
	table := out.Len()
	numbers := slices.Sorted(maps.Keys(objects))
	out.WriteString("xref\n0 1\n0000000000 65535 f \n")
	for _, n := range numbers {
		fmt.Fprintf(out, "%d 1\n%010d %05d n \n", n, objects[n].offset, objects[n].generation)
	}
	fmt.Fprintf(out, "trailer\n<< /Size %d /Root %d %d R %s %s >>\nstartxref\n%d\n%%%%EOF\n",
		numbers[len(numbers)-1]+1, root, objects[root].generation, encryptEntry.Find(data), idEntry.Find(data), table)
	return out.Bytes(), true
}
