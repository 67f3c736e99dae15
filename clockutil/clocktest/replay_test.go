package clocktest_test

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/penstock-go/penstock/clockutil"
	"github.com/penstock-go/penstock/clockutil/clocktest"
)

// upTo draws a duration of up to ms milliseconds, unlike any other.
func upTo(r *rand.Rand, ms int64) time.Duration {
	return clocktest.Jitter(r, time.Duration(r.Int64N(ms))*time.Millisecond)
}

// scenario plays a small pipeline by the plan of the world's seed: producers
// that send at random instants, a sink that takes its time and fails at random,
// a retry with backoff. It returns what the sink saw, and when.
func scenario(t *testing.T, w *clocktest.World) (trace []string) {
	const producers, each = 3, 10
	sunk := clocktest.NewRecorder[string](w)
	events := make(chan string)
	left := make(chan struct{}, producers)
	for p := range producers {
		name := fmt.Sprint("producer ", p)
		r := w.Rand(name)
		go func() {
			for i := range each {
				if clockutil.Sleep(t.Context(), w.Clock(), upTo(r, 1000)) == nil {
					events <- fmt.Sprint(name, " event ", i)
				}
			}
			left <- struct{}{}
		}()
	}
	r := w.Rand("sink")
	write := func(event string) error {
		err := clockutil.Sleep(t.Context(), w.Clock(), upTo(r, 50))
		if err == nil && r.IntN(5) == 0 {
			err = errors.New("down")
		}
		sunk.Add(fmt.Sprint(event, " ", err))
		return err
	}
	go func() {
		for event := range events {
			backoff := 10 * time.Millisecond
			for write(event) != nil && clockutil.Sleep(t.Context(), w.Clock(), backoff) == nil {
				backoff *= 2
			}
		}
	}()
	w.Advance(time.Minute)
	for range producers {
		<-left
	}
	close(events)
	for i, at := range sunk.Times() {
		trace = append(trace, fmt.Sprint(at, " ", sunk.Values()[i]))
	}
	return trace
}

// A seed means the same run each time, and on both kinds of clock.
func TestASeedIsARun(t *testing.T) {
	traces := map[uint64][]string{}
	for range 2 {
		clocktest.ExploreBoth(t, 25, func(t *testing.T, w *clocktest.World) {
			trace := scenario(t, w)
			require.GreaterOrEqual(t, len(trace), 30)
			if first, ok := traces[w.Seed()]; ok {
				require.Equal(t, first, trace)
			}
			traces[w.Seed()] = trace
		})
	}
	require.NotEqual(t, traces[1], traces[2])
}

// BenchmarkExplore measures what a seed costs beyond its body.
func BenchmarkExplore(b *testing.B) {
	for _, kind := range []struct {
		name string
		opts []clocktest.Option
	}{{"real", nil}, {"mock", []clocktest.Option{clocktest.WithMock()}}} {
		b.Run(kind.name, func(b *testing.B) {
			b.ReportAllocs()
			n := b.N
			testing.RunTests(func(string, string) (bool, error) { return true, nil }, []testing.InternalTest{{
				Name: "Explore",
				F: func(t *testing.T) {
					clocktest.Explore(t, n, func(*testing.T, *clocktest.World) {}, kind.opts...)
				},
			}})
		})
	}
}
