package main

import (
	"errors"
	"fmt"
	"time"

	"github.com/penstock-go/penstock/pipeline"
)

const (
	laneDirect   = "direct"
	lanePipeline = "pipeline"
)

// result is one run of the experiment.
type result struct {
	Lane      string          `json:"lane"` // laneDirect or lanePipeline
	Producers int             `json:"producers"`
	Rate      int             `json:"rate"` // events per second asked for; 0: flat out
	Offered   uint64          `json:"offered"`
	InFile    uint64          `json:"in_file"` // lines counted afterwards
	Lost      int64           `json:"lost"`    // offered but not in the file; negative: written twice
	Seconds   float64         `json:"seconds"` // from the start until the file was closed
	PerSecond float64         `json:"events_per_second"`
	Latency   latency         `json:"latency_ns"`
	Ledger    *pipeline.Stats `json:"ledger,omitempty"`
	Error     string          `json:"error,omitempty"`
}

// latency is that of the calls that were timed.
type latency struct {
	Timed uint64        `json:"timed"`
	Mean  time.Duration `json:"mean"`
	P50   time.Duration `json:"p50"`
	P99   time.Duration `json:"p99"`
	P999  time.Duration `json:"p999"`
	Max   time.Duration `json:"max"`
}

func (r *result) label() string {
	s := "s"
	if r.Producers == 1 {
		s = ""
	}
	return fmt.Sprintf("%s, %s, %d producer%s", r.mode(), r.Lane, r.Producers, s)
}

func (r *result) mode() string {
	if r.Rate > 0 {
		return "paced"
	}
	return "flat out"
}

func (r *result) fill(o outcome, lines uint64, ledger *pipeline.Stats, lineErr error) {
	r.Offered, r.InFile, r.Ledger = o.sent, lines, ledger
	r.Lost = int64(o.sent - lines)
	r.Seconds = o.elapsed.Seconds()
	r.PerSecond = float64(lines) / r.Seconds
	h := &o.latency
	r.Latency = latency{Timed: h.N, Mean: h.Mean(), P50: h.Quantile(0.5), P99: h.Quantile(0.99), P999: h.Quantile(0.999), Max: h.Top}
	err := errors.Join(o.err, lineErr)
	if ledger != nil {
		err = errors.Join(err, r.audit(ledger))
	}
	if err != nil {
		r.Error = err.Error()
	}
}

// audit holds the pipeline's books against the producers' count and the file.
func (r *result) audit(s *pipeline.Stats) error {
	switch {
	case s.Offered != s.Accepted+s.Rejected.Total():
		return errors.New("the books do not balance at the intake")
	case s.Accepted != s.Delivered+s.Rerouted+s.Filtered+s.Evicted.Total()+s.Lost.Total()+s.Buffered:
		return errors.New("the books do not balance behind the intake")
	case s.Accepted != r.Offered:
		return fmt.Errorf("the books have %d events accepted, the producers %d", s.Accepted, r.Offered)
	case s.Delivered != r.InFile:
		return fmt.Errorf("the books have %d events delivered, the file %d", s.Delivered, r.InFile)
	}
	return nil
}

// ok reports whether everything offered is in the file.
func (r *result) ok() bool { return r.Lost == 0 && r.Error == "" }
