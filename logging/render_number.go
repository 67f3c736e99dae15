package logging

import (
	"math"
	"strconv"
)

func appendInt(dst []byte, n int64, format string) []byte {
	f, ok := readNumberFormat(format)
	if !ok {
		return strconv.AppendInt(dst, n, 10)
	}
	if f.verb == 'X' || f.verb == 'x' {
		return f.appendHex(dst, uint64(n))
	}
	if n < 0 {
		return f.appendWhole(append(dst, '-'), -uint64(n))
	}
	return f.appendWhole(dst, uint64(n))
}

func appendUint(dst []byte, n uint64, format string) []byte {
	f, ok := readNumberFormat(format)
	if !ok {
		return strconv.AppendUint(dst, n, 10)
	}
	if f.verb == 'X' || f.verb == 'x' {
		return f.appendHex(dst, n)
	}
	return f.appendWhole(dst, n)
}

// appendHex appends n as hexadecimal digits, a negative one as its two's
// complement.
func (f *numberFormat) appendHex(dst []byte, n uint64) []byte {
	from := len(dst)
	dst = zeros(strconv.AppendUint(dst, n, 16), from, f.whole)
	if f.verb == 'X' {
		for i := from; i < len(dst); i++ {
			if c := dst[i]; c >= 'a' {
				dst[i] = c - 'a' + 'A'
			}
		}
	}
	return dst
}

// appendWhole appends the digits of an integer, of which no float would hold
// all.
func (f *numberFormat) appendWhole(dst []byte, n uint64) []byte {
	if f.verb == 'E' || f.verb == 'e' {
		return strconv.AppendFloat(dst, float64(n), f.verb, f.least, 64)
	}
	from := len(dst)
	if n > 0 {
		dst = strconv.AppendUint(dst, n, 10)
		for range f.factor {
			dst = append(dst, '0')
		}
	}
	point := len(dst)
	if f.least > 0 {
		dst = append(dst, '.')
		for range f.least {
			dst = append(dst, '0')
		}
	}
	return append(f.finish(dst, from, point), f.suffix...)
}

// appendFloat appends n as encoding/json does, or as the format says. The
// digits are those of the exact binary value, rounded to even.
func appendFloat(dst []byte, n float64, format string) []byte {
	f, ok := readNumberFormat(format)
	switch {
	case math.IsNaN(n) || math.IsInf(n, 0):
		return strconv.AppendFloat(dst, n, 'g', -1, 64)
	case !ok || f.verb == 'D' || f.verb == 'X' || f.verb == 'x':
		return appendJSONFloat(dst, n)
	case f.verb == 'E' || f.verb == 'e':
		return strconv.AppendFloat(dst, n, f.verb, f.least, 64)
	}
	if f.factor > 0 {
		n *= 100
	}
	sign := len(dst)
	dst = strconv.AppendFloat(dst, n, 'f', f.most, 64)
	from := sign
	if dst[from] == '-' {
		from++
	}
	point := len(dst)
	if f.most > 0 {
		point -= f.most + 1
		for kept := f.most; kept > f.least && dst[len(dst)-1] == '0'; kept-- {
			dst = dst[:len(dst)-1]
		}
		if dst[len(dst)-1] == '.' {
			dst = dst[:len(dst)-1]
		}
	}
	if from > sign && isZero(dst[from:]) {
		copy(dst[sign:], dst[from:]) // no minus before nothing
		dst, from, point = dst[:len(dst)-1], sign, point-1
	}
	if f.whole == 0 && dst[from] == '0' && point == from+1 {
		copy(dst[from:], dst[point:])
		dst, point = dst[:len(dst)-1], from
	}
	return append(f.finish(dst, from, point), f.suffix...)
}

func isZero(digits []byte) bool {
	for _, c := range digits {
		if c != '0' && c != '.' {
			return false
		}
	}
	return true
}

// finish gives the digits dst[from:point] their zeros and their commas.
func (f *numberFormat) finish(dst []byte, from, point int) []byte {
	before := len(dst)
	dst = zerosAt(dst, from, point, f.whole)
	point += len(dst) - before
	if !f.group {
		return dst
	}
	for at := point - 3; at > from; at -= 3 {
		dst = append(dst, 0)
		copy(dst[at+1:], dst[at:])
		dst[at] = ','
	}
	return dst
}

// zeros puts zeros before dst[from:] until it is n long.
func zeros(dst []byte, from, n int) []byte { return zerosAt(dst, from, len(dst), n) }

// zerosAt puts zeros before dst[from:point] until it is n long.
func zerosAt(dst []byte, from, point, n int) []byte {
	missing := n - (point - from)
	if missing <= 0 {
		return dst
	}
	end := len(dst)
	for range missing {
		dst = append(dst, '0')
	}
	copy(dst[from+missing:], dst[from:end])
	for i := range missing {
		dst[from+i] = '0'
	}
	return dst
}
