package parse

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"testing"

	"github.com/xuri/excelize/v2"
)

const benchRows = 100_000

// BenchmarkCSV reads rows of eight cells.
func BenchmarkCSV(b *testing.B) {
	var data strings.Builder
	data.WriteString("Id,Name,Port,Weight,Price,Date,Status,Comment\n")
	for i := range benchRows {
		fmt.Fprintf(&data, "%d,Buoy %d,Faro,%d.5,%d,2025-06-03,open,\"serviced, in dock %d\"\n", i, i, i%90, i%7000, i%50)
	}
	benchTable(b, "a.csv", data.String())
}

// BenchmarkXLSX reads rows of eight cells, one of them a date, one with a format of its own.
func BenchmarkXLSX(b *testing.B) {
	benchTable(b, "a.xlsx", makeXLSX(b, func(f *excelize.File) {
		format := "#,##0.00 €"
		price, err := f.NewStyle(&excelize.Style{CustomNumFmt: &format})
		if err != nil {
			b.Fatal(err)
		}
		date, err := f.NewStyle(&excelize.Style{NumFmt: 14})
		if err != nil {
			b.Fatal(err)
		}
		w, err := f.NewStreamWriter("Sheet1")
		if err != nil {
			b.Fatal(err)
		}
		for i := range benchRows {
			row := []any{i, "Buoy " + strconv.Itoa(i), "Faro", float64(i%90) + 0.5, excelize.Cell{StyleID: price, Value: i % 7000},
				excelize.Cell{StyleID: date, Value: 45000 + i%900}, "open", "serviced in dock " + strconv.Itoa(i%50)}
			if i == 0 {
				row = []any{"Id", "Name", "Port", "Weight", "Price", "Date", "Status", "Comment"}
			}
			if err := w.SetRow("A"+strconv.Itoa(i+1), row); err != nil {
				b.Fatal(err)
			}
		}
		if err := w.Flush(); err != nil {
			b.Fatal(err)
		}
	}))
}

func benchTable(b *testing.B, name, data string) {
	b.SetBytes(int64(len(data)))
	for b.Loop() {
		if _, err := formats().parse(context.Background(), Input{Name: name, Data: []byte(data)}, 1<<30); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(benchRows*float64(b.N)/b.Elapsed().Seconds(), "rows/s")
}
