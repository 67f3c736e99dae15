package logging

import (
	"strconv"
	"strings"
	"time"
)

// appendTime appends t as RFC 3339 has it, or as the format says: a layout of
// package time if there is a digit in it, else letters as .NET has them.
func appendTime(dst []byte, t time.Time, format string) []byte {
	switch {
	case format == "", format == "o", format == "O":
		return t.AppendFormat(dst, time.RFC3339Nano)
	case strings.ContainsAny(format, "0123456789"):
		return t.AppendFormat(dst, format)
	}
	for format != "" {
		n := run(format)
		dst = appendTimePart(dst, t, format[:n])
		format = format[n:]
	}
	return dst
}

// timeParts are the layouts that runs of a letter stand for.
var timeParts = map[string]string{
	"yyyy": "2006", "yy": "06",
	"MMMM": "January", "MMM": "Jan", "MM": "01", "M": "1",
	"dddd": "Monday", "ddd": "Mon", "dd": "02", "d": "2",
	"HH": "15", "hh": "03", "h": "3", "mm": "04", "m": "4", "ss": "05", "s": "5",
	"tt": "PM", "zzz": "-07:00", "zz": "-07", "K": "Z07:00",
}

// run returns how often the byte that s begins with is repeated there.
func run(s string) int {
	n := 1
	for n < len(s) && s[n] == s[0] {
		n++
	}
	return n
}

// appendTimePart appends what a run of one letter stands for, or the run.
func appendTimePart(dst []byte, t time.Time, part string) []byte {
	if layout, ok := timeParts[part]; ok {
		return t.AppendFormat(dst, layout)
	}
	if part == "H" { // no layout has it
		return strconv.AppendInt(dst, int64(t.Hour()), 10)
	}
	if part[0] == 'f' && len(part) <= 9 {
		from := len(dst)
		dst = t.AppendFormat(dst, ".000000000")
		copy(dst[from:], dst[from+1:from+1+len(part)])
		return dst[:from+len(part)]
	}
	return append(dst, part...)
}
