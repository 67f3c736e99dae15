package main

import "slices"

// env is what groups are made for.
type env struct {
	scale
	places []place
}

// groups lists everything that can be measured, in the order it is shown in.
func groups(e env) []group {
	return []group{
		burstGroup(e), sustainedGroup(e), droppingGroup(e), crowdedGroup(e), coresGroup(e),
		latencyGroup(e), endGroup(e), callGroup(e), encodeGroup(e),
		memoryGroup(e), idleGroup(e), offeredGroup(e),
	}
}

// ours are the kinds that are penstock.
var ours = []string{penstockDrops.name, penstockWaits.name, penstockLogs.name, penstockSoon.name}

// fitting is subjects where the queue holds all there is: then ours may not lose
// anything either.
func fitting(kinds []kind, run func(kind) (trial, error)) []subject {
	s := subjects(kinds, run)
	for i := range s {
		s[i].safe = s[i].safe || s[i].ours
	}
	return s
}

// subjects makes one subject of each kind.
func subjects(kinds []kind, run func(kind) (trial, error)) (s []subject) {
	for _, k := range kinds {
		s = append(s, subject{k.name, k.blocks, slices.Contains(ours, k.name), func() (trial, error) { return run(k) }})
	}
	return s
}
