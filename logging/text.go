package logging

import (
	"fmt"
	"log/slog"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"
)

// EncodeText appends r as a line of key=value pairs, as [slog.TextHandler]
// writes it. It never fails. Where it differs from slog's:
//
//   - A group is left out if all that was in it is; slog then prefixes what
//     follows with its name.
//   - The milliseconds of a time whose year is not in 0 to 9999 are right.
//   - Values and groups that contain themselves are cut, where slog overflows
//     the stack.
func EncodeText(dst []byte, r Record) ([]byte, error) {
	if !r.Time.IsZero() {
		dst = append(dst, "time="...)
		dst = append(appendMillis(dst, r.Time), ' ')
	}
	dst = append(dst, "level="...)
	dst = appendTextString(dst, r.Level.String())
	if r.PC != 0 {
		if source := sourceOf(r.PC); source != (slog.Source{}) {
			dst = appendTextSource(append(dst, " source="...), &source)
		}
	}
	dst = append(dst, " msg="...)
	dst = appendTextString(dst, r.Message)
	dst = appendTextAttrs(dst, "", r.Context())
	prefix := ""
	if r.scope != nil {
		s := r.scope.forText()
		dst = append(dst, s.head...)
		prefix = s.prefix
	}
	return append(appendTextAttrs(dst, prefix, r.Attrs()), '\n'), nil
}

// textScope is what a scope contributes to a line.
type textScope struct {
	head   string // the attributes
	prefix string // of the keys that follow
}

func (s *scope) forText() *textScope {
	if done := s.text.Load(); done != nil {
		return done
	}
	var head []byte
	var prefix strings.Builder
	for i, l := range s.levels {
		if i > 0 {
			prefix.WriteString(l.group)
			prefix.WriteByte('.')
		}
		head = appendTextAttrs(head, prefix.String(), l.attrs)
	}
	done := &textScope{head: string(head), prefix: prefix.String()}
	s.text.Store(done)
	return done
}

func appendTextAttrs(dst []byte, prefix string, attrs []slog.Attr) []byte {
	for i := range attrs {
		a := &attrs[i]
		if a.Value.Kind() != slog.KindGroup {
			dst = appendTextKey(append(dst, ' '), prefix, a.Key)
			dst = appendTextValue(append(dst, '='), a.Value)
			continue
		}
		inner := prefix
		if a.Key != "" {
			inner += a.Key + "."
		}
		dst = appendTextAttrs(dst, inner, a.Value.Group())
	}
	return dst
}

func appendTextKey(dst []byte, prefix, key string) []byte {
	switch {
	case prefix == "":
		return appendTextString(dst, key)
	case needsQuotes(prefix) || needsQuotes(key):
		return strconv.AppendQuote(dst, prefix+key)
	}
	return append(append(dst, prefix...), key...)
}

// appendTextValue appends a value that is not a group.
func appendTextValue(dst []byte, v slog.Value) []byte {
	switch v.Kind() {
	case slog.KindString:
		return appendTextString(dst, v.String())
	case slog.KindInt64:
		return strconv.AppendInt(dst, v.Int64(), 10)
	case slog.KindUint64:
		return strconv.AppendUint(dst, v.Uint64(), 10)
	case slog.KindFloat64:
		return strconv.AppendFloat(dst, v.Float64(), 'g', -1, 64)
	case slog.KindBool:
		return strconv.AppendBool(dst, v.Bool())
	case slog.KindDuration:
		return append(dst, v.Duration().String()...)
	case slog.KindTime:
		return appendMillis(dst, v.Time())
	}
	switch x := v.Any().(type) {
	case nil:
		return append(dst, "<nil>"...)
	case *slog.Source:
		return appendTextSource(dst, x)
	case *Rendered:
		return x.appendText(dst)
	default: // from a stage
		return Render(x, FormText).appendText(dst)
	}
}

func (r *Rendered) appendText(dst []byte) []byte {
	if r.bytes {
		return strconv.AppendQuote(dst, r.text)
	}
	return appendTextString(dst, r.String())
}

func appendTextSource(dst []byte, s *slog.Source) []byte {
	return appendTextString(dst, fmt.Sprintf("%s:%d", s.File, s.Line))
}

// appendTextString appends s, in quotes if it could be misread without.
func appendTextString(dst []byte, s string) []byte {
	if needsQuotes(s) {
		return strconv.AppendQuote(dst, s)
	}
	return append(dst, s...)
}

func needsQuotes(s string) bool {
	if s == "" {
		return true
	}
	for i := 0; i < len(s); {
		c := s[i]
		if c < utf8.RuneSelf {
			if c == ' ' || c == '=' || c != '\\' && !inJSON[c] {
				return true
			}
			i++
			continue
		}
		r, size := utf8.DecodeRuneInString(s[i:])
		if r == utf8.RuneError || unicode.IsSpace(r) || !unicode.IsPrint(r) {
			return true
		}
		i += size
	}
	return false
}

// appendMillis appends t as RFC 3339 has it, with exactly three digits of a
// second, cut off and not rounded.
func appendMillis(dst []byte, t time.Time) []byte {
	// The layout without a fraction is one that package time is fast at; the
	// fraction then goes in before the zone, which is Z or begins with a sign,
	// the last there is.
	dst = t.AppendFormat(dst, time.RFC3339)
	at := len(dst) - 1
	for c := dst[at]; c != 'Z' && c != '+' && c != '-'; c = dst[at] {
		at--
	}
	ms := t.Nanosecond() / int(time.Millisecond)
	dst = append(dst, "...."...)
	copy(dst[at+4:], dst[at:len(dst)-4])
	dst[at], dst[at+1], dst[at+2], dst[at+3] = '.', byte('0'+ms/100), byte('0'+ms/10%10), byte('0'+ms%10)
	return dst
}
