package main

import (
	"strconv"
	"strings"
	"time"
)

// count formats n with a comma between thousands.
func count(n uint64) string {
	s := strconv.FormatUint(n, 10)
	for i := len(s) - 3; i > 0; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return s
}

func signed(n int64) string {
	if n < 0 {
		return "-" + count(-uint64(n))
	}
	return count(uint64(n))
}

// brief formats d with about three digits.
func brief(d time.Duration) string {
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

// wrap breaks s into lines of at most width bytes, between words.
func wrap(s string, width int) string {
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
