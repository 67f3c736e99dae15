// Package pipeline joins the actors of package stage into a pipeline: events
// go in by Enqueue, which never blocks, and come out at a sink in batches.
//
//	p, err := pipeline.New(sink, pipeline.Config[Event]{})
//	...
//	err = p.Enqueue(ev)
//	...
//	err = p.Close(ctx)
//
// At any instant [Pipeline.Stats] says exactly what became of every event:
//
//	Offered  = Accepted + Rejected
//	Accepted = Delivered + Rerouted + Filtered + Evicted + Lost + Buffered
//	Buffered = Depth + InFlight
//
// All methods of a [Pipeline] may be called concurrently. A pipeline must be
// closed: until then its goroutines live.
package pipeline
