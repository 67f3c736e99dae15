package chart

import (
	"fmt"
	"math"
)

// Heat is a table whose cells are coloured by their values.
type Heat struct {
	Title, XLabel, YLabel string
	X, Y                  []string
	Z                     [][]float64          // by Y, then X; NaN: nothing there
	Format                func(float64) string // nil: Short
}

// SVG draws the table.
func (h *Heat) SVG(width, height float64) string {
	var c canvas
	c.open(width, height, h.Title)
	var all []float64
	for _, row := range h.Z {
		all = append(all, row...)
	}
	shade := newScale(all, false, 0, 1)
	format := h.Format
	if format == nil {
		format = Short
	}
	w, t := (width-left-right)/float64(max(len(h.X), 1)), (height-top-bottom)/float64(max(len(h.Y), 1))
	for i, row := range h.Z {
		for j, v := range row {
			x, y := left+float64(j)*w, top+float64(i)*t
			if math.IsNaN(v) {
				c.text(x+w/2, y+t/2+4, "middle", "", "–")
				continue
			}
			// From white to blue.
			k := shade.place(v)
			fmt.Fprintf(&c, `<rect x="%.1f" y="%.1f" width="%.1f" height="%.1f" fill="rgb(%.0f,%.0f,%.0f)" stroke="#fff"/>`+"\n",
				x, y, w, t, 245-k*165, 248-k*100, 252-k*30)
			c.text(x+w/2, y+t/2+4, "middle", "", format(v))
		}
	}
	for j, name := range h.X {
		c.text(left+(float64(j)+0.5)*w, height-bottom+18, "middle", "", name)
	}
	for i, name := range h.Y {
		c.text(left-6, top+(float64(i)+0.5)*t+4, "end", "", name)
	}
	c.text((left+width-right)/2, height-12, "middle", "", h.XLabel)
	mid := (top + height - bottom) / 2
	c.text(12, mid, "middle", fmt.Sprintf(`transform="rotate(-90 12 %.1f)"`, mid), h.YLabel)
	return c.close()
}
