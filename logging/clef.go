package logging

import (
	"log/slog"
	"strconv"
	"unicode/utf16"
)

// The keys that [EncodeCLEF] takes from the top level of a record.
const (
	// TraceIDKey and SpanIDKey are the keys of strings that become @tr and
	// @sp.
	TraceIDKey = "trace_id"
	SpanIDKey  = "span_id"
	// ErrorKey and ErrKey are the keys of errors that become @x.
	ErrorKey = "error"
	ErrKey   = "err"
)

// EncodeCLEF appends r as a line of Serilog's compact JSON, which Seq and
// others read. It never fails. The line has
//
//   - @t, the time in UTC, to the nanosecond, unless it is zero;
//   - @mt, the template, with @r, its renderings if there are any, and @i, the
//     hash that Serilog makes of it; or @m, the message, if there is no
//     template;
//   - @l, the level's [LevelName], unless it is Information;
//   - @x, the text of the last error under [ErrorKey] or [ErrKey], with what
//     %+v adds, as a stack; @tr and @sp, the strings under [TraceIDKey] and
//     [SpanIDKey]. They are looked for outside of groups, and are then no
//     properties;
//   - the position in the source, if it is known, as [EncodeJSON] writes it;
//   - every other attribute as a property, groups as objects.
//
// An object has one value for each key: the last. A key of the record itself
// that begins with @ gets a second one, as the format wants it.
func EncodeCLEF(dst []byte, r Record) ([]byte, error) {
	dst = append(dst, '{')
	if !r.Time.IsZero() {
		dst = appendJSONTime(appendJSONKey(dst, "@t"), r.Time.UTC())
	}
	if r.Template == "" {
		dst = appendJSONString(appendJSONKey(dst, "@m"), r.Message)
	} else {
		dst = appendCLEFTemplate(dst, &r)
	}
	if rank(r.Level) != rank(LevelInformation) {
		dst = appendJSONString(appendJSONKey(dst, "@l"), LevelName(r.Level))
	}
	top := r.Tree()
	if r.PC != 0 {
		source := sourceOf(r.PC)
		top = append([]slog.Attr{slog.Any(slog.SourceKey, &source)}, top...) // in front: a user's wins
	}
	top = distinct(top)
	dst, marks := appendCLEFMarks(dst, top)
	for i := range top {
		if marks.take(i) {
			continue
		}
		if key := top[i].Key; key != "" && key[0] == '@' {
			top[i].Key = "@" + key
		}
		dst = appendCLEFAttr(dst, &top[i])
	}
	return append(dst, '}', '\n'), nil
}

func appendCLEFTemplate(dst []byte, r *Record) []byte {
	dst = appendJSONString(appendJSONKey(dst, "@mt"), r.Template)
	if renderings := r.Renderings(); len(renderings) > 0 {
		dst = append(appendJSONKey(dst, "@r"), '[')
		for i, s := range renderings {
			if i > 0 {
				dst = append(dst, ',')
			}
			dst = appendJSONString(dst, s)
		}
		dst = append(dst, ']')
	}
	dst = append(appendJSONKey(dst, "@i"), '"')
	const digits = 8
	hash := strconv.FormatUint(uint64(hashTemplate(r.Template)), 16)
	for range digits - len(hash) {
		dst = append(dst, '0')
	}
	return append(append(dst, hash...), '"')
}

// clefMarks are the indexes, from 1, of attributes that become @x, @tr and @sp.
type clefMarks struct{ err, trace, span int }

func (m *clefMarks) take(i int) bool { return i+1 == m.err || i+1 == m.trace || i+1 == m.span }

// appendCLEFMarks appends what attributes with distinct keys are marks.
func appendCLEFMarks(dst []byte, attrs []slog.Attr) ([]byte, clefMarks) {
	var m clefMarks
	for i := range attrs {
		a := &attrs[i]
		switch kind := a.Value.Kind(); {
		case kind == slog.KindString && a.Key == TraceIDKey:
			m.trace = i + 1
			dst = appendJSONString(appendJSONKey(dst, "@tr"), a.Value.String())
		case kind == slog.KindString && a.Key == SpanIDKey:
			m.span = i + 1
			dst = appendJSONString(appendJSONKey(dst, "@sp"), a.Value.String())
		case kind == slog.KindAny && (a.Key == ErrorKey || a.Key == ErrKey):
			if x, ok := a.Value.Any().(*Rendered); ok && x.IsError() {
				m.err = i + 1
			}
		}
	}
	if m.err > 0 {
		dst = appendJSONString(appendJSONKey(dst, "@x"), attrs[m.err-1].Value.Any().(*Rendered).String())
	}
	return dst, m
}

func appendCLEFAttr(dst []byte, a *slog.Attr) []byte {
	dst = appendJSONKey(dst, a.Key)
	if a.Value.Kind() != slog.KindGroup {
		return appendJSONValue(dst, a.Value)
	}
	dst = append(dst, '{')
	group := distinct(a.Value.Group())
	for i := range group {
		dst = appendCLEFAttr(dst, &group[i])
	}
	return append(dst, '}')
}

// hashTemplate is the hash by which Serilog identifies events: Jenkins's
// one-at-a-time over the UTF-16 code units.
func hashTemplate(template string) uint32 {
	var h uint32
	mix := func(unit uint32) {
		h += unit
		h += h << 10
		h ^= h >> 6
	}
	for _, r := range template {
		if high, low := utf16.EncodeRune(r); high != '\ufffd' {
			mix(uint32(high))
			mix(uint32(low))
			continue
		}
		mix(uint32(r))
	}
	h += h << 3
	h ^= h >> 11
	return h + h<<15
}
