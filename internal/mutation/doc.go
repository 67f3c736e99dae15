// Package mutation holds the table of faults that its test plants in the
// bookkeeping, one at a time, to show that the pipeline's test suite has
// teeth: with each of them the suite must fail, and without one it must pass.
//
// The faults are compiled in by the build tag plantedfaults and chosen by the
// environment variable PENSTOCK_FAULT; a normal build contains none of it.
package mutation
