package main

import (
	"encoding/json"
	"fmt"
	"io"
	"path/filepath"
	"runtime"
	"time"

	"github.com/penstock-go/penstock/cmd/demo/internal/term"
)

// report is the outcome of the experiment.
type report struct {
	Go          string        `json:"go"`
	Platform    string        `json:"platform"`
	Procs       int           `json:"gomaxprocs"`
	Seed        uint64        `json:"seed"`
	Queue       int           `json:"queue"`
	Batch       int           `json:"batch"`
	EventBytes  int           `json:"event_bytes"`
	LineBytes   int           `json:"line_bytes"` // mean
	Each        time.Duration `json:"run_ns"`
	Clock       time.Duration `json:"clock_ns"` // included in every latency
	Runs        []result      `json:"runs"`
	Interrupted string        `json:"interrupted,omitempty"`
	Learned     string        `json:"learned"`

	planned int
	rate    int
	where   string
}

func newReport(e *experiment, c *corpus, planned int, each time.Duration) *report {
	return &report{
		Go:         runtime.Version(),
		Platform:   runtime.GOOS + "/" + runtime.GOARCH,
		Procs:      runtime.GOMAXPROCS(0),
		Seed:       e.seed,
		Queue:      e.queue,
		Batch:      e.batch,
		EventBytes: int(eventBytes),
		LineBytes:  c.lineLength(),
		Each:       each,
		Clock:      clockCost(),
		Runs:       []result{},
		planned:    planned,
		rate:       e.rate,
		where:      filepath.Dir(e.dir),
	}
}

const rowFormat = "%-8s %9s  %-8s %11s %10s %7s %7s %7s %7s %7s %5s\n"

func (rep *report) writeHead(w io.Writer) {
	fmt.Fprintf(w, `penstock throughput experiment: %d runs of %s; %s, %s, GOMAXPROCS %d, seed %d

Log records of %d bytes become JSON lines of about %d bytes in a file, without fsync, in %s.
  direct    The caller encodes, then writes: one write(2) per event under a mutex, as the handlers
            of log/slog do. What was written survives a crash of the process.
  pipeline  The caller hands the record over, and waits if there is no room (EnqueueWait); the
            pipeline encodes, and writes batches of up to %s. A crash of the process loses what
            it holds: a queue of up to %s and the batches on the way.
  flat out  No pause, so the caller's time includes waiting, for the mutex or for room. The
            pipeline makes few calls wait, and those long: see the mean. One call in %d is timed.
`, rep.planned, term.Brief(rep.Each), rep.Go, rep.Platform, rep.Procs, rep.Seed,
		rep.EventBytes, rep.LineBytes, rep.where, term.Count(uint64(rep.Batch)), term.Count(uint64(rep.Queue)), stride)
	if rep.rate > 0 {
		fmt.Fprintf(w, "  paced     %s events/s in all, in bursts every %s. Every call is timed.\n", term.Count(uint64(rep.rate)), tick)
	}
	fmt.Fprintf(w, `Time runs until the file is closed; events are the lines in it; lost is what was offered and is not
there. Latencies are the caller's, with about %s for reading the clock.

`, term.Brief(rep.Clock))
	fmt.Fprintf(w, rowFormat, "", "producers", "lane", "events", "events/s", "mean", "p50", "p99", "p99.9", "max", "lost")
}

func (rep *report) writeRow(w io.Writer, i int) {
	r := &rep.Runs[i]
	if i > 0 && r.Rate != rep.Runs[i-1].Rate {
		fmt.Fprintln(w)
	}
	fmt.Fprintf(w, rowFormat, r.mode(), term.Count(uint64(r.Producers)), r.Lane, term.Count(r.InFile), term.Count(uint64(r.PerSecond)),
		term.Brief(r.Latency.Mean), term.Brief(r.Latency.P50), term.Brief(r.Latency.P99), term.Brief(r.Latency.P999), term.Brief(r.Latency.Max), term.Signed(r.Lost))
	if r.Error != "" {
		fmt.Fprintf(w, "  error: %s\n", r.Error)
	}
}

const bookFormat = "%-8s %9s %11s %11s %11s %8s %8s %8s %6s %8s\n"

func (rep *report) writeLedger(w io.Writer) {
	first := true
	for i := range rep.Runs {
		r := &rep.Runs[i]
		s := r.Ledger
		if s == nil {
			continue
		}
		if first {
			fmt.Fprintln(w, "\nThe pipelines' ledgers:")
			fmt.Fprintf(w, bookFormat, "", "producers", "offered", "accepted", "delivered", "rerouted", "filtered", "evicted", "lost", "rejected")
			first = false
		}
		fmt.Fprintf(w, bookFormat, r.mode(), term.Count(uint64(r.Producers)), term.Count(s.Offered), term.Count(s.Accepted), term.Count(s.Delivered),
			term.Count(s.Rerouted), term.Count(s.Filtered), term.Count(s.Evicted.Total()), term.Count(s.Lost.Total()), term.Count(s.Rejected.Total()))
	}
}

// finish prints what is left to print and returns the exit code.
func (rep *report) finish(p process, asJSON bool) int {
	rep.Learned = rep.learned()
	code := exitOK
	for i := range rep.Runs {
		if !rep.Runs[i].ok() {
			code = exitLoss
		}
	}
	if asJSON {
		enc := json.NewEncoder(p.stdout)
		enc.SetIndent("", "  ")
		if err := enc.Encode(rep); err != nil {
			fmt.Fprintf(p.stderr, "demo: %v\n", err)
			return max(code, exitRuntime)
		}
		return code
	}
	rep.writeLedger(p.stdout)
	if rep.Interrupted != "" {
		fmt.Fprintf(p.stdout, "\nInterrupted (%s) in run %d of %d.\n", rep.Interrupted, len(rep.Runs), rep.planned)
	}
	if _, err := fmt.Fprintf(p.stdout, "\n%s\n", term.Wrap(rep.Learned, 98)); err != nil {
		fmt.Fprintf(p.stderr, "demo: %v\n", err)
		return max(code, exitRuntime)
	}
	return code
}
