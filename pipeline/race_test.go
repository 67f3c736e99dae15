//go:build race

package pipeline_test

const randomSeeds = 1000
