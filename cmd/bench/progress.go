package main

import (
	"fmt"
	"io"
	"os"
	"time"
)

// progress shows what is going on and how long it will take: on a terminal as
// one line that is written over, elsewhere as a line for each group.
type progress struct {
	w           io.Writer
	live        bool
	begun       time.Time
	total, done time.Duration // of work, as estimated
	last        string
}

func newProgress(w io.Writer) *progress {
	p := &progress{w: w, begun: time.Now()}
	if f, ok := w.(*os.File); ok && os.Getenv("TERM") != "dumb" {
		info, err := f.Stat()
		p.live = err == nil && info.Mode()&os.ModeCharDevice != 0
	}
	return p
}

const eraseLine = "\r\x1b[K"

func (p *progress) step(label, detail string) {
	left := remaining(p.left(time.Since(p.begun)))
	switch {
	case p.live:
		line := []rune(fmt.Sprintf("%s, %s left: %s", label, left, detail))
		fmt.Fprint(p.w, eraseLine+string(line[:min(len(line), 79)]))
	case label != p.last:
		fmt.Fprintf(p.w, "%s, %s left\n", label, left)
	}
	p.last = label
}

// left corrects what is estimated for the rest by how wrong the estimate was
// until now; at the beginning that says little.
func (p *progress) left(elapsed time.Duration) time.Duration {
	trust := p.total / 10
	return time.Duration(float64(elapsed+trust) / float64(p.done+trust) * float64(p.total-p.done))
}

func (p *progress) end() {
	if p.live {
		fmt.Fprint(p.w, eraseLine)
	}
}
