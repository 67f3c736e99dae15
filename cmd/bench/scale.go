package main

import "time"

// scale is how much is measured. Bursts have a number of events; elsewhere time
// decides, so that a slow machine measures fewer events and not for longer.
type scale struct {
	producers  []int
	burst      int // events
	ring       int // queue that takes a burst
	queue      int // queue of everything else
	sustained  time.Duration
	brief      time.Duration // the same where there are many cases
	procs      []int         // more than there may be cores
	crowd      []int         // producers on them
	cores      []int         // of the model
	stall      time.Duration
	pause      time.Duration // of paced producers
	end        time.Duration // of production into a file
	endLimit   int           // events of all producers into a file
	encode     time.Duration
	idle       time.Duration
	idleReps   int // repetitions of what takes so long and varies so little
	offer      time.Duration
	loads      []int // events a second
	calls      []int // producers of whole logging calls
	callers    []int // producers of timed calls, and of files
	contenders []int // producers of timed calls that do not pause
	memory     int   // events
	reps       int
}

func fullScale() scale {
	return scale{
		producers:  []int{1, 2, 8, 64},
		burst:      98_304,
		ring:       131_072,
		queue:      8192,
		sustained:  2 * time.Second,
		brief:      time.Second,
		procs:      []int{4, 8, 16},
		crowd:      []int{2, 8, 64},
		cores:      []int{1, 2, 4, 8, 16, 32, 64},
		stall:      300 * time.Millisecond,
		pause:      10 * time.Microsecond,
		end:        500 * time.Millisecond,
		endLimit:   4_000_000,
		encode:     200 * time.Millisecond,
		idle:       5 * time.Second,
		idleReps:   3,
		offer:      time.Second,
		loads:      []int{1_000, 10_000, 100_000, 1_000_000, 10_000_000},
		calls:      []int{1, 2, 8},
		callers:    []int{1, 4},
		contenders: []int{1, 2, 4, 8, 64},
		memory:     65_536,
		reps:       9,
	}
}

// quickScale is for a first look: runs are so short that single ones are noise.
func quickScale() scale {
	s := fullScale()
	s.sustained, s.brief = 60*time.Millisecond, 60*time.Millisecond
	s.crowd = []int{8}
	s.stall = 30 * time.Millisecond
	s.end, s.endLimit = 50*time.Millisecond, 500_000
	s.encode = 20 * time.Millisecond
	s.idle, s.idleReps = 500*time.Millisecond, 1
	s.offer = 120 * time.Millisecond
	s.reps = 3
	return s
}
