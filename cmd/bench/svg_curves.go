package main

import (
	"fmt"
	"math"
	"strings"
	"time"
)

// curves draws, side by side, the age of events and how many arrive, over the
// load that is offered. Both axes are logarithmic.
func (d *drawing) curves(g *groupResult) {
	if !g.measured() {
		return
	}
	d.text(0, d.y, "title", g.Title)
	d.y += 18
	d.text(0, d.y, "note", "over the offered load, both axes logarithmic")
	d.y += 18
	left := panel{d: d, x: 56, title: "age, p50 and p99 (dashed)", format: func(v float64) string { return time.Duration(v).String() }}
	right := panel{d: d, x: 56 + pictureWidth/2, title: "events a second that arrived", format: func(v float64) string { return short(1000 * v) }}
	left.fit(g, 0, 1)
	right.fit(g, 2)
	left.draw(g, 0, "")
	left.draw(g, 1, " dash")
	right.draw(g, 2, "")
	d.y += panelHeight + 44
	x := 56.0
	for i, s := range g.Cases[0].Subjects {
		fmt.Fprintf(&d.body, "<path d=\"M%.0f %.0fh22\" class=\"line c%d\"/>\n", x, d.y-4, i%4)
		d.text(x+28, d.y, "", s.Name)
		x += 44 + 7.5*float64(len(s.Name))
	}
	d.y += 32
}

const (
	panelHeight = 180
	panelWidth  = pictureWidth/2 - 80
)

// panel is one pair of axes.
type panel struct {
	d      *drawing
	x      float64
	title  string
	format func(float64) string
	lo, hi float64 // decades
}

// fit finds the decades of some columns, and draws the axes.
func (p *panel) fit(g *groupResult, columns ...int) {
	p.lo, p.hi = math.Inf(1), math.Inf(-1)
	for _, c := range g.Cases {
		for _, row := range g.rows(c) {
			for _, i := range columns {
				if v := row.values[i]; v > 0 {
					p.lo, p.hi = min(p.lo, math.Floor(math.Log10(v))), max(p.hi, math.Ceil(math.Log10(v)))
				}
			}
		}
	}
	if p.lo >= p.hi {
		p.hi = p.lo + 1
	}
	top := p.d.y
	p.d.text(p.x, top-2, "note", p.title)
	for decade := p.lo; decade <= p.hi; decade++ {
		y := p.at(math.Pow(10, decade))
		fmt.Fprintf(&p.d.body, "<path d=\"M%.0f %.1fh%d\" class=\"axis\"/>\n", p.x, y, panelWidth)
		p.d.text(p.x-6, y+4, "note end", p.format(math.Round(math.Pow(10, decade)*1e6)/1e6))
	}
	for i, c := range g.Cases {
		name, _, _ := strings.Cut(c.Name, " events")
		p.d.text(p.across(i, len(g.Cases))-12, top+panelHeight+24, "note", name)
	}
}

// at is where a value lies.
func (p *panel) at(v float64) float64 {
	return p.d.y + 8 + panelHeight*(p.hi-math.Log10(v))/(p.hi-p.lo)
}

func (p *panel) across(i, of int) float64 {
	return p.x + 14 + float64(panelWidth-28)*float64(i)/float64(max(of-1, 1))
}

// draw draws one column's curve of each subject.
func (p *panel) draw(g *groupResult, column int, class string) {
	for s := range g.Cases[0].Subjects {
		path, verb := "", "M"
		for i, c := range g.Cases {
			for _, row := range g.rows(c) {
				if row.name == c.Subjects[s].Name && row.values[column] > 0 {
					path += fmt.Sprintf("%s%.1f %.1f", verb, p.across(i, len(g.Cases)), p.at(row.values[column]))
					verb = "L"
				}
			}
		}
		if path != "" {
			fmt.Fprintf(&p.d.body, "<path d=\"%s\" class=\"line c%d%s\"/>\n", path, s%4, class)
		}
	}
}
