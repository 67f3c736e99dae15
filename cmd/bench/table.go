package main

import (
	"fmt"
	"io"
	"strings"
	"unicode/utf8"
)

// A table fits 100 columns.
const (
	tableWidth = 100
	nameWidth  = 24
	cellWidth  = 9
	toldWidth  = 12
)

// legend explains what all tables have.
const legend = "Figures are medians of the repetitions; x is the median of the ratios of the first figure, or of the one that it names, to that of the case's first row, " +
	"each taken within a repetition. ≠ marks ratios between subjects that lose different shares of their events: they are not comparable. " +
	"Lost is what did not arrive. Counted says whether what the subject told its callers or counted itself is that number, and by how much it is off at worst."

// writeText writes all tables for a terminal.
func (r *report) writeText(w io.Writer) {
	for _, line := range r.Machine.lines() {
		fmt.Fprintln(w, wrap(line, tableWidth))
	}
	fmt.Fprintf(w, "\n%s\n", wrap(legend, tableWidth))
	for _, g := range r.Groups {
		if !g.measured() {
			continue
		}
		fmt.Fprintf(w, "\n== %s\n%s\n", wrap(g.Title, tableWidth-3), wrap(g.Note, tableWidth))
		for _, c := range g.Cases {
			if rows := g.rows(c); len(rows) > 0 {
				g.writeCase(w, c.Name, rows)
			}
		}
	}
	for _, f := range r.Faults {
		fmt.Fprintf(w, "\nFAILED %s\n", f)
	}
	if r.Interrupted != "" {
		fmt.Fprintf(w, "\nEnded early by %s.\n", r.Interrupted)
	}
}

func (g *groupResult) writeCase(w io.Writer, name string, rows []row) {
	head := pad(name, nameWidth)
	if utf8.RuneCountInString(name) > nameWidth { // a line of its own
		fmt.Fprintf(w, "\n%s\n", name)
		head = pad("", nameWidth)
	} else {
		fmt.Fprintln(w)
	}
	for _, c := range g.Columns {
		head += left(c.Name, cellWidth)
	}
	fmt.Fprintln(w, head+left(g.ratioName(), cellWidth)+left("lost", cellWidth-1)+left("counted", toldWidth))
	for _, row := range rows {
		line := pad(row.name, nameWidth)
		for i, c := range g.Columns {
			line += left(c.Unit.format(row.values[i]), cellWidth)
		}
		fmt.Fprintln(w, line+left(row.ratioText(), cellWidth)+left(share(row.loss), cellWidth-1)+left(row.told, toldWidth))
	}
}

// measured reports whether anything of the group was.
func (g *groupResult) measured() bool {
	for _, c := range g.Cases {
		for _, s := range c.Subjects {
			if len(s.Trials) > 0 {
				return true
			}
		}
	}
	return false
}

func pad(s string, width int) string {
	return s + strings.Repeat(" ", max(width-utf8.RuneCountInString(s), 0))
}

func left(s string, width int) string {
	return strings.Repeat(" ", max(width-utf8.RuneCountInString(s), 1)) + s
}

// wrap breaks s into lines, between words.
func wrap(s string, width int) string {
	var b strings.Builder
	column := 0
	for i, word := range strings.Fields(s) {
		n := utf8.RuneCountInString(word)
		switch {
		case i == 0:
		case column+1+n > width:
			b.WriteByte('\n')
			column = 0
		default:
			b.WriteByte(' ')
			column++
		}
		b.WriteString(word)
		column += n
	}
	return b.String()
}
