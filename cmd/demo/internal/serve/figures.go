package serve

import (
	"time"

	"github.com/penstock-go/penstock/cmd/demo/internal/lab"
	"github.com/penstock-go/penstock/cmd/demo/internal/view"
	"github.com/penstock-go/penstock/pipeline"
)

// figures is what the page is told of a moment.
type figures struct {
	Run       int            `json:"run"`
	State     string         `json:"state"`
	Title     string         `json:"title"`
	Args      []string       `json:"args"` // of demo run, for the same experiment
	Settings  lab.Settings   `json:"settings"`
	Elapsed   time.Duration  `json:"elapsed_ns"`
	Rate      int            `json:"rate"`
	Producers int            `json:"producers"`
	Faults    lab.Faults     `json:"faults"`
	Stalled   bool           `json:"stalled"`
	PerSecond rates          `json:"per_second"`
	Calls     lab.Latency    `json:"calls"` // of the last second
	Breaker   string         `json:"breaker"`
	Stats     pipeline.Stats `json:"stats"`
	Outcome   *ending        `json:"outcome,omitempty"`
}

type rates struct {
	Offered   float64 `json:"offered"`
	Delivered float64 `json:"delivered"`
	Rerouted  float64 `json:"rerouted"`
	Dropped   float64 `json:"dropped"`
	Lost      float64 `json:"lost"`
}

// ending is what the page is told of an outcome.
type ending struct {
	Verdict   string        `json:"verdict"`
	Books     string        `json:"books"` // "" if they balance
	Closing   string        `json:"closing"`
	Took      time.Duration `json:"took_ns"`
	PerSecond float64       `json:"events_per_second"`
}

// reader turns trials into figures. It remembers a second, for the rates.
type reader struct {
	run    int
	recent []lab.Snapshot
}

func (r *reader) read(t trial) figures {
	at := t.lab.Snapshot()
	if r.run != t.run {
		r.run, r.recent = t.run, []lab.Snapshot{at}
	}
	r.recent = append(r.recent, at)
	for len(r.recent) > 2 && at.Elapsed-r.recent[1].Elapsed >= time.Second {
		r.recent = r.recent[1:]
	}
	s := t.lab.Settings()
	b := view.NewBetween(s, r.recent[0], at)
	f := figures{
		Run: t.run, State: t.state, Title: view.Title(&s), Args: s.Args(), Settings: s, Elapsed: at.Elapsed,
		Rate: at.Rate, Producers: at.Producers, Faults: at.Faults, Stalled: at.Stalled, Calls: b.Calls,
		Breaker: at.Stats.Sinks[0].Breaker.String(), Stats: at.Stats,
	}
	if t.outcome != nil {
		o := t.outcome
		f.Elapsed, f.Stats, f.Calls = o.Took, o.Stats, o.Calls
		f.Outcome = &ending{Verdict: o.Verdict, Books: o.Books, Closing: o.Closing, Took: o.Took, PerSecond: o.PerSecond}
	} else {
		f.PerSecond = rates{b.Offered, b.Delivered, b.Rerouted, b.Dropped, b.Lost}
	}
	return f
}
