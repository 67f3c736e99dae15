package logging

import (
	"log/slog"
	"math"
	"strconv"
	"time"
)

const errYear = "!ERROR:time.Time year outside of range [0,9999]" // as slog says it

// EncodeJSON appends r as a line of JSON, as [slog.JSONHandler] writes it. It
// never fails. Where it differs from slog's:
//
//   - A time whose year is not in 0 to 9999 is a string that says so; slog
//     appends the time to that string.
//   - A group is left out if all that was in it is; slog then leaves out the
//     comma after it too, or writes {} if that was a LogValuer.
//   - Groups that contain themselves are cut, where slog overflows the stack.
func EncodeJSON(dst []byte, r Record) ([]byte, error) {
	dst = append(dst, '{')
	if !r.Time.IsZero() {
		dst = append(dst, `"time":`...)
		dst = append(appendJSONTime(dst, r.Time), ',')
	}
	dst = append(dst, `"level":`...)
	dst = appendJSONString(dst, r.Level.String())
	if r.PC != 0 {
		source := sourceOf(r.PC)
		dst = appendJSONGroup(dst, slog.SourceKey, sourceAttrs(&source))
	}
	dst = append(dst, `,"msg":`...)
	dst = appendJSONString(dst, r.Message)
	dst = appendJSONAttrs(dst, r.Context())
	open := 0
	if r.scope != nil {
		s := r.scope.forJSON()
		dst = append(dst, s.head...)
		open = s.open
		if len(r.Attrs()) > 0 {
			dst = append(dst, s.rest...)
			open = len(r.scope.levels) - 1
		}
	}
	dst = appendJSONAttrs(dst, r.Attrs())
	for range open {
		dst = append(dst, '}')
	}
	return append(dst, '}', '\n'), nil
}

// jsonScope is what a scope contributes to a line.
type jsonScope struct {
	head string // the attributes, with the groups they are in
	open int    // groups that head has opened
	rest string // opens the other groups
}

func (s *scope) forJSON() *jsonScope {
	if done := s.json.Load(); done != nil {
		return done
	}
	var head, rest []byte
	for i, l := range s.levels {
		switch {
		case i == 0: // the line itself
		case i < s.filled:
			head = append(appendJSONKey(head, l.group), '{')
		default:
			rest = append(appendJSONKey(rest, l.group), '{')
		}
		head = appendJSONAttrs(head, l.attrs)
	}
	done := &jsonScope{head: string(head), open: max(s.filled-1, 0), rest: string(rest)}
	s.json.Store(done)
	return done
}

// appendJSONAttrs appends what follows at least one other member of the
// object, or the brace that opens it.
func appendJSONAttrs(dst []byte, attrs []slog.Attr) []byte {
	for i := range attrs {
		dst = appendJSONAttr(dst, &attrs[i])
	}
	return dst
}

func appendJSONAttr(dst []byte, a *slog.Attr) []byte {
	switch a.Value.Kind() {
	case slog.KindGroup:
		return appendJSONGroup(dst, a.Key, a.Value.Group())
	case slog.KindAny:
		if source, ok := a.Value.Any().(*slog.Source); ok {
			return appendJSONGroup(dst, a.Key, sourceAttrs(source))
		}
	}
	return appendJSONValue(appendJSONKey(dst, a.Key), a.Value)
}

// appendJSONGroup appends an object, if it has members. Without a key they
// become members of the object around it.
func appendJSONGroup(dst []byte, key string, attrs []slog.Attr) []byte {
	if key == "" || len(attrs) == 0 {
		return appendJSONAttrs(dst, attrs)
	}
	dst = append(appendJSONKey(dst, key), '{')
	return append(appendJSONAttrs(dst, attrs), '}')
}

// appendJSONKey appends a key, and a comma before it unless it is the first of
// its object: no value ends in a brace that opens.
func appendJSONKey(dst []byte, key string) []byte {
	if n := len(dst); n == 0 || dst[n-1] != '{' {
		dst = append(dst, ',')
	}
	return append(appendJSONString(dst, key), ':')
}

// appendJSONValue appends a value that is neither a group nor a source.
func appendJSONValue(dst []byte, v slog.Value) []byte {
	switch v.Kind() {
	case slog.KindString:
		return appendJSONString(dst, v.String())
	case slog.KindInt64:
		return strconv.AppendInt(dst, v.Int64(), 10)
	case slog.KindUint64:
		return strconv.AppendUint(dst, v.Uint64(), 10)
	case slog.KindFloat64:
		return appendJSONFloat(dst, v.Float64())
	case slog.KindBool:
		return strconv.AppendBool(dst, v.Bool())
	case slog.KindDuration:
		return strconv.AppendInt(dst, int64(v.Duration()), 10)
	case slog.KindTime:
		return appendJSONTime(dst, v.Time())
	}
	switch x := v.Any().(type) {
	case nil:
		return append(dst, "null"...)
	case *Rendered:
		return x.appendJSON(dst)
	default: // from a stage
		return Render(x, FormJSON).appendJSON(dst)
	}
}

// appendJSONTime appends t to the nanosecond.
func appendJSONTime(dst []byte, t time.Time) []byte {
	const year = len(`"2006`)
	start := len(dst)
	dst = append(t.AppendFormat(append(dst, '"'), time.RFC3339Nano), '"')
	if dst[start+year] != '-' { // cheaper than to ask t for the year
		return appendJSONString(dst[:start], errYear)
	}
	return dst
}

// appendJSONFloat appends the shortest decimal that reads as f, with an
// exponent where ECMAScript has one.
func appendJSONFloat(dst []byte, f float64) []byte {
	if math.IsNaN(f) || math.IsInf(f, 0) {
		return appendJSONString(dst, "!ERROR:json: unsupported value: "+strconv.FormatFloat(f, 'g', -1, 64))
	}
	if abs := math.Abs(f); abs == 0 || abs >= 1e-6 && abs < 1e21 {
		return strconv.AppendFloat(dst, f, 'f', -1, 64)
	}
	dst = strconv.AppendFloat(dst, f, 'e', -1, 64)
	if n := len(dst); n >= 4 && dst[n-4] == 'e' && dst[n-3] == '-' && dst[n-2] == '0' { // e-09 is e-9
		dst = append(dst[:n-2], dst[n-1])
	}
	return dst
}
