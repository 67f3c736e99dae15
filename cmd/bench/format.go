package main

import (
	"fmt"
	"math"
	"strconv"
	"time"
)

// unit says how a figure is written.
type unit string

const (
	nanoseconds unit = "ns"
	fraction    unit = "fraction"
	plain       unit = "count"
	answer      unit = "yes or no"
)

func (u unit) format(v float64) string {
	switch {
	case math.IsNaN(v) || math.IsInf(v, 0):
		return "–"
	case u == nanoseconds:
		return brief(v)
	case u == answer:
		return pick(v > 0.5, "yes", "no")
	case u == plain:
		return grouped(int64(math.Round(v)))
	}
	return significant(v)
}

// brief writes nanoseconds with about three digits.
func brief(ns float64) string {
	switch {
	case ns < 99.95:
		return strconv.FormatFloat(ns, 'f', 1, 64)
	case ns < 9_999.5:
		return grouped(int64(math.Round(ns)))
	case ns < 999_950:
		return significant(ns/1e3) + "µs"
	case ns < 999_950_000:
		return significant(ns/1e6) + "ms"
	}
	return significant(ns/1e9) + "s"
}

func significant(v float64) string {
	switch {
	case math.Abs(v) < 9.995:
		return strconv.FormatFloat(v, 'f', 2, 64)
	case math.Abs(v) < 99.95:
		return strconv.FormatFloat(v, 'f', 1, 64)
	}
	return grouped(int64(math.Round(v)))
}

// grouped writes n with a comma between thousands.
func grouped(n int64) string {
	s := strconv.FormatInt(n, 10)
	first := 0
	if n < 0 {
		first = 1
	}
	for i := len(s) - 3; i > first; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return s
}

func plural(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}

func rateName(perSecond int) string { return short(float64(perSecond)) + " events/s" }

// short writes a round number in few characters.
func short(v float64) string {
	switch {
	case v >= 1e6:
		return strconv.FormatFloat(v/1e6, 'g', 3, 64) + " M"
	case v >= 1e3:
		return strconv.FormatFloat(v/1e3, 'g', 3, 64) + " k"
	}
	return strconv.FormatFloat(v, 'g', 3, 64)
}

func pick(cond bool, yes, no string) string {
	if cond {
		return yes
	}
	return no
}

// remaining rounds a duration for people who wait.
func remaining(d time.Duration) string {
	if d < time.Minute {
		return fmt.Sprintf("%d s", int(d.Round(time.Second).Seconds()))
	}
	return fmt.Sprintf("%d min", int(d.Round(time.Minute).Minutes()))
}

// compact writes a signed number in few characters.
func compact(n int64) string {
	abs := max(n, -n)
	switch {
	case abs >= 1_000_000:
		return fmt.Sprintf("%+.1fM", float64(n)/1e6)
	case abs >= 10_000:
		return fmt.Sprintf("%+dk", n/1000)
	}
	return fmt.Sprintf("%+d", n)
}

// share writes a part of one in per cent. What is not nothing is not 0.
func share(v float64) string {
	switch {
	case v == 0:
		return "0"
	case math.Abs(v) < 0.0001:
		return "<0.01%"
	case math.Abs(v) < 0.1:
		return strconv.FormatFloat(100*v, 'f', 2, 64) + "%"
	}
	return strconv.FormatFloat(100*v, 'f', 0, 64) + "%"
}

// ratio writes a row's ratio, marked if it compares what is not alike.
func (w row) ratioText() string {
	if math.IsNaN(w.ratio) {
		return "–"
	}
	return significant(w.ratio) + pick(w.alike, "", " ≠")
}
