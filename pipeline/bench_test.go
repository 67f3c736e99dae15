package pipeline_test

import (
	"context"
	"fmt"
	"runtime"
	"runtime/metrics"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/penstock-go/penstock/pipeline"
	"github.com/penstock-go/penstock/stage"
)

// The benchmarks compare a pipeline with a plain buffered channel and one
// receiver that does the same work. Both run within one iteration, one after
// the other and in alternating order, so that a ratio is taken between
// neighbors in time; every iteration asserts what was delivered.
//
//	go test -run '^$' -bench 'Burst|Sustained|WholeRun' -benchtime 9x ./pipeline

// record is an event of 128 bytes.
type record struct {
	Time  int64
	Level int64
	Seq   uint64
	Msg   string
	Attrs [5]struct {
		Key *byte
		Val int64
	}
	_ int64
}

// ready returns a producer's events. They are made before, because what is made a
// moment before it is copied stalls the copy, whoever copies it.
func ready() (evs [16]record) {
	for i := range evs {
		evs[i].Seq = uint64(i)
	}
	return evs
}

// tally is the work of either consumer: it looks at every event.
type tally struct {
	n   uint64
	sum uint64
}

func (t *tally) take(ev *record) {
	t.n++
	t.sum += ev.Seq
}

// subject is one of the two that are compared.
type subject struct {
	produce func(n int)       // called by each producer for its share
	target  func(upTo uint64) // announces what drain will wait for
	drain   func(upTo uint64) // waits until so many were consumed since the start
	finish  func() *tally     // waits for everything to be consumed, and ends it
}

func newChannel(size int, block bool) subject {
	ch := make(chan record, size)
	var got tally
	var target atomic.Uint64
	reached, done := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(done)
		for ev := range ch {
			if got.take(&ev); got.n == target.Load() {
				reached <- struct{}{}
			}
		}
	}()
	return subject{
		produce: func(n int) {
			evs := ready()
			for i := range n {
				ev := &evs[i%len(evs)]
				if block {
					ch <- *ev
					continue
				}
				select {
				case ch <- *ev:
				default:
				}
			}
		},
		drain:  func(upTo uint64) { <-reached },
		target: func(upTo uint64) { target.Store(upTo) },
		finish: func() *tally { close(ch); <-done; return &got },
	}
}

func newPipeline(b *testing.B, size int, block bool) subject {
	var got tally
	sink := stage.SinkFunc[record](func(_ context.Context, evs []record) error {
		for i := range evs {
			got.take(&evs[i])
		}
		return nil
	})
	p, err := pipeline.New[record](sink, pipeline.Config[record]{QueueSize: size})
	if err != nil {
		b.Fatal(err)
	}
	ctx := context.Background()
	return subject{
		produce: func(n int) {
			evs := ready()
			for i := range n {
				ev := &evs[i%len(evs)]
				if block {
					_ = p.EnqueueWait(ctx, *ev)
					continue
				}
				_ = p.Enqueue(*ev)
			}
		},
		target: func(uint64) {},
		drain: func(uint64) {
			if err := p.Flush(ctx); err != nil {
				b.Fatal(err)
			}
		},
		finish: func() *tally {
			if err := p.Close(ctx); err != nil {
				b.Fatal(err)
			}
			if s := p.Stats(); s.Delivered != got.n || s.Accepted != s.Delivered+s.Evicted.Total() {
				b.Fatalf("delivered %d: %+v", got.n, s)
			}
			return &got
		},
	}
}

// drive has producers share total events from behind a barrier. It returns the
// time until the last of them was done, and their allocations.
func drive(s subject, producers, total int) (time.Duration, uint64) {
	start := make(chan struct{})
	var ready, done sync.WaitGroup
	for k := range producers {
		share := total / producers
		if k < total%producers {
			share++
		}
		ready.Add(1)
		done.Go(func() {
			ready.Done()
			<-start
			s.produce(share)
		})
	}
	ready.Wait()
	before := mallocs()
	t := time.Now()
	close(start)
	done.Wait()
	d := time.Since(t)
	return d, mallocs() - before
}

// mallocs reads a counter without stopping the world, which would leave the
// consumers asleep at the start of what is measured.
func mallocs() uint64 {
	s := []metrics.Sample{{Name: "/gc/heap/allocs:objects"}}
	metrics.Read(s)
	return s[0].Value.Uint64()
}

