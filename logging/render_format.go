package logging

import (
	"strconv"
	"strings"
)

// maxDigits is the greatest number of digits a format can ask for. Formats
// that ask for more are ignored.
const maxDigits = 99

// numberFormat is a format for numbers, read.
type numberFormat struct {
	verb   byte // F: as the fields below say; X, x, E, e: see there
	whole  int  // least digits before the point
	least  int  // least digits after it
	most   int  // most digits after it
	group  bool // thousands apart
	factor int  // of ten; 2 for a percentage
	suffix string
}

// readNumberFormat reads the patterns made of 0, #, a comma and a point, with
// a percent sign at the end, and the letters N, F, P, D, X and E, with a number
// of digits.
func readNumberFormat(s string) (f numberFormat, ok bool) {
	if s == "" {
		return f, false
	}
	digits, given := 2, len(s) > 1
	if s[0] >= 'A' {
		if given {
			n, err := strconv.ParseUint(s[1:], 10, 8)
			if err != nil || n > maxDigits {
				return f, false
			}
			digits = int(n)
		}
		return letterFormat(s[0], digits, given)
	}
	return patternFormat(s)
}

func letterFormat(letter byte, digits int, given bool) (numberFormat, bool) {
	f := numberFormat{verb: 'F', whole: 1, least: digits, most: digits}
	switch letter {
	case 'F', 'f':
	case 'N', 'n':
		f.group = true
	case 'P', 'p':
		f.group, f.factor, f.suffix = true, 2, " %"
	case 'D', 'd', 'X', 'x':
		f = numberFormat{verb: letter &^ 0x20, whole: 1}
		if letter == 'x' {
			f.verb = 'x'
		}
		if given {
			f.whole = digits
		}
	case 'E', 'e':
		f.verb = letter
		if !given {
			f.least = 6
		}
	default:
		return f, false
	}
	return f, true
}

func patternFormat(s string) (f numberFormat, ok bool) {
	f.verb = 'F'
	if s, ok = strings.CutSuffix(s, "%"); ok {
		f.factor, f.suffix = 2, "%"
	}
	whole, frac, _ := strings.Cut(s, ".")
	if len(s) > maxDigits || whole == "" && frac == "" {
		return f, false
	}
	for i, c := range []byte(whole) {
		switch {
		case c == '0':
			f.whole++
		case c == '#' && f.whole == 0:
		case c == ',' && i > 0 && i < len(whole)-1:
			f.group = true
		default:
			return f, false
		}
	}
	for i, c := range []byte(frac) {
		switch {
		case c == '0' && f.least == i:
			f.least++
		case c == '#':
		default:
			return f, false
		}
	}
	f.most = len(frac)
	return f, true
}
