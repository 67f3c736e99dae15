//go:build !race

package stage

const simSeeds = 20_000
