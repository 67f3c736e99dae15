package chart

import (
	"fmt"
	"html"
	"strings"
)

// Series is one line of a plot.
type Series struct {
	Name string
	X, Y []float64 // of equal length; what cannot be drawn is left out
}

// Band marks a stretch of the x axis.
type Band struct {
	From, To float64
	Colour   string
	Name     string
}

// Lines is a plot of series over a common axis.
type Lines struct {
	Title, XLabel, YLabel string
	LogX, LogY            bool
	Series                []Series
	Bands                 []Band
	XFormat, YFormat      func(float64) string // of ticks; nil: Short
	Dots                  bool                 // at every point
	Names                 []string             // of the x values 0, 1 and so on, between which there is nothing
	Clock                 bool                 // x values are seconds, and go by sixties
	Ticks                 []float64            // of the x axis, in order; nil: round values
}

// SVG draws the plot.
func (l *Lines) SVG(width, height float64) string {
	var c canvas
	c.open(width, height, l.Title)
	var xs, ys []float64
	for _, s := range l.Series {
		xs, ys = append(xs, s.X...), append(ys, s.Y...)
	}
	if !l.LogY {
		ys = append(ys, 0)
	}
	x := newScale(xs, l.LogX, left, width-right)
	if l.Names != nil {
		x.from, x.to = -0.5, float64(len(l.Names))-0.5
	}
	y := newScale(ys, l.LogY, height-bottom, top)
	for _, b := range l.Bands {
		from, to := x.place(max(b.From, x.from)), x.place(min(b.To, x.to))
		fmt.Fprintf(&c, `<rect x="%.1f" y="%.1f" width="%.1f" height="%.1f" fill="%s" fill-opacity="0.25"><title>%s</title></rect>`+"\n",
			from, top, max(to-from, 1), height-bottom-top, b.Colour, html.EscapeString(b.Name))
	}
	l.axes(&c, &x, &y, width, height)
	for i := range l.Series {
		l.draw(&c, &l.Series[i], palette[i%len(palette)], &x, &y)
	}
	l.legend(&c)
	return c.close()
}

func (l *Lines) axes(c *canvas, x, y *scale, width, height float64) {
	xf, yf := l.XFormat, l.YFormat
	switch {
	case l.Names != nil:
		xf = func(v float64) string { return l.Names[int(v)] }
	case xf == nil:
		xf = Short
	}
	if yf == nil {
		yf = Short
	}
	for _, v := range y.ticks(6) {
		at := y.place(v)
		c.line(left, at, width-right, at, "#ddd")
		c.text(left-6, at+4, "end", "", yf(v))
	}
	for _, v := range l.xTicks(x) {
		at := x.place(v)
		c.line(at, height-bottom, at, height-bottom+4, "#222")
		c.text(at, height-bottom+18, "middle", "", xf(v))
	}
	c.line(left, height-bottom, width-right, height-bottom, "#222")
	c.line(left, top, left, height-bottom, "#222")
	c.text((left+width-right)/2, height-12, "middle", "", l.XLabel)
	mid := (top + height - bottom) / 2
	c.text(16, mid, "middle", fmt.Sprintf(`transform="rotate(-90 16 %.1f)"`, mid), l.YLabel)
}

func (l *Lines) xTicks(x *scale) (at []float64) {
	switch {
	case l.Names != nil:
		for i := range l.Names {
			at = append(at, float64(i))
		}
		return at
	case l.Clock:
		return x.sixties(8)
	case l.Ticks != nil:
		return x.apart(l.Ticks, 36)
	}
	return x.ticks(8)
}

func (l *Lines) draw(c *canvas, s *Series, colour string, x, y *scale) {
	var path, dots strings.Builder
	pen := "M"
	for i := range s.X {
		if !usable(s.X[i], l.LogX) || !usable(s.Y[i], l.LogY) {
			pen = "M"
			continue
		}
		px, py := x.place(s.X[i]), y.place(s.Y[i])
		fmt.Fprintf(&path, "%s%.1f %.1f", pen, px, py)
		pen = "L"
		if l.Dots {
			fmt.Fprintf(&dots, `<circle cx="%.1f" cy="%.1f" r="4" fill="%s"><title>%s</title></circle>`+"\n", px, py, colour, html.EscapeString(s.Name))
		}
	}
	if l.Names == nil {
		fmt.Fprintf(c, `<path d="%s" fill="none" stroke="%s" stroke-width="1.5"><title>%s</title></path>`+"\n", path.String(), colour, html.EscapeString(s.Name))
	}
	c.WriteString(dots.String())
}

func (l *Lines) legend(c *canvas) {
	if len(l.Series) < 2 && len(l.Bands) == 0 {
		return
	}
	at := left + 8
	entry := func(colour, name string) {
		fmt.Fprintf(c, `<rect x="%.1f" y="%.1f" width="10" height="10" fill="%s"/>`+"\n", at, top-12, colour)
		c.text(at+14, top-3, "start", `font-size="11"`, name)
		at += 14 + 6.5*float64(len(name)) + 14
	}
	for i, s := range l.Series {
		entry(palette[i%len(palette)], s.Name)
	}
	named := map[string]bool{}
	for _, b := range l.Bands {
		if !named[b.Name] {
			named[b.Name] = true
			entry(b.Colour, b.Name)
		}
	}
}
