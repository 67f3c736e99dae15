package view

import (
	"os"
	"strings"
	"testing"
	"time"

	"github.com/penstock-go/penstock/cmd/demo/internal/golden"
	"github.com/penstock-go/penstock/cmd/demo/internal/hist"
	"github.com/penstock-go/penstock/cmd/demo/internal/lab"
	"github.com/penstock-go/penstock/cmd/demo/internal/term"
	"github.com/penstock-go/penstock/pipeline"
	"github.com/penstock-go/penstock/stage"
)

// held holds got against testdata/name, and its lines against the width of a
// terminal.
func held(t *testing.T, name, got string) {
	t.Helper()
	golden.Check(t, name, got)
	golden.Fits(t, got, term.Width)
}

// busy is the state of a pipeline to which everything has happened.
func busy(scale uint64) pipeline.Stats {
	main := pipeline.SinkStats{Role: "main"}
	main.Calls, main.Failed, main.Panics = 4*scale, scale, scale/2
	main.Retries, main.Abandoned, main.Opened, main.Breaker = 7*scale, scale, scale/100, stage.BreakerOpen
	main.Latency = stage.Quantiles{Count: 9, P50: 12 * time.Microsecond, P95: 3 * time.Millisecond, P99: 40 * time.Millisecond, Max: 1250 * time.Millisecond}
	return pipeline.Stats{
		Offered: 120 * scale, Accepted: 110 * scale, Rejected: pipeline.Rejected{Full: 9 * scale, Canceled: scale},
		Delivered: 60 * scale, Rerouted: 30 * scale, Evicted: pipeline.Evicted{Count: 8 * scale},
		Lost:     pipeline.Lost{Failed: 3 * scale, Panic: 2 * scale, Deadline: scale, InDoubt: scale},
		Buffered: 5 * scale, Depth: 7000, InFlight: 5*scale - 7000, Waiting: 12,
		Batches: pipeline.Batches{Size: 4 * scale, Age: scale, Close: 1}, Sinks: []pipeline.SinkStats{main},
	}
}

func TestFrames(t *testing.T) {
	s := lab.Defaults()
	s.Workers, s.Fallback = 8, lab.Memory
	at := func(seconds time.Duration, scale uint64) lab.Snapshot {
		h := new(hist.Histogram)
		for i := range 1000 * int(seconds) {
			h.Record(time.Duration(i) * 100)
		}
		return lab.Snapshot{Elapsed: seconds * time.Second, Calls: h, Stats: busy(scale)}
	}
	b := NewBetween(s, at(3, 2000), at(4, 250_000))
	held(t, "frame.txt", b.Frame(term.Colours{})+b.Line()+"\n")
	idle := lab.Snapshot{Calls: new(hist.Histogram), Stats: pipeline.Stats{Sinks: make([]pipeline.SinkStats, 1)}}
	s.Producers, s.Rate, s.Workers = 1, 0, 1
	b = NewBetween(s, idle, idle)
	held(t, "frame_idle.txt", b.Frame(term.Colours{})+b.Line()+"\n")
}

func TestBarsFillUp(t *testing.T) {
	for depth, want := range map[uint64]int{0: 0, 1: 1, 50: 15, 99: 30, 100: 30, 200: 30} {
		if got := strings.Count(bar(term.Colours{}, depth, 100), "#"); got != want {
			t.Errorf("%d of 100: %d, want %d", depth, got, want)
		}
	}
}

func TestReport(t *testing.T) {
	o := lab.Outcome{Settings: lab.Defaults(), Stats: busy(250_000), Took: 10 * time.Second, Calls: lab.Latency{Timed: 3, P50: 90, P99: 800, P999: 12_000, Max: time.Second}}
	held(t, "report.txt", Report(&o))
	o = lab.Outcome{Settings: lab.Defaults(), Stats: pipeline.Stats{Sinks: make([]pipeline.SinkStats, 1)}}
	held(t, "report_nothing.txt", Report(&o))
}

func TestTimelineTellsTogetherWhatBelongsTogether(t *testing.T) {
	var moments []lab.Moment
	at := time.Duration(0)
	add := func(m lab.Moment) {
		at += time.Second
		m.At = at
		moments = append(moments, m)
	}
	for i := range uint64(8) {
		add(lab.Moment{Kind: lab.Cut, What: "age", Events: 3, Batch: i + 1})
		add(lab.Moment{Kind: lab.Delivered, Events: 3, Batch: i + 1, For: 2 * time.Millisecond})
		if i == 1 {
			add(lab.Moment{Kind: lab.Blocked, Events: 1})
			add(lab.Moment{Kind: lab.Refused, Events: 1, What: "queue full"})
		}
	}
	add(lab.Moment{Kind: lab.Retrying, Events: 3, Tries: 1, For: time.Second, What: "no luck"})
	for range 2 {
		add(lab.Moment{Kind: lab.Failed, Events: 3, What: "no luck"})
		add(lab.Moment{Kind: lab.GivenUp, Events: 3, What: "no luck"})
	}
	add(lab.Moment{Kind: lab.Failed, Events: 3, What: strings.Repeat("a long story ", 20)})
	add(lab.Moment{Kind: lab.Turned, What: "half_open to open"})
	add(lab.Moment{Kind: lab.Evicted, Events: 5})
	add(lab.Moment{Kind: lab.Closing})
	var brief, full strings.Builder
	if err := Timeline(&brief, moments, true); err != nil {
		t.Error(err)
	}
	if err := Timeline(&full, moments, false); err != nil {
		t.Error(err)
	}
	held(t, "timeline.txt", brief.String()+"\n"+full.String())
	if strings.Count(full.String(), "\n") != len(moments) {
		t.Error("some moments are missing")
	}
	if Timeline(broken{}, moments, true) == nil {
		t.Error("a write error is not reported")
	}
}

type broken struct{}

func (broken) Write([]byte) (int, error) { return 0, os.ErrClosed }

func TestPictureShowsWhatWentWrong(t *testing.T) {
	story := lab.Story{Outcome: lab.Outcome{Settings: lab.Defaults(), Took: 100 * time.Second}}
	for i := range 10 {
		story.Samples = append(story.Samples, lab.Sample{At: time.Duration(i) * 10 * time.Second, Depth: uint64(i), Delivered: uint64(100 * i)})
	}
	story.Samples = append(story.Samples, lab.Sample{At: 90*time.Second + 1, Delivered: 1_000_000})
	for at, m := range map[time.Duration]lab.Moment{
		10: {Kind: lab.Stalled, For: 5 * time.Second}, 20: {Kind: lab.Turned, What: "closed to open"},
	} {
		m.At = at * time.Second
		story.Moments = append(story.Moments, m)
	}
	open := Picture(&story)
	if strings.Count(open, "<title>the sink hangs") != 2 || strings.Count(open, "<title>the breaker is open") != 2 || strings.Contains(open, "1M") {
		t.Error(open)
	}
	story.Moments = append(story.Moments, lab.Moment{At: 30 * time.Second, Kind: lab.Turned, What: "half_open to closed"},
		lab.Moment{At: 40 * time.Second, Kind: lab.Turned, What: "closed to open"})
	if again := Picture(&story); strings.Count(again, "<title>the breaker is open") != 4 {
		t.Error(again)
	}
}