// rivals gathers what was measured.
type rivals struct{ us, them, ratios, allocs []float64 }

// inTurn measures both, in alternating order.
func (r *rivals) inTurn(i int, ours, theirs func() (ns, allocs float64)) {
	var a, c, m float64
	if i%2 == 0 {
		a, m = ours()
		c, _ = theirs()
	} else {
		c, _ = theirs()
		a, m = ours()
	}
	r.us, r.them, r.ratios, r.allocs = append(r.us, a), append(r.them, c), append(r.ratios, a/c), append(r.allocs, m)
}

// report gives the medians: ns/event of each, their ratio, and the pipeline's
// allocations for each event.
func (r *rivals) report(b *testing.B) {
	b.ReportMetric(0, "ns/op")
	b.ReportMetric(median(r.us), "ns/event")
	b.ReportMetric(median(r.them), "chan-ns/event")
	b.ReportMetric(median(r.ratios), "x-chan")
	b.ReportMetric(median(r.allocs), "allocs/event")
}

// duel runs a subject of each kind, with as many events as size says for it.
// whole counts the time until it has ended, too.
func duel(b *testing.B, producers, queue int, size func(mk func() subject) int, whole bool) {
	ours := func() subject { return newPipeline(b, queue, true) }
	theirs := func() subject { return newChannel(queue, true) }
	run := func(mk func() subject, total int) (ns, allocs float64) {
		runtime.GC()
		s := mk()
		t := time.Now()
		d, m := drive(s, producers, total)
		got := s.finish()
		if whole {
			d = time.Since(t)
		}
		if got.n != uint64(total) {
			b.Fatalf("%d of %d events consumed", got.n, total)
		}
		return float64(d) / float64(total), float64(m) / float64(total)
	}
	us, them := size(ours), size(theirs)
	var r rivals
	for i := 0; b.Loop(); i++ {
		r.inTurn(i,
			func() (float64, float64) { return run(ours, us) },
			func() (float64, float64) { return run(theirs, them) })
	}
	r.report(b)
}

// lasting returns how many events a subject takes in about d on this machine:
// more and more, until a run has lasted for a good part of that.
func lasting(d time.Duration, producers int, mk func() subject) int {
	for n := 1 << 16; ; n *= 2 {
		s := mk()
		took, _ := drive(s, producers, n)
		s.finish()
		if took > d/16 {
			return int(float64(n) * float64(d) / float64(took))
		}
	}
}

func median(v []float64) float64 {
	s := slices.Sorted(slices.Values(v))
	return s[len(s)/2]
}

var producerCounts = []int{1, 2, 8, 64}

// BenchmarkBurst: 98,304 events into a queue of 131,072, which holds them all.
// The first burst finds a queue that was just made; the channel's memory is
// then new to the process, the pipeline's was touched by New. Later bursts find
// memory and consumers warm.
func BenchmarkBurst(b *testing.B) {
	const total, queue, later = 98_304, 131_072, 8
	for _, n := range producerCounts {
		bursts := func(b *testing.B, count int) {
			var r rivals
			for i := 0; b.Loop(); i++ {
				us, them := newPipeline(b, queue, false), newChannel(queue, false)
				runtime.GC() // of the queues before, which would run through half of the first bursts
				var sent uint64
				for round := range count {
					sent += total
					burst := func(s subject) (ns, allocs float64) {
						s.target(sent)
						d, m := drive(s, n, total)
						s.drain(sent)
						return float64(d) / total, float64(m) / total
					}
					ours, theirs := func() (float64, float64) { return burst(us) }, func() (float64, float64) { return burst(them) }
					if round == 0 && count > 1 {
						ours()
						theirs()
						continue
					}
					r.inTurn(i+round, ours, theirs)
				}
				for _, s := range []subject{us, them} {
					if got := s.finish(); got.n != sent {
						b.Fatalf("%d of %d events consumed", got.n, sent)
					}
				}
			}
			r.report(b)
		}
		b.Run(fmt.Sprintf("first/producers=%d", n), func(b *testing.B) { bursts(b, 1) })
		b.Run(fmt.Sprintf("later/producers=%d", n), func(b *testing.B) { bursts(b, 1+later) })
	}
}

