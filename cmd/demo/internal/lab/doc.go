// Package lab runs experiments with a pipeline: producers on one side, a sink
// with faults on the other, and books that are held against independent counts.
//
// [Start] runs one in real time; it can be watched by [Lab.Snapshot] and turned
// at by the methods that begin with Set while it runs. [Play] runs one in
// virtual time, where the same settings give the same history every time.
package lab
