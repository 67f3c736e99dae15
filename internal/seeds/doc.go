// Package seeds plays a scenario once for each of many seeds and says how it
// went: how fast, what the scenarios had in them, and which seed failed, with
// its trace and the command that plays it again.
//
// A test hands its scenario to [Simulation.Run]. Two flags of the test binary
// choose what is played:
//
//	-seeds N   N seeds, from 1, whatever the test says
//	-seed S    seed S alone, with its trace
//
// A seed names a scenario for as long as the code that draws from it is the
// same. Whoever keeps a seed as a regression test says so beside it, or keeps
// what was drawn.
package seeds
