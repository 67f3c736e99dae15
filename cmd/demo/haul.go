package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"time"

	"github.com/penstock-go/penstock/sinks"
)

// The overflow policies.
const (
	wait       = "wait"
	dropOldest = "drop-oldest"
	dropNewest = "drop-newest"
)

// The formats of the ledger.
const (
	statsNone = "none"
	statsText = "text"
	statsJSON = "json"
)

// minQueueBytes leaves room for a few of the longest events.
const minQueueBytes = 4 * maxEvent

// letter is a line that an output has refused.
type letter = sinks.Letter[[]byte]

// haul is what ship and replay have in common: the configuration of a pipeline
// from one file to another, with a third for what that one refuses.
type haul struct {
	command    string
	in, out    string
	dead       string // "": what is refused is lost
	overflow   choice
	queue      int
	queueBytes int64
	batch      int
	interval   time.Duration
	timeout    time.Duration
	stats      choice
}

// newHaul returns the configuration of a command and its flags.
func newHaul(command string) (*haul, *flag.FlagSet) {
	h := &haul{
		command:  command,
		overflow: choice{wait, []string{wait, dropOldest, dropNewest}},
		stats:    choice{statsNone, []string{statsNone, statsText, statsJSON}},
	}
	fs := newFlags("demo " + command)
	fs.StringVar(&h.in, "in", "", "`file` to read, - for the standard input; required")
	fs.StringVar(&h.out, "out", "", "`file` to write, - for the standard output; required")
	fs.StringVar(&h.dead, "dead", "", "`file` to append what the output refuses to, as dead letters (default: it is lost)")
	fs.IntVar(&h.queue, "queue", 8192, "`events` that may wait in the queue")
	fs.Int64Var(&h.queueBytes, "queue-bytes", 64<<20, "`bytes` that the pipeline may hold; at least 262144")
	fs.IntVar(&h.batch, "batch", 0, "`events` in a batch; at most -queue (default 512, or -queue if that is less)")
	fs.DurationVar(&h.interval, "interval", 100*time.Millisecond, "greatest time that an event waits for its batch to fill")
	fs.DurationVar(&h.timeout, "timeout", 10*time.Second, "greatest time for delivering the rest after a signal or a write error")
	fs.Var(&h.stats, "stats", "`format` of the ledger at the end: none, text or json")
	return h, fs
}

func (h *haul) check() error {
	switch {
	case h.in == "":
		return errors.New("-in is missing")
	case h.out == "":
		return errors.New("-out is missing")
	case h.queue < 1:
		return fmt.Errorf("-queue is %d, want 1 or more", h.queue)
	case h.queueBytes < minQueueBytes:
		return fmt.Errorf("-queue-bytes is %d, want %d or more", h.queueBytes, minQueueBytes)
	case h.batch < 0 || h.batch > h.queue:
		return fmt.Errorf("-batch is %d, want 1 to %d (-queue)", h.batch, h.queue)
	case h.interval <= 0:
		return fmt.Errorf("-interval is %v, want more than 0", h.interval)
	case h.timeout <= 0:
		return fmt.Errorf("-timeout is %v, want more than 0", h.timeout)
	}
	return nil
}

// main parses args and has run do the work. It returns the exit code.
func (h *haul) main(p process, fs *flag.FlagSet, about string, args []string, run func(context.Context, *files) (*verdict, error)) int {
	if code, ok := parse(p, fs, about, args, h.check); !ok {
		return code
	}
	return interruptible(p, fs.Name(), func(ctx context.Context) int {
		files, err := openFiles(p, h.in, h.out, h.dead)
		if twice := (*sameFileError)(nil); errors.As(err, &twice) {
			return usageError(p, fs, err)
		}
		var v *verdict
		if err == nil {
			defer files.close()
			v, err = run(ctx, files)
		}
		if err != nil {
			fmt.Fprintf(p.stderr, "%s: %v\n", fs.Name(), err)
			return exitRuntime
		}
		return v.write(p.stderr, h.stats.word)
	})
}
