package api

import (
	"context"
	"fmt"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/network"
	cdp "github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
	"github.com/getkin/kin-openapi/openapi3"
)

// browser opens a page of a company's server, and fails the test for what the browser complains of and for requests to
// other hosts.
func browser(t *testing.T, c *company) context.Context {
	t.Helper()
	path, err := exec.LookPath("chromium")
	if err != nil {
		t.Skip("there is no chromium on PATH")
	}
	options := append(chromedp.DefaultExecAllocatorOptions[:], chromedp.ExecPath(path), chromedp.NoSandbox, chromedp.WindowSize(360, 740),
		chromedp.UserDataDir(t.TempDir()), chromedp.WSURLReadTimeout(2*time.Minute))
	ctx, cancel := context.WithTimeout(t.Context(), 4*time.Minute)
	t.Cleanup(cancel)
	ctx, cancel = chromedp.NewExecAllocator(ctx, options...)
	t.Cleanup(cancel)
	ctx, cancel = chromedp.NewContext(ctx)
	t.Cleanup(cancel)
	var mu sync.Mutex
	var complaints []string
	chromedp.ListenTarget(ctx, func(event any) {
		mu.Lock()
		defer mu.Unlock()
		switch e := event.(type) {
		case *cdp.EventConsoleAPICalled:
			complaints = append(complaints, fmt.Sprint("console: ", e.Type, " ", string(e.Args[0].Value)))
		case *cdp.EventExceptionThrown:
			complaints = append(complaints, "exception: "+e.ExceptionDetails.Error())
		case *log.EventEntryAdded:
			if !strings.Contains(e.Entry.Text, "status of 401") { // what the test asks for
				complaints = append(complaints, "log: "+e.Entry.Text)
			}
		case *network.EventRequestWillBeSent:
			if u, err := url.Parse(e.Request.URL); err != nil || u.Scheme != "data" && "http://"+u.Host != c.http.URL {
				complaints = append(complaints, "request: "+e.Request.URL)
			}
		}
	})
	t.Cleanup(func() {
		mu.Lock()
		defer mu.Unlock()
		if len(complaints) > 0 {
			t.Errorf("the browser complains:\n%s", strings.Join(complaints, "\n"))
		}
	})
	if err := chromedp.Run(ctx, network.Enable(), log.Enable()); err != nil {
		t.Fatal(err)
	}
	return ctx
}

// do runs actions, and says which step failed.
func do(t *testing.T, ctx context.Context, step string, actions ...chromedp.Action) {
	t.Helper()
	if err := chromedp.Run(ctx, actions...); err != nil {
		t.Fatalf("%s: %v", step, err)
	}
}

// shows waits until the text of an element has a word, and returns the text.
func shows(t *testing.T, ctx context.Context, selector, word string) string {
	t.Helper()
	text := ""
	eventually(t, selector+" shows "+word, func() bool {
		do(t, ctx, "read "+selector, chromedp.Evaluate(fmt.Sprintf("document.querySelector(%q)?.textContent ?? ''", selector), &text))
		return strings.Contains(text, word)
	})
	return text
}

