//go:build !unix

package main

import "time"

func usage() (cpu time.Duration, switches int64, ok bool) { return 0, 0, false }
