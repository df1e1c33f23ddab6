package parse

import (
	"bytes"
	"context"
	"slices"
	"strings"
)

// audioFormats are those of recordings. Their text is what a model that listens writes down, which is not done here.
func audioFormats() registry {
	var all registry
	for _, k := range []struct {
		name, mediaType, extensions string
		sniff                       func(data []byte) bool
	}{
		{"wav", "audio/wav", ".wav", func(data []byte) bool { return isRIFF(data, "WAVE") }},
		{"mp3", "audio/mpeg", ".mp3", isMP3},
		{"m4a", "audio/mp4", ".m4a .m4b", isM4A},
		{"flac", "audio/flac", ".flac", func(data []byte) bool { return bytes.HasPrefix(data, []byte("fLaC")) }},
		{"ogg", "audio/ogg", ".ogg .oga .opus", isOgg},
	} {
		all = append(all, Format{
			Name: k.name, Version: 1, MediaType: k.mediaType, Extensions: strings.Fields(k.extensions), Sniff: k.sniff,
			Parse: func(context.Context, Input) (Document, error) { return Document{Recording: true}, nil },
		})
	}
	return all
}

// IsRecording reports whether documents of the media type are recordings.
func IsRecording(mediaType string) bool {
	return slices.ContainsFunc(audioFormats(), func(f Format) bool { return f.MediaType == mediaType })
}

func isRIFF(data []byte, kind string) bool {
	return len(data) > 12 && string(data[:4]) == "RIFF" && string(data[8:12]) == kind
}

// isMP3 wants tags, or a frame behind a frame of the same kind.
func isMP3(data []byte) bool {
	if bytes.HasPrefix(data, []byte("ID3")) && len(data) > 10 && data[3] < 0x10 && data[4] < 0x10 {
		return true
	}
	if len(data) < 4 || data[0] != 0xff || data[1]&0xe6 != 0xe2 || data[1]&0x18 == 0x08 || data[2]>>4 == 0 || data[2]>>4 == 15 || data[2]>>2&3 == 3 {
		return false
	}
	again := []byte{data[0], data[1]}
	return bytes.Contains(data[4:min(len(data), 4+2881)], again)
}

// isM4A wants a file of ISO/IEC 14496-12 with sound and no pictures that move.
func isM4A(data []byte) bool {
	if len(data) < 12 || string(data[4:8]) != "ftyp" {
		return false
	}
	sound := false
	for rest := data; ; {
		_, after, ok := bytes.Cut(rest, []byte("hdlr"))
		if !ok || len(after) < 12 {
			return sound
		}
		switch string(after[8:12]) {
		case "soun":
			sound = true
		case "vide":
			return false
		}
		rest = after
	}
}

// isOgg wants a stream (RFC 3533) of sound.
func isOgg(data []byte) bool {
	head := data[:min(len(data), 4096)]
	if !bytes.HasPrefix(head, []byte("OggS")) || bytes.Contains(head, []byte("theora")) {
		return false
	}
	return slices.ContainsFunc([]string{"vorbis", "OpusHead", "FLAC", "Speex"}, func(s string) bool { return bytes.Contains(head, []byte(s)) })
}
