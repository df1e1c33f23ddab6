package corpus

import (
	"bytes"
	"cmp"
	"encoding/json"
	"fmt"
	"sort"
	"strconv"
	"strings"
	"time"
)

// Operators of a condition.
const (
	OpEqual        = "eq" // the field, or one of its values, equals one of the condition's values
	OpNotEqual     = "ne" // none of the field's values equals any of them; a missing field passes
	OpGreater      = "gt"
	OpGreaterEqual = "gte"
	OpLess         = "lt"
	OpLessEqual    = "lte"
	OpExists       = "exists" // the field is there (true) or is not (false)
)

// Condition is on one field of a document: document (its path), source, title, media_type or language; any
// other key is looked up in its metadata, a dot leading into nested maps. Numbers compare as numbers, all
// else as text, so that ISO 8601 dates compare by time. What begins with neither a digit nor a sign has no
// order: it is never greater nor less.
type Condition struct {
	Key    string
	Op     string
	Values []any // string, float64 or bool; one for all operators but eq and ne
}

// Filter passes documents that meet all conditions. The empty filter passes all.
type Filter []Condition

var operators = []struct{ sign, op string }{
	{"!=", OpNotEqual}, {">=", OpGreaterEqual}, {"<=", OpLessEqual}, {"=", OpEqual}, {">", OpGreater}, {"<", OpLess},
}

// ParseCondition reads the form used on the command line: key=value, key=a,b (either), key!=value, key>=value,
// key<=value, key>value, key<value. The error is ErrInvalid.
func ParseCondition(s string) (Condition, error) {
	at := strings.IndexAny(s, "!=<>")
	if at > 0 {
		for _, o := range operators {
			value, ok := strings.CutPrefix(s[at:], o.sign)
			if !ok {
				continue
			}
			c := Condition{Key: strings.TrimSpace(s[:at]), Op: o.op}
			if o.op != OpEqual && o.op != OpNotEqual {
				c.Values = []any{strings.TrimSpace(value)}
				return c, nil
			}
			for _, v := range strings.Split(value, ",") {
				c.Values = append(c.Values, strings.TrimSpace(v))
			}
			return c, nil
		}
	}
	return Condition{}, Hint(Errorf(ErrInvalid, "filter %q has no operator", s),
		"write key=value, key=a,b for either, key!=value, or >, >=, <, <= for numbers and dates")
}

// UnmarshalJSON reads the form used in requests, an object of field to value, to a list (any of them), or to
// an object of operators: {"department": "HR", "tags": ["a", "b"], "year": {"gte": 2024}}.
func (f *Filter) UnmarshalJSON(data []byte) error {
	*f = nil
	if bytes.Equal(bytes.TrimSpace(data), []byte("null")) {
		return nil
	}
	var fields map[string]any
	if err := json.Unmarshal(data, &fields); err != nil {
		return Errorf(ErrInvalid, "filter is not an object of field to value: %w", err)
	}
	for key, value := range fields {
		ops, ok := value.(map[string]any)
		if !ok {
			ops = map[string]any{OpEqual: value}
		}
		for op, v := range ops {
			c, err := condition(key, op, v)
			if err != nil {
				return err
			}
			*f = append(*f, c)
		}
	}
	sort.Slice(*f, func(i, j int) bool {
		a, b := (*f)[i], (*f)[j]
		return a.Key < b.Key || a.Key == b.Key && a.Op < b.Op
	})
	return nil
}

// MarshalJSON writes the same form. Two conditions of one operator on one field have none: the error is ErrUnsupported.
func (f Filter) MarshalJSON() ([]byte, error) {
	fields := map[string]map[string]any{}
	for _, c := range f {
		if fields[c.Key] == nil {
			fields[c.Key] = map[string]any{}
		}
		if _, twice := fields[c.Key][c.Op]; twice {
			return nil, Hint(Errorf(ErrUnsupported, "a request has one condition of a kind for a field, and %q has two", c.Key),
				"ask for either value with key=a,b, or for one of them only")
		}
		fields[c.Key][c.Op] = c.Values
		if c.Op != OpEqual && c.Op != OpNotEqual && len(c.Values) == 1 {
			fields[c.Key][c.Op] = c.Values[0]
		}
	}
	return json.Marshal(fields)
}

