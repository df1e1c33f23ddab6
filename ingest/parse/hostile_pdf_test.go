package parse

import (
	"bytes"
	"compress/zlib"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

// hostilePDF is a PDF that is meant to do harm, or damaged.
type hostilePDF struct{ name, data string }

func deflated(data []byte) string {
	var b bytes.Buffer
	w := zlib.NewWriter(&b)
	_, _ = w.Write(data)
	_ = w.Close()
	return b.String()
}

// hostilePDFs makes about a thousand, always the same ones, of small PDFs.
func hostilePDFs() []hostilePDF {
	plain := makePDFWith("/PageLabels << /Nums [0 << /S /r >>] >> /Outlines << /First << /Title (One line) /Dest [7 0 R /Fit] >> >>",
		at("F2", 18, 50, 740, "Title")+lines(50, 700, "One line of te-", "xt and another")+"/X1 Do /X2 Do q BI /W 1 /H 1 ID xx EI Q", lines(50, 700, "The second page."))
	scan := makePDF("q 600 0 0 800 0 0 cm /X2 Do Q")
	var all []hostilePDF
	add := func(name, data string) { all = append(all, hostilePDF{name, data}) }
	for name, data := range map[string]string{"plain": plain, "scan": scan} {
		for i := range 150 {
			add(fmt.Sprintf("%s cut off at %d/150", name, i), data[:len(data)*i/150])
			add(fmt.Sprintf("%s without its first %d/150", name, i), data[len(data)*i/150:])
		}
		random := rand.New(rand.NewPCG(1, uint64(len(data))))
		for i := range 150 {
			b := []byte(data)
			for range 1 + i/10 {
				b[random.IntN(len(b))] ^= 1 << random.IntN(8)
			}
			add(fmt.Sprintf("%s with bits flipped, %d", name, i), string(b))
		}
		for i := range 50 {
			at, n := random.IntN(len(data)), random.IntN(200)
			add(fmt.Sprintf("%s with a hole, %d", name, i), data[:at]+data[min(at+n, len(data)):])
		}
	}
	// Each number of the file, made hostile in turn.
	for i, number := range []string{"-1", "0", "1", "2147483647", "4294967296", "99999999999999999999", "1e9", "null", "[", "<<"} {
		for _, key := range []string{"/Count ", "/Length ", "/Size ", "/FirstChar ", "/Width ", "/BitsPerComponent ", "startxref\n", "0 0 600 800", "/Parent ", "/Kids "} {
			add(fmt.Sprintf("%s%s, %d", strings.TrimSpace(key), number, i), strings.ReplaceAll(plain, key, key+number+" "))
		}
	}
	for name, change := range map[string][2]string{
		"a page tree of itself":          {"/Kids [7 0 R", "/Kids [2 0 R"},
		"a page that is the catalog":     {"/Kids [7 0 R", "/Kids [1 0 R"},
		"a million pages":                {"/Kids [7 0 R", "/Kids [" + strings.Repeat("7 0 R ", 1_000_000)},
		"a giant page":                   {"0 0 600 800", "0 0 60000000 80000000"},
		"a page of nothing":              {"0 0 600 800", "0 0 0 0"},
		"resources of themselves":        {"/Resources <<", "/Resources 2 0 R /X <<"},
		"contents of the page":           {"/Contents 8 0 R", "/Contents 7 0 R"},
		"a thousand times the contents":  {"/Contents 8 0 R", "/Contents [" + strings.Repeat("8 0 R ", 1000) + "]"},
		"deep brackets":                  {"BT", strings.Repeat("[", 200_000) + "BT"},
		"deep dictionaries":              {"BT", strings.Repeat("<<", 200_000) + "BT"},
		"a deep trailer":                 {"/Root 1 0 R", "/Root 1 0 R /X " + strings.Repeat("[", 300_000)},
		"many operands":                  {"BT", strings.Repeat("1 ", 500_000) + "BT"},
		"a table that refers to itself":  {"/Root 1 0 R", "/Root 1 0 R /Prev 15"},
		"a length that is itself":        {"/Length 5", "/Length 8 0 R %"},
		"a filter that is not there":     {"/Length", "/Filter /Nothing /Length"},
		"a thousand filters":             {"/Length", "/Filter [" + strings.Repeat("/FlateDecode ", 1000) + "] /Length"},
		"LZW of noise":                   {"/Length", "/Filter /LZWDecode /Length"},
		"a picture of a terabyte":        {"/Width 1 /Height 1", "/Width 1000000 /Height 1000000"},
		"an encryption that is nonsense": {"/Root 1 0 R", "/Root 1 0 R /Encrypt << /Filter /Standard /V 5 /R 6 /O () /U () >>"},
		"a version that is not there":    {"%PDF-1.4", "%PDF-9.9"},
	} {
		for base, data := range map[string]string{"plain": plain, "scan": scan} {
			add(name+", "+base, strings.ReplaceAll(data, change[0], change[1]))
		}
	}
	add("a bomb", bomb(deflated(make([]byte, 300<<20))))
	add("a bomb in a bomb", bomb(deflated([]byte(deflated(make([]byte, 300<<20))))))
	add("a bomb of text", bomb(deflated([]byte("BT /F1 10 Tf "+strings.Repeat("(bombbombbombbomb) Tj ", 3_000_000)))))
	slices.SortFunc(all, func(a, b hostilePDF) int { return strings.Compare(a.name, b.name) })
	return all
}

// bomb is a PDF with a deflated stream for contents.
func bomb(stream string) string {
	return fmt.Sprintf("%%PDF-1.4\n1 0 obj\n<< /Type /Catalog /Pages 2 0 R >>\nendobj\n2 0 obj\n<< /Type /Pages /Count 1 /Kids [3 0 R] /MediaBox [0 0 600 800] /Resources << /Font << /F1 5 0 R >> >> >>\nendobj\n"+
		"3 0 obj\n<< /Type /Page /Parent 2 0 R /Contents 4 0 R >>\nendobj\n5 0 obj\n<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>\nendobj\n"+
		"4 0 obj\n<< /Filter /FlateDecode /Length %d >>\nstream\n%s\nendstream\nendobj\ntrailer\n<< /Size 6 /Root 1 0 R >>\nstartxref\n0\n%%%%EOF\n", len(stream), stream)
}

// TestHostilePDFsComeToAReason reads them all in children with small limits: each ends in time as a document or as
// an error that blames the file, and the children serve the next.
func TestHostilePDFsComeToAReason(t *testing.T) {
	const timeout = 5 * time.Second
	files := hostilePDFs()
	p := newPool(t, Config{Workers: 2, Timeout: timeout, MemoryBytes: 512 << 20})
	var mu sync.Mutex
	outcomes := map[ErrorCode]int{}
	slowest, slowestName := time.Duration(0), ""
	next := make(chan hostilePDF)
	var workers sync.WaitGroup
	for range 2 {
		workers.Go(func() {
			for f := range next {
				began := time.Now()
				doc, err := p.Parse(t.Context(), Input{Name: "a.pdf", Data: []byte(f.data)})
				took, code := time.Since(began), CodeOf(err)
				mu.Lock()
				outcomes[code]++
				if took > slowest {
					slowest, slowestName = took, f.name
				}
				switch {
				case err != nil && (code == "" || !strings.HasSuffix(err.Error(), ".")):
					t.Errorf("%s: %q, %v", f.name, code, err)
				case err == nil:
					checkDocument(t, doc)
				}
				if code == Crashed || code == Memory || code == Timeout {
					t.Logf("%s: %v", f.name, err)
				}
				if took > timeout+10*time.Second {
					t.Errorf("%s took %s", f.name, took)
				}
				mu.Unlock()
			}
		})
	}
	for _, f := range files {
		next <- f
	}
	close(next)
	workers.Wait()
	for _, code := range slices.Sorted(maps.Keys(outcomes)) {
		t.Logf("%5d %s", outcomes[code], codeName(code))
	}
	t.Logf("%d files, the slowest in %s: %s", len(files), slowest.Round(time.Millisecond), slowestName)
	doc, err := p.Parse(t.Context(), Input{Name: "a.pdf", Data: []byte(makePDF(lines(50, 700, "Hello there, reader")))})
	if err != nil || documentText(doc) != "Hello there, reader" {
		t.Errorf("afterwards an ordinary file comes to %q, %v", documentText(doc), err)
	}
}

func codeName(code ErrorCode) string {
	if code == "" {
		return "read"
	}
	return string(code)
}
