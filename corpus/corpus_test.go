package corpus

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"
)

func TestCollectionNames(t *testing.T) {
	for name, allowed := range map[string]bool{
		"default": true, "人事.2024-v1_b": true, "0": true, strings.Repeat("ü", 128): true,
		"": false, ".hidden": false, "-x": false, "a/b": false, "a b": false, "a@reindex": false, "a\n": false, strings.Repeat("a", 129): false,
	} {
		err := CheckCollectionName(name)
		if (err == nil) != allowed || err != nil && (!errors.Is(err, ErrInvalid) || HintOf(err) == "") {
			t.Errorf("%q: %v", name, err)
		}
	}
	if err := CheckStoredName(Shadow("a")); err != nil || !IsShadow(Shadow("a")) || IsShadow("a") {
		t.Errorf("the shadow of a collection: %v", err)
	}
}

var policy = Document{
	Path: "hr/policy.pdf", Source: "handbook", Title: "Leave", MediaType: "application/pdf", Language: "en",
	Metadata: map[string]any{
		"department": "HR", "year": 2024.0, "tags": []any{"leave", "pay"}, "author": map[string]any{"name": "Ann"}, "a.b": "flat", "valid": "2024-05-01",
		"version": "v2", "draft": false,
	},
}

func TestConditions(t *testing.T) {
	for written, passes := range map[string]bool{
		"department=HR": true, "department = HR ": true, "department=IT,HR": true, "department=IT": false, "department!=IT": true, "department!=IT,HR": false,
		"year>=2024": true, "year>2024": false, "year<2025": true, "year<=2023": false, "year=2024.0": true, "year>999": true,
		"tags=pay": true, "tags!=pay": false, "tags=other": false, "author.name=Ann": true, "a.b=flat": true, "missing=x": false, "missing!=x": true,
		"valid>=2024-01-31": true, "valid<2024-01-31": false, "version>1": false, "draft=false": true,
		"document=hr/policy.pdf": true, "source=handbook": true, "title=Leave": true, "media_type=application/pdf": true, "language=zh": false,
	} {
		c, err := ParseCondition(written)
		if err != nil {
			t.Errorf("%s: %v", written, err)
		} else if got := (Filter{c}).Match(policy); got != passes {
			t.Errorf("%s passes: %v", written, got)
		}
	}
	for _, written := range []string{"", "department", "=HR", "a!b"} {
		if _, err := ParseCondition(written); !errors.Is(err, ErrInvalid) {
			t.Errorf("%q: %v", written, err)
		}
	}
}

func TestFilterOfARequest(t *testing.T) {
	for written, passes := range map[string]bool{
		`null`: true, `{}`: true, `{"department": "HR", "year": {"gte": 2024, "lt": 2025}}`: true, `{"department": "HR", "year": {"gt": 2024}}`: false,
		`{"tags": ["x", "pay"]}`: true, `{"tags": {"in": ["x"]}}`: false, `{"draft": false}`: true, `{"missing": {"exists": false}}`: true,
		`{"tags": {"exists": false}}`: false, `{"tags": []}`: false,
	} {
		var f Filter
		if err := json.Unmarshal([]byte(written), &f); err != nil {
			t.Errorf("%s: %v", written, err)
		} else if got := f.Match(policy); got != passes {
			t.Errorf("%s passes: %v", written, got)
		}
	}
	for _, written := range []string{
		`[]`, `"a=b"`, `{"a": null}`, `{"a": {"like": "b"}}`, `{"a": {"gt": [1, 2]}}`, `{"a": {"exists": 1}}`, `{"a": [{"b": 1}]}`,
	} {
		var f Filter
		if err := json.Unmarshal([]byte(written), &f); !errors.Is(err, ErrInvalid) {
			t.Errorf("%s: %v, %v", written, f, err)
		}
	}
}

// What a store keeps of a document answers every condition as the document does.
func TestFactsAreWhatConditionsSee(t *testing.T) {
	facts := Facts(policy)
	for key, values := range facts {
		for _, v := range values {
			if c := (Condition{Key: key, Op: OpEqual, Values: []any{v}}); key != "author" && !(Filter{c}).Match(policy) {
				t.Errorf("%s is not %v", key, v)
			}
		}
	}
	for _, key := range []string{"tags", "author.name", "a.b", "document", "language"} {
		if len(facts[key]) == 0 {
			t.Errorf("no %s in %v", key, facts)
		}
	}
}

func TestAccess(t *testing.T) {
	for _, tt := range []struct {
		access Access
		groups []string
		sees   bool
	}{
		{Access{}, nil, true}, {Access{}, []string{"board"}, false}, {Access{Groups: []string{"hr"}}, []string{"board"}, false},
		{Access{Groups: []string{"hr", "board"}}, []string{"x", "board"}, true}, {Access{Unrestricted: true}, []string{"board"}, true},
	} {
		if got := tt.access.Allows(tt.groups); got != tt.sees {
			t.Errorf("%+v sees a document of %v: %v", tt.access, tt.groups, got)
		}
	}
}

func TestIDs(t *testing.T) {
	if UUID("ab", "c") == UUID("a", "bc") {
		t.Error("two lists of parts have the same id")
	}
	d := NewDocumentID("c", "s", "p")
	if NewChunkID(d, "text", 0) == NewChunkID(d, "text", 1) || NewChunkID(d, "text", 0) == NewChunkID(NewDocumentID("c", "s", "q"), "text", 0) {
		t.Error("two chunks have the same id")
	}
	// Ids are stored: another one would make every document new.
	if got := string(NewChunkID(d, "text", 0)); got != "a327282f-b24c-520d-835e-538d2bf03274" {
		t.Errorf("the id of a chunk has become %s", got)
	}
}

func TestErrorsKeepTheirKindAndHint(t *testing.T) {
	cause := errors.New("disk")
	err := Hint(Errorf(ErrUnavailable, "open it: %w", cause), "try later")
	if !errors.Is(err, ErrUnavailable) || !errors.Is(err, cause) || err.Error() != "open it: disk" || HintOf(err) != "try later" {
		t.Errorf("%v, hint %q", err, HintOf(err))
	}
	if Hint(nil, "x") != nil || HintOf(cause) != "" {
		t.Error("a hint without an error")
	}
}
