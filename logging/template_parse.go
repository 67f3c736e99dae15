package logging

import (
	"strconv"
	"strings"
	"unicode"
)

// maxWidth is the greatest width of a hole, so that a template cannot ask for
// a gigabyte of spaces. What asks for more is text.
const maxWidth = 1000

// ParseTemplate parses a template. Every text is one: what is not a valid hole
// is literal. A [Logger] does this itself and keeps the result.
func ParseTemplate(text string) *Template {
	t := &Template{text: text}
	positional := true
	for rest := text; rest != ""; {
		tok, name, how := nextToken(rest)
		rest = rest[len(tok.raw):]
		if name != "" {
			tok.prop = t.property(name, how)
			positional = positional && isIndex(name)
		}
		t.tokens = append(t.tokens, tok)
	}
	t.number(positional)
	if len(t.props) == 0 {
		t.message = string(t.append(nil, nil, 0, false, nil))
	}
	return t
}

// property returns the index of the property called name.
func (t *Template) property(name string, how capture) int {
	for i := range t.props {
		if t.props[i].name == name {
			return i
		}
	}
	t.props = append(t.props, prop{name: name, capture: how})
	return len(t.props) - 1
}

// number says which argument is whose.
func (t *Template) number(positional bool) {
	for i := range t.props {
		p := &t.props[i]
		p.arg = i
		if positional {
			p.arg, _ = strconv.Atoi(p.name)
		}
		t.needs = max(t.needs, p.arg+1)
	}
	t.dense = !positional || len(t.props) == 0
}

// isIndex reports whether a name is a position. One too large to be a number
// is a name like any other.
func isIndex(name string) bool {
	n, err := strconv.Atoi(name)
	return err == nil && n < 1<<30
}

// nextToken takes the token that s, which is not empty, begins with. For a
// hole it returns the name, and how it takes its argument.
func nextToken(s string) (tok token, name string, how capture) {
	tok.prop = -1
	if s[0] == '{' && !strings.HasPrefix(s, "{{") {
		return hole(s)
	}
	end, doubled := 0, false
	for end < len(s) {
		c := s[end]
		if c != '{' && c != '}' {
			end++
			continue
		}
		twice := end+1 < len(s) && s[end+1] == c
		if c == '{' && !twice {
			break
		}
		end++
		if twice {
			end++
			doubled = true
		}
	}
	tok.raw, tok.text = s[:end], s[:end]
	if doubled {
		tok.text = undouble(tok.raw)
	}
	return tok, "", byType
}

var undoubler = strings.NewReplacer("{{", "{", "}}", "}")

func undouble(s string) string { return undoubler.Replace(s) }

// hole takes what begins with a single brace, up to the next closing one,
// whatever is between them: a hole if it is a valid one, else text. Without a
// closing brace all of s is text.
func hole(s string) (tok token, name string, how capture) {
	end := strings.IndexByte(s, '}')
	if end < 0 {
		return token{raw: s, text: s, prop: -1}, "", byType
	}
	tok.prop = -1
	tok.raw = s[:end+1]
	name, tok.format, _ = strings.Cut(s[1:end], ":")
	name, align, aligned := strings.Cut(name, ",")
	if name != "" && (name[0] == byte(destructure) || name[0] == byte(stringify)) {
		how, name = capture(name[0]), name[1:]
	}
	var ok bool
	if tok.width, ok = width(align); aligned && !ok || !isName(name) || !isFormat(tok.format) {
		return token{raw: tok.raw, text: tok.raw, prop: -1}, "", byType
	}
	return tok, name, how
}

// isFormat reports whether s may be a format, if only one that is ignored.
func isFormat(s string) bool {
	for _, r := range s {
		if r != ' ' && r != '+' && !unicode.IsLetter(r) && !unicode.IsDigit(r) && !unicode.IsPunct(r) {
			return false
		}
	}
	return true
}

func isName(s string) bool {
	for _, r := range s {
		if r != '_' && !unicode.IsLetter(r) && !unicode.IsDigit(r) {
			return false
		}
	}
	return s != ""
}

// width reads an alignment.
func width(s string) (int, bool) {
	digits := strings.TrimPrefix(s, "-")
	for _, c := range []byte(digits) {
		if c < '0' || c > '9' {
			return 0, false
		}
	}
	n, err := strconv.Atoi(digits)
	if err != nil || n == 0 || n > maxWidth {
		return 0, false
	}
	if digits != s {
		n = -n
	}
	return n, true
}
