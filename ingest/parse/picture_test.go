package parse

import (
	"bytes"
	"encoding/base64"
	"encoding/binary"
	"image"
	"image/gif"
	"image/jpeg"
	"image/png"
	"strings"
	"testing"

	"golang.org/x/image/bmp"
	"golang.org/x/image/tiff"
)

// hill is a picture of the word HILL.
func hill() *image.Gray {
	picture := gray(320, 160, 255)
	for y, row := range []string{
		"#   # ### #     #     ",
		"#   #  #  #     #     ",
		"#   #  #  #     #     ",
		"#####  #  #     #     ",
		"#   #  #  #     #     ",
		"#   #  #  #     #     ",
		"#   # ### ##### ##### ",
	} {
		for x, c := range row {
			for i := 0; c == '#' && i < 64; i++ {
				picture.Pix[(40+8*y+i/8)*320+60+8*x+i%8] = 0
			}
		}
	}
	return picture
}

func encodedAs(t *testing.T, name string, picture image.Image) string {
	t.Helper()
	var b bytes.Buffer
	err := map[string]func() error{
		"png":  func() error { return png.Encode(&b, picture) },
		"jpg":  func() error { return jpeg.Encode(&b, picture, nil) },
		"gif":  func() error { return gif.Encode(&b, picture, nil) },
		"bmp":  func() error { return bmp.Encode(&b, picture) },
		"tiff": func() error { return tiff.Encode(&b, picture, nil) },
	}[name]()
	if err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// twoPages joins two TIFFs to one of two pages.
func twoPages(first, second string) string {
	data := []byte(first + second)
	moved := data[len(first):]
	move := func(at uint32) {
		binary.LittleEndian.PutUint32(moved[at:], binary.LittleEndian.Uint32(moved[at:])+uint32(len(first)))
	}
	directory := binary.LittleEndian.Uint32(moved[4:])
	entries := uint32(binary.LittleEndian.Uint16(moved[directory:]))
	for i := range entries {
		entry := directory + 2 + 12*i
		size := map[uint16]uint32{1: 1, 2: 1, 3: 2, 4: 4, 5: 8}[binary.LittleEndian.Uint16(moved[entry+2:])]
		if long := size*binary.LittleEndian.Uint32(moved[entry+4:]) > 4; long || binary.LittleEndian.Uint16(moved[entry:]) == 273 { // strip offsets
			move(entry + 8)
		}
	}
	at := binary.LittleEndian.Uint32(data[4:])
	next := at + 2 + 12*uint32(binary.LittleEndian.Uint16(data[at:]))
	binary.LittleEndian.PutUint32(data[next:], directory+uint32(len(first)))
	return string(data)
}

func TestPicturesAreScansOfAPage(t *testing.T) {
	reader := engine(t)
	for _, kind := range []string{"png", "jpg", "gif", "bmp", "tiff"} {
		data := encodedAs(t, kind, hill())
		doc, err := formats().parse(t.Context(), Input{Name: "sign." + kind, Data: []byte(data), ocr: reader}, 1<<30)
		if err != nil || !strings.Contains(documentText(doc), "HILL") || doc.Title != "sign" {
			t.Errorf("%s: got %q, %v", kind, documentText(doc), err)
		}
		if got := codeFor("sign."+kind, data); got != NoText {
			t.Errorf("%s without text recognition: got %q", kind, got)
		}
		if got := codeFor("sign."+kind, data[:len(data)/3]); got != Damaged {
			t.Errorf("%s cut off: got %q", kind, got)
		}
	}
	tiff := encodedAs(t, "tiff", hill())
	doc, err := formats().parse(t.Context(), Input{Name: "fax.tif", Data: []byte(twoPages(tiff, tiff)), ocr: reader}, 1<<30)
	if err != nil || len(doc.Pages) != 2 || !strings.Contains(outline(doc.Pages[1:]), "HILL") {
		t.Errorf("two pages: got %q, %v", outline(doc.Pages), err)
	}
	_, err = formats().parse(t.Context(), Input{Name: "grey.png", Data: []byte(encodedAs(t, "png", gray(90, 90, 128))), ocr: reader}, 1<<30)
	if CodeOf(err) != Empty {
		t.Errorf("a picture of nothing: got %v", err)
	}
}

func TestPicturesThatAreTooLargeAreNotDecoded(t *testing.T) {
	huge := []byte(encodedAs(t, "bmp", gray(64, 64, 0)))
	binary.LittleEndian.PutUint32(huge[18:], 60_000)
	binary.LittleEndian.PutUint32(huge[22:], 60_000)
	if got := codeFor("a.bmp", string(huge)); got != TooLarge {
		t.Errorf("got %q", got)
	}
}

func TestWebPIsDecoded(t *testing.T) {
	// One white point, without loss.
	data, err := base64.StdEncoding.DecodeString("UklGRhoAAABXRUJQVlA4TA0AAAAvAAAAEAcQERGIiP4HAA==")
	if err != nil {
		t.Fatal(err)
	}
	if got := codeFor("a.webp", string(data)); got != Empty {
		t.Errorf("got %q", got)
	}
	if got := codeFor("a.webp", string(data[:20])); got != Damaged {
		t.Errorf("cut off: got %q", got)
	}
}

func FuzzTIFF(f *testing.F) {
	var b bytes.Buffer
	if err := tiff.Encode(&b, hill(), nil); err != nil {
		f.Fatal(err)
	}
	fuzz(f, "a.tiff", b.String(), twoPages(b.String(), b.String()))
}
