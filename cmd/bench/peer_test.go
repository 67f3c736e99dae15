package main

import (
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

// tiny is enough to see that everything works.
func tiny(t *testing.T) env {
	s := fullScale()
	s.producers, s.crowd, s.calls, s.callers, s.contenders = []int{1, 3}, []int{2}, []int{2}, []int{1, 2}, []int{3}
	s.burst, s.ring, s.queue, s.memory = 600, 1024, 256, 500
	s.procs = []int{1024}
	s.loads = []int{1000, 100_000}
	for _, d := range []*time.Duration{&s.sustained, &s.brief, &s.stall, &s.end, &s.encode, &s.idle, &s.offer} {
		*d = 3 * time.Millisecond
	}
	return env{s, []place{{"null", ""}, {"file", t.TempDir()}}}
}

// phuslu's AsyncWriter reads the length of an entry after it has sent it on, to
// whoever reuses it: the race detector is right about it.
func racy(name string) bool { return raceDetector && strings.HasPrefix(name, "phuslu") }

func sound(kinds ...kind) []kind {
	return slices.DeleteFunc(slices.Clone(kinds), func(k kind) bool { return racy(k.name) })
}

var (
	everyPeer   = slices.Concat(dropping, lossless)
	everyLogger = []kind{slogDirect, slogBuffered, penstockLogs, zerologLogs, zapLogs, phusluLogs}
)

func TestPeersDeliverWhatFits(t *testing.T) {
	for _, k := range sound(slices.Concat(everyPeer, everyLogger, []kind{penstockSoon})...) {
		t.Run(k.name, func(t *testing.T) {
			got, err := burst(k, tiny(t), 3)
			if err != nil {
				t.Fatal(err)
			}
			if got.Offered != 1200 || got.Delivered != 1200 || len(got.Values) != len(enqueueColumns) {
				t.Errorf("%+v", got)
			}
		})
	}
}

// Against an output that takes nothing, whoever has a bounded queue and does
// not wait loses all that is above its bound.
func TestPeersLoseWhatDoesNotFit(t *testing.T) {
	const queue, n = 64, 20_000
	for _, k := range sound(dropping...) {
		t.Run(k.name, func(t *testing.T) {
			out := newOutput()
			out.gate = make(chan struct{})
			r, err := enter(k, setup{out: out, queue: queue})
			if err != nil {
				t.Fatal(err)
			}
			d := drive(r.peer, work{producers: 2, events: n})
			close(out.gate)
			got, err := r.leave(d.offered(), d.refused)
			if err != nil {
				t.Fatal(err)
			}
			if got.Offered != n || got.Delivered == 0 || got.Delivered > n/4 {
				t.Errorf("%+v", got)
			}
			switch k.name {
			case penstockDrops.name, channelDrops.name, phusluDrops.name:
				if got.Told != got.lost() {
					t.Errorf("told %d of %d lost", got.Told, got.lost())
				}
			case otelBatch.name:
				if got.Told >= 0 {
					t.Errorf("told %d", got.Told)
				}
			}
		})
	}
}

func TestPeersThatBlockWaitForTheOutput(t *testing.T) {
	for _, k := range sound(lossless...) {
		t.Run(k.name, func(t *testing.T) {
			e := tiny(t)
			e.stall = 60 * time.Millisecond
			got, err := latency(k, e, 2, true, false)
			if err != nil || got.lost() != 0 {
				t.Fatalf("%v, %+v", err, got)
			}
			if got.Offered == 0 || got.Offered > 10_000 { // what its queue and buffers hold
				t.Errorf("nobody waited: %+v", got)
			}
		})
	}
}

func TestFilesHaveWhatWasDelivered(t *testing.T) {
	e := tiny(t)
	for _, k := range sound(everyPeer...) {
		t.Run(k.name, func(t *testing.T) {
			got, err := toTheEnd(k, e, 2, e.places[1])
			if err != nil {
				t.Fatal(err)
			}
			if k.blocks && (got.lost() != 0 || got.Delivered == 0) {
				t.Errorf("%+v", got)
			}
		})
	}
	if left, err := filepath.Glob(filepath.Join(e.places[1].dir, "*")); err != nil || len(left) > 0 {
		t.Errorf("left behind: %v, %v", left, err)
	}
}

// However few calls are made until one hangs, that one is seen.
func TestWhoWaitsForAStalledOutputIsSeenToBlock(t *testing.T) {
	e := tiny(t)
	e.stall = 30 * time.Millisecond
	for _, k := range sound(lossless...) {
		got, err := latency(k, e, 1, true, false)
		if err != nil {
			t.Fatal(err)
		}
		if blocked := got.Values[len(got.Values)-1]; blocked != 1 {
			t.Errorf("%s: %+v", k.name, got)
		}
	}
}

func TestAgesComeFromTheTimeOfTheCall(t *testing.T) {
	e := tiny(t)
	for _, k := range []kind{channelDrops, penstockSoon, zerologDiode} {
		got, err := offered(k, e, 10_000, e.places[1])
		if err != nil {
			t.Fatal(err)
		}
		if got.Delivered == 0 || got.Values[0] <= 0 || got.Values[0] > float64(10*time.Second) || got.Values[1] < got.Values[0] {
			t.Errorf("%s: %+v", k.name, got)
		}
	}
}

// Every subject of every group runs, keeps its promises and fills its columns.
func TestEveryGroup(t *testing.T) {
	for _, g := range groups(tiny(t)) {
		t.Run(g.name, func(t *testing.T) {
			if len(g.bouts) == 0 {
				t.Fatal("no cases")
			}
			for _, b := range g.bouts {
				if !slices.ContainsFunc(b.subjects, func(s subject) bool { return s.name == b.base }) {
					t.Errorf("%s: nobody is %s", b.name, b.base)
				}
				for _, s := range b.subjects {
					if racy(s.name) {
						continue
					}
					got, err := s.run()
					if err != nil {
						t.Fatal(err)
					}
					r := newReport(nil)
					r.audit(b.name, s, got)
					if len(r.Faults) > 0 || len(got.Values) != len(g.columns) || got.Offered == 0 {
						t.Errorf("%s, %s: %+v %v", b.name, s.name, got, r.Faults)
					}
				}
			}
		})
	}
}

func TestEventAndLine(t *testing.T) {
	if eventBytes != 128 && ^uint(0)>>63 == 1 {
		t.Errorf("an event has %d bytes", eventBytes)
	}
	line := newLine()
	if len(line) != lineBytes || line[lineBytes-1] != '\n' || stamped(line) != 0 {
		t.Errorf("%q", line)
	}
	for _, want := range []int64{1, '\n', 1 << 40, 1<<62 + 10} {
		if stamp(line, want); stamped(line) != want {
			t.Errorf("%d, want %d", stamped(line), want)
		}
	}
}

func TestHistogram(t *testing.T) {
	var a, b histogram
	for i := range int64(1000) {
		a.record(i)
		b.record(1000 + i)
	}
	a.merge(&b)
	for q, want := range map[float64]int64{0.5: 999, 0.99: 1979, 1: 1999} {
		if got := a.quantile(q); got < want || float64(got) > float64(want)*1.04 {
			t.Errorf("%v: %d, want about %d", q, got, want)
		}
	}
	if a.top != 1999 || new(histogram).quantile(0.5) != 0 {
		t.Errorf("top %d", a.top)
	}
}
