package pipeline_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/penstock-go/penstock/clockutil/clocktest"
	"github.com/penstock-go/penstock/internal/oracle"
	"github.com/penstock-go/penstock/pipeline"
	"github.com/penstock-go/penstock/sinks"
	"github.com/penstock-go/penstock/stage"
)

type letter = sinks.Letter[Event]

// slowly makes an answer take d.
func slowly(d time.Duration, then answer) answer {
	return func(ctx context.Context, events []Event) error {
		stage.Clock(ctx).Sleep(d)
		return then(ctx, events)
	}
}

// What the first route leaves of what the sink has left is a letter, once,
// with the whole story, whether it is kept in the memory or in a file.
func TestDeadLettersHoldWhatNobodyTook(t *testing.T) {
	inMemory := func(t *testing.T) (stage.Sink[letter], func() []letter) {
		m := &sinks.Memory[letter]{}
		return m, m.Events
	}
	inFile := func(t *testing.T) (stage.Sink[letter], func() []letter) {
		path := filepath.Join(t.TempDir(), "dead.jsonl")
		file, err := sinks.NewFile(sinks.FileConfig[letter]{Path: path, Encode: sinks.LetterEncoder[Event](nil)})
		require.NoError(t, err)
		return file, func() (letters []letter) {
			file, err := os.Open(path)
			require.NoError(t, err)
			defer func() { _ = file.Close() }()
			for l, err := range (sinks.LetterReader[Event]{}).Read(file) {
				require.NoError(t, err)
				letters = append(letters, l)
			}
			return letters
		}
	}
	for name, open := range map[string]func(*testing.T) (stage.Sink[letter], func() []letter){"memory": inMemory, "file": inFile} {
		t.Run(name, func(t *testing.T) {
			clocktest.Both(t, func(t *testing.T, w *clocktest.World) {
				to, letters := open(t)
				dead, err := sinks.DeadLetters(to)
				require.NoError(t, err)
				aside := newOutfall(w, "aside")
				aside.then(
					slowly(2*time.Second, fails(&stage.PartialError{Failed: []int{0, 2}, Err: errAside})), // takes 4
					slowly(2*time.Second, fails(stage.Permanent(errAside))),
				)
				cfg := inOne(6)
				cfg.Routes = []stage.Route[Event]{{To: aside}, {To: dead}}
				failures := reported(w, &cfg)
				h := newHouse(t, w, cfg, newTap(w).then(
					slowly(time.Second, fails(partly(1, 3, 5))), // takes 1, 3, 5
					slowly(time.Second, fails(stage.Permanent(errDown))),
				))
				begin := w.Clock().Now().UTC()
				h.offer(t, run(1, 1, 6)...)
				w.Advance(3 * time.Second)
				h.offer(t, run(1, 7, 12)...)
				w.Advance(3 * time.Second)
				s := h.settle(t)
				require.EqualValues(t, 3, s.Delivered)
				require.EqualValues(t, 9, s.Rerouted)
				require.Zero(t, s.Lost)
				require.Equal(t, 3, failures.Len(), "one for the route's part, two for the letters")
				h.close(t)

				var want []letter
				for _, e := range append(run(1, 7, 12), ev(1, 2), ev(1, 6)) {
					l := letter{Event: e, Stage: "tap", Causes: []string{errDown.Error(), errAside.Error()}, Attempts: 2,
						First: begin, Last: begin.Add(3 * time.Second)}
					if e.Seq > 6 {
						l.Permanent, l.First, l.Last = true, l.First.Add(3*time.Second), l.Last.Add(3*time.Second)
					}
					want = append(want, l)
				}
				got := letters()
				for i := range got {
					got[i].First, got[i].Last = got[i].First.UTC(), got[i].Last.UTC()
				}
				slices.SortFunc(got, func(a, b letter) int { return (a.Event.Seq+5)%12 - (b.Event.Seq+5)%12 })
				require.Equal(t, want, got)
			})
		})
	}
}

// What the letters' own sink fails to take is lost, counted and reported, and
// no more than that.
func TestDeadLettersThatFail(t *testing.T) {
	clocktest.Both(t, func(t *testing.T, w *clocktest.World) {
		m := &sinks.Memory[letter]{Fail: func(call int, letters []letter) error {
			if call == 1 {
				return &stage.PartialError{Failed: []int{1}, Err: errAside}
			}
			return errAside
		}}
		dead, err := sinks.DeadLetters(m)
		require.NoError(t, err)
		cfg := inOne(3)
		cfg.Routes = []stage.Route[Event]{{To: dead}}
		failures := reported(w, &cfg)
		h := newHouse(t, w, cfg, newTap(w).then(fails(errDown), fails(errDown)))
		h.offer(t, run(1, 1, 6)...)
		s := h.settle(t)
		require.EqualValues(t, 2, s.Rerouted)
		require.Equal(t, pipeline.Lost{Failed: 4}, s.Lost)
		var lost []int
		for _, f := range failures.Values() {
			if f.Outcome == stage.Lost {
				lost = append(lost, seqs(f.Events)...)
				require.True(t, errors.Is(f.Err, errDown) && errors.Is(f.Err, errAside), f.Err)
			}
		}
		require.Equal(t, []int{2, 4, 5, 6}, lost)
		require.Equal(t, []Event{ev(1, 1), ev(1, 3)}, eventsOf(m.Events()))
		h.close(t)
	})
}

// Letters that are sent on their way again reach the sink or are letters
// again, and no attempt is forgotten.
func TestReturnedLettersGoRound(t *testing.T) {
	clocktest.Both(t, func(t *testing.T, w *clocktest.World) {
		begin := w.Clock().Now()
		var out []Event
		full := true
		sink := stage.SinkFunc[letter](func(_ context.Context, letters []letter) error {
			for i, l := range letters {
				if full && l.Event.Seq > 1 {
					rest := &stage.PartialError{Err: errDown}
					for ; i < len(letters); i++ {
						rest.Failed = append(rest.Failed, i)
					}
					return rest
				}
				out = append(out, l.Event)
			}
			return nil
		})
		letters := []letter{{Event: ev(1, 1), Attempts: 1, First: begin}, {Event: ev(1, 2), Attempts: 1, First: begin}}
		for round := 1; len(letters) > 0; round++ {
			require.LessOrEqual(t, round, 4)
			full = round < 4
			w.Advance(time.Minute)
			m := &sinks.Memory[letter]{}
			back, err := sinks.ReturnedLetters(m)
			require.NoError(t, err)
			p, err := pipeline.New(sink, pipeline.Config[letter]{Clock: w.Clock(), Routes: []stage.Route[letter]{{To: back}}})
			require.NoError(t, err)
			n, err := p.EnqueueAll(letters)
			require.NoError(t, err)
			require.NoError(t, p.Close(t.Context()))
			require.EqualValues(t, n, p.Stats().Delivered+p.Stats().Rerouted)
			require.Empty(t, oracle.Identities(p.Stats()))
			letters = m.Events()
			for _, l := range letters {
				require.Equal(t, 1+round, l.Attempts)
				require.True(t, l.First.Equal(begin))
				require.True(t, l.Last.Equal(w.Clock().Now()))
			}
		}
		require.Equal(t, run(1, 1, 2), out)
	})
}

func eventsOf(letters []letter) (events []Event) {
	for _, l := range letters {
		events = append(events, l.Event)
	}
	return events
}
