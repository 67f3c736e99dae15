//go:build race

package stage

const simSeeds = 1000 // one goroutine has no races
