package pipeline_test

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/penstock-go/penstock/clockutil/clocktest"
	"github.com/penstock-go/penstock/internal/oracle"
	"github.com/penstock-go/penstock/pipeline"
	"github.com/penstock-go/penstock/stage"
)

// What makes no sense is refused, by the name of the field and its value, and
// nothing is started: a goroutine would outlive the bubble.
func TestWhatNewRefuses(t *testing.T) {
	pass := stage.Map("pass", func(_ context.Context, events []Event) ([]Event, error) { return events, nil })
	sink := stage.SinkFunc[Event](accepts)
	sized := func(c config) config { c.SizeOf = oracle.SizeOf; return c }
	ranked := func(c config) config { c.Important = fourth; return c }
	for _, tc := range []struct {
		cfg   config
		field string
		value any
		also  string // in the message
	}{
		{config{QueueSize: -1}, "QueueSize", -1, "negative"},
		{sized(config{QueueBytes: -2}), "QueueBytes", int64(-2), "negative"},
		{sized(config{MaxEventBytes: -3}), "MaxEventBytes", int64(-3), "negative"},
		{sized(config{BatchBytes: -4}), "BatchBytes", int64(-4), "negative"},
		{config{BatchSize: -5}, "BatchSize", -5, "negative"},
		{config{FlushInterval: -6 * time.Second}, "FlushInterval", -6 * time.Second, "negative"},
		{config{Workers: -7}, "Workers", -7, "negative"},
		{config{QueueBytes: 8}, "QueueBytes", int64(8), "SizeOf"},
		{config{MaxEventBytes: 9}, "MaxEventBytes", int64(9), "SizeOf"},
		{config{BatchBytes: 10}, "BatchBytes", int64(10), "SizeOf"},
		{sized(config{QueueBytes: 11, MaxEventBytes: 12}), "MaxEventBytes", int64(12), "QueueBytes = 11"},
		{config{QueueSize: 13, BatchSize: 14}, "BatchSize", 14, "QueueSize = 13"},
		{config{BatchSize: 8193}, "BatchSize", 8193, "QueueSize = 8192"},
		{config{Overflow: stage.DropNewest + 1}, "Overflow", uint8(2), "DropOldest or DropNewest"},
		{config{Overflow: 255}, "Overflow", uint8(255), ""},
		{config{Pressure: -0.1}, "Pressure", -0.1, ""},
		{config{Pressure: 1.5}, "Pressure", 1.5, "at most 1"},
		{config{Pressure: math.Inf(1)}, "Pressure", math.Inf(1), ""},
		{config{Pressure: math.Inf(-1)}, "Pressure", math.Inf(-1), ""},
		{config{SpillSize: -1}, "SpillSize", -1, "negative"},
		{config{SpillSize: 1}, "SpillSize", 1, "Routes"},
		{config{SpillSize: math.MaxInt}, "SpillSize", math.MaxInt, "memory"},
		{config{Reserve: 0.5}, "Reserve", 0.5, "Important"},
		{ranked(config{Reserve: -0.5}), "Reserve", -0.5, "above 0"},
		{ranked(config{Reserve: 1}), "Reserve", 1.0, "below 1"},
		{ranked(config{Reserve: math.Inf(1)}), "Reserve", math.Inf(1), ""},
		{config{DropEvents: -1}, "DropEvents", -1, "OnDrop"},
		{config{QueueSize: 15, DropEvents: 16, OnDrop: func(context.Context, stage.Dropped[Event]) {}}, "DropEvents", 16, "QueueSize = 15"},
		{config{Pace: time.Second}, "Pace", time.Second, "100ms"},
		{config{Stages: []stage.Stage[Event]{nil}}, "Stages[0]", nil, "nil"},
		{config{Stages: []stage.Stage[Event]{pass, nil}}, "Stages[1]", nil, "nil"},
		{config{Routes: []stage.Route[Event]{{To: sink}, {}}}, "Routes[1].To", nil, "nil"},
	} {
		t.Run(fmt.Sprint(tc.field, "=", tc.value), func(t *testing.T) {
			clocktest.Run(t, func(t *testing.T, w *clocktest.World) {
				tc.cfg.Clock = w.Clock()
				p, err := pipeline.New[Event](sink, tc.cfg)
				require.Nil(t, p)
				var ce *pipeline.ConfigError
				require.ErrorAs(t, err, &ce)
				require.Equal(t, tc.field, ce.Field)
				require.Equal(t, tc.value, ce.Value)
				require.Contains(t, err.Error(), fmt.Sprintf("%s = %v: ", tc.field, tc.value))
				require.Contains(t, err.Error(), tc.also)
				require.Equal(t, err, tc.cfg.Validate())
			})
		})
	}
	require.NoError(t, config{}.Validate())
	t.Run("Pressure=NaN", func(t *testing.T) {
		_, err := pipeline.New[Event](sink, config{Pressure: math.NaN()})
		require.ErrorContains(t, err, "Pressure = NaN")
	})
	t.Run("Reserve=NaN", func(t *testing.T) {
		_, err := pipeline.New[Event](sink, ranked(config{Reserve: math.NaN()}))
		require.ErrorContains(t, err, "Reserve = NaN")
	})
	t.Run("sink=nil", func(t *testing.T) {
		_, err := pipeline.New[Event](nil, config{})
		var ce *pipeline.ConfigError
		require.ErrorAs(t, err, &ce)
		require.Equal(t, "sink", ce.Field)
		require.EqualError(t, err, "penstock: sink = <nil>: must not be nil")
	})
}

