package parse

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestEveryEncryptionWithAnEmptyPasswordIsReadWithItsTitle(t *testing.T) {
	files, _ := filepath.Glob(filepath.Join(awkward, "encrypted-*.pdf"))
	if len(files) != 7 {
		t.Fatalf("there are %d files", len(files))
	}
	for _, file := range files {
		t.Run(filepath.Base(file), func(t *testing.T) {
			doc := parseFile(t, file)
			wantOutline(t, doc, "paragraph: Weir 9 was handed over with 14 keys.")
			if doc.Title != "Übergabe am Wehr" || len(doc.Warnings) > 0 {
				t.Errorf("title %q, warnings %q", doc.Title, doc.Warnings)
			}
		})
	}
}

func parseFile(t *testing.T, file string, passwords ...string) Document {
	t.Helper()
	doc, err := formats().parse(t.Context(), Input{Path: file, Passwords: passwords}, 1<<30)
	if err != nil {
		t.Fatal(err)
	}
	return doc
}

func TestPasswordsOfUserAndOwnerAreTriedInTurn(t *testing.T) {
	file := filepath.Join(awkward, "needs-password.pdf")
	for _, passwords := range [][]string{{"lighthouse"}, {"owner"}, {"wrong", "", "lighthouse"}} {
		if text := documentText(parseFile(t, file, passwords...)); !strings.Contains(text, "Sluice gate C") {
			t.Errorf("%q: got %q", passwords, text)
		}
	}
	for _, tt := range []struct {
		passwords []string
		want      string
	}{
		{nil, "It needs a password"},
		{[]string{"wrong"}, "The password that was given does not open it"},
		{[]string{"wrong", "Lighthouse"}, "None of the 2 passwords"},
	} {
		_, err := formats().parse(t.Context(), Input{Path: file, Passwords: tt.passwords}, 1<<30)
		if CodeOf(err) != Encrypted || !strings.Contains(err.Error(), tt.want) || !strings.Contains(err.Error(), "ingest.passwords") || !strings.Contains(err.Error(), "--password") {
			t.Errorf("%q: got %v", tt.passwords, err)
		}
	}
}

func TestPublicPDFsWithPasswordsAreRead(t *testing.T) {
	if _, err := os.Stat(awkwardPDFs); err != nil {
		t.Skip("no ../shared/data/pdf beside the checkout")
	}
	passwords := []string{"baz", "usersecret", "openpassword"}
	for file, want := range map[string]string{
		"encrypted_aes-128.pdf":              "Secret!",
		"encrypted_rc4-40.pdf":               "Secret!",
		"encrypted_aes-256-r6.pdf":           "Hello World",
		"encrypted_libreoffice-password.pdf": "consetetur sadipscing elitr",
	} {
		if text := documentText(parseFile(t, filepath.Join(awkwardPDFs, file), passwords...)); !strings.Contains(text, want) {
			t.Errorf("%s: got %q", file, text)
		}
	}
}
