package lab

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/penstock-go/penstock/clockutil"
	"github.com/penstock-go/penstock/cmd/demo/internal/hist"
	"github.com/penstock-go/penstock/stage"
)

// Story is an experiment in virtual time.
type Story struct {
	Outcome Outcome  `json:"outcome"`
	Moments []Moment `json:"moments"`
	Samples []Sample `json:"samples"` // at equal distances
}

// Sample is how things stood at one instant.
type Sample struct {
	At        time.Duration      `json:"at_ns"`
	Depth     uint64             `json:"depth"`
	InFlight  uint64             `json:"in_flight"`
	Delivered uint64             `json:"delivered"`
	Rerouted  uint64             `json:"rerouted"`
	Dropped   uint64             `json:"dropped"`
	Lost      uint64             `json:"lost"`
	Breaker   stage.BreakerState `json:"breaker"`
}

// numSamples is how many samples there are of the producing.
const numSamples = 360

// maxVirtual is the greatest number of events to produce. Each costs some
// microseconds where the runtime counts goroutines, and else a tenth of a
// millisecond or two.
const maxVirtual = 200_000

// CheckVirtual is Check, for [Play].
func (s *Settings) CheckVirtual() error {
	if err := s.Check(); err != nil {
		return err
	}
	switch {
	case s.Rate == 0:
		return errors.New("-rate is 0, want 1 or more in virtual time: flat out, time would stand still")
	case s.Workers > 1:
		return fmt.Errorf("-workers is %d, want 1 in virtual time: which of several comes first would be left to chance", s.Workers)
	case float64(s.Rate)*s.Duration.Seconds() > maxVirtual:
		return fmt.Errorf("-rate of %d for -duration of %v makes more than %d events, too many to play one by one", s.Rate, s.Duration, maxVirtual)
	}
	return nil
}

// player plays one experiment. It belongs to one goroutine; the pipeline's run
// while that waits for them to come to rest.
type player struct {
	settings Settings
	rig      *rig
	clk      *vclock
	start    time.Time
	watcher  watcher
	diary    *diary
	cast     []*actor
	tally    Tally
	story    Story
	sampled  time.Duration // when the next sample is due
}

// actor is a producer in virtual time.
type actor struct {
	id      uint32
	seq     uint64
	due     time.Duration // of its next event
	rand    *rand.Rand
	waiting chan error // the result of an EnqueueWait that found no room; nil: there is none
}

// Play plays an experiment in virtual time and returns its story. The same
// settings have the same story: the pipeline is real, with all its goroutines,
// but one thing happens at a time. An event is offered, or a timer fires, and
// nothing else before all goroutines have come to rest. What races within one
// such step has no order in the story either.
//
// Play watches all goroutines of the process, so nothing else may run meanwhile;
// and it sets GOMAXPROCS and the collector's settings until it returns. If ctx
// ends, the producing does.
func Play(ctx context.Context, s Settings) (*Story, error) {
	if err := s.CheckVirtual(); err != nil {
		return nil, err
	}
	defer alone()()
	return play(ctx, s, newWatcher(&s))
}

// play is Play by a given watcher.
func play(ctx context.Context, s Settings, w watcher) (*Story, error) {
	clk := newVClock()
	d := &diary{clk: clk, start: clk.Now()}
	r, err := newRig(&s, clk, d.hooks())
	if err != nil {
		return nil, err
	}
	p := &player{settings: s, rig: r, clk: clk, start: clk.Now(), watcher: w, diary: d}
	for i := range s.Producers {
		a := &actor{id: uint32(i), rand: rand.New(rand.NewPCG(s.Seed, uint64(i)))}
		a.due = p.gap(a)
		p.cast = append(p.cast, a)
	}
	err = p.produce(ctx)
	if err == nil {
		err = p.drain()
	}
	if err := errors.Join(err, r.remove()); err != nil {
		return nil, err
	}
	return &p.story, nil
}

// gap draws the time between two events of a producer: anything up to twice
// the mean. It reckons in whole numbers, which are the same on every machine.
func (p *player) gap(a *actor) time.Duration {
	mean := int64(time.Second) * int64(p.settings.Producers) / int64(p.settings.Rate)
	return time.Duration(a.rand.Int64N(2*mean + 1))
}

// rest lets everything happen that can happen at this instant.
func (p *player) rest() error {
	err := settle(p.watcher)
	p.diary.collect()
	return err
}

