package view

import (
	"fmt"
	"time"

	"github.com/penstock-go/penstock/cmd/demo/internal/chart"
	"github.com/penstock-go/penstock/cmd/demo/internal/lab"
	"github.com/penstock-go/penstock/stage"
)

// Picture draws a story: what the pipeline held and where the events went, with
// the times when the breaker was not closed behind it.
func Picture(s *lab.Story) string {
	var at, held, delivered, rerouted, dropped, lost []float64
	per := 1.0
	for i, sample := range s.Samples {
		if i > 0 && i == len(s.Samples)-1 && sample.At-s.Samples[i-1].At < s.Samples[1].At {
			break // the end, too soon after the one before for a rate
		}
		at = append(at, sample.At.Seconds())
		held = append(held, float64(sample.Depth+sample.InFlight))
		var before lab.Sample
		if i > 0 {
			before = s.Samples[i-1]
			per = max((sample.At - before.At).Seconds(), 1e-9)
		}
		rate := func(a, b uint64) float64 { return float64(b-a) / per }
		delivered = append(delivered, rate(before.Delivered, sample.Delivered))
		rerouted = append(rerouted, rate(before.Rerouted, sample.Rerouted))
		dropped = append(dropped, rate(before.Dropped, sample.Dropped))
		lost = append(lost, rate(before.Lost, sample.Lost))
	}
	clock := func(v float64) string { return instant(time.Duration(v * float64(time.Second)))[:8] }
	bands := bands(s)
	o := &s.Outcome
	above := chart.Lines{
		Title: Title(&o.Settings), XLabel: "virtual time", YLabel: "events held", XFormat: clock, Clock: true, Bands: bands,
		Series: []chart.Series{{Name: "held by the pipeline", X: at, Y: held}},
	}
	below := chart.Lines{
		Title: fmt.Sprintf("seed %d", o.Settings.Seed), XLabel: "virtual time", YLabel: "events per second", XFormat: clock, Clock: true, Bands: bands,
		Series: []chart.Series{
			{Name: "delivered", X: at, Y: delivered}, {Name: "to the fallback", X: at, Y: rerouted},
			{Name: "dropped", X: at, Y: dropped}, {Name: "lost", X: at, Y: lost},
		},
	}
	return chart.Stack(1000, 320, above.SVG(1000, 320), below.SVG(1000, 320))
}

// bands are the times when the breaker was open, half open or the sink hung.
func bands(s *lab.Story) (bands []chart.Band) {
	open := -1.0
	end := s.Outcome.Took.Seconds()
	for _, m := range s.Moments {
		at := m.At.Seconds()
		switch {
		case m.Kind == lab.Stalled:
			bands = append(bands, chart.Band{From: at, To: at + m.For.Seconds(), Colour: "#e69f00", Name: "the sink hangs"})
		case m.Kind != lab.Turned:
		case m.What == change(stage.BreakerClosed, stage.BreakerOpen):
			open = at
		case m.What == change(stage.BreakerHalfOpen, stage.BreakerClosed) && open >= 0:
			bands = append(bands, breakerBand(open, at))
			open = -1
		}
	}
	if open >= 0 {
		bands = append(bands, breakerBand(open, end))
	}
	return bands
}

func breakerBand(from, to float64) chart.Band {
	return chart.Band{From: from, To: to, Colour: "#888888", Name: "the breaker is open"}
}

func change(from, to stage.BreakerState) string { return from.String() + " to " + to.String() }
