package main

import (
	"encoding/hex"
	"strconv"
	"time"
	"unicode/utf8"
)

// appendJSON appends ev as one line of JSON. It never fails.
func appendJSON(dst []byte, ev event) ([]byte, error) {
	dst = append(dst, `{"time":"`...)
	dst = time.Unix(0, ev.Time).UTC().AppendFormat(dst, "2006-01-02T15:04:05.000000Z")
	dst = append(dst, `","level":"`...)
	dst = append(dst, levelNames[ev.Level]...)
	dst = append(dst, `","msg":`...)
	dst = appendString(dst, ev.Message)
	dst = append(dst, `,"service":`...)
	dst = appendString(dst, ev.Service)
	dst = append(dst, `,"id":"`...)
	dst = strconv.AppendUint(dst, uint64(ev.Producer), 10)
	dst = append(dst, '-')
	dst = strconv.AppendUint(dst, ev.Seq, 10)
	dst = append(dst, `","method":`...)
	dst = appendString(dst, ev.Method)
	dst = append(dst, `,"path":`...)
	dst = appendString(dst, ev.Path)
	dst = append(dst, `,"status":`...)
	dst = strconv.AppendUint(dst, uint64(ev.Status), 10)
	dst = append(dst, `,"user":`...)
	dst = strconv.AppendUint(dst, ev.User, 10)
	dst = append(dst, `,"us":`...)
	dst = strconv.AppendInt(dst, ev.Duration.Microseconds(), 10)
	dst = append(dst, `,"trace":"`...)
	dst = hex.AppendEncode(dst, ev.Trace[:])
	return append(dst, "\"}\n"...), nil
}

// appendString appends s as a JSON string.
func appendString(dst []byte, s string) []byte {
	const digits = "0123456789abcdef"
	dst = append(dst, '"')
	for i := 0; i < len(s); {
		c := s[i]
		switch {
		case c == '"' || c == '\\':
			dst = append(dst, '\\', c)
		case c < ' ':
			dst = append(dst, '\\', 'u', '0', '0', digits[c>>4], digits[c&15])
		case c < utf8.RuneSelf:
			dst = append(dst, c)
		default:
			r, n := utf8.DecodeRuneInString(s[i:])
			dst = utf8.AppendRune(dst, r) // U+FFFD for what is not UTF-8
			i += n
			continue
		}
		i++
	}
	return append(dst, '"')
}
