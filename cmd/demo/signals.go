package main

import (
	"context"
	"fmt"
	"os"

	"github.com/penstock-go/penstock/cmd/demo/internal/term"
)

// interruptible runs f. The first signal ends f's context, with the signal as
// the cause; f then comes to an orderly end. The second one does not wait for
// that.
func interruptible(p process, name string, f func(ctx context.Context) int) int {
	ctx, stop := context.WithCancelCause(context.Background())
	defer stop(nil)
	fresh := "" // a line of its own, behind a progress line or the terminal's ^C
	if term.IsTerminal(p.stderr) {
		fresh = "\n"
	}
	code := make(chan int, 1)
	go func() { code <- f(ctx) }()
	for {
		select {
		case c := <-code:
			return c
		case s := <-p.signals:
			if ctx.Err() != nil {
				fmt.Fprintf(p.stderr, "%s%s: %v again: quitting at once, without a verdict\n", fresh, name, s)
				return exitQuit
			}
			fmt.Fprintf(p.stderr, "%s%s: %v: draining; a second signal quits at once\n", fresh, name, s)
			stop(signalError{s})
		}
	}
}

// signalError is the cause of a context that a signal has ended.
type signalError struct{ os.Signal }

func (e signalError) Error() string { return e.String() }
