package main

import (
	"fmt"
	"io"

	"github.com/penstock-go/penstock/cmd/demo/internal/term"
)

// progress shows what is going on: on a terminal as one line that is written
// over, elsewhere as one line for each step.
type progress struct {
	w     io.Writer
	live  bool
	label string
}

func newProgress(w io.Writer) *progress { return &progress{w: w, live: term.IsTerminal(w)} }

const (
	eraseLine = "\r\x1b[K"
	lineWidth = 79
)

func (p *progress) begin(label string) {
	p.label = label
	if p.live {
		p.update("")
		return
	}
	fmt.Fprintln(p.w, label)
}

func (p *progress) update(detail string) {
	if !p.live {
		return
	}
	line := p.label
	if detail != "" {
		line += ": " + detail
	}
	if len(line) > lineWidth {
		line = line[:lineWidth]
	}
	fmt.Fprint(p.w, eraseLine+line)
}

func (p *progress) end() {
	if p.live {
		fmt.Fprint(p.w, eraseLine)
	}
}
