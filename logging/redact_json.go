package logging

import (
	"encoding"
	"encoding/json"
	"fmt"
	"strings"
)

// render is [Render] without the values of secret members, at any depth, and
// reports whether there were any.
//
// In JSON every member has its name. The text that fmt makes of a structure
// cannot be taken apart: if a secret's name is in it, JSON stands in its place.
func (s secrets) render(x any, forms Forms) (r *Rendered, hidden bool) {
	if len(s) == 0 {
		return Render(x, forms), false
	}
	r, hidden = Render(x, forms|FormJSON).without(s)
	if !hidden && r.forms&FormText != 0 && !r.bytes && !hasText(x) && s.namedIn(r.text) {
		r.text, hidden = r.json, true // of fields that JSON leaves out, or calls something else
	}
	if forms&FormJSON == 0 {
		r.forms, r.json, r.plain = r.forms&^FormJSON, "", false
	}
	return r, hidden
}

// without returns r, or a copy of it that shows no secret member.
func (r *Rendered) without(s secrets) (*Rendered, bool) {
	if len(s) == 0 || r.forms&FormJSON == 0 || r.plain {
		return r, false
	}
	text, hidden := s.conceal(r.json)
	if !hidden {
		return r, false
	}
	next := *r
	next.json = text
	if next.forms&FormText != 0 {
		next.text, next.bytes = text, false
	}
	return &next, true
}

// hasText reports whether the type of x makes its text itself.
func hasText(x any) bool {
	switch x.(type) {
	case error, fmt.Formatter, fmt.Stringer, encoding.TextMarshaler:
		return true
	}
	return false
}

// namedIn reports whether one of the names stands before a value in what fmt
// has printed.
func (s secrets) namedIn(text string) bool {
	text = strings.ToLower(text)
	for _, name := range s {
		name = strings.ToLower(name)
		for rest := text; ; {
			_, after, found := strings.Cut(rest, name)
			if !found {
				break
			}
			if after != "" && (after[0] == ':' || after[0] == '=') {
				return true
			}
			rest = after
		}
	}
	return false
}

// conceal replaces the values of secret members in valid JSON without white
// space, as encoding/json writes it.
func (s secrets) conceal(text string) (string, bool) {
	var out []byte
	done := 0 // text[:done] is in out
	for i := 0; i < len(text); {
		if text[i] != '"' {
			i++
			continue
		}
		end := afterString(text, i)
		if end == len(text) || text[end] != ':' {
			i = end // a value
			continue
		}
		key := text[i:end]
		i = end + 1
		if s.have(unquoted(key)) {
			out = append(append(out, text[done:i]...), `"`+Redacted+`"`...)
			i = afterValue(text, i)
			done = i
		}
	}
	if done == 0 {
		return text, false
	}
	return string(append(out, text[done:]...)), true
}

func unquoted(key string) (s string) {
	if !strings.Contains(key, `\`) {
		return key[1 : len(key)-1]
	}
	_ = json.Unmarshal([]byte(key), &s) // it is valid
	return s
}

// afterString returns where the string that begins at i ends.
func afterString(text string, i int) int {
	for i++; i < len(text); i++ {
		switch text[i] {
		case '\\':
			i++
		case '"':
			return i + 1
		}
	}
	return len(text)
}

// afterValue returns where the value that begins at i ends.
func afterValue(text string, i int) int {
	for depth := 0; i < len(text); {
		switch text[i] {
		case '"':
			i = afterString(text, i)
		case '{', '[':
			depth++
			i++
		case '}', ']':
			depth--
			i++
		default: // a piece of a number or a word, a comma, a colon
			i++
		}
		if depth == 0 && (i == len(text) || strings.IndexByte(",}]", text[i]) >= 0) {
			return i
		}
	}
	return len(text)
}
