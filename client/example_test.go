package client_test

import (
	"context"
	"errors"
	"fmt"
	"log"
	"os"
	"strings"
	"testing"

	"grounded/client"
	"grounded/corpus"
	"grounded/jobs"
	"grounded/wire"
)

// Example uploads a document, waits until it is in, and asks. It is the example of docs/api.md.
func Example() {
	ctx, address, stop := exampleServer()
	defer stop()

	server, err := client.New(client.Config{URL: address, Key: os.Getenv("GROUNDED_API_KEY")})
	if err != nil {
		log.Fatal(err)
	}
	sent, err := server.Upload(ctx, "default", client.Upload{Files: []client.File{client.LocalFile("testdata/leave-2026.md")}})
	if err != nil {
		log.Fatal(err)
	}
	job, err := server.Watch(ctx, sent.JobID, func(j jobs.Job) error { return nil })
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(job.Status, job.Files[0].Outcome.Outcome)

	answer, err := server.Answer(ctx, wire.Question{Question: "How many days of leave a year?"}, func(e client.Event) error {
		fmt.Print(e.Delta)
		return nil
	})
	if errors.Is(err, corpus.ErrUnavailable) {
		log.Fatal("the server, or its model, is away: ", err)
	} else if err != nil {
		log.Fatal(err)
	}
	for _, c := range answer.Citations {
		fmt.Println("\n", c.Document, c.Verified)
	}
	// Output:
	// done new
	// Everyone has 27 days of leave a year [1].
	//  leave-2026.md true
}

// exampleServer is a server with an empty collection, whose key is in the environment.
func exampleServer() (ctx context.Context, address string, stop func()) {
	folder, err := os.MkdirTemp("", "grounded-example-")
	if err != nil {
		log.Fatal(err)
	}
	c, end, err := serve(folder)
	if err != nil {
		log.Fatal(err)
	}
	_ = os.Setenv("GROUNDED_API_KEY", c.secret["admin"])
	return context.Background(), c.url, func() {
		end()
		_ = os.Unsetenv("GROUNDED_API_KEY")
		_ = os.RemoveAll(folder)
	}
}

// TestTheManualHasTheExample fails when docs/api.md shows other lines than those that are run.
func TestTheManualHasTheExample(t *testing.T) {
	manual, err := os.ReadFile("../docs/api.md")
	if err != nil {
		t.Fatal(err)
	}
	own, err := os.ReadFile("example_test.go")
	if err != nil {
		t.Fatal(err)
	}
	_, shown, _ := strings.Cut(string(manual), "```go\n")
	shown, _, found := strings.Cut(shown, "```")
	lines := func(text string) string {
		var b strings.Builder
		for line := range strings.Lines(text) {
			if line = strings.TrimSpace(line); line != "" {
				b.WriteString(line + "\n")
			}
		}
		return b.String()
	}
	shown = strings.NewReplacer(`"https://docs.example.com"`, "address", `"leave-2026.md"`, `"testdata/leave-2026.md"`).Replace(lines(shown))
	if !found || !strings.Contains(lines(string(own)), shown) {
		t.Errorf("docs/api.md shows, and nothing runs:\n%s", shown)
	}
}