// A queue that no machine has room for makes no sense either.
func TestAnImpossibleQueueIsRefused(t *testing.T) {
	for name, cfg := range map[string]config{
		"of small batches": {QueueSize: math.MaxInt, BatchSize: 1},
		"of batches":       {QueueSize: math.MaxInt},
		"of one batch":     {QueueSize: math.MaxInt, BatchSize: math.MaxInt},
	} {
		t.Run(name, func(t *testing.T) {
			require.NotPanics(t, func() {
				_, err := pipeline.New[Event](stage.SinkFunc[Event](accepts), cfg)
				require.ErrorContains(t, err, fmt.Sprint("QueueSize = ", math.MaxInt))
			})
		})
	}
}

// The limits themselves are within them.
func TestWhatNewAcceptsAtItsLimits(t *testing.T) {
	for name, cfg := range map[string]config{
		"smallest":        {QueueSize: 1, BatchSize: 1, Workers: 1, FlushInterval: 1, Pressure: math.SmallestNonzeroFloat64},
		"a batch's queue": {QueueSize: 7, BatchSize: 7, Pressure: 1},
		"longest waits":   {FlushInterval: math.MaxInt64, Pace: 100 * time.Millisecond},
		"shortest waits":  {FlushInterval: 1, Pace: math.MinInt64},
		"largest bytes":   {SizeOf: oracle.SizeOf, QueueBytes: math.MaxInt64, MaxEventBytes: math.MaxInt64, BatchBytes: math.MaxInt64},
		"event is queue":  {SizeOf: oracle.SizeOf, QueueBytes: 10, MaxEventBytes: 10, BatchBytes: 1},
	} {
		t.Run(name, func(t *testing.T) {
			clocktest.Both(t, func(t *testing.T, w *clocktest.World) {
				h := newHouse(t, w, cfg, nil)
				for seq := 1; seq <= 10; seq++ {
					h.offer(t, Event{Producer: 1, Seq: seq, Bytes: seq})
					require.NoError(t, h.flush(t))
				}
				h.close(t)
				require.Equal(t, count(1, 10), seqs(h.tap.taken()))
			})
		})
	}
}

