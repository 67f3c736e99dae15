//go:build unix

package main

import (
	"syscall"
	"time"
)

// usage returns what the whole process has used so far: CPU time of user and
// system, and context switches. ok is false where that is not known.
func usage() (cpu time.Duration, switches int64, ok bool) {
	var r syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &r); err != nil {
		return 0, 0, false
	}
	return time.Duration(r.Utime.Nano() + r.Stime.Nano()), int64(r.Nvcsw + r.Nivcsw), true
}
