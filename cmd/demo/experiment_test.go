package main

import (
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/penstock-go/penstock/pipeline"
)

func TestExperiment(t *testing.T) {
	dir := t.TempDir()
	code, stdout, stderr := call("", "-duration", "160ms", "-rate", "20000", "-dir", dir, "-producers", "1,3")
	if code != exitOK {
		t.Fatalf("code %d\n%s%s", code, stdout, stderr)
	}
	for _, want := range []string{"p99.9", "accepted", "none was lost", "flat out with 3 producers", "at 20,000 events/s"} {
		if !strings.Contains(strings.ToLower(strings.ReplaceAll(stdout, "\n", " ")), want) {
			t.Errorf("no %q in\n%s", want, stdout)
		}
	}
	for line := range strings.Lines(stdout) {
		if n := len([]rune(line)); n > 101 && !strings.Contains(line, dir) {
			t.Errorf("%d columns: %s", n, line)
		}
	}
	if !strings.Contains(stderr, "8/8 paced, pipeline, 3 producers\n") || strings.Contains(stderr, "\r") {
		t.Errorf("progress without a terminal: %q", stderr)
	}
	if left, err := os.ReadDir(dir); err != nil || len(left) > 0 {
		t.Errorf("left behind: %v, %v", left, err)
	}
}

func TestExperimentJSON(t *testing.T) {
	code, stdout, _ := call("", "-duration", "80ms", "-producers", "2", "-rate", "0", "-queue", "100", "-batch", "7", "-dir", t.TempDir(), "-json")
	var rep report
	if err := json.Unmarshal([]byte(stdout), &rep); err != nil || code != exitOK {
		t.Fatalf("code %d, %v\n%s", code, err, stdout)
	}
	if len(rep.Runs) != 2 || rep.Queue != 100 || rep.Batch != 7 || rep.Learned == "" {
		t.Errorf("%+v", rep)
	}
	for _, r := range rep.Runs {
		if r.Offered == 0 || r.Offered != r.InFile || r.Lost != 0 || r.Producers != 2 || r.Latency.Timed == 0 ||
			(r.Ledger != nil) != (r.Lane == lanePipeline) {
			t.Errorf("%+v", r)
		}
	}
}

// faultyLane loses an event, or fails.
type faultyLane struct{ err error }

func (f faultyLane) producer() func(*event) error { return func(*event) error { return f.err } }
func (faultyLane) waiting() int                   { return 0 }
func (faultyLane) close() error                   { return nil }
func (faultyLane) ledger() *pipeline.Stats        { return nil }

func TestLossIsFoundAndDecidesTheExitCode(t *testing.T) {
	path := filepath.Join(t.TempDir(), "events.log")
	if err := os.WriteFile(path, []byte("one\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	lines, err := countLines(path)
	if lines != 1 || err != nil {
		t.Fatalf("%d lines, %v", lines, err)
	}
	ld := load{corpus: newCorpus(1), producers: 2, duration: 5 * time.Millisecond}
	quiet := func(uint64, time.Duration) {}
	lossy := result{Lane: laneDirect, Producers: 2}
	lossy.fill(ld.run(t.Context(), faultyLane{}, quiet), lines, nil, nil)
	if lossy.Lost <= 0 || lossy.ok() {
		t.Errorf("loss not found: %+v", lossy)
	}
	ld.duration = time.Hour // an error ends the run
	broken := result{Lane: laneDirect, Producers: 2}
	broken.fill(ld.run(t.Context(), faultyLane{errors.New("disk on fire")}, quiet), 0, nil, nil)
	if broken.ok() || !strings.Contains(broken.Error, "disk on fire") {
		t.Errorf("error not found: %+v", broken)
	}
	for _, asJSON := range []bool{false, true} {
		var out, errs strings.Builder
		rep := &report{Runs: []result{lossy}}
		if code := rep.finish(process{stdout: &out, stderr: &errs}, asJSON); code != exitLoss || !strings.Contains(out.String(), "FAILED") {
			t.Errorf("code %d: %s", code, out.String())
		}
	}
}

func TestWhatWasLearnedSaysIfTheRateWasNotReached(t *testing.T) {
	run := func(lane string, perSecond float64) result {
		return result{Lane: lane, Producers: 4, Rate: 50_000, Offered: 9, InFile: 9, PerSecond: perSecond}
	}
	for reached, want := range map[float64]string{
		49_000: "At 50,000 events/s from 4 producers half of",
		13_000: "At 50,000 events/s from 4 producers, of which only 13,000 came about (direct 50,000), half of",
	} {
		rep := report{Runs: []result{run(laneDirect, 50_000), run(lanePipeline, reached)}}
		if got := rep.learned(); !strings.HasPrefix(got, want) {
			t.Errorf("%s, want %s", got, want)
		}
	}
}

func TestBooksAreAudited(t *testing.T) {
	good := func() (result, pipeline.Stats) {
		return result{Offered: 10, InFile: 10}, pipeline.Stats{Offered: 10, Accepted: 10, Delivered: 10}
	}
	r, s := good()
	if err := r.audit(&s); err != nil {
		t.Error(err)
	}
	for name, spoil := range map[string]func(*result, *pipeline.Stats){
		"intake":    func(_ *result, s *pipeline.Stats) { s.Offered++ },
		"outcome":   func(_ *result, s *pipeline.Stats) { s.Lost.Failed++ },
		"producers": func(r *result, _ *pipeline.Stats) { r.Offered++ },
		"file":      func(r *result, _ *pipeline.Stats) { r.InFile-- },
	} {
		r, s := good()
		if spoil(&r, &s); r.audit(&s) == nil {
			t.Errorf("%s: nothing noticed", name)
		}
	}
}

func TestACutOffLineIsNoticed(t *testing.T) {
	path := filepath.Join(t.TempDir(), "f")
	if err := os.WriteFile(path, []byte("one\ntw"), 0o600); err != nil {
		t.Fatal(err)
	}
	if n, err := countLines(path); n != 1 || err == nil {
		t.Errorf("%d lines, %v", n, err)
	}
}

func TestProgressOnATerminalIsOneLine(t *testing.T) {
	var out strings.Builder
	p := &progress{w: &out, live: true}
	p.begin("1/2 first")
	p.update(strings.Repeat("x", 200))
	p.end()
	for _, line := range strings.Split(out.String(), eraseLine) {
		if len(line) > lineWidth || strings.Contains(line, "\n") {
			t.Errorf("%q", line)
		}
	}
}
