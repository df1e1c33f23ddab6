package parse

import (
	"context"
	"strings"
	"testing"
)

func TestRecordingsAreToldByTheirContent(t *testing.T) {
	hdlr := func(kind string) string {
		return "\x00\x00\x00\x21hdlr\x00\x00\x00\x00\x00\x00\x00\x00" + kind + strings.Repeat("\x00", 13)
	}
	frame := "\xff\xfb\x90\x00" + strings.Repeat("\x00", 413)
	for _, tt := range []struct{ name, data, want string }{
		{"wave", "RIFF\x00\x00\x00\x00WAVEfmt ", "audio/wav"},
		{"tagged", "ID3\x03\x00\x00\x00\x00\x00\x00" + frame, "audio/mpeg"},
		{"frames", frame + frame, "audio/mpeg"},
		{"m4a", "\x00\x00\x00\x18ftypisom\x00\x00\x02\x00" + hdlr("soun"), "audio/mp4"},
		{"film", "\x00\x00\x00\x18ftypisom\x00\x00\x02\x00" + hdlr("soun") + hdlr("vide"), ""},
		{"flac", "fLaC\x00\x00\x00\x22", "audio/flac"},
		{"opus", "OggS\x00\x02" + strings.Repeat("\x00", 22) + "OpusHead", "audio/ogg"},
		{"theora", "OggS\x00\x02" + strings.Repeat("\x00", 22) + "\x80theora vorbis", ""},
		{"utf16", "\xff\xfeW\x00o\x00r\x00d\x00s\x00", "text/plain"},
	} {
		doc, err := formats().parse(context.Background(), Input{Name: tt.name + ".txt", Data: []byte(tt.data)}, 1<<20)
		if doc.MediaType != tt.want || (err == nil) != (tt.want != "") || doc.Recording != strings.HasPrefix(tt.want, "audio/") {
			t.Errorf("%s: got %q, recording %t, %v", tt.name, doc.MediaType, doc.Recording, err)
		}
	}
}
