package setup

import (
	"context"
	"fmt"
	"log/slog"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/penstock-go/penstock/clockutil/clocktest"
	"github.com/penstock-go/penstock/logging"
	"github.com/penstock-go/penstock/pipeline"
	"github.com/penstock-go/penstock/stage"
)

// small is an output that holds few records, and none downstream while its sink
// is held, but for those of its batches.
func small(m *memory, overflow stage.Overflow) Output {
	return Output{Name: "small", To: Target{Sink: m}, Pipeline: pipeline.Config[logging.Record]{
		QueueSize: 100, BatchSize: 10, Overflow: overflow,
	}}
}

// summaries returns the summaries that a sink has, as their counts.
func summaries(m *memory) (counts []uint64, texts []string) {
	for _, r := range m.Events() {
		if r.Template == DropTemplate {
			n, _ := r.Find("count")
			counts = append(counts, n.Uint64())
			texts = append(texts, r.Message)
		}
	}
	return counts, texts
}

func TestDropsAreSummedUp(t *testing.T) {
	for _, overflow := range []stage.Overflow{stage.DropOldest, stage.DropNewest} {
		t.Run(overflow.String(), func(t *testing.T) {
			clocktest.Both(t, func(t *testing.T, w *clocktest.World) {
				var m memory
				l := open(t, w, Config{Outputs: []Output{small(&m, overflow)}, Attrs: []slog.Attr{slog.String("service", "mill")}})
				log := l.Logger("")
				flood := func() (dropped uint64) {
					before := l.Stats().Outputs[0].Pipeline
					m.Hold()
					for i := range 2000 {
						log.Info(fmt.Sprint(i))
					}
					w.Settle()
					m.Release()
					w.Settle()
					after := l.Stats().Outputs[0].Pipeline
					return after.Evicted.Total() + after.Rejected.Total() - before.Evicted.Total() - before.Rejected.Total()
				}
				first := flood()
				require.Greater(t, first, uint64(1000))
				w.Advance(5*time.Second - 1)
				counts, _ := summaries(&m)
				require.Empty(t, counts)
				w.Advance(1 + pipeline.DefaultFlushInterval)
				counts, texts := summaries(&m)
				require.Equal(t, []uint64{first}, counts)
				require.Equal(t, []string{thousands(first) + " records dropped in 5 s"}, texts)

				// Two floods within one period are one summary; then there is rest.
				w.Advance(time.Hour)
				second := flood()
				w.Advance(time.Second)
				second += flood()
				w.Advance(time.Hour)
				counts, texts = summaries(&m)
				require.Equal(t, []uint64{first, second}, counts)
				require.Equal(t, thousands(second)+" records dropped in 5 s", texts[1])

				// What is left is said at the end.
				third := flood()
				closeLog(t, w, l, &m)
				counts, _ = summaries(&m)
				require.Equal(t, []uint64{first, second, third}, counts)

				s := l.Stats().Outputs[0]
				require.Equal(t, uint64(3), s.Summaries)
				require.Equal(t, first+second+third, s.Pipeline.Evicted.Total()+s.Pipeline.Rejected.Total())
				last := m.Events()[len(m.Events())-1]
				require.Equal(t, logging.LevelWarning, last.Level)
				clef, err := logging.EncodeCLEF(nil, last)
				require.NoError(t, err)
				require.Contains(t, string(clef), fmt.Sprintf(`"@mt":"{count:N0} records dropped in {period:l}","@r":["%s","0 s"]`, thousands(third)),
					"who renders the template says what the message says")
				reason := map[stage.Overflow]string{stage.DropOldest: "count", stage.DropNewest: "full"}[overflow]
				for path, want := range map[string]string{
					"service": "mill", "output": "small", "count": fmt.Sprint(third), "period": "0s", "reasons." + reason: fmt.Sprint(third),
				} {
					v, ok := last.Find(path)
					require.True(t, ok, path)
					require.Equal(t, want, v.String(), path)
				}
			})
		})
	}
}

// While a sink is stalled there is one summary in its queue, whatever is
// dropped; it says the rest when it goes on.
func TestAStalledQueueDoesNotFillWithSummaries(t *testing.T) {
	clocktest.Both(t, func(t *testing.T, w *clocktest.World) {
		var m memory
		m.Hold()
		l := open(t, w, Config{Outputs: []Output{small(&m, stage.DropOldest)}, DropSummary: time.Second})
		log := l.Logger("")
		for range 100 {
			for range 100 {
				log.Info("tick")
			}
			w.Advance(time.Second)
		}
		require.Equal(t, uint64(1), l.Stats().Outputs[0].Summaries)
		m.Release()
		w.Advance(time.Minute)
		counts, texts := summaries(&m)
		require.Len(t, counts, 2)
		require.Regexp(t, `^9,... records dropped in (9.|100) s$`, texts[1])
		closeLog(t, w, l, &m)
		s := l.Stats().Outputs[0]
		require.Equal(t, uint64(2), s.Summaries)
		require.Equal(t, s.Pipeline.Evicted.Total(), counts[0]+counts[1])
		require.Zero(t, s.Pipeline.Evicted.Important)
	})
}

