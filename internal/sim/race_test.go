//go:build race

package sim

const (
	numSeeds   = 200
	numReplays = 20
)