// BenchmarkSustained: about two seconds flat out through a queue of 8192,
// nothing lost; also with more procs than there may be cores, so that lock
// holders are preempted.
func BenchmarkSustained(b *testing.B) {
	const queue = 8192
	procs := runtime.GOMAXPROCS(0)
	defer runtime.GOMAXPROCS(procs)
	for _, gmp := range []int{procs, 4, 8} {
		for _, n := range producerCounts {
			b.Run(fmt.Sprintf("procs=%d/producers=%d", gmp, n), func(b *testing.B) {
				runtime.GOMAXPROCS(gmp)
				duel(b, n, queue, func(mk func() subject) int { return lasting(2*time.Second, n, mk) }, false)
			})
		}
	}
}

// BenchmarkDropping: half a second flat out through a queue of 8192, and nobody
// waits. It reports the share that each drops, and what arrives; a time for each
// call would compare nothing, for dropping is quick.
func BenchmarkDropping(b *testing.B) {
	const queue = 8192
	for _, n := range producerCounts {
		b.Run(fmt.Sprintf("producers=%d", n), func(b *testing.B) {
			shares := [2][]float64{}
			rates := [2][]float64{}
			for i := 0; b.Loop(); i++ {
				for k := range 2 {
					k = (k + i) % 2
					mk := func() subject { return newPipeline(b, queue, false) }
					if k == 1 {
						mk = func() subject { return newChannel(queue, false) }
					}
					total := lasting(time.Second/2, n, mk)
					runtime.GC()
					s := mk()
					d, _ := drive(s, n, total)
					got := s.finish().n
					if got == 0 || got > uint64(total) {
						b.Fatalf("%d of %d events consumed", got, total)
					}
					shares[k] = append(shares[k], 100*(1-float64(got)/float64(total)))
					rates[k] = append(rates[k], float64(got)/d.Seconds()/1e6)
				}
			}
			b.ReportMetric(0, "ns/op")
			b.ReportMetric(median(shares[0]), "%dropped")
			b.ReportMetric(median(shares[1]), "chan-%dropped")
			b.ReportMetric(median(rates[0]), "M/s")
			b.ReportMetric(median(rates[1]), "chan-M/s")
		})
	}
}

// BenchmarkWholeRun: from the first event until Close has returned.
func BenchmarkWholeRun(b *testing.B) {
	const total, queue = 4_000_000, 8192
	for _, n := range producerCounts {
		b.Run(fmt.Sprintf("producers=%d", n), func(b *testing.B) {
			duel(b, n, queue, func(func() subject) int { return total }, true)
		})
	}
}

// BenchmarkStalled: a sink that does not return, one producer, a queue that
// overflows. It reports quantiles of single calls, the clock's reading
// included.
func BenchmarkStalled(b *testing.B) {
	const calls = 1_000_000
	var p50, p99, p999, most []float64
	for b.Loop() {
		release := make(chan struct{})
		sink := stage.SinkFunc[record](func(context.Context, []record) error { <-release; return nil })
		p, err := pipeline.New[record](sink, pipeline.Config[record]{})
		if err != nil {
			b.Fatal(err)
		}
		took := make([]float64, calls)
		for i := range took {
			t := time.Now()
			err := p.Enqueue(record{Seq: uint64(i)})
			took[i] = float64(time.Since(t))
			if err != nil {
				b.Fatal(err)
			}
		}
		s := p.Stats()
		close(release)
		if err := p.Close(context.Background()); err != nil {
			b.Fatal(err)
		}
		if s.Accepted != calls || s.Evicted.Total()+s.Buffered != calls || s.Evicted.Total() < calls*9/10 {
			b.Fatalf("%+v", s)
		}
		slices.Sort(took)
		p50 = append(p50, took[calls/2])
		p99 = append(p99, took[calls-calls/100])
		p999 = append(p999, took[calls-calls/1000])
		most = append(most, took[calls-1])
	}
	b.ReportMetric(0, "ns/op")
	b.ReportMetric(median(p50), "p50-ns")
	b.ReportMetric(median(p99), "p99-ns")
	b.ReportMetric(median(p999), "p99.9-ns")
	b.ReportMetric(median(most), "max-ns")
}
