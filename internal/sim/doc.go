// Package sim holds the simulation of whole pipelines: real actors in a bubble
// of virtual time, with producers, sinks, stages and hooks that do the worst
// they can, drawn from a seed. What must hold is checked whenever nothing
// moves.
//
//	go test ./internal/sim -run Simulation -seeds 100000 -v
//	go test ./internal/sim -run Simulation -seed 17 -v
//
// A seed names a plan, and the plan is data: a failure prints it, and a plan in
// testdata stays a test after the code that draws plans has changed.
package sim
