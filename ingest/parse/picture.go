package parse

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"image"
	"image/color"
	"image/draw"
	"image/gif"
	"image/jpeg"
	"image/png"
	"io"
	"iter"
	"math"
	"strings"

	"golang.org/x/image/bmp"
	scale "golang.org/x/image/draw"
	"golang.org/x/image/tiff"
	"golang.org/x/image/webp"
)

// pictureKind is a format of pictures.
type pictureKind struct {
	name, mediaType, extensions string
	magic                       []string // what a file begins with; ? is any byte
	size                        func(io.Reader) (image.Config, error)
	decode                      func(io.Reader) (image.Image, error)
}

// pictureFormats are the formats of pictures: each picture is a page that is read as a scan.
func pictureFormats() registry {
	var all registry
	for _, k := range []pictureKind{
		{"png", "image/png", ".png", []string{"\x89PNG\r\n\x1a\n"}, png.DecodeConfig, png.Decode},
		{"jpeg", "image/jpeg", ".jpg .jpeg", []string{"\xff\xd8\xff"}, jpeg.DecodeConfig, jpeg.Decode},
		{"tiff", "image/tiff", ".tif .tiff", []string{"II*\x00", "MM\x00*"}, tiff.DecodeConfig, tiff.Decode},
		{"webp", "image/webp", ".webp", []string{"RIFF????WEBP"}, webp.DecodeConfig, webp.Decode},
		{"gif", "image/gif", ".gif", []string{"GIF87a", "GIF89a"}, gif.DecodeConfig, gif.Decode},
		{"bmp", "image/bmp", ".bmp", []string{"BM????\x00\x00\x00\x00"}, bmp.DecodeConfig, bmp.Decode},
	} {
		all = append(all, Format{
			Name: k.name, Version: 1, MediaType: k.mediaType, Extensions: strings.Fields(k.extensions), Sniff: k.sniff,
			Parse: k.parse,
		})
	}
	return all
}

func (k pictureKind) sniff(data []byte) bool {
	for _, magic := range k.magic {
		matches := len(data) >= len(magic)
		for i := 0; matches && i < len(magic); i++ {
			matches = magic[i] == '?' || magic[i] == data[i]
		}
		if matches {
			return true
		}
	}
	return false
}

// maxPixels bounds a picture that is decoded.
const maxPixels = 150 << 20

func (k pictureKind) parse(ctx context.Context, in Input) (Document, error) {
	scans := scanReader{in: in}
	var doc Document
	number := 0
	for data := range k.frames(in.Data) {
		number++
		picture, err := k.picture(data)
		var refused *Error
		switch {
		case errors.As(err, &refused):
			return Document{}, refused
		case err != nil && len(doc.Pages) == 0:
			return Document{}, errorf(Damaged, "The picture can't be decoded: %v. Get the original, or save it as PNG.", err)
		case err != nil:
			scans.fail(number, err)
			doc.Pages = append(doc.Pages, Page{Number: number})
			continue
		}
		if b := picture.Bounds(); min(b.Dx(), b.Dy()) < smallestSide {
			doc.Pages = append(doc.Pages, Page{Number: number})
			continue
		}
		blocks, err := scans.page(ctx, number, 0, func(int) (*image.Gray, int, error) { return readable(picture), scanDPI, nil })
		if err != nil {
			return Document{}, err
		}
		doc.Pages = append(doc.Pages, Page{Number: number, Blocks: blocks})
	}
	doc.Folder, doc.Scans, doc.Warnings = scans.folder, scans.scans, scans.warnings()
	if len(scans.read)+len(scans.scans) > 0 {
		return doc, nil
	}
	switch {
	case len(scans.failed) > 0:
		return Document{}, errorf(NoText, "The picture could not be read: %v.", scans.reason)
	case len(scans.unread) > 0:
		return Document{}, errorf(NoText, "It is a picture, whose text, if it has any, nothing here reads. %s", scanHint)
	}
	return Document{}, errorf(Empty, "There is no text in the picture.")
}

// frames yields a file for each picture; only TIFF has more than one.
func (k pictureKind) frames(data []byte) iter.Seq[[]byte] {
	if k.name == "tiff" {
		return tiffPages(data)
	}
	return func(yield func([]byte) bool) { yield(data) }
}

func (k pictureKind) picture(data []byte) (image.Image, error) {
	size, err := k.size(bytes.NewReader(data))
	if err != nil {
		return nil, err
	}
	if size.Width*size.Height > maxPixels {
		return nil, errorf(TooLarge, "The picture has %d × %d points, more than %d million; make it smaller.", size.Width, size.Height, maxPixels>>20)
	}
	if size.Width <= 0 || size.Height <= 0 {
		return nil, fmt.Errorf("it is %d × %d points", size.Width, size.Height)
	}
	return k.decode(bytes.NewReader(data))
}

const (
	smallestSide = 32       // pixels of the shorter side, below which it is an icon or a line
	smallSide    = 1500     // pixels of the longer side, below which letters are probably too small
	pictureArea  = 12 << 20 // pixels, above which nothing is gained
)

// readable returns the picture in grey on white, of a size at which letters are read well.
func readable(picture image.Image) *image.Gray {
	b := picture.Bounds()
	factor := 1.0
	switch {
	case max(b.Dx(), b.Dy()) < smallSide:
		factor = 2
	case b.Dx()*b.Dy() > pictureArea:
		factor = math.Sqrt(pictureArea / float64(b.Dx()*b.Dy()))
	}
	out := image.NewGray(image.Rect(0, 0, max(int(float64(b.Dx())*factor), 1), max(int(float64(b.Dy())*factor), 1)))
	draw.Draw(out, out.Rect, image.NewUniform(color.White), image.Point{}, draw.Src)
	scale.BiLinear.Scale(out, out.Rect, picture, b, draw.Over, nil)
	return out
}
