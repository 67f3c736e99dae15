// Package term formats figures for people, and paints on terminals.
package term

import (
	"strconv"
	"strings"
	"time"
)

// Count formats n with a comma between thousands.
func Count(n uint64) string {
	s := strconv.FormatUint(n, 10)
	for i := len(s) - 3; i > 0; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return s
}

func Signed(n int64) string {
	if n < 0 {
		return "-" + Count(-uint64(n))
	}
	return Count(uint64(n))
}

// Brief formats d with about three digits.
func Brief(d time.Duration) string {
	for _, u := range []struct {
		size time.Duration
		name string
	}{{time.Second, "s"}, {time.Millisecond, "ms"}, {time.Microsecond, "µs"}} {
		if d < u.size {
			continue
		}
		v := float64(d) / float64(u.size)
		digits := 0
		if v < 99.95 {
			digits = 1
		}
		if v < 9.995 {
			digits = 2
		}
		return strconv.FormatFloat(v, 'f', digits, 64) + u.name
	}
	return strconv.FormatInt(int64(d), 10) + "ns"
}

// Wrap breaks s into lines of at most width bytes, between words.
func Wrap(s string, width int) string {
	var b strings.Builder
	column := 0
	for i, word := range strings.Fields(s) {
		switch {
		case i == 0:
		case column+1+len(word) > width:
			b.WriteByte('\n')
			column = 0
		default:
			b.WriteByte(' ')
			column++
		}
		b.WriteString(word)
		column += len(word)
	}
	return b.String()
}
