package main

import (
	"fmt"
	"strings"

	"github.com/penstock-go/penstock/cmd/demo/internal/term"
)

// learned says in one sentence what the figures say.
func (rep *report) learned() string {
	var parts []string
	if d, p := rep.pair(false); d != nil {
		parts = append(parts, fmt.Sprintf("flat out with %s, the pipeline brought %s events/s into the file and direct writing %s (%s)",
			producers(d.Producers), term.Count(uint64(p.PerSecond)), term.Count(uint64(d.PerSecond)), times(p.PerSecond/d.PerSecond)))
	}
	if d, p := rep.pair(true); d != nil {
		held := "" // up, by a slow disk or a busy machine
		if min(p.PerSecond, d.PerSecond) < 0.95*float64(d.Rate) {
			held = fmt.Sprintf(", of which only %s came about (direct %s),", term.Count(uint64(p.PerSecond)), term.Count(uint64(d.PerSecond)))
		}
		parts = append(parts, fmt.Sprintf("at %s events/s from %s%s half of the pipeline's calls took at most %s (direct %s) and 99 %% at most %s (direct %s)",
			term.Count(uint64(d.Rate)), producers(d.Producers), held,
			term.Brief(p.Latency.P50), term.Brief(d.Latency.P50), term.Brief(p.Latency.P99), term.Brief(d.Latency.P99)))
	}
	var offered, inFile, failed uint64
	for i := range rep.Runs {
		offered += rep.Runs[i].Offered
		inFile += rep.Runs[i].InFile
		if !rep.Runs[i].ok() {
			failed++
		}
	}
	switch {
	case failed > 0:
		parts = append(parts, fmt.Sprintf("of %s events offered %s are in the files, and %d of %d runs FAILED",
			term.Count(offered), term.Count(inFile), failed, len(rep.Runs)))
	case offered == 0:
		return "Nothing was measured."
	default:
		parts = append(parts, fmt.Sprintf("all %s events are in the files, none was lost", term.Count(offered)))
	}
	s := strings.Join(parts, "; ") + "."
	return strings.ToUpper(s[:1]) + s[1:]
}

// pair returns the last pair of sound runs that differ in nothing but the
// lane: the one with the most producers, unless the flag says otherwise.
func (rep *report) pair(paced bool) (d, p *result) {
	for i := 0; i+1 < len(rep.Runs); i += 2 {
		a, b := &rep.Runs[i], &rep.Runs[i+1]
		if a.Rate > 0 == paced && a.ok() && b.ok() && a.InFile > 0 && b.InFile > 0 {
			d, p = a, b
		}
	}
	return d, p
}

func producers(n int) string {
	if n == 1 {
		return "1 producer"
	}
	return fmt.Sprintf("%d producers", n)
}

func times(ratio float64) string {
	switch {
	case ratio < 0.95:
		return fmt.Sprintf("only %.2f times as many", ratio)
	case ratio < 1.05:
		return "as many"
	}
	return fmt.Sprintf("%.1f times as many", ratio)
}
