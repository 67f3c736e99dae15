// Package chart draws plots as SVG, each a picture that needs nothing else.
package chart

import (
	"fmt"
	"html"
	"math"
	"strconv"
	"strings"
)

// scale maps values to places.
type scale struct {
	from, to float64 // of the values
	log      bool
	at, end  float64 // of the places
}

func newScale(values []float64, log bool, at, end float64) scale {
	s := scale{from: math.Inf(1), to: math.Inf(-1), log: log, at: at, end: end}
	for _, v := range values {
		if usable(v, log) {
			s.from, s.to = min(s.from, v), max(s.to, v)
		}
	}
	switch {
	case s.from > s.to && log:
		s.from, s.to = 1, 10
	case s.from > s.to:
		s.from, s.to = 0, 1
	case s.from == s.to && log:
		s.from, s.to = s.from/2, s.to*2
	case s.from == s.to:
		s.from, s.to = min(s.from, 0), max(s.to, s.from+1)
	}
	return s
}

func usable(v float64, log bool) bool { return !math.IsNaN(v) && !math.IsInf(v, 0) && (!log || v > 0) }

func (s *scale) place(v float64) float64 {
	from, to := s.from, s.to
	if s.log {
		v, from, to = math.Log(v), math.Log(from), math.Log(to)
	}
	return s.at + (v-from)/(to-from)*(s.end-s.at)
}

// ticks returns round values, about n of them.
func (s *scale) ticks(n int) (at []float64) {
	if s.log {
		for e := math.Floor(math.Log10(s.from)); e <= math.Ceil(math.Log10(s.to)); e++ {
			for _, m := range []float64{1, 2, 5} {
				// Ten decades have no room for all.
				if v := m * math.Pow(10, e); v >= s.from*0.999 && v <= s.to*1.001 && (m == 1 || s.to/s.from < 1000) {
					at = append(at, v)
				}
			}
		}
		return at
	}
	step := math.Pow(10, math.Floor(math.Log10((s.to-s.from)/float64(n))))
	for _, m := range []float64{1, 2, 5, 10} {
		if (s.to-s.from)/(step*m) <= float64(n) {
			step *= m
			break
		}
	}
	for v := math.Ceil(s.from/step) * step; v <= s.to+step/1e6; v += step {
		at = append(at, v)
	}
	return at
}

// sixties returns about n values that are round on a clock, in seconds.
func (s *scale) sixties(n int) (at []float64) {
	step := 86_400.0
	for _, round := range []float64{1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 14_400, 43_200} {
		if (s.to-s.from)/round <= float64(n) {
			step = round
			break
		}
	}
	if s.to-s.from < step {
		return s.ticks(n)
	}
	for v := math.Ceil(s.from/step) * step; v <= s.to; v += step {
		at = append(at, v)
	}
	return at
}

// apart returns those of values, which are in order, whose places have so much
// room between them; the first is among them.
func (s *scale) apart(values []float64, room float64) (at []float64) {
	for _, v := range values {
		if len(at) == 0 || math.Abs(s.place(v)-s.place(at[len(at)-1])) >= room {
			at = append(at, v)
		}
	}
	return at
}

// Short formats a number with a unit's prefix: 1.5k, 20M.
func Short(v float64) string {
	for _, u := range []struct {
		size float64
		name string
	}{{1e9, "G"}, {1e6, "M"}, {1e3, "k"}} {
		if math.Abs(v) >= u.size {
			return strconv.FormatFloat(v/u.size, 'g', 3, 64) + u.name
		}
	}
	return strconv.FormatFloat(v, 'g', 3, 64)
}

// palette can be told apart by those who do not see all colours.
var palette = []string{"#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#000000"}

const (
	left, right, top, bottom = 70.0, 32.0, 40.0, 50.0
)

// canvas gathers elements.
type canvas struct{ strings.Builder }

func (c *canvas) open(width, height float64, title string) {
	fmt.Fprintf(c, `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %.0f %.0f" width="%.0f" height="%.0f" role="img" font-family="sans-serif" font-size="12">`+"\n",
		width, height, width, height)
	fmt.Fprintf(c, "<title>%s</title>\n<rect width=\"100%%\" height=\"100%%\" fill=\"#fff\"/>\n", html.EscapeString(title))
	c.text(width/2, 22, "middle", `font-size="15"`, title)
}

func (c *canvas) text(x, y float64, anchor, more, s string) {
	fmt.Fprintf(c, `<text x="%.1f" y="%.1f" text-anchor="%s" fill="#222" %s>%s</text>`+"\n", x, y, anchor, more, html.EscapeString(s))
}

func (c *canvas) line(x1, y1, x2, y2 float64, colour string) {
	fmt.Fprintf(c, `<line x1="%.1f" y1="%.1f" x2="%.1f" y2="%.1f" stroke="%s"/>`+"\n", x1, y1, x2, y2, colour)
}

func (c *canvas) close() string {
	c.WriteString("</svg>\n")
	return c.String()
}

// Stack puts pictures of one size under each other.
func Stack(width, height float64, pictures ...string) string {
	var c strings.Builder
	total := height * float64(len(pictures))
	fmt.Fprintf(&c, `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %.0f %.0f" width="%.0f" height="%.0f">`+"\n", width, total, width, total)
	for i, p := range pictures {
		fmt.Fprintf(&c, `<g transform="translate(0 %.0f)">`+"\n%s</g>\n", float64(i)*height, p)
	}
	c.WriteString("</svg>\n")
	return c.String()
}
