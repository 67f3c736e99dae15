package stage

import (
	"context"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/penstock-go/penstock/clockutil/clocktest"
)

// news is what a hook was told.
type news struct {
	Hook   string
	Depth  int
	Count  uint64
	Events []int
	Reason Eviction
}

// watching is an observer, its hooks and what they were told.
type watching struct {
	news    *clocktest.Recorder[news]
	o       *Observer[int]
	settled chan Failure[int]
	ended   *clocktest.Recorder[error]
	run     func()
}

// startWatching runs an observer of q. Each hook calls do, if that is not nil.
func startWatching(ctx context.Context, w *clocktest.World, q *Intake[int], do func(n news)) *watching {
	s := &watching{
		news:    clocktest.NewRecorder[news](w),
		settled: make(chan Failure[int]),
		ended:   clocktest.NewRecorder[error](w),
	}
	tell := func(n news) {
		s.news.Add(n)
		if do != nil {
			do(n)
		}
	}
	s.o = NewObserver(Hooks[int]{
		OnPressure: func(_ context.Context, depth, capacity int) {
			tell(news{Hook: "pressure", Depth: 100*depth + capacity})
		},
		OnFailure: func(_ context.Context, f Failure[int]) { tell(news{Hook: "failure", Events: f.Events}) },
		OnDrop: func(_ context.Context, d Dropped[int]) {
			tell(news{Hook: "drop", Count: d.Count, Events: slices.Clone(d.Events), Reason: d.Reason})
		},
	}, q)
	s.run = func() { s.ended.Add(s.o.Run(ctx, s.settled)) }
	go s.run()
	w.Settle()
	return s
}

func watched(size int) IntakeConfig[int] {
	return IntakeConfig[int]{QueueSize: size, ReportDrops: true, ReportPressure: true, PressureAt: size - 1}
}

func TestObserverTellsTheHooks(t *testing.T) {
	clocktest.Run(t, func(t *testing.T, w *clocktest.World) {
		cfg := watched(4)
		cfg.QueueBytes = 20
		q, _ := newQueue(cfg)
		s := startWatching(t.Context(), w, q, nil)
		offer(q, 1, 2, 3)
		w.Settle()
		require.Equal(t, []news{{Hook: "pressure", Depth: 304}}, s.news.Values())
		s.news.Reset()
		offer(q, 4, 5)
		w.Settle()
		require.Equal(t, []news{{Hook: "drop", Count: 1, Events: []int{1}}}, s.news.Values())
		s.news.Reset()
		q.EnqueueAll([]int{10, 1}, nil) // 2 for its place, 3 for their bytes
		w.Settle()
		var events []int
		for _, n := range s.news.Values() {
			require.Equal(t, "drop", n.Hook)
			require.Equal(t, int(n.Count), len(n.Events))
			events = append(events, n.Events...)
		}
		b := q.Books()
		require.Equal(t, b.Evicted[EvictedCount]+b.Evicted[EvictedBytes], uint64(1+len(events)))
		s.settled <- Failure[int]{Events: []int{7}}
		w.Settle()
		require.Equal(t, news{Hook: "failure", Events: []int{7}}, s.news.Values()[s.news.Len()-1])
		s.news.Reset()
		close(s.settled)
		w.Settle()
		require.Equal(t, []error{nil}, s.ended.Values())
		require.Empty(t, s.news.Values())
		require.Zero(t, s.o.Panics())
	})
}

// A hook that does not keep up hears of every eviction by number, and of the
// latest events.
func TestObserverWithASlowHook(t *testing.T) {
	clocktest.Run(t, func(t *testing.T, w *clocktest.World) {
		q, _ := newQueue(IntakeConfig[int]{QueueSize: 4, ReportDrops: true})
		s := startWatching(t.Context(), w, q, func(news) { w.Clock().Sleep(time.Second) })
		offer(q, count(1, 5)...)
		w.Settle()
		offer(q, count(6, 105)...)
		w.Advance(time.Minute)
		require.Equal(t, []news{
			{Hook: "drop", Count: 1, Events: []int{1}},
			{Hook: "drop", Count: 100, Events: []int{98, 99, 100, 101}},
		}, s.news.Values())
		close(s.settled)
		w.Settle()
	})
}

func TestObserverReportsTheRestAtTheEnd(t *testing.T) {
	clocktest.Run(t, func(t *testing.T, w *clocktest.World) {
		q, _ := newQueue(watched(2))
		offer(q, 1, 2, 3, 4)
		<-q.notice // as if it were on its way
		s := startWatching(t.Context(), w, q, nil)
		require.Empty(t, s.news.Values())
		close(s.settled)
		w.Settle()
		require.Equal(t, []news{{Hook: "pressure", Depth: 102}, {Hook: "drop", Count: 2, Events: []int{1, 2}}}, s.news.Values())
	})
}

func TestObserverSurvivesPanics(t *testing.T) {
	clocktest.Run(t, func(t *testing.T, w *clocktest.World) {
		q, _ := newQueue(watched(2))
		ctx, watch := Watched(t.Context())
		s := startWatching(ctx, w, q, func(n news) {
			if in := watch.In(); in != map[string]string{
				"pressure": "hook OnPressure", "failure": "hook OnFailure", "drop": "hook OnDrop",
			}[n.Hook] {
				t.Errorf("%s is called %q", n.Hook, in)
			}
			blowUp(n)
		})
		offer(q, 1, 2, 3)
		w.Settle()
		s.settled <- Failure[int]{}
		w.Settle()
		require.Equal(t, 3, s.news.Len())
		require.Equal(t, uint64(3), s.o.Panics())
		close(s.settled)
		w.Settle()
		require.Equal(t, []error{nil}, s.ended.Values())
	})
}

func TestObserverSurvivesGoexit(t *testing.T) {
	clocktest.Run(t, func(t *testing.T, w *clocktest.World) {
		q, _ := newQueue(watched(2))
		ctx, watch := Watched(t.Context())
		s := startWatching(ctx, w, q, func(news) { bowOut() })
		offer(q, 1, 2, 3)
		w.Settle()
		require.Equal(t, 1, s.news.Len())
		for again := 2; watch.Exited(); again++ {
			go s.run()
			w.Settle()
			require.LessOrEqual(t, again, 3)
		}
		require.Equal(t, []news{{Hook: "pressure", Depth: 102}, {Hook: "drop", Count: 1, Events: []int{1}}}, s.news.Values(),
			"each is told once, whoever ends the goroutine")
		require.Equal(t, uint64(2), s.o.Panics())
		offer(q, 4)
		w.Settle()
		require.Equal(t, news{Hook: "drop", Count: 1, Events: []int{2}}, s.news.Values()[2])
		go s.run()
		close(s.settled)
		w.Settle()
		require.Equal(t, []error{nil}, s.ended.Values())
	})
}

func TestObserverWithoutHooks(t *testing.T) {
	clocktest.Run(t, func(t *testing.T, w *clocktest.World) {
		q, _ := newQueue(IntakeConfig[int]{QueueSize: 2, PressureAt: 1})
		o := NewObserver(Hooks[int]{}, q)
		settled, ended := make(chan Failure[int], 1), make(chan error, 1)
		go func() { ended <- o.Run(t.Context(), settled) }()
		offer(q, count(1, 9)...)
		settled <- Failure[int]{}
		w.Settle()
		require.Empty(t, q.notice, "nobody is woken for nothing")
		close(settled)
		require.NoError(t, <-ended)
		require.Equal(t, uint64(7), q.Books().Evicted[EvictedCount])
	})
}
