package api

import (
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"encoding/hex"
	"net/http"
	"slices"
	"strings"
	"time"

	"grounded/corpus"
)

// Scope is what a key may do; each includes those before it.
type Scope string

// The scopes.
const (
	ScopeRead  Scope = "read"  // ask, search, read documents
	ScopeWrite Scope = "write" // upload documents, delete those that it sees
	ScopeAdmin Scope = "admin" // collections; every document whatever its groups
)

// Scopes lists them, least first.
func Scopes() []Scope { return []Scope{ScopeRead, ScopeWrite, ScopeAdmin} }

func (s Scope) includes(other Scope) bool {
	return slices.Index(Scopes(), s) >= slices.Index(Scopes(), other)
}

// AllCollections in a key's list stands for every collection.
const AllCollections = "*"

// Key is who may ask, and for what. The secret itself is not kept.
type Key struct {
	Name        string
	Hash        string // of the secret: HashSecret
	Scope       Scope
	Collections []string // that exist for it; AllCollections for every one
	Groups      []string // access groups, besides documents without groups
	Expires     time.Time
}

const secretPrefix = "gk-"

// NewSecret makes a secret of 256 random bits.
func NewSecret() string {
	random := make([]byte, 32)
	_, _ = rand.Read(random) // never fails
	return secretPrefix + base64.RawURLEncoding.EncodeToString(random)
}

// HashSecret is what is kept of a secret: a hex SHA-256, enough for one that is random.
func HashSecret(secret string) string {
	sum := sha256.Sum256([]byte(secret))
	return "sha256:" + hex.EncodeToString(sum[:])
}

// CheckKeys refuses keys that mean nothing or more than was meant. The error is corpus.ErrInvalid.
func CheckKeys(keys []Key) error {
	names, hashes := map[string]bool{}, map[string]bool{}
	for _, k := range keys {
		digest, isHash := strings.CutPrefix(k.Hash, "sha256:")
		raw, err := hex.DecodeString(digest)
		switch {
		case k.Name == "":
			return corpus.Errorf(corpus.ErrInvalid, "a key has no name")
		case names[k.Name]:
			return corpus.Errorf(corpus.ErrInvalid, "two keys are named %q", k.Name)
		case !isHash || err != nil || len(raw) != sha256.Size:
			return corpus.Hint(corpus.Errorf(corpus.ErrInvalid, "hash of key %q is not sha256: and 64 hex digits", k.Name), "make a key with: grounded keys new")
		case hashes[digest]:
			return corpus.Errorf(corpus.ErrInvalid, "key %q has the secret of another", k.Name)
		case !slices.Contains(Scopes(), k.Scope):
			return corpus.Errorf(corpus.ErrInvalid, "scope of key %q is %q; it must be read, write or admin", k.Name, k.Scope)
		case len(k.Collections) == 0:
			return corpus.Hint(corpus.Errorf(corpus.ErrInvalid, "key %q has no collections", k.Name), `name them, or write ["*"] for all`)
		}
		names[k.Name], hashes[digest] = true, true
	}
	return nil
}

// caller is who sent a request.
type caller struct {
	name        string
	scope       Scope
	collections []string
	access      corpus.Access
}

// owner may do everything: whoever reaches a server without keys, which listens on this machine only.
var owner = caller{name: "local", scope: ScopeAdmin, collections: []string{AllCollections}, access: corpus.Access{Unrestricted: true}}

// sees reports whether a collection exists for the caller.
func (c caller) sees(collection string) bool {
	return slices.Contains(c.collections, AllCollections) || slices.Contains(c.collections, collection)
}

// groupsHeader narrows a request to some of its key's groups: a frontend sends those of its user.
const groupsHeader = "Grounded-Groups"

// Codes of a key that is missing and one that is wrong.
const (
	codeNoKey    = "missing_api_key"
	codeWrongKey = "invalid_api_key"
)

func unauthorized(code, message string) error {
	return &fault{status: http.StatusUnauthorized, kind: "authentication_error", code: code, message: message}
}

// authenticate finds the caller of a request by its bearer token, or Azure's api-key header.
func authenticate(keys []Key, r *http.Request, now time.Time) (caller, error) {
	if len(keys) == 0 {
		return narrowed(owner, r), nil
	}
	secret := r.Header.Get("Api-Key")
	if scheme, token, ok := strings.Cut(r.Header.Get("Authorization"), " "); ok && strings.EqualFold(scheme, "Bearer") {
		secret = strings.TrimSpace(token)
	}
	if secret == "" {
		return caller{}, unauthorized(codeNoKey, "there is no API key; send it as Authorization: Bearer KEY")
	}
	hash := []byte(HashSecret(secret))
	var found *Key
	for i := range keys { // all of them, so that the time tells nothing
		if subtle.ConstantTimeCompare(hash, []byte(keys[i].Hash)) == 1 {
			found = &keys[i]
		}
	}
	switch {
	case found == nil:
		return caller{}, unauthorized(codeWrongKey, "Incorrect API key provided; ask whoever runs this server for one (grounded keys new)")
	case !found.Expires.IsZero() && now.After(found.Expires):
		return caller{}, unauthorized(codeWrongKey, "Incorrect API key provided: it has expired")
	}
	c := caller{name: found.Name, scope: found.Scope, collections: found.Collections, access: corpus.Access{Groups: found.Groups}}
	if c.scope == ScopeAdmin {
		c.access = corpus.Access{Unrestricted: true}
	}
	return narrowed(c, r), nil
}

// narrowed leaves of a caller's groups those that the request names. It never adds one, except to those who see all.
func narrowed(c caller, r *http.Request) caller {
	values, given := r.Header[groupsHeader]
	if !given {
		return c
	}
	var groups []string
	for _, g := range strings.Split(strings.Join(values, ","), ",") {
		if g = strings.TrimSpace(g); g != "" && (c.access.Unrestricted || slices.Contains(c.access.Groups, g)) {
			groups = append(groups, g)
		}
	}
	c.access = corpus.Access{Groups: groups}
	return c
}
