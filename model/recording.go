package model

import (
	"bytes"
	"encoding/binary"

	"grounded/corpus"
)

// recordingPiece is a part of a recording that is a recording itself.
type recordingPiece struct {
	data  []byte
	start float64 // seconds from the beginning of the recording
}

// cutRecording splits a WAV or MP3 file into pieces of at most limit bytes. It refuses others that are longer.
func cutRecording(data []byte, limit int) ([]recordingPiece, error) {
	if len(data) <= limit {
		return []recordingPiece{{data, 0}}, nil
	}
	var pieces []recordingPiece
	switch {
	case bytes.HasPrefix(data, []byte("RIFF")) && len(data) > 12 && string(data[8:12]) == "WAVE":
		pieces = cutWAV(data, limit)
	case bytes.HasPrefix(data, []byte("ID3")) || len(data) > 4 && mp3Frame(data) > 0:
		pieces = cutMP3(data, limit)
	}
	if pieces == nil {
		return nil, corpus.Hint(corpus.Errorf(corpus.ErrInvalid, "the recording has %d MB, the model takes %d MB, and only WAV and MP3 can be split", (len(data)+1<<20-1)>>20, limit>>20),
			"save it as MP3 or with less quality, or set max_file_mb in the model's catalog entry")
	}
	return pieces, nil
}

// cutWAV splits a RIFF file (Microsoft and IBM, 1991) between samples; nil if it can't be read.
func cutWAV(data []byte, limit int) []recordingPiece {
	var format []byte
	for at := 12; at+8 <= len(data); {
		size := int(binary.LittleEndian.Uint32(data[at+4:]))
		body := data[at+8:]
		switch string(data[at : at+4]) {
		case "fmt ":
			if size > len(body) || size < 16 {
				return nil
			}
			format = body[:size]
		case "data":
			if format == nil {
				return nil
			}
			return cutSamples(format, body[:min(size, len(body))], limit)
		}
		at += 8 + size + size%2
	}
	return nil
}

func cutSamples(format, samples []byte, limit int) []recordingPiece {
	perSecond, block := int(binary.LittleEndian.Uint32(format[8:])), int(binary.LittleEndian.Uint16(format[12:]))
	head := 12 + 8 + len(format) + len(format)%2 + 8
	if perSecond == 0 || block == 0 || limit < head+block {
		return nil
	}
	most := (limit - head) / block * block
	var pieces []recordingPiece
	for at := 0; at < len(samples); at += most {
		part := samples[at:min(at+most, len(samples))]
		b := make([]byte, 0, head+len(part))
		b = append(b, "RIFF"...)
		b = binary.LittleEndian.AppendUint32(b, uint32(head-8+len(part)))
		b = append(b, "WAVEfmt "...)
		b = binary.LittleEndian.AppendUint32(b, uint32(len(format)))
		b = append(b, format...)
		b = append(b, make([]byte, len(format)%2)...)
		b = append(b, "data"...)
		b = binary.LittleEndian.AppendUint32(b, uint32(len(part)))
		pieces = append(pieces, recordingPiece{append(b, part...), float64(at) / float64(perSecond)})
	}
	return pieces
}

// mp3Bitrates are in kilobits a second, by the index in the header of a frame (ISO/IEC 11172-3 and 13818-3, layer III).
var (
	mp3Bitrates1 = [...]int{0, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320}
	mp3Bitrates2 = [...]int{0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160}
	mp3Rates     = [...]int{44100, 48000, 32000}
)

// mp3Frame returns the length in bytes of the frame that the data begins with; 0 for none.
func mp3Frame(data []byte) int {
	length, _ := mp3FrameTime(data)
	return length
}

func mp3FrameTime(data []byte) (length int, seconds float64) {
	if len(data) < 4 || data[0] != 0xff || data[1]&0xe0 != 0xe0 {
		return 0, 0
	}
	version, layer := data[1]>>3&3, data[1]>>1&3
	bitrate, rate := int(data[2]>>4), int(data[2]>>2&3)
	if version == 1 || layer != 1 || bitrate == 0 || bitrate == 15 || rate == 3 {
		return 0, 0
	}
	samples, kilobits, hertz := 1152, mp3Bitrates1[bitrate], mp3Rates[rate]
	if version != 3 {
		samples, kilobits, hertz = 576, mp3Bitrates2[bitrate], hertz/2
	}
	if version == 0 {
		hertz /= 2
	}
	return samples/8*kilobits*1000/hertz + int(data[2]>>1&1), float64(samples) / float64(hertz)
}

// cutMP3 splits between frames; nil if one is longer than the limit.
func cutMP3(data []byte, limit int) []recordingPiece {
	at := 0
	if bytes.HasPrefix(data, []byte("ID3")) && len(data) > 10 { // tags, perhaps with a picture
		at = 10 + int(data[6]&0x7f)<<21 + int(data[7]&0x7f)<<14 + int(data[8]&0x7f)<<7 + int(data[9]&0x7f)
	}
	var pieces []recordingPiece
	start, begin, now := at, 0.0, 0.0
	for at < len(data) {
		length, seconds := mp3FrameTime(data[at:])
		if length == 0 {
			length = 1 // something else between frames
		}
		length = min(length, len(data)-at)
		if length > limit {
			return nil
		}
		if at+length-start > limit {
			pieces = append(pieces, recordingPiece{data[start:at], begin})
			start, begin = at, now
		}
		at += length
		now += seconds
	}
	if start < len(data) {
		pieces = append(pieces, recordingPiece{data[start:], begin})
	}
	return pieces
}
