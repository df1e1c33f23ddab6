package api

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/labstack/echo/v4"

	"grounded/telemetry"
)

func TestErrorsHaveTheFormOfTheirRoute(t *testing.T) {
	c := open(t, nil)
	for _, test := range []struct {
		method, path, kind, word string
		status                   int
	}{
		{"GET", "/v1/nothing", "application/json", `"error":{"message":`, 404},
		{"GET", "/v1/chat/completions", "application/json", `takes`, 405},
		{"POST", "/chat/completions", "application/problem+json", `add /v1`, 404},
		{"GET", "/api/nothing", "application/problem+json", `"request_id":"req_`, 404},
	} {
		r := c.send(test.method, test.path, "admin", "").want(t, test.status)
		if r.header.Get("Content-Type") != test.kind || !strings.Contains(r.body, test.word) {
			t.Errorf("%s: %s %s", test.path, r.header.Get("Content-Type"), r.body)
		}
	}
}

func TestAWrongKeyIsToldInTheWordsThatClientsRead(t *testing.T) {
	c := open(t, nil)
	r := c.send("GET", "/v1/models", "gk-wrong", "").want(t, http.StatusUnauthorized)
	for _, word := range []string{"Incorrect API key provided", `"type":"authentication_error"`, `"code":"invalid_api_key"`} {
		if !strings.Contains(r.body, word) {
			t.Errorf("there is no %s in %s", word, r.body)
		}
	}
}

func TestAPanicIsAnErrorWithAnIdUnderWhichTheLogHasIt(t *testing.T) {
	c := open(t, nil)
	c.server.echo.GET("/v1/panics", func(echo.Context) error { panic("the secret of the panic") })
	r := c.send("GET", "/v1/panics", "", "", requestIDHeader, "mine-1").want(t, http.StatusInternalServerError)
	if strings.Contains(r.body, "secret") || r.header.Get(requestIDHeader) != "mine-1" {
		t.Errorf("got %s, id %q", r.body, r.header.Get(requestIDHeader))
	}
	log := c.log.text()
	if !strings.Contains(log, "the secret of the panic") || !strings.Contains(log, "mine-1") || !strings.Contains(log, "surround_test.go") {
		t.Errorf("the log has not what and where: %s", log)
	}
	c.send("GET", "/healthz", "", "").want(t, http.StatusOK)
}

func TestTheLogHasNoTexts(t *testing.T) {
	c := open(t, nil)
	c.send("POST", "/v1/chat/completions", "hr", `{"model":"parrot+rag","messages":[{"role":"user","content":"the private question about the salary of level 5"}]}`).want(t, http.StatusOK)
	c.send("POST", "/v1/chat/completions", "hr", `{"model":"failing","messages":[{"role":"user","content":"the private question"}]}`)
	log := c.log.text()
	if !strings.Contains(log, `"route":"/v1/chat/completions","status":200`) || !strings.Contains(log, `"caller":"hr"`) {
		t.Errorf("the log is %s", log)
	}
	for _, word := range []string{"private", canaryHR, c.secret["hr"]} {
		if strings.Contains(log, word) {
			t.Errorf("the log has %q: %s", word, log)
		}
	}
}

func TestBodiesAreLimitedAndTheConnectionGoesOn(t *testing.T) {
	c := open(t, func(config *Config) { config.MaxBody = 1000 })
	r := c.send("POST", "/v1/chat/completions", "reader", strings.Repeat(" ", 2000)).want(t, http.StatusRequestEntityTooLarge)
	if !strings.Contains(r.body, "1000 bytes") {
		t.Error(r.body)
	}
	c.send("POST", "/v1/chat/completions", "reader", `x=1`, "Content-Type", "application/x-www-form-urlencoded").want(t, http.StatusUnsupportedMediaType)

	connection, err := net.Dial("tcp", strings.TrimPrefix(c.http.URL, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	defer connection.Close()
	_ = connection.SetDeadline(time.Now().Add(20 * time.Second))
	body := strings.Repeat("x", 900)
	answers := bufio.NewReader(connection)
	for _, line := range []string{"POST /v1/chat/completions", "GET /v1/nothing", "OPTIONS /v1/models", "POST /v1/models"} {
		fmt.Fprintf(connection, "%s HTTP/1.1\r\nHost: h\r\nContent-Length: %d\r\n\r\n%s", line, len(body), body)
		response, err := http.ReadResponse(answers, nil)
		if err != nil {
			t.Fatalf("%s: %v", line, err)
		}
		if response.StatusCode < 204 || response.StatusCode > 405 {
			t.Errorf("%s: status %d", line, response.StatusCode)
		}
		if _, err := io.Copy(io.Discard, response.Body); err != nil {
			t.Fatal(err)
		}
	}
}

func TestOnlyConfiguredOriginsMayCallFromABrowser(t *testing.T) {
	c := open(t, func(config *Config) { config.Origins = []string{"https://chat.example.com"} })
	ask := []string{"Access-Control-Request-Method", "POST", "Access-Control-Request-Headers", "authorization, x-stainless-lang", "Origin"}
	r := c.send("OPTIONS", "/v1/chat/completions", "", "", append(ask, "https://chat.example.com")...).want(t, http.StatusNoContent)
	for _, name := range []string{"authorization", "x-stainless-retry-count", "content-type"} {
		if !strings.Contains(r.header.Get("Access-Control-Allow-Headers"), name) {
			t.Errorf("%s is not allowed: %v", name, r.header)
		}
	}
	r = c.send("GET", "/v1/models", "reader", "", "Origin", "https://chat.example.com").want(t, http.StatusOK)
	if r.header.Get("Access-Control-Allow-Origin") != "https://chat.example.com" {
		t.Errorf("got %v", r.header)
	}
	c.send("OPTIONS", "/v1/chat/completions", "", "", append(ask, "https://evil.example.com")...).want(t, http.StatusForbidden)
	r = c.send("GET", "/v1/models", "reader", "", "Origin", "https://evil.example.com").want(t, http.StatusOK)
	if r.header.Get("Access-Control-Allow-Origin") != "" {
		t.Errorf("another origin may read: %v", r.header)
	}
}

func TestBodiesThatAreNotUTF8AreRefused(t *testing.T) {
	c := open(t, nil)
	for _, path := range []string{"/api/retrieve", "/v1/chat/completions", "/retrieval"} {
		r := c.send("POST", path, "reader", "{\"question\":\"\xff\xfe\"}").want(t, http.StatusBadRequest)
		if !strings.Contains(r.body, "UTF-8") {
			t.Error(r.body)
		}
	}
}

// TestAClientThatIsTakenForGoneIsNotToldThatAllIsWell closes its half of the connection after the request.
func TestAClientThatIsTakenForGoneIsNotToldThatAllIsWell(t *testing.T) {
	c := open(t, nil)
	connection, err := net.Dial("tcp", strings.TrimPrefix(c.http.URL, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	defer connection.Close()
	_ = connection.SetDeadline(time.Now().Add(20 * time.Second))
	body := `{"model":"hanging","messages":[{"role":"user","content":"x"}]}`
	fmt.Fprintf(connection, "POST /v1/chat/completions HTTP/1.1\r\nHost: h\r\nAuthorization: Bearer %s\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s",
		c.secret["reader"], len(body), body)
	if err := connection.(*net.TCPConn).CloseWrite(); err != nil {
		t.Fatal(err)
	}
	response, err := http.ReadResponse(bufio.NewReader(connection), nil)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	if response.StatusCode != telemetry.StatusClientGone {
		t.Errorf("status %d", response.StatusCode)
	}
}
