package parse

import (
	"strings"
	"testing"
)

func TestCSVIsReadWithItsDelimiterQuotesAndHeader(t *testing.T) {
	for _, tt := range []struct{ name, file, data, want string }{
		{"commas", "a.csv", "Part,Weight kg,Note\nBuoy,12.5,\"red, \"\"big\"\"\"\nChain,40,\n", `
table-header: Part | Weight kg | Note
table-row: Buoy | 12.5 | red, "big"
table-row: Chain | 40`},
		{"semicolons, decimal commas", "a.csv", "Teil;Gewicht;Preis\nBoje;12,5;1.200,00\nKette;40,0;80,50", `
table-header: Teil | Gewicht | Preis
table-row: Boje | 12,5 | 1.200,00
table-row: Kette | 40,0 | 80,50`},
		{"tabs, commas in texts", "a.tsv", "Part\tNote\r\nBuoy\tred, big, old\r\nChain\trusty, heavy, long\r\n", `
table-header: Part | Note
table-row: Buoy | red, big, old
table-row: Chain | rusty, heavy, long`},
		{"bars", "a.csv", "Part|Weight\nBuoy|12\n", "table-header: Part | Weight\ntable-row: Buoy | 12"},
		{"declared", "a.csv", "sep=;\r\nPart;Weight\r\nBuoy;12\r\n", "table-header: Part | Weight\ntable-row: Buoy | 12"},
		{"line breaks in cells", "a.csv", "Part,Note,Weight\nBuoy,\"red\n\nbig\",3\n", "table-header: Part | Note | Weight\ntable-row: Buoy | red big | 3"},
		{"blanks around quotes", "a.csv", "Part, Note\n\"Buoy\" , \"red, big\"\n", "table-header: Part | Note\ntable-row: Buoy | red, big"},
		{"ragged rows", "a.csv", "Part,Weight\nBuoy,12,extra,more\nChain\n,7\n", `
table-header: Part | Weight
table-row: Buoy | 12 | extra | more
table-row: Chain
table-row: | 7`},
		{"no header", "a.csv", "1,2\n3,4\n", "table-row: 1 | 2\ntable-row: 3 | 4"},
		{"captions, an empty row, another table", "a.csv", "Stock 2025,,\nPart,Weight,\nBuoy,12,\n,,\nPort,Depth,Berths\nFaro,4,9\n", `
paragraph: Stock 2025
table-header: Part | Weight
table-row: Buoy | 12
table-header: Port | Depth | Berths
table-row: Faro | 4 | 9`},
		{"a header of two rows", "a.csv", "Port,2024,,2025,\n,Plan,Actual,Plan,Actual\nFaro,1,2,3,4\nSines,5,6,7,8\n", `
table-header: Port | 2024 Plan | 2024 Actual | 2025 Plan | 2025 Actual
table-row: Faro | 1 | 2 | 3 | 4
table-row: Sines | 5 | 6 | 7 | 8`},
		{"one column", "a.csv", "Faro\nSines\n", "paragraph: Faro\nparagraph: Sines"},
		{"quotes in texts", "a.tsv", "Part\tNote\nPipe 5\"\tthe \"big\" one\n\"Old\" pipe\t\"x\"\n", `
table-header: Part | Note
table-row: Pipe 5" | the "big" one
table-row: "Old" pipe | x`},
		{"UTF-16", "a.csv", "\xff\xfeP\x00,\x00N\x00\n\x00a\x00,\x001\x00\n\x00", "table-header: P | N\ntable-row: a | 1"},
	} {
		t.Run(tt.name, func(t *testing.T) { wantOutline(t, parseData(t, tt.file, tt.data), tt.want) })
	}
}

func TestAQuoteThatIsNeverClosedIsTextAndSwallowsNothing(t *testing.T) {
	doc := parseData(t, "a.csv", "Part,Note,Weight\nBuoy,\"red,3\nChain,\"long\",4\nAnchor,old,5\n")
	wantOutline(t, doc, `
table-header: Part | Note | Weight
table-row: Buoy | "red | 3
table-row: Chain | long | 4
table-row: Anchor | old | 5`)
	if len(doc.Warnings) != 1 || !strings.Contains(doc.Warnings[0], "line 2") {
		t.Errorf("warnings are %q", doc.Warnings)
	}
}

func TestALongCSVKeepsItsHeaderAndAllRows(t *testing.T) {
	doc := parseData(t, "a.csv", "Part,Weight\n"+strings.Repeat("Buoy,12\n", 40_000))
	headers, rows := 0, 0
	for _, p := range doc.Pages {
		for _, b := range p.Blocks {
			switch b.Kind {
			case TableHeader:
				headers++
			case TableRow:
				rows++
			}
		}
	}
	if headers != 1 || rows != 40_000 || len(doc.Pages) < 2 || doc.Separate {
		t.Errorf("got %d headers and %d rows on %d pages", headers, rows, len(doc.Pages))
	}
}
