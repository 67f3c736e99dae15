package main

import (
	"bytes"
	"flag"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
	"unicode/utf8"
)

var update = flag.Bool("update", false, "write the golden files")

func golden(t *testing.T, name string, got []byte) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if *update {
		if err := os.WriteFile(path, got, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if want := bytes.ReplaceAll(slurp(t, path), []byte("\r\n"), []byte("\n")); !bytes.Equal(got, want) {
		t.Errorf("%s is no longer\n%s", path, got)
	}
}

// sample is a report with everything that is written in a special way.
func sample() *report {
	made := func(told int64, delivered uint64, values ...float64) trial {
		return trial{Values: values, Offered: 1000, Delivered: delivered, Told: told}
	}
	return &report{
		Machine: machine{CPU: "Abacus", Cores: 2, GOMAXPROCS: 2, Go: "go1.25", Kernel: "linux 6.1", Load: "0.00 0.01 0.05",
			Begun: time.Date(2026, 2, 3, 4, 5, 6, 0, time.UTC), ClockNS: 40, HarnessNS: 2.1, Versions: []string{"example.org/peer v1.2.3"}},
		Reps: 3, Seed: 1, Interrupted: "interrupt", Faults: []string{"burst, 1 producer: peer promises to lose nothing: 10 offered, 9 arrived"},
		Groups: []groupResult{
			{Name: "burst", Title: "Enqueue", Note: "What it is.", Columns: enqueueColumns, Cases: []caseResult{
				{"1 producer", "channel", []subjectResult{
					{"channel", []trial{made(0, 1000, 50, math.NaN(), 0), made(0, 1000, 100, math.NaN(), 0), made(0, 1000, 60, math.NaN(), 0)}},
					{"penstock Enqueue", []trial{made(0, 1000, 10, 12, 0), made(0, 1000, 30, 15, 0), made(0, 1000, 12, 20, 0.25)}},
					{"diode", []trial{made(100, 900, 1234, 5, 3), made(90, 900, 9_000, 5, 3), made(100, 900, 2e6, 5, 3)}},
					{"silent", []trial{made(-1, 500, 1, 1, 1)}},
					{"absent", nil},
				}},
				{"a case whose name needs a line of its own", "nobody", []subjectResult{{"exact", []trial{made(400, 600, 1, 2, 3)}}}},
			}},
			{Name: "offered", Title: "Curves", Note: "Over the load.", Columns: offeredGroup(env{places: []place{{}}}).columns, Compare: 1, Cases: []caseResult{
				{"1 k events/s", "channel", []subjectResult{{"channel", []trial{made(0, 1000, 1e3, 1e4, 1, 1)}}, {"penstock & co", []trial{made(0, 1000, 1e6, 2e6, 1, 1)}}}},
				{"1 M events/s", "channel", []subjectResult{{"channel", []trial{made(0, 1000, 1e5, 1e7, 700, 1000)}}, {"penstock & co", []trial{made(0, 1000, 2e5, 9e5, 1000, 1000)}}}},
			}},
			{Name: "idle", Title: "Not measured", Columns: enqueueColumns, Cases: []caseResult{{"none", "x", []subjectResult{{"x", nil}}}}},
		},
	}
}

func TestReportsAreWritten(t *testing.T) {
	var text bytes.Buffer
	sample().writeText(&text)
	golden(t, "report.txt", text.Bytes())
	golden(t, "report.md", sample().markdown())
	svg := sample().picture()
	golden(t, "report.svg", svg)
	wellFormed(t, svg)
	for line := range strings.Lines(text.String()) {
		if n := utf8.RuneCountInString(line); n > tableWidth+1 {
			t.Errorf("%d columns: %s", n, line)
		}
	}
}

// The widest of everything still fits.
func TestTablesFit(t *testing.T) {
	for _, g := range groups(env{fullScale(), places("")}) {
		r := newReport([]group{g})
		for _, c := range r.Groups[0].Cases {
			for i := range c.Subjects {
				values := make(figures, len(g.columns))
				for i := range values {
					values[i] = 987_654
				}
				c.Subjects[i].Trials = []trial{{values, 2e9, 1, 1e9}}
			}
		}
		var text bytes.Buffer
		r.Groups[0].writeCase(&text, r.Groups[0].Cases[0].Name, r.Groups[0].rows(r.Groups[0].Cases[0]))
		for line := range strings.Lines(text.String()) {
			if n := utf8.RuneCountInString(line); n > tableWidth+1 {
				t.Errorf("%s: %d columns: %s", g.name, n, line)
			}
		}
	}
}

func TestNumbers(t *testing.T) {
	for got, want := range map[string]string{
		brief(4.96): "5.0", brief(999.4): "999", brief(9_999): "9,999", brief(10_500): "10.5µs", brief(2.5e6): "2.50ms", brief(3e9): "3.00s",
		significant(9.994): "9.99", significant(12.34): "12.3", significant(1234.4): "1,234",
		grouped(-1_234_567): "-1,234,567", grouped(-123): "-123", grouped(0): "0",
		compact(-335): "-335", compact(12_345): "+12k", compact(-2_500_000): "-2.5M",
		share(0): "0", share(0.00001): "<0.01%", share(0.0332): "3.32%", share(0.91): "91%",
		plural(1, "core"): "1 core", plural(8, "core"): "8 cores",
		rateName(100): "100 events/s", rateName(10_000): "10 k events/s", rateName(10_000_000): "10 M events/s",
		remaining(34 * time.Second): "34 s", remaining(44 * time.Minute): "44 min",
		answer.format(1): "yes", answer.format(0): "no", plain.format(1234): "1,234", nanoseconds.format(math.NaN()): "–",
	} {
		if got != want {
			t.Errorf("%s, want %s", got, want)
		}
	}
}

func TestMedians(t *testing.T) {
	for want, of := range map[float64][]float64{3: {9, math.NaN(), 1, 3}, 5: {9, 1}, 7: {7}} {
		if got := median(of); got != want {
			t.Errorf("%v: %v, want %v", of, got, want)
		}
	}
	if !math.IsNaN(median(nil)) {
		t.Error("a median of nothing")
	}
}

// A curve is that of its subject, whoever else was not measured.
func TestCurvesAreThoseOfTheirSubjects(t *testing.T) {
	r := sample()
	cases := r.Groups[1].Cases
	for i := range cases {
		cases[i].Subjects[0].Trials = nil
	}
	svg := string(r.picture())
	if legend := 1; strings.Count(svg, `class="line c0`) != legend || strings.Count(svg, `class="line c1`) <= legend {
		t.Errorf("%s", svg)
	}
}

func TestTablesGoBetweenTheMarks(t *testing.T) {
	got, err := between("head\n"+beginMark+"old\n"+endMark+"tail\n", "new\n")
	if want := "head\n" + beginMark + "\nnew\n\n" + endMark + "tail\n"; got != want || err != nil {
		t.Errorf("%q, %v", got, err)
	}
	for _, text := range []string{"no marks", beginMark + "no end", endMark + beginMark} {
		if got, err := between(text, "new\n"); err == nil {
			t.Errorf("%q became %q", text, got)
		}
	}
}

func TestTimeLeftLearnsFromWhatWasDone(t *testing.T) {
	p := &progress{total: 100 * time.Second}
	if got := p.left(0); got != 100*time.Second {
		t.Errorf("nothing done: %v", got)
	}
	p.done = 40 * time.Second
	if got := p.left(90 * time.Second); got != 120*time.Second {
		t.Errorf("at half the speed: %v", got)
	}
	var out strings.Builder
	live := &progress{w: &out, live: true, begun: time.Now()}
	live.step("1/2 burst", strings.Repeat("x", 200))
	live.end()
	for line := range strings.SplitSeq(out.String(), eraseLine) {
		if len(line) > 79 || strings.Contains(line, "\n") {
			t.Errorf("%q", line)
		}
	}
}

func TestVersionsComeFromTheBuild(t *testing.T) {
	if v := describe().Versions; len(v) != len(peers) {
		t.Errorf("%v", v)
	}
}
