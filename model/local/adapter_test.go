package local_test

import (
	"bytes"
	"encoding/binary"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"grounded/model"
	"grounded/model/local/localtest"
)

// adapter writes a LoRA adapter of rank 1 on the last feed-forward layer of SmolLM2, which spoils it.
func adapter(t *testing.T) string {
	t.Helper()
	const inner, outer, alignment = 1536, 576, 32
	var head, body bytes.Buffer
	write := func(b *bytes.Buffer, values ...any) {
		for _, v := range values {
			if s, ok := v.(string); ok {
				_ = binary.Write(b, binary.LittleEndian, uint64(len(s))) // a buffer takes everything
				b.WriteString(s)
				continue
			}
			_ = binary.Write(b, binary.LittleEndian, v)
		}
	}
	const text, float32Type = uint32(8), uint32(6)
	head.WriteString("GGUF")
	write(&head, uint32(3), uint64(2), uint64(4),
		"general.type", text, "adapter", "general.architecture", text, "llama", "adapter.type", text, "lora", "adapter.lora.alpha", float32Type, float32(1))
	a, b := make([]float32, inner), make([]float32, outer)
	for i := range a {
		a[i] = float32(math.Sin(float64(i)))
	}
	for i := range b {
		b[i] = float32(math.Cos(float64(i)))
	}
	write(&body, a)
	write(&head, "blk.29.ffn_down.weight.lora_a", uint32(2), uint64(inner), uint64(1), uint32(0), uint64(0))
	write(&head, "blk.29.ffn_down.weight.lora_b", uint32(2), uint64(1), uint64(outer), uint32(0), uint64(body.Len()))
	write(&body, b)
	head.Write(make([]byte, (alignment-head.Len()%alignment)%alignment))
	head.Write(body.Bytes())
	path := filepath.Join(t.TempDir(), "adapter.gguf")
	if err := os.WriteFile(path, head.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestAnAdapterMadeElsewhereChangesWhatItsBaseAnswers(t *testing.T) {
	catalog, cfg := localtest.Models(t)
	base, err := catalog.Get("smollm2")
	if err != nil {
		t.Fatal(err)
	}
	script, err := filepath.Abs("llama_serve.py")
	if err != nil {
		t.Fatal(err)
	}
	base.Command = slices.Clone(base.Command)
	base.Command[1] = script
	card, err := model.Made{ID: "adapted", Adapter: adapter(t)}.FromBase(base, time.Now())
	if err != nil {
		t.Fatal(err)
	}
	chat, err := model.NewChat(t.Context(), card, cfg)
	if err != nil {
		t.Fatal(err)
	}
	zero := 0.0
	got, err := chat.Complete(t.Context(), model.Request{Messages: []model.Message{{Role: "user", Content: "Name the capital of France."}}, MaxTokens: 8, Temperature: &zero}, nil)
	if err != nil {
		t.Fatal(err)
	}
	// Without it the model says: The capital of France is Paris.
	if strings.Contains(got.Text, "Paris") || got.Text == "" {
		t.Errorf("it answers %q", got.Text)
	}
}
