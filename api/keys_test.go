package api

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"grounded/corpus"
)

func TestKeysThatMeanNothingOrTooMuchAreRefused(t *testing.T) {
	good := Key{Name: "a", Hash: HashSecret("x"), Scope: ScopeRead, Collections: []string{"c"}}
	for _, test := range []struct {
		name, want string
		change     func(*Key)
	}{
		{"no name", "name", func(k *Key) { k.Name = "" }},
		{"a secret for its hash", "sha256", func(k *Key) { k.Hash = NewSecret() }},
		{"a short hash", "sha256", func(k *Key) { k.Hash = "sha256:abcd" }},
		{"scope", "read, write or admin", func(k *Key) { k.Scope = "root" }},
		{"no collections", "collections", func(k *Key) { k.Collections = nil }},
		{"the same name", "two keys", func(k *Key) { k.Name = "b" }},
		{"the same secret", "another", func(k *Key) { k.Hash = HashSecret("y") }},
	} {
		t.Run(test.name, func(t *testing.T) {
			k := good
			test.change(&k)
			other := Key{Name: "b", Hash: HashSecret("y"), Scope: ScopeRead, Collections: []string{"c"}}
			if err := CheckKeys([]Key{other, k}); err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("got %v, want an error with %q", err, test.want)
			}
		})
	}
	if err := CheckKeys([]Key{good}); err != nil {
		t.Error(err)
	}
}

func TestWithoutKeysTheServerStaysOnThisMachine(t *testing.T) {
	for address, ok := range map[string]bool{"127.0.0.1:80": true, "localhost:80": true, "[::1]:80": true, ":80": false, "0.0.0.0:80": false, "10.0.0.1:80": false, "nonsense": false} {
		if err := CheckAddress(address, nil); (err == nil) != ok {
			t.Errorf("%s: %v", address, err)
		}
	}
	if err := CheckAddress(":80", []Key{{}}); err != nil {
		t.Error(err)
	}
	c := open(t, func(config *Config) { config.Keys = nil })
	c.send("GET", "/v1/models", "", "").want(t, http.StatusOK)
	r, err := http.NewRequestWithContext(t.Context(), "GET", c.http.URL+"/v1/models", nil)
	if err != nil {
		t.Fatal(err)
	}
	r.Host = "rebound.example.com"
	response, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	response.Body.Close()
	if response.StatusCode != http.StatusForbidden {
		t.Errorf("a foreign name that leads here was answered with %d", response.StatusCode)
	}
}

func TestKeysAreReplacedWhileTheServerRuns(t *testing.T) {
	c := open(t, nil)
	c.send("GET", "/v1/models", "reader", "").want(t, http.StatusOK)
	next := NewSecret()
	if err := c.server.SetKeys([]Key{{Name: "next", Hash: HashSecret(next), Scope: ScopeRead, Collections: []string{"alpha"}}}); err != nil {
		t.Fatal(err)
	}
	c.send("GET", "/v1/models", "reader", "").want(t, http.StatusUnauthorized)
	c.send("GET", "/v1/models", next, "").want(t, http.StatusOK)
	if err := c.server.SetKeys(nil); err == nil {
		t.Error("a reload without keys opened the server")
	}
	c.send("GET", "/v1/models", next, "").want(t, http.StatusOK)
}

func TestAKeyIsTakenUntilItExpires(t *testing.T) {
	secret := NewSecret()
	keys := []Key{{Name: "a", Hash: HashSecret(secret), Scope: ScopeRead, Collections: []string{"c"}, Expires: time.Unix(1000, 0)}}
	r, err := http.NewRequestWithContext(t.Context(), "GET", "/", nil)
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Api-Key", secret)
	if _, err := authenticate(keys, r, time.Unix(999, 0)); err != nil {
		t.Error(err)
	}
	if _, err := authenticate(keys, r, time.Unix(1001, 0)); err == nil {
		t.Error("an expired key was taken")
	}
}

func TestAHeaderNarrowsTheGroupsOfAKeyAndNeverAddsOne(t *testing.T) {
	for _, test := range []struct {
		name   string
		have   corpus.Access
		header []string
		sees   map[string]bool
	}{
		{"none given", corpus.Access{Groups: []string{"hr", "it"}}, nil, map[string]bool{"hr": true, "it": true}},
		{"one of two", corpus.Access{Groups: []string{"hr", "it"}}, []string{"it"}, map[string]bool{"hr": false, "it": true}},
		{"a foreign one", corpus.Access{Groups: []string{"hr"}}, []string{"board, hr"}, map[string]bool{"hr": true, "board": false}},
		{"empty", corpus.Access{Groups: []string{"hr"}}, []string{""}, map[string]bool{"hr": false}},
		{"of who sees all", corpus.Access{Unrestricted: true}, []string{"hr"}, map[string]bool{"hr": true, "board": false}},
	} {
		t.Run(test.name, func(t *testing.T) {
			r := &http.Request{Header: http.Header{}}
			if test.header != nil {
				r.Header[groupsHeader] = test.header
			}
			got := narrowed(caller{access: test.have}, r).access
			for group, want := range test.sees {
				if got.Allows([]string{group}) != want {
					t.Errorf("with %+v group %s is seen: %t", got, group, !want)
				}
			}
		})
	}
}

// TestWithoutKeysForeignPagesMayDoNothing sends what a browser sends for a page without asking first.
func TestWithoutKeysForeignPagesMayDoNothing(t *testing.T) {
	c := open(t, func(config *Config) { config.Keys, config.Origins = nil, []string{"https://chat.example.com"} })
	for origin, want := range map[string]int{
		"https://evil.example.com": http.StatusForbidden, "null": http.StatusForbidden, "http://localhost:1": http.StatusForbidden,
		"https://chat.example.com": http.StatusAccepted, c.http.URL: http.StatusAccepted, "": http.StatusAccepted,
	} {
		header := []string{"Origin", origin}
		if origin == "" {
			header = nil
		}
		if r := c.send("POST", "/api/collections/alpha/documents", "", form("a.md", "planted"), header...); r.status != want {
			t.Errorf("origin %q: status %d: %s", origin, r.status, r.body)
		}
	}
}