func TestDefaults(t *testing.T) {
	clocktest.Both(t, func(t *testing.T, w *clocktest.World) {
		h := newHouse(t, w, config{}, nil)
		h.offer(t, run(1, 1, 511)...)
		h.settle(t)
		require.Zero(t, h.tap.calls.Len())
		h.offer(t, ev(1, 512))
		h.settle(t)
		require.Equal(t, []int{512}, h.tap.sizes())

		seq := 512
		h.tap.hold()
		for more := true; more; { // until the queue is full and nothing moves
			seq++
			h.offer(t, ev(1, seq))
			if seq%1000 == 0 || h.p.Depth() >= 8190 {
				more = h.settle(t).Evicted.Count == 0
			}
		}
		s := h.settle(t)
		require.EqualValues(t, 8192, s.Depth)
		require.EqualValues(t, 1, s.Pressure)
		require.Equal(t, 1, h.tap.overlap())
		h.tap.release()
		h.close(t)
	})
	t.Run("a small queue is one batch", func(t *testing.T) {
		clocktest.Both(t, func(t *testing.T, w *clocktest.World) {
			h := newHouse(t, w, config{QueueSize: 10}, nil)
			h.offer(t, run(1, 1, 10)...)
			h.settle(t)
			require.Equal(t, []int{10}, h.tap.sizes())
			h.close(t)
		})
	})
	t.Run("pressure is four fifths, rounded up", func(t *testing.T) {
		clocktest.Both(t, func(t *testing.T, w *clocktest.World) {
			h := newHouse(t, w, config{QueueSize: 6, BatchSize: 1}, nil)
			first := h.stall(t)
			h.offer(t, run(1, first+1, first+3)...)
			require.Zero(t, h.settle(t).Pressure)
			h.offer(t, ev(1, first+4))
			require.EqualValues(t, 1, h.settle(t).Pressure)
			h.tap.release()
			h.close(t)
		})
	})
}

// A Config may be used again, and changed, without an effect on what it made.
func TestAConfigIsCopied(t *testing.T) {
	clocktest.Both(t, func(t *testing.T, w *clocktest.World) {
		bad := errors.New("bad")
		route := newTap(w)
		cfg := config{
			BatchSize: 2,
			Stages:    []stage.Stage[Event]{newSieve(func(e Event) bool { return e.Seq != 1 })},
			Routes:    []stage.Route[Event]{{To: route}},
		}
		h := newHouse(t, w, cfg, newTap(w).then(fails(bad)))
		cfg.Stages[0] = nil
		cfg.Routes[0] = stage.Route[Event]{}
		cfg.BatchSize = 0
		h.offer(t, run(1, 1, 4)...)
		s := h.settle(t)
		require.EqualValues(t, 1, s.Filtered)
		require.EqualValues(t, 1, s.Rerouted)
		require.EqualValues(t, 2, s.Delivered)
		h.close(t)
	})
}

// wrong lists the fields that New must not accept.
func wrong(c config) (fields []string) {
	is := func(bad bool, field string) {
		if bad {
			fields = append(fields, field)
		}
	}
	queue := c.QueueSize
	if queue == 0 {
		queue = pipeline.DefaultQueueSize
	}
	is(c.QueueSize < 0, "QueueSize")
	is(c.QueueBytes < 0 || c.QueueBytes > 0 && c.SizeOf == nil, "QueueBytes")
	is(c.MaxEventBytes < 0 || c.MaxEventBytes > 0 && (c.SizeOf == nil || c.QueueBytes > 0 && c.MaxEventBytes > c.QueueBytes), "MaxEventBytes")
	is(c.BatchBytes < 0 || c.BatchBytes > 0 && c.SizeOf == nil, "BatchBytes")
	is(c.Overflow != stage.DropOldest && c.Overflow != stage.DropNewest, "Overflow")
	is(!(c.Pressure >= 0 && c.Pressure <= 1), "Pressure")
	is(c.BatchSize < 0 || c.BatchSize > queue, "BatchSize")
	is(c.FlushInterval < 0, "FlushInterval")
	is(c.Pace > 100*time.Millisecond, "Pace")
	is(c.Workers < 0, "Workers")
	for i, s := range c.Stages {
		is(s == nil, fmt.Sprintf("Stages[%d]", i))
	}
	for i, r := range c.Routes {
		is(r.To == nil, fmt.Sprintf("Routes[%d].To", i))
	}
	return fields
}

