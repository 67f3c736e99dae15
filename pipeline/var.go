package pipeline

import (
	"encoding/json"
	"fmt"
)

// Var returns the pipeline's Stats as a variable for package expvar: a
// String that is JSON, of the instant it is called.
//
//	var pipelines = expvar.NewMap("pipelines")
//
//	pipelines.Set("logs", p.Var())
//
// This package does not import expvar, which opens a page on the server that
// the process may have. The variable keeps the pipeline in memory, and shows
// its last figures once it is closed; Delete of the map takes it back.
func (p *Pipeline[T]) Var() fmt.Stringer { return jsonOf(func() any { return p.Stats() }) }

// Var is [Pipeline.Var] for all outputs: a list, in the order they were given
// to NewFan.
func (f *Fan[T]) Var() fmt.Stringer { return jsonOf(func() any { return f.Stats() }) }

type jsonOf func() any

func (get jsonOf) String() string {
	text, err := json.Marshal(get())
	if err != nil { // nothing in Stats can cause it
		return "null"
	}
	return string(text)
}
