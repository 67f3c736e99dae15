// Package penstock is the front page of a library for pipelines that take
// events from an application, batch them, and deliver them to destinations
// that may be slow or fail. It holds no code.
//
//   - Package pipeline is where to begin: New, Enqueue, Flush, Close, Stats, and
//     Fan for several outputs.
//   - Package stage holds the interfaces to implement (Sink, Stage, Route), the
//     values that pass through them, and the actors a pipeline is made of.
//   - Package sinks holds destinations (files, writers, memory) and decorators,
//     and its package sinktest a conformance suite for sinks of your own.
//   - Package logging is a log/slog handler in front of a pipeline, with encoders.
//   - The modules metrics/prometheus and metrics/otel export a pipeline's Stats.
//   - Package clockutil waits on any clock, and its package clocktest runs tests
//     of what waits in virtual time.
//
// The delivery of an event of any type T begins with Enqueue, which never
// blocks, and ends in exactly one of these, each of which is counted: the sink
// took it, a route took it, a stage removed it, a newer event evicted it, or it
// was lost for a stated reason. In every snapshot of a pipeline's Stats
//
//	Offered  = Accepted + Rejected
//	Accepted = Delivered + Rerouted + Filtered + Evicted + Lost + Buffered
//	Buffered = Depth + InFlight
//
// The queue is in memory: what it holds does not survive the process.
//
// The folder docs explains the promises (delivery.md), the structure
// (architecture.md), the settings (tuning.md), logging (logging.md), message
// templates (templates.md), coming from other libraries (migration.md), the
// metrics (metrics.md), testing with virtual time (testing.md), what it costs
// beside others (performance.md), the demo (demo.md), and shipping of log files
// (ship.md).
package penstock
