package parse

import (
	"strings"
	"testing"

	"github.com/xuri/excelize/v2"
)

func TestEncryptedOfficeDocumentsOpenWithTheirPassword(t *testing.T) {
	encrypted := func(password string) string {
		return makeXLSX(t, func(f *excelize.File) { setRow(t, f, "Sheet1", "A1", "Sluice gate C") }, excelize.Options{Password: password})
	}
	for _, tt := range []struct {
		name, data string
		passwords  []string
		want       string // in the text or the error
	}{
		{"right", encrypted("lighthouse"), []string{"wrong", "lighthouse"}, "Sluice gate C"},
		{"read-only", encrypted(readOnlyPassword), nil, "Sluice gate C"},
		{"none", encrypted("lighthouse"), nil, "It needs a password"},
		{"wrong", encrypted("lighthouse"), []string{"wrong"}, "The password that was given does not open it"},
		{"cut off", encrypted("lighthouse")[:4000], []string{"lighthouse"}, "The password that was given does not open it"},
	} {
		doc, err := formats().parse(t.Context(), Input{Name: "a.xlsx", Data: []byte(tt.data), Passwords: tt.passwords}, 1<<30)
		if err != nil {
			if CodeOf(err) != Encrypted || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("%s: got %v, want %q", tt.name, err, tt.want)
			}
			continue
		}
		if text := documentText(doc); !strings.Contains(text, tt.want) {
			t.Errorf("%s: got %q, want %q", tt.name, text, tt.want)
		}
	}
}

func TestOldOfficeFilesAreToBeSavedAnew(t *testing.T) {
	old := "\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + strings.Repeat("\x00", 1000)
	for name, want := range map[string]string{"a.doc": ".docx", "a.xls": ".xlsx", "a.ppt": ".pptx", "a.dat": ".docx"} {
		_, err := formats().parse(t.Context(), Input{Name: name, Data: []byte(old)}, 1<<30)
		if CodeOf(err) != UnsupportedFormat || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: got %v, want %q", name, err, want)
		}
	}
}
