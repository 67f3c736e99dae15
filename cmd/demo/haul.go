package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"time"

	"github.com/penstock-go/penstock/cmd/demo/internal/frame"
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
const minQueueBytes = 4 * frame.DefaultMax

// letter is a line that an output has refused.
type letter = sinks.Letter[[]byte]

// haul is what ship and replay have in common: the configuration of a pipeline
// from one file to another, with a third for what that one refuses.
type haul struct {
	command    string
	in         inputs
	out        string
	dead       string // "": what is refused is lost
	overflow   choice
	queue      int
	queueBytes int64
	batch      int
	interval   time.Duration
	timeout    time.Duration
	stats      choice

	openFlags int                  // how to open the output
	begin     func(*os.File) error // called with the output before anything is read; nil if it is no file
	finding   bool                 // the inputs are looked for by the source
}

// newHaul returns the configuration of a command and its flags.
func newHaul(command string) (*haul, *flag.FlagSet) {
	h := &haul{
		command:   command,
		openFlags: os.O_WRONLY,
		begin:     empty,
		overflow:  choice{wait, []string{wait, dropOldest, dropNewest}},
		stats:     choice{statsNone, []string{statsNone, statsText, statsJSON}},
	}
	fs := newFlags("demo " + command)
	fs.Var(&h.in, "in", "`file` to read, - for the standard input; required")
	fs.StringVar(&h.out, "out", "", "`file` to write, - for the standard output, null for nowhere; required")
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
	case len(h.in.words) == 0:
		return errors.New("-in is missing")
	case h.in.single && len(h.in.words) > 1:
		return errors.New("-in is more than one file")
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
func (h *haul) main(p process, fs *flag.FlagSet, about string, args []string, check func() error, run func(context.Context, *files) (*verdict, error)) int {
	if code, ok := parse(p, fs, about, args, check); !ok {
		return code
	}
	return interruptible(p, fs.Name(), func(ctx context.Context) int {
		files, err := openFiles(p, h)
		if twice := (*sameFileError)(nil); errors.As(err, &twice) {
			return usageError(p, fs, err)
		}
		var v *verdict
		if err == nil {
			v, err = run(ctx, files)
		}
		if err != nil {
			fmt.Fprintf(p.stderr, "%s: %v\n", fs.Name(), err)
			return exitRuntime
		}
		return v.write(p.stderr, h.stats.word)
	})
}