func condition(key, op string, v any) (Condition, error) {
	values, isList := v.([]any)
	if !isList {
		values = []any{v}
	}
	if op == "in" {
		op = OpEqual
	}
	switch op {
	case OpEqual, OpNotEqual:
	case OpGreater, OpGreaterEqual, OpLess, OpLessEqual, OpExists:
		if isList {
			return Condition{}, Errorf(ErrInvalid, "filter %q: %s takes one value", key, op)
		}
	default:
		return Condition{}, Hint(Errorf(ErrInvalid, "filter %q: unknown operator %q", key, op),
			"use eq, in, ne, gt, gte, lt, lte or exists")
	}
	for _, x := range values {
		switch x.(type) {
		case string, float64, bool:
		default:
			return Condition{}, Errorf(ErrInvalid, "filter %q: a value must be a string, a number or a boolean", key)
		}
		if _, isBool := x.(bool); op == OpExists && !isBool {
			return Condition{}, Errorf(ErrInvalid, "filter %q: exists takes true or false", key)
		}
	}
	return Condition{Key: key, Op: op, Values: values}, nil
}

// Match reports whether the document meets all conditions.
func (f Filter) Match(d Document) bool {
	for _, c := range f {
		if !c.match(d) {
			return false
		}
	}
	return true
}

func (c Condition) match(d Document) bool {
	have := fieldValues(d, c.Key)
	switch c.Op {
	case OpExists:
		return (len(have) > 0) == (c.Values[0] == true)
	case OpNotEqual:
		for _, h := range have {
			for _, v := range c.Values {
				if compare(h, v) == 0 {
					return false
				}
			}
		}
		return true
	}
	for _, h := range have {
		for _, v := range c.Values {
			if c.Op != OpEqual && (!HasOrder(ScalarText(h)) || !HasOrder(ScalarText(v))) {
				continue
			}
			n := compare(h, v)
			if c.Op == OpEqual && n == 0 || c.Op == OpGreater && n > 0 || c.Op == OpGreaterEqual && n >= 0 ||
				c.Op == OpLess && n < 0 || c.Op == OpLessEqual && n <= 0 {
				return true
			}
		}
	}
	return false
}

// fieldValues returns the values of a field: none if it is not there, several if it is a list.
func fieldValues(d Document, key string) []any {
	switch key {
	case "document":
		return []any{d.Path}
	case "source":
		return []any{d.Source}
	case "title":
		return []any{d.Title}
	case "media_type":
		return []any{d.MediaType}
	case "language":
		return []any{d.Language}
	}
	var v any = d.Metadata
	if direct, ok := d.Metadata[key]; ok {
		v = direct
	} else {
		for _, part := range strings.Split(key, ".") {
			m, ok := v.(map[string]any)
			if !ok {
				return nil
			}
			if v, ok = m[part]; !ok {
				return nil
			}
		}
	}
	switch list := v.(type) {
	case nil:
		return nil
	case []any:
		return list
	case []string:
		values := make([]any, len(list))
		for i, s := range list {
			values[i] = s
		}
		return values
	}
	return []any{v}
}

// Facts are the fields that conditions can ask for, with their values. It is what a store needs in order to keep
// documents so that its own filters agree with Match.
func Facts(d Document) map[string][]any {
	facts := map[string][]any{}
	for _, key := range []string{"document", "source", "title", "media_type", "language"} {
		facts[key] = fieldValues(d, key)
	}
	var add func(prefix string, m map[string]any)
	add = func(prefix string, m map[string]any) {
		for name, value := range m {
			key := prefix + name
			if _, known := facts[key]; !known {
				if values := fieldValues(d, key); len(values) > 0 {
					facts[key] = values
				}
			}
			if nested, ok := value.(map[string]any); ok {
				add(key+".", nested)
			}
		}
	}
	add("", d.Metadata)
	return facts
}

// compare orders two scalars: as numbers if both are, else as text.
func compare(a, b any) int {
	s, t := ScalarText(a), ScalarText(b)
	x, isX := Number(s)
	y, isY := Number(t)
	if isX && isY {
		return cmp.Compare(x, y)
	}
	return strings.Compare(s, t)
}

// Number reads a text that compares as a number.
func Number(s string) (float64, bool) {
	if !HasOrder(s) {
		return 0, false
	}
	x, err := strconv.ParseFloat(s, 64)
	return x, err == nil
}

// HasOrder reports whether a text is a number, a date or the like, which can be greater or less than another.
func HasOrder(s string) bool {
	digits := strings.TrimLeft(s, "+-.")
	return digits != "" && digits[0] >= '0' && digits[0] <= '9'
}

// ScalarText is a value as text, in the form that is compared.
func ScalarText(v any) string {
	switch v := v.(type) {
	case string:
		return v
	case time.Time:
		return v.Format(time.RFC3339)
	case float64:
		return strconv.FormatFloat(v, 'f', -1, 64)
	}
	return fmt.Sprint(v)
}