func (p *player) elapsed() time.Duration { return p.clk.Since(p.start) }

// produce plays until the duration is over.
func (p *player) produce(ctx context.Context) error {
	padding := paddingFor(p.settings.Size)
	err := p.rest()
	for err == nil && ctx.Err() == nil {
		next, a := p.settings.Duration, (*actor)(nil)
		for _, one := range p.cast {
			if one.waiting == nil && one.due < next {
				next, a = one.due, one
			}
		}
		if due, ok := p.clk.next(); ok && due.Sub(p.start) <= next {
			err = p.tick(due)
			continue
		}
		p.moveTo(next)
		if a == nil {
			return nil
		}
		err = p.offer(a, padding)
	}
	return err
}

// moveTo moves time, and takes the samples on the way.
func (p *player) moveTo(at time.Duration) {
	for step := p.settings.Duration / numSamples; p.sampled <= at; p.sampled += max(step, 1) {
		p.sample(p.sampled)
	}
	p.clk.moveTo(p.start.Add(at))
}

// tick moves time to the instant of a timer and lets it fire.
func (p *player) tick(due time.Time) error {
	p.moveTo(due.Sub(p.start))
	p.clk.fire()
	if err := p.rest(); err != nil {
		return err
	}
	p.hear()
	return nil
}

// offer offers an actor's next event.
func (p *player) offer(a *actor, padding []byte) error {
	ev := Event{Producer: a.id, Seq: a.seq, padding: padding}
	a.seq++
	a.due += p.gap(a)
	if p.settings.Overflow == Wait {
		a.waiting = make(chan error, 1)
		go func(done chan<- error) { done <- p.rig.p.EnqueueWait(context.Background(), ev) }(a.waiting)
	} else {
		err := p.rig.p.Enqueue(ev)
		p.tally.count(err)
		if err != nil {
			p.diary.note(atIntake, Moment{Kind: Refused, Events: 1, What: reason(err)})
		}
	}
	if err := p.rest(); err != nil {
		return err
	}
	p.hear()
	if a.waiting != nil {
		p.diary.note(atIntake, Moment{Kind: Blocked, Events: 1})
	}
	return nil
}

// hear takes the results of calls that waited for room. Whoever was held up
// goes on from now.
func (p *player) hear() {
	for _, a := range p.cast {
		select {
		case err := <-a.waiting:
			a.waiting = nil
			a.due = max(a.due, p.elapsed())
			p.tally.count(err)
		default:
		}
	}
}

// drain closes the pipeline, and lets calls that were given up return.
func (p *player) drain() error {
	p.diary.note(atIntake, Moment{Kind: Closing})
	p.diary.collect()
	produced := p.elapsed()
	ctx, cancel := clockutil.WithTimeoutCause(context.Background(), p.clk, p.settings.Drain, fmt.Errorf("-drain of %v passed", p.settings.Drain))
	defer cancel()
	closed := make(chan error, 1)
	go func() { closed <- p.rig.p.Close(ctx) }()
	var closing error
	done, took := false, produced
	for {
		if err := p.rest(); err != nil {
			return err
		}
		p.hear()
		if !done {
			select {
			case closing = <-closed:
				done, took = true, p.elapsed()
				cancel()
			default:
			}
		}
		due, ok := p.clk.next()
		if !ok {
			break
		}
		p.moveTo(due.Sub(p.start))
		p.clk.fire()
	}
	if !done {
		return errors.New("the pipeline waits for nothing and does not end")
	}
	p.sample(took)
	at := Snapshot{Elapsed: took, Tally: p.tally, Calls: new(hist.Histogram), Stats: p.rig.p.Stats()}
	p.story.Outcome = p.rig.outcome(&p.settings, at, produced, closing)
	p.story.Outcome.Clock = "virtual"
	p.story.Moments = p.diary.all
	return nil
}

func (p *player) sample(at time.Duration) {
	s := p.rig.p.Stats()
	p.story.Samples = append(p.story.Samples, Sample{
		At: at, Depth: s.Depth, InFlight: s.InFlight, Delivered: s.Delivered, Rerouted: s.Rerouted,
		Dropped: s.Evicted.Total() + s.Rejected.Full, Lost: s.Lost.Total(), Breaker: s.Sinks[0].Breaker,
	})
}
