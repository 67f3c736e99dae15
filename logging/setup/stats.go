package setup

import "github.com/penstock-go/penstock/pipeline"

// Stats are the books of a [Log]. When no call is under way
//
//	Records = Filtered + Below + OutputStats.Filtered + Pipeline.Offered − Summaries
//
// for each output. Records below the level of their logger are not counted.
type Stats struct {
	Records      uint64        `json:"records"`       // that were logged
	Filtered     uint64        `json:"filtered"`      // by Config.Filter
	FilterPanics uint64        `json:"filter_panics"` // filters that panicked, all of them
	Outputs      []OutputStats `json:"outputs"`       // in the order of Config.Outputs
}

// OutputStats are the books of one output.
type OutputStats struct {
	Below     uint64         `json:"below"`     // records below its level
	Filtered  uint64         `json:"filtered"`  // by its filter
	Summaries uint64         `json:"summaries"` // of drops, offered to the pipeline
	Pipeline  pipeline.Stats `json:"pipeline"`  // its name is there
}

// Stats returns a snapshot.
func (l *Log) Stats() Stats {
	s := Stats{
		Records: l.fan.records.Load(), Filtered: l.fan.filtered.Load(), FilterPanics: l.fan.panics.Load(),
		Outputs: make([]OutputStats, len(l.fan.outputs)),
	}
	for i, o := range l.fan.outputs {
		s.Outputs[i] = OutputStats{Below: o.below.Load(), Filtered: o.filtered.Load(), Pipeline: o.pipe.Stats()}
		if o.summary != nil {
			s.Outputs[i].Summaries = o.summary.sent.Load()
		}
	}
	return s
}
