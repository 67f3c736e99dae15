package logging

import (
	"log/slog"
	"strconv"
	"unicode/utf8"
)

// appendValue appends v as it stands in a message. A format that does not fit
// the value is ignored.
func appendValue(dst []byte, v slog.Value, format string, unquoted bool) []byte {
	switch v.Kind() {
	case slog.KindString:
		return appendQuoted(dst, v.String(), format, unquoted)
	case slog.KindInt64:
		return appendInt(dst, v.Int64(), format)
	case slog.KindUint64:
		return appendUint(dst, v.Uint64(), format)
	case slog.KindFloat64:
		return appendFloat(dst, v.Float64(), format)
	case slog.KindBool:
		return strconv.AppendBool(dst, v.Bool())
	case slog.KindDuration:
		return append(dst, v.Duration().String()...)
	case slog.KindTime:
		return appendTime(dst, v.Time(), format)
	case slog.KindGroup:
		return append(appendJSONAttrs(append(dst, '{'), v.Group()), '}')
	}
	if err, ok := v.Any().(error); ok {
		text, _ := textOf(err)
		return appendQuoted(dst, text, format, unquoted)
	}
	return appendJSONValue(dst, v)
}

// appendQuoted appends a text as a message shows it: in quotes, so that it is
// seen where it ends, unless it is wanted literally.
func appendQuoted(dst []byte, s, format string, unquoted bool) []byte {
	if unquoted && format != "j" || format == "l" {
		return append(dst, s...)
	}
	return appendJSONString(dst, s)
}

// pad makes what dst holds from from on as wide as width says.
func pad(dst []byte, from, width int) []byte {
	n := max(width, -width) - utf8.RuneCount(dst[from:])
	if n <= 0 {
		return dst
	}
	end := len(dst)
	for range n {
		dst = append(dst, ' ')
	}
	if width > 0 {
		copy(dst[from+n:], dst[from:end])
		for i := range n {
			dst[from+i] = ' '
		}
	}
	return dst
}
