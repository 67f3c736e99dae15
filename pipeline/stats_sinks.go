package pipeline

import (
	"strconv"

	"github.com/penstock-go/penstock/stage"
)

// SinkStats are the figures of one sink. Those of SinkCalls are counted by the
// pipeline, those of SinkReport by the sink itself, if it has a method Report;
// a sink that serves twice reports the same figures twice.
type SinkStats struct {
	// Role is "main" for the pipeline's own sink and "route0", "route1" and so
	// on for those of Config.Routes. Names may occur twice, roles do not.
	Role string `json:"role"`
	stage.SinkCalls
	stage.SinkReport
}

// roles returns the roles of the sinks of a pipeline, in the order of
// Stats.Sinks.
func roles(routes int) []string {
	all := []string{"main"}
	for i := range routes {
		all = append(all, "route"+strconv.Itoa(i))
	}
	return all
}

func (p *Pipeline[T]) sinkStats() []SinkStats {
	all := make([]SinkStats, len(p.roles))
	for i := range all {
		s := &all[i]
		s.Role = p.roles[i]
		if i == 0 {
			s.SinkCalls = p.sup.flusher.Calls()
			report(p.sup.flusher.Sink, &s.SinkReport)
			continue
		}
		s.SinkCalls = p.sup.router.Calls(i - 1)
		report(p.cfg.Routes[i-1].To, &s.SinkReport)
	}
	return all
}

// report asks a sink for what it counts itself. One that panics has counted
// nothing.
func report[T any](sink stage.Sink[T], r *stage.SinkReport) {
	defer func() {
		if recover() != nil {
			*r = stage.SinkReport{}
		}
	}()
	stage.ReportSink(sink, r)
}
