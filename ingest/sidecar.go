package ingest

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"math"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"time"

	"github.com/goccy/go-yaml"

	"grounded/ingest/source"
)

// author is who wrote a sidecar.
type author int

const (
	owner    author = iota // of the folder that it is in
	stranger               // who made the archive that it is in
)

// sidecar is the metadata beside a document. With err the document must not be indexed: its access groups
// are not known.
type sidecar struct {
	found  bool
	bytes  []byte
	values map[string]any
	err    error // a refusal
}

// refusal is a sentence for people that says why a document is not indexed.
type refusal string

func (r refusal) Error() string { return string(r) }

func refusef(format string, args ...any) error { return refusal(fmt.Sprintf(format, args...)) }

func readSidecar(disk string) sidecar {
	for _, path := range source.SidecarNames(disk) {
		if _, err := os.Stat(path); !errors.Is(err, fs.ErrNotExist) {
			return loadSidecar(path, filepath.Base(path), owner)
		}
	}
	return sidecar{}
}

// loadSidecar reads the metadata in the file at path, which people know by name. What strangers wrote must have no
// aliases, by which a small text becomes a large one.
func loadSidecar(path, name string, author author) sidecar {
	s := sidecar{found: true}
	info, err := os.Stat(path)
	if err == nil && info.Size() > source.MaxSidecar {
		err = fmt.Errorf("it has more than %d bytes", source.MaxSidecar)
	}
	if err == nil {
		s.bytes, err = os.ReadFile(path)
	}
	if err == nil && author == stranger && yamlAlias.Match(s.bytes) {
		err = errors.New("it has aliases, which are not followed in an archive")
	}
	if err == nil {
		err = yaml.Unmarshal(s.bytes, &s.values)
	}
	if err != nil {
		s.err = unreadableSidecar(name, yamlReason(err))
	}
	return s
}

func unreadableSidecar(name, reason string) error {
	return refusef("The metadata in %s can't be read, so that it is not known who may see the document: %s", name, reason)
}

// inherit lays the metadata of a container over that of a part.
func (s sidecar) inherit(values map[string]any) sidecar {
	if len(values) == 0 {
		return s
	}
	encoded, err := json.Marshal(plain(values))
	if err != nil { // never: plain made it what JSON has
		return sidecar{found: true, err: err}
	}
	merged := maps.Clone(s.values)
	if merged == nil {
		merged = map[string]any{}
	}
	groups, _ := values[groupKeys[0]].([]string)
	setGroups(merged, groups)
	maps.Copy(merged, values)
	s.found, s.bytes, s.values = true, append(bytes.Clone(s.bytes), encoded...), merged
	return s
}

// yamlAlias matches what may be a reference to another part of a YAML text.
var yamlAlias = regexp.MustCompile(`(?:^|[\s\[{,:-])\*\S`)

// yamlReason is an error's message with the line, without the quoted source.
func yamlReason(err error) string {
	var at yaml.Error
	if errors.As(err, &at) && at.GetToken() != nil {
		return fmt.Sprintf("line %d: %s.", at.GetToken().Position.Line, at.GetMessage())
	}
	var cause *fs.PathError
	if errors.As(err, &cause) {
		err = cause.Err
	}
	first, _, _ := strings.Cut(err.Error(), "\n")
	return first + "."
}

// metadata is what is known of a document besides its text.
type metadata struct {
	title    string
	language string
	groups   []string
	rest     map[string]any
}

// groupKeys are the names under which metadata has the groups that may see a document.
var groupKeys = []string{"groups", "access_groups"}

// mergeMetadata lays the values beside the document over those in it. It fails when the groups are not clear.
func mergeMetadata(inside, beside map[string]any) (metadata, error) {
	m := metadata{rest: map[string]any{}}
	restricted := false
	for _, values := range []map[string]any{inside, beside} {
		for key, value := range values {
			m.rest[key] = plain(value)
		}
		for _, key := range groupKeys {
			value, ok := values[key]
			delete(m.rest, key)
			if !ok {
				continue
			}
			groups, ok := groupNames(value)
			if !ok {
				return metadata{}, refusef("The metadata's %s must be a name or a list of names, not %v.", key, value)
			}
			m.groups, restricted = groups, true
		}
	}
	if restricted && len(m.groups) == 0 {
		return metadata{}, refusef("The metadata's groups are empty; name the groups that may see the document, or leave the key out for everyone.")
	}
	if title, ok := beside["title"].(string); ok {
		m.title = strings.TrimSpace(title)
	}
	if language, ok := m.rest["language"].(string); ok && len(language) >= 2 {
		m.language, _, _ = strings.Cut(strings.ToLower(language), "-")
	}
	return m, nil
}

func groupNames(value any) (names []string, ok bool) {
	var list []any
	switch value := value.(type) {
	case []any:
		list = value
	case []string:
		for _, v := range value {
			list = append(list, v)
		}
	default:
		list = []any{value}
	}
	for _, v := range list {
		name, isText := v.(string)
		if name = strings.TrimSpace(name); !isText || name == "" {
			return nil, false
		}
		names = append(names, name)
	}
	return names, true
}

// plain makes of a YAML value one that JSON has too: dates are text, not-a-number is text.
func plain(v any) any {
	switch v := v.(type) {
	case map[string]any:
		out := make(map[string]any, len(v))
		for key, value := range v {
			out[key] = plain(value)
		}
		return out
	case map[any]any:
		out := make(map[string]any, len(v))
		for key, value := range v {
			out[fmt.Sprint(key)] = plain(value)
		}
		return out
	case []any:
		out := make([]any, len(v))
		for i, value := range v {
			out[i] = plain(value)
		}
		return out
	case time.Time:
		if v.Equal(v.Truncate(24 * time.Hour)) {
			return v.Format(time.DateOnly)
		}
		return v.Format(time.RFC3339)
	case float64:
		if math.IsNaN(v) || math.IsInf(v, 0) {
			return fmt.Sprint(v)
		}
	case uint64:
		return float64(v)
	case int64:
		return float64(v)
	case int:
		return float64(v)
	case string:
		return strings.ToValidUTF8(v, "\uFFFD")
	}
	return v
}
