package model

import (
	"bytes"
	"encoding/binary"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"grounded/corpus"
)

// head is a GGUF head of so many tensors, with texts by key, and an array and a number among them.
func head(tensors int, texts ...string) []byte {
	var b bytes.Buffer
	put := func(v any) { _ = binary.Write(&b, binary.LittleEndian, v) } // a buffer takes everything
	text := func(s string) { put(uint64(len(s))); b.WriteString(s) }
	b.WriteString("GGUF")
	put(uint32(3))
	put(uint64(tensors))
	put(uint64(len(texts)/2 + 2))
	text("tokens")
	put([]uint32{ggufArray, ggufString})
	put(uint64(2))
	text("a")
	text("b")
	text("llama.context_length")
	put(uint32(ggufUint32))
	put(uint32(2048))
	for i := 0; i < len(texts); i += 2 {
		text(texts[i])
		put(uint32(ggufString))
		text(texts[i+1])
	}
	return b.Bytes()
}

func TestModelsMadeElsewhereAreReadAndServedAsTheirBase(t *testing.T) {
	c, err := Load()
	if err != nil {
		t.Fatal(err)
	}
	base, _ := c.Get("smollm2")
	remote, _ := c.Get("gpt-4o")
	write := func(name string, data []byte) string {
		path := filepath.Join(t.TempDir(), name)
		if err := os.WriteFile(path, data, 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	lora := write("lora.gguf", head(2, "general.type", "adapter", "adapter.type", "lora", "general.architecture", "llama"))
	whole := write("whole.gguf", head(9, "general.architecture", "llama", "general.name", "Ours", "general.license", "mit", "general.size_label", "1.5B"))
	day := time.Date(2026, 1, 31, 0, 0, 0, 0, time.UTC)

	adapted, err := Made{ID: "a", Adapter: lora, Dataset: "leave"}.FromBase(base, day)
	if err != nil || !slices.Equal(adapted.Command[len(adapted.Command)-2:], []string{"--lora", lora}) || len(adapted.Command) != len(base.Command)+2 ||
		adapted.Lineage.Base != "smollm2" || adapted.Lineage.Adapter != "lora.gguf" || adapted.Lineage.Created != "2026-01-31" || adapted.License != base.License {
		t.Errorf("an adapter is %+v, %v", adapted, err)
	}
	own, err := Made{ID: "b", Model: whole}.FromBase(base, day)
	if err != nil || !slices.Contains(own.Command, whole) || strings.Contains(strings.Join(own.Command, " "), "SmolLM2") || own.Name != "Ours" || own.License != "mit" || own.Context != 2048 || own.Parameters != 1_500_000_000 {
		t.Errorf("a whole model is %+v, %v", own, err)
	}
	for name, c := range map[string]struct {
		made Made
		base Card
		want string
	}{
		"a model as adapter":  {Made{ID: "x", Adapter: whole}, base, "is no LoRA adapter"},
		"an adapter as model": {Made{ID: "x", Model: lora}, base, "is no whole model"},
		"another format":      {Made{ID: "x", Model: write("x.safetensors", []byte("{\"a\": 1}"))}, base, "it is no GGUF file"},
		"cut off":             {Made{ID: "x", Model: write("cut", head(9, "general.architecture", "llama")[:40])}, base, "breaks off"},
		"not there":           {Made{ID: "x", Model: "nowhere.gguf"}, base, "no such file"},
		"a remote base":       {Made{ID: "x", Adapter: lora}, remote, "not served here"},
		"a bad id":            {Made{ID: "x y", Adapter: lora}, base, "an id has no space"},
	} {
		_, err := c.made.FromBase(c.base, day)
		if err == nil || !strings.Contains(err.Error(), c.want) || !errors.Is(err, corpus.ErrInvalid) {
			t.Errorf("%s: %v", name, err)
		}
	}
	for label, want := range map[string]int64{"135M": 135_000_000, "8x7B": 0, "": 0, "M": 0, "-1B": 0, "NaNB": 0, "9e99B": 0} {
		if got := sizeOf(label); got != want {
			t.Errorf("%q is %d weights", label, got)
		}
	}
	if real, err := ReadGGUF(localGGUF(t)); err != nil || real.Text("general.architecture") != "llama" || real.Number("llama.context_length") != 8192 {
		t.Errorf("the local model's head is %v, %v", real.Values, err)
	}
}

// localGGUF is the chat model that make models installs.
func localGGUF(t *testing.T) string {
	t.Helper()
	venv, _ := FindVenv(os.LookupEnv)
	path := filepath.Join(venv, "models", "SmolLM2-135M-Instruct.Q4_1.gguf")
	if _, err := os.Stat(path); err != nil {
		t.Skip("the local models are not installed: make models")
	}
	return path
}

func FuzzGGUF(f *testing.F) {
	f.Add(head(2, "general.type", "adapter"))
	f.Add([]byte("GGUF\x03\x00\x00\x00"))
	f.Add(append([]byte("GGUF\x03\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\xff\x00\x00\x00\x00\x00\x00\x00"), bytes.Repeat([]byte{9, 0, 0, 0}, 40)...))
	f.Fuzz(func(t *testing.T, data []byte) {
		g, err := readGGUF(bytes.NewReader(data))
		if err == nil && !bytes.HasPrefix(data, []byte("GGUF")) {
			t.Errorf("read %v of what is no GGUF file", g)
		}
	})
}
