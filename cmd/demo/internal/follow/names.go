package follow

import (
	"path/filepath"
	"slices"
	"strconv"
	"strings"
)

// rank is the age that a name tells: app.log.3 by a number that grows with age,
// any other by a text that grows with time.
type rank struct {
	number int // 0: there is text
	text   string
}

// compare sorts the oldest first, and dated names before numbered ones.
func (r rank) compare(o rank) int {
	switch {
	case r.number > 0 && o.number > 0:
		return o.number - r.number
	case r.number != o.number:
		return r.number - o.number
	}
	return strings.Compare(r.text, o.text)
}

// packed are the endings of what is not read.
var packed = []string{".gz", ".bz2", ".xz", ".zst", ".lz4", ".zip", ".tmp", ".swp"}

// rotated reports whether name is that of a file rotated from base: base and a
// suffix that begins with a separator and a digit, or base with a date in front
// of its extension. A mere number there is not taken for a rotation, because
// worker-2.log may well be a log of its own beside worker.log.
func rotated(base, name string) (rank, bool) {
	if slices.Contains(packed, filepath.Ext(name)) {
		return rank{}, false
	}
	ext := filepath.Ext(base)
	stem := strings.TrimSuffix(base, ext)
	suffix, ok := strings.CutPrefix(name, base)
	if !ok && ext != "" && stem != "" {
		if suffix, ok = strings.CutPrefix(name, stem); ok {
			suffix, ok = strings.CutSuffix(suffix, ext)
			ok = ok && digits(suffix) >= len("060102")
		}
	}
	if !ok || len(suffix) < 2 || !strings.ContainsRune(".-_", rune(suffix[0])) || suffix[1] < '0' || suffix[1] > '9' {
		return rank{}, false
	}
	if n, err := strconv.Atoi(suffix[1:]); err == nil && n > 0 && len(suffix) <= 5 {
		return rank{number: n}, true
	}
	return rank{text: suffix}, true
}

func digits(s string) (n int) {
	for _, c := range []byte(s) {
		if '0' <= c && c <= '9' {
			n++
		}
	}
	return n
}
