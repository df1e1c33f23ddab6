package model

import (
	"encoding/base64"

	"github.com/tmc/langchaingo/llms"

	"grounded/corpus"
)

// Picture is shown to a model that sees.
type Picture struct {
	MediaType string // image/png or image/jpeg
	Data      []byte
}

// show puts the pictures before the text of the last message, which must be the user's.
func show(messages []llms.MessageContent, pictures []Picture, provider string) error {
	if len(pictures) == 0 {
		return nil
	}
	last := &messages[len(messages)-1]
	if last.Role != llms.ChatMessageTypeHuman {
		return corpus.Errorf(corpus.ErrInvalid, "pictures are shown with the user's message, and the last is another's")
	}
	var parts []llms.ContentPart
	for _, p := range pictures {
		switch provider {
		case "ollama", "anthropic":
			parts = append(parts, llms.BinaryPart(p.MediaType, p.Data))
		default: // OpenAI's protocol
			parts = append(parts, llms.ImageURLPart("data:"+p.MediaType+";base64,"+base64.StdEncoding.EncodeToString(p.Data)))
		}
	}
	last.Parts = append(parts, last.Parts...)
	return nil
}