// New refuses a Config and names what is wrong with it, or makes a pipeline
// that works and ends.
func FuzzConfig(f *testing.F) {
	f.Add(0, int64(0), int64(0), int64(0), false, uint8(0), 0.0, 0, int64(0), int64(0), 0, uint8(0), uint8(0))
	f.Add(1, int64(1), int64(1), int64(1), true, uint8(1), 1.0, 1, int64(1), int64(-1), 2, uint8(2), uint8(2))
	f.Add(100, int64(1000), int64(10), int64(100), true, uint8(0), 0.5, 10, int64(time.Second), int64(time.Millisecond), 3, uint8(1), uint8(1))
	f.Add(-1, int64(-1), int64(-1), int64(-1), true, uint8(2), -1.0, -1, int64(-1), int64(time.Second), -1, uint8(129), uint8(130))
	f.Add(10, int64(0), int64(5), int64(0), false, uint8(0), math.NaN(), 11, int64(0), int64(0), 0, uint8(0), uint8(0))
	f.Add(0, int64(7), int64(8), int64(0), true, uint8(0), math.Inf(1), 9000, int64(0), int64(0), 0, uint8(0), uint8(0))
	f.Fuzz(func(t *testing.T, queue int, queueBytes, eventBytes, batchBytes int64, sized bool, overflow uint8,
		pressure float64, batch int, interval, pace int64, workers int, stages, routes uint8) {
		// A queue takes its memory at once, and a worker is a goroutine.
		if queue > 1<<16 || batch > 1<<16 || workers > 64 {
			t.Skip()
		}
		clocktest.Run(t, func(t *testing.T, w *clocktest.World) {
			cfg := config{
				QueueSize: queue, QueueBytes: queueBytes, MaxEventBytes: eventBytes, BatchBytes: batchBytes,
				Overflow: stage.Overflow(overflow), Pressure: pressure, BatchSize: batch,
				FlushInterval: time.Duration(interval), Pace: time.Duration(pace), Workers: workers,
			}
			if sized {
				cfg.SizeOf = oracle.SizeOf
			}
			for range stages % 4 {
				cfg.Stages = append(cfg.Stages, newSieve(func(Event) bool { return true }))
			}
			for range routes % 4 {
				cfg.Routes = append(cfg.Routes, stage.Route[Event]{To: newTap(w)})
			}
			if stages >= 128 {
				cfg.Stages = append(cfg.Stages, nil)
			}
			if routes >= 128 {
				cfg.Routes = append(cfg.Routes, stage.Route[Event]{})
			}
			bad := wrong(cfg)
			h, err := build(w, cfg, nil)
			if len(bad) > 0 {
				var ce *pipeline.ConfigError
				if !errors.As(err, &ce) || !slices.Contains(bad, ce.Field) {
					t.Errorf("New returned %v, and %v is wrong", err, bad)
				}
				return
			}
			if err != nil {
				t.Errorf("New returned %v, and nothing is wrong", err)
				return
			}
			for seq := 1; seq <= 20; seq++ {
				_ = h.enqueue(Event{Producer: 1, Seq: seq, Bytes: seq % 10})
				w.Settle()
			}
			h.close(t)
			if s := h.p.Stats(); s.Delivered == 0 || s.Delivered+s.Evicted.Total() != s.Accepted {
				t.Errorf("not everything was delivered: %+v", s)
			}
		})
	})
}