// A summary that is refused is no record that was dropped, and is tried again.
func TestARefusedSummaryIsTriedAgain(t *testing.T) {
	clocktest.Run(t, func(t *testing.T, w *clocktest.World) {
		var m memory
		m.Hold()
		l := open(t, w, Config{Outputs: []Output{small(&m, stage.DropNewest)}})
		log := l.Logger("")
		for range 10 {
			for range 100 {
				log.Error("trouble") // these use the reserve too
			}
			w.Settle() // what fits goes on into the channels behind the queue
		}
		w.Advance(10 * time.Second)
		s := l.Stats().Outputs[0]
		require.Equal(t, uint64(1), s.Summaries, "while nothing moves there is no room")
		records := s.Pipeline.Rejected.Full - 1
		m.Release()
		w.Advance(time.Minute)
		counts, texts := summaries(&m)
		require.Equal(t, []uint64{records}, counts)
		require.Equal(t, []string{thousands(records) + " records dropped in 15 s"}, texts)
		closeLog(t, w, l, &m)
	})
}

func TestSummariesCanBeTurnedOff(t *testing.T) {
	clocktest.Run(t, func(t *testing.T, w *clocktest.World) {
		var m memory
		m.Hold()
		l := open(t, w, Config{Outputs: []Output{small(&m, stage.DropOldest)}, DropSummary: -1})
		for range 1000 {
			l.Logger("").Info("tick")
		}
		m.Release()
		w.Advance(time.Minute)
		closeLog(t, w, l, &m)
		counts, _ := summaries(&m)
		require.Empty(t, counts)
		require.Zero(t, l.Stats().Outputs[0].Summaries)
	})
}

// A hook of the user's is called too.
func TestTheUsersDropHook(t *testing.T) {
	clocktest.Run(t, func(t *testing.T, w *clocktest.World) {
		var m memory
		m.Hold()
		told := clocktest.NewRecorder[uint64](w)
		out := small(&m, stage.DropOldest)
		out.Pipeline.OnDrop = func(_ context.Context, d stage.Dropped[logging.Record]) { told.Add(d.Count) }
		l := open(t, w, Config{Outputs: []Output{out}})
		for range 1000 {
			l.Logger("").Info("tick")
		}
		w.Settle()
		m.Release()
		closeLog(t, w, l, &m)
		sum := uint64(0)
		for _, n := range told.Values() {
			sum += n
		}
		require.Equal(t, l.Stats().Outputs[0].Pipeline.Evicted.Total(), sum)
		require.NotZero(t, sum)
	})
}

func TestHowDropsAreWritten(t *testing.T) {
	for n, want := range map[uint64]string{0: "0", 7: "7", 999: "999", 1000: "1,000", 123456: "123,456", 1234567: "1,234,567"} {
		require.Equal(t, want, thousands(n))
	}
	message, renderings := drops{bytes: 1}.message(500 * time.Millisecond)
	require.Equal(t, "1 record dropped in 0.5 s", message)
	require.Equal(t, []string{"1", "0.5 s"}, renderings)
	message, renderings = drops{count: 1200, full: 4}.message(5 * time.Second)
	require.Equal(t, "1,204 records dropped in 5 s", message)
	require.Equal(t, []string{"1,204", "5 s"}, renderings)
	require.Equal(t, "[bytes=1 too_large=2 invalid=3]", drops{bytes: 1, tooLarge: 2, invalid: 3}.reasons().String())
}

// Whatever producers and the sink do, the summaries say in sum what the books
// say, each in its time.
func TestSummariesAddUp(t *testing.T) {
	clocktest.ExploreBoth(t, 5, func(t *testing.T, w *clocktest.World) {
		const every = 2 * time.Second
		r := w.Rand("plan")
		var m memory
		l := open(t, w, Config{
			DropSummary: every,
			Outputs:     []Output{small(&m, []stage.Overflow{stage.DropOldest, stage.DropNewest}[r.IntN(2)])},
		})
		var wg sync.WaitGroup
		for producer := range 3 {
			r := w.Rand(fmt.Sprint("producer ", producer))
			wg.Go(func() {
				for range 20 {
					for range r.IntN(400) {
						l.Logger("").Info("tick")
					}
					w.Clock().Sleep(clocktest.Jitter(r, time.Duration(r.IntN(2000))*time.Millisecond))
				}
			})
		}
		for range 20 {
			if r.IntN(2) == 0 {
				m.Hold()
			} else {
				m.Release()
			}
			w.Advance(clocktest.Jitter(r, 2*time.Second))
		}
		m.Release()
		w.Advance(time.Minute)
		wg.Wait()
		closeLog(t, w, l, &m)
		counts, _ := summaries(&m)
		var sum uint64
		for _, n := range counts {
			sum += n
		}
		s := l.Stats().Outputs[0]
		require.Equal(t, s.Pipeline.Evicted.Total()+s.Pipeline.Rejected.Total(), sum)
		require.Equal(t, s.Summaries, uint64(len(counts)))
		require.LessOrEqual(t, s.Summaries, uint64(1+w.Elapsed()/every))
	})
}
