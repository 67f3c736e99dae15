//go:build !race

package sim

const (
	numSeeds   = 1000
	numReplays = 100
)
