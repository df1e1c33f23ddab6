package corpus

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"regexp"
	"strings"
	"time"
	"unicode/utf8"
)

// Embedding is what makes the vectors of a collection comparable with each other and with a query's.
type Embedding struct {
	Model         string `json:"model"`      // the catalog's id
	Dimensions    int    `json:"dimensions"` // of every vector
	QueryPrefix   string `json:"query_prefix,omitempty"`
	PassagePrefix string `json:"passage_prefix,omitempty"`
	Normalised    bool   `json:"normalised"` // vectors have unit length
}

// Fingerprint is a short hash of all fields. Vectors of different fingerprints are never mixed.
func (e Embedding) Fingerprint() string {
	sum := sha256.Sum256(fmt.Appendf(nil, "%q %d %q %q %t", e.Model, e.Dimensions, e.QueryPrefix, e.PassagePrefix, e.Normalised))
	return hex.EncodeToString(sum[:8])
}

// Collection is a named set of documents with one embedding and its own access rules.
type Collection struct {
	Name      string    `json:"name"`
	Embedding Embedding `json:"embedding"`
	CreatedAt time.Time `json:"created_at"`

	// Counts, filled in by the store when it is read.
	Documents   int            `json:"documents"`
	Chunks      int            `json:"chunks"`
	Quarantined int            `json:"quarantined"`
	Languages   map[string]int `json:"languages"` // chunks by the language of their terms
}

var collectionName = regexp.MustCompile(`^[\p{L}\p{N}][\p{L}\p{N}._-]*$`)

const longestName = 128 // characters; as a count in the expression it would cost megabytes

// CheckCollectionName reports whether a collection may have this name: letters, digits, dot, dash and
// underscore, beginning with a letter or digit, at most 128 characters. The error is ErrInvalid.
func CheckCollectionName(name string) error {
	if utf8.RuneCountInString(name) <= longestName && collectionName.MatchString(name) {
		return nil
	}
	return Hint(Errorf(ErrInvalid, "collection name %q is not allowed", name),
		"use letters, digits, dots, dashes and underscores, beginning with a letter or a digit, at most 128 characters")
}

// shadowSuffix can't be in the name of a collection that a user makes.
const shadowSuffix = "@reindex"

// Shadow is the name of the hidden collection that has another form of a collection: the new one while it is
// made, the old one after both were swapped.
func Shadow(name string) string { return name + shadowSuffix }

// IsShadow reports whether a collection is the hidden form of another. People are not shown it unless they ask.
func IsShadow(name string) bool { return strings.HasSuffix(name, shadowSuffix) }

// CheckStoredName is CheckCollectionName for what a store may keep: collections and their shadows.
func CheckStoredName(name string) error {
	return CheckCollectionName(strings.TrimSuffix(name, shadowSuffix))
}

// Access is what a caller may see. The zero value sees only documents without groups.
type Access struct {
	Groups []string
	// Unrestricted callers see every document: the command line on one's own store, an admin's key.
	Unrestricted bool
}

// Allows reports whether the caller may see a document with these groups.
func (a Access) Allows(groups []string) bool {
	if a.Unrestricted || len(groups) == 0 {
		return true
	}
	for _, g := range groups {
		for _, mine := range a.Groups {
			if g == mine {
				return true
			}
		}
	}
	return false
}

// Scope is where a read looks, and as whom. What is outside it does not exist for the caller.
type Scope struct {
	Collection string
	Access     Access
}
