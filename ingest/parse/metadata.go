package parse

import (
	"regexp"
	"strings"
	"time"
)

// Keys of metadata that formats share.
const (
	metaAuthor      = "author"
	metaSubject     = "subject"
	metaPublisher   = "publisher"
	metaDescription = "description"
	metaKeywords    = "keywords" // a list
	// metaProgrammingLanguage is that of source code, in small letters: "go".
	metaProgrammingLanguage = "programming_language"
	metaCreated             = "created"  // ISO 8601
	metaModified            = "modified" // ISO 8601
)

// put sets a key unless the value is blank or what programs write for want of one.
func put(m map[string]any, key, value string) {
	switch value = normalise(value, false); strings.ToLower(strings.Trim(value, "()")) {
	case "", "anonymous", "unspecified", "unknown", "none", "untitled":
	default:
		m[key] = value
	}
}

// putKeywords splits keywords as people separate them.
func putKeywords(m map[string]any, value string) {
	var list []any
	for _, k := range strings.FieldsFunc(value, func(r rune) bool { return strings.ContainsRune(",;，；、\n", r) }) {
		if k = normalise(k, false); k != "" {
			list = append(list, k)
		}
	}
	if len(list) > 0 {
		m[metaKeywords] = list
	}
}

// putTime sets a key to a time in ISO 8601, if it is one.
func putTime(m map[string]any, key string, t time.Time, ok bool) {
	if ok && t.Year() > 1900 && t.Year() < 2200 {
		m[key] = t.Format(time.RFC3339)
	}
}

// putDate sets a key to a time in one of the forms of ISO 8601 or of mail headers.
func putDate(m map[string]any, key, value string) {
	for _, layout := range []string{time.RFC3339, "2006-01-02T15:04:05", "2006-01-02T15:04", "2006-01-02 15:04:05", "2006-01-02", "2006-01", "2006", time.RFC1123, time.RFC1123Z} {
		if t, err := time.Parse(layout, strings.TrimSpace(value)); err == nil {
			putTime(m, key, t, true)
			return
		}
	}
}

func pdfMetadata(info map[string]string) map[string]any {
	m := map[string]any{}
	put(m, metaAuthor, info["Author"])
	put(m, metaSubject, info["Subject"])
	putKeywords(m, info["Keywords"])
	created, ok := pdfTime(info["CreationDate"])
	putTime(m, metaCreated, created, ok)
	modified, ok := pdfTime(info["ModDate"])
	putTime(m, metaModified, modified, ok)
	return m
}

// pdfTime reads D:YYYYMMDDHHmmSSOHH'mm' (ISO 32000-1, 7.9.4), of which all behind the year may be missing.
func pdfTime(s string) (time.Time, bool) {
	s = strings.TrimPrefix(strings.TrimSpace(s), "D:")
	s = strings.ReplaceAll(s, "'", "")
	for _, layout := range []string{"20060102150405-0700", "20060102150405Z0700", "20060102150405Z", "20060102150405", "200601021504", "2006010215", "20060102", "200601", "2006"} {
		if t, err := time.Parse(layout, s); err == nil {
			return t, true
		}
	}
	if len(s) > 14 { // an offset that is none
		if t, err := time.Parse("20060102150405", s[:14]); err == nil {
			return t, true
		}
	}
	return time.Time{}, false
}

var languageTag = regexp.MustCompile(`^([a-zA-Z]{2})(?:[-_].*)?$`)

// languageCode returns the ISO 639-1 code of a language tag such as "en-US"; "" if it has none.
func languageCode(tag string) string {
	m := languageTag.FindStringSubmatch(strings.TrimSpace(tag))
	if m == nil {
		return ""
	}
	return strings.ToLower(m[1])
}
