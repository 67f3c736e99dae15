package main

import (
	"fmt"
	"math"
	"slices"
)

// report is everything that was measured.
type report struct {
	Machine     machine       `json:"machine"`
	Quick       bool          `json:"quick"`
	Reps        int           `json:"reps"`
	Seed        uint64        `json:"seed"`
	Interrupted string        `json:"interrupted,omitempty"`
	Faults      []string      `json:"faults"`
	Groups      []groupResult `json:"groups"`
}

type groupResult struct {
	Name    string       `json:"name"`
	Title   string       `json:"title"`
	Note    string       `json:"note"`
	Columns []column     `json:"columns"`
	Compare int          `json:"compare"` // index of the column that ratios are taken of
	Cases   []caseResult `json:"cases"`
}

type caseResult struct {
	Name     string          `json:"name"`
	Base     string          `json:"base"`
	Subjects []subjectResult `json:"subjects"`
}

// subjectResult has one trial for each repetition, in their order, so that those
// of a case with the same index belong together.
type subjectResult struct {
	Name   string  `json:"name"`
	Trials []trial `json:"trials"`
}

func newReport(gs []group) *report {
	r := &report{Faults: []string{}}
	for _, g := range gs {
		gr := groupResult{Name: g.name, Title: g.title, Note: g.note, Columns: g.columns, Compare: g.compare}
		for _, b := range g.bouts {
			cr := caseResult{Name: b.name, Base: b.base}
			for _, s := range b.subjects {
				cr.Subjects = append(cr.Subjects, subjectResult{Name: s.name})
			}
			gr.Cases = append(gr.Cases, cr)
		}
		r.Groups = append(r.Groups, gr)
	}
	return r
}

// audit notes what must not happen.
func (r *report) audit(where string, s subject, t trial) {
	switch {
	case s.safe && t.lost() != 0:
		r.Faults = append(r.Faults, fmt.Sprintf("%s: %s promises to lose nothing: %d offered, %d arrived", where, s.name, t.Offered, t.Delivered))
	case s.ours && t.Told != t.lost():
		r.Faults = append(r.Faults, fmt.Sprintf("%s: %s counted %d of %d lost", where, s.name, t.Told, t.lost()))
	}
}

// row is a subject's medians.
type row struct {
	name   string
	values []float64
	ratio  float64 // of the compared column to the base's, NaN without a base
	loss   float64 // share of what was offered
	told   string
	alike  bool // loses as much as the base, so that the ratio means something
}

// rows summarizes a case; subjects without a trial are left out.
func (g *groupResult) rows(c caseResult) (rows []row) {
	base := slices.IndexFunc(c.Subjects, func(s subjectResult) bool { return s.Name == c.Base })
	for _, s := range c.Subjects {
		if len(s.Trials) == 0 {
			continue
		}
		w := row{name: s.Name, loss: s.loss(), told: s.told(), ratio: math.NaN(), alike: true}
		for i := range g.Columns {
			var v []float64
			for _, t := range s.Trials {
				v = append(v, t.Values[i])
			}
			w.values = append(w.values, median(v))
		}
		if base >= 0 {
			var v []float64
			for rep, t := range s.Trials {
				if rep < len(c.Subjects[base].Trials) {
					v = append(v, t.Values[g.Compare]/c.Subjects[base].Trials[rep].Values[g.Compare])
				}
			}
			w.ratio = median(v)
			w.alike = math.Abs(w.loss-c.Subjects[base].loss()) <= 0.005
		}
		rows = append(rows, w)
	}
	return rows
}

// ratioName heads the column of ratios.
func (g *groupResult) ratioName() string {
	if g.Compare == 0 {
		return "x"
	}
	return "x " + g.Columns[g.Compare].Name
}

func (s *subjectResult) loss() float64 {
	var lost int64
	var offered uint64
	for _, t := range s.Trials {
		lost += t.lost()
		offered += t.Offered
	}
	return float64(lost) / float64(max(offered, 1))
}

// told says whether the subject's own count of what was lost is right.
func (s *subjectResult) told() string {
	var lost, off int64
	for _, t := range s.Trials {
		if t.lost() != 0 && t.Told < 0 {
			return "not told"
		}
		lost = max(lost, t.lost())
		if d := t.Told - t.lost(); t.Told >= 0 && max(d, -d) > max(off, -off) {
			off = d
		}
	}
	switch {
	case off != 0:
		return "off " + compact(off)
	case lost == 0:
		return "–"
	}
	return "right"
}

// median leaves out what there is no figure of.
func median(v []float64) float64 {
	v = slices.DeleteFunc(slices.Clone(v), func(f float64) bool { return math.IsNaN(f) || math.IsInf(f, 0) })
	if len(v) == 0 {
		return math.NaN()
	}
	slices.Sort(v)
	return (v[(len(v)-1)/2] + v[len(v)/2]) / 2
}
