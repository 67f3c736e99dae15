package main

import (
	"bytes"
	"fmt"
	"html"
	"math"
	"slices"
)

// picture draws the report: bars for what an event costs its producers, and
// curves for what becomes of it under rising load. It is readable on light and
// on dark ground.
func (r *report) picture() []byte {
	d := &drawing{y: 28}
	for _, g := range r.Groups {
		switch g.Name {
		case "burst", "sustained", "end", "call":
			d.bars(&g, r.middle(&g))
		case "offered":
			d.curves(&g)
		}
	}
	d.text(0, d.y+4, "note", fmt.Sprintf("%s, %d cores, %s, %s; medians of %s", r.Machine.CPU, r.Machine.Cores, r.Machine.Go,
		r.Machine.Begun.Format("2006-01-02"), plural(r.Reps, "repetition")))
	return d.close()
}

// middle is the case of a group that the picture shows: the last but one of
// several, neither the easiest nor the most extreme.
func (*report) middle(g *groupResult) *caseResult { return &g.Cases[max(len(g.Cases)-2, 0)] }

const (
	pictureWidth = 760
	labelWidth   = 190
	barHeight    = 16
	barGap       = 6
)

const style = `<style>
text { font: 13px system-ui, sans-serif; fill: #24292f }
.title { font-weight: 600; font-size: 14px }
.note { font-size: 11px; fill: #57606a }
.end { text-anchor: end }
.bar { fill: #8c959f } .ours { fill: #0969da }
.axis { stroke: #d0d7de; fill: none }
.c0 { stroke: #8c959f } .c1 { stroke: #0969da } .c2 { stroke: #1a7f37 } .c3 { stroke: #bc4c00 }
.line { fill: none; stroke-width: 2 }
.dash { stroke-dasharray: 5 4 }
@media (prefers-color-scheme: dark) {
text { fill: #e6edf3 } .note { fill: #9198a1 }
.bar { fill: #656c76 } .ours { fill: #4493f8 }
.axis { stroke: #3d444d }
.c0 { stroke: #9198a1 } .c1 { stroke: #4493f8 } .c2 { stroke: #3fb950 } .c3 { stroke: #f0883e }
}
</style>
`

// drawing grows downward.
type drawing struct {
	body bytes.Buffer
	y    float64
}

func (d *drawing) text(x, y float64, class, s string) {
	fmt.Fprintf(&d.body, "<text x=\"%.0f\" y=\"%.0f\" class=\"%s\">%s</text>\n", x, y, class, html.EscapeString(s))
}

// bars draws the first figure of each subject of a case.
func (d *drawing) bars(g *groupResult, c *caseResult) {
	rows := g.rows(*c)
	if len(rows) == 0 {
		return
	}
	most := 0.0
	for _, row := range rows {
		most = max(most, row.values[0])
	}
	d.text(0, d.y, "title", g.Title)
	d.y += 18
	d.text(0, d.y, "note", c.Name+", "+g.Columns[0].Name+", shorter is better")
	d.y += 10
	for _, row := range rows {
		class := "bar"
		if slices.Contains(ours, row.name) {
			class = "ours"
		}
		length := math.Max(row.values[0]/most*(pictureWidth-labelWidth-120), 1)
		d.text(labelWidth-8, d.y+barHeight-3, "end", row.name)
		fmt.Fprintf(&d.body, "<rect x=\"%d\" y=\"%.0f\" width=\"%.1f\" height=\"%d\" rx=\"2\" class=\"%s\"/>\n", labelWidth, d.y, length, barHeight, class)
		label := g.Columns[0].Unit.format(row.values[0])
		if row.loss > 0.005 {
			label += ", lost " + share(row.loss)
		}
		d.text(labelWidth+length+6, d.y+barHeight-3, "", label)
		d.y += barHeight + barGap
	}
	d.y += 28
}

func (d *drawing) close() []byte {
	var b bytes.Buffer
	height := d.y + 16
	fmt.Fprintf(&b, "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"%d\" height=\"%.0f\" viewBox=\"0 0 %d %.0f\" role=\"img\">\n",
		pictureWidth, height, pictureWidth, height)
	b.WriteString(style)
	b.Write(d.body.Bytes())
	b.WriteString("</svg>\n")
	return b.Bytes()
}