func TestTheAPIIsShownAndTriedInABrowser(t *testing.T) {
	c := open(t, nil)
	ctx := browser(t, c)
	operations := 0
	for _, item := range c.server.spec.document.Paths.Map() {
		operations += len(item.Operations())
	}
	do(t, ctx, "open the page", chromedp.Navigate(c.http.URL+"/docs#answer"), chromedp.WaitVisible("#answer .curl"))
	shown := 0
	do(t, ctx, "count", chromedp.Evaluate("document.querySelectorAll('.operation').length", &shown))
	if shown != operations {
		t.Errorf("%d operations are shown, want %d", shown, operations)
	}
	for _, word := range []string{"question", "required", "one of hybrid, dense, lexical", "list of Passage"} {
		shows(t, ctx, "#answer", word)
	}

	do(t, ctx, "send without a key", chromedp.Click("#answer button[type=submit]"))
	shows(t, ctx, "#answer .reply", "missing_api_key")
	do(t, ctx, "send with a key", chromedp.SendKeys("#key", c.secret["reader"]), chromedp.Click("#answer button[type=submit]"))
	shows(t, ctx, "#answer .reply", "27 days")
	shows(t, ctx, "#answer [role=status]", "200")

	curl := shows(t, ctx, "#answer .curl", "/api/answer")
	if strings.Contains(curl, c.secret["reader"]) {
		t.Errorf("the command has the key: %s", curl)
	}
	command := exec.CommandContext(t.Context(), "bash", "-c", curl)
	command.Env = append(os.Environ(), "GROUNDED_KEY="+c.secret["reader"])
	if out, err := command.CombinedOutput(); err != nil || !strings.Contains(string(out), "27 days") {
		t.Errorf("%s\nprints %s, %v", curl, out, err)
	}

	do(t, ctx, "ask by events, in quotes", chromedp.Evaluate(`{
		const body = document.querySelector("#answer textarea");
		body.value = '{"question": "It\'s how many days of leave a year?", "stream": true}';
		body.dispatchEvent(new Event("input", {bubbles: true}))
	}`, nil), chromedp.Click("#answer button[type=submit]"))
	shows(t, ctx, "#answer .reply", "event: done")
	shows(t, ctx, "#answer .curl", `It'\''s`)

	file := filepath.Join(t.TempDir(), "new.md")
	if err := os.WriteFile(file, []byte("text"), 0o600); err != nil {
		t.Fatal(err)
	}
	do(t, ctx, "upload", chromedp.Evaluate(`document.querySelector("#key").value = ""; location.hash = "uploadDocuments"`, nil),
		chromedp.SendKeys("#key", c.secret["writer"]), chromedp.WaitVisible("#uploadDocuments .curl"),
		chromedp.SendKeys("#uploadDocuments input[name=collection]", "alpha"),
		chromedp.SendKeys("#uploadDocuments input[name=metadata]", `{"title": "New"}`),
		chromedp.SetUploadFiles("#uploadDocuments input[type=file]", []string{file}), chromedp.Click("#uploadDocuments button[type=submit]"))
	shows(t, ctx, "#uploadDocuments .reply", `"document": "new.md"`)
	shows(t, ctx, "#uploadDocuments .curl", "-F 'file=@new.md'")

	for _, scheme := range []string{"light", "dark"} {
		contrast := false
		do(t, ctx, "look at it "+scheme, emulation.SetEmulatedMedia().WithFeatures([]*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: scheme}}),
			chromedp.Evaluate(`(() => {
				const light = colour => colour.match(/\d+/g).slice(0, 3).reduce((sum, n) => sum + Number(n), 0) > 382;
				const style = getComputedStyle(document.body);
				return light(style.backgroundColor) === `+fmt.Sprint(scheme == "light")+` && light(style.color) !== light(style.backgroundColor);
			})()`, &contrast))
		if !contrast {
			t.Errorf("in the %s scheme the text cannot be read", scheme)
		}
	}
	beyond := 0
	visible := []string{}
	do(t, ctx, "open all, and look at its width", chromedp.Evaluate(`document.querySelectorAll("details").forEach(d => { d.open = true })`, nil),
		chromedp.WaitVisible("#compare .curl"), chromedp.Evaluate("document.documentElement.scrollWidth - innerWidth", &beyond),
		chromedp.SendKeys("#find", "cancel job"),
		chromedp.Evaluate("[...document.querySelectorAll('.operation')].filter(d => d.checkVisibility()).map(d => d.id)", &visible))
	if beyond > 0 {
		t.Errorf("on a phone the page is %d pixels too wide", beyond)
	}
	if len(visible) != 1 || visible[0] != "cancelJob" {
		t.Errorf("found are %v", visible)
	}
}

func TestExamplesOfTheContractAreValid(t *testing.T) {
	contract, err := loadSpec()
	if err != nil {
		t.Fatal(err)
	}
	for path, item := range contract.document.Paths.Map() {
		for method, operation := range item.Operations() {
			if operation.RequestBody == nil {
				continue
			}
			media := operation.RequestBody.Value.Content["application/json"]
			if media == nil || media.Example == nil { // the page makes one
				continue
			}
			if err := media.Schema.Value.VisitJSON(media.Example, openapi3.VisitAsRequest()); err != nil {
				t.Errorf("example of %s %s: %v", method, path, err)
			}
		}
	}
}
