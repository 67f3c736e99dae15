package clockutil_test

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/benbjohnson/clock"

	"github.com/penstock-go/penstock/clockutil"
)

// A loop gathers lines and lets them go a moment after the first: the timer is
// armed by the first line, and an idle loop has none.
func ExampleTimer() {
	lines := make(chan string, 2)
	lines <- "one"
	lines <- "two"

	var gathered []string
	t := clockutil.NewStoppedTimer(clock.New())
	defer t.Stop()
	for gathered == nil || len(gathered) > 0 {
		select {
		case line := <-lines:
			if len(gathered) == 0 {
				t.Reset(10 * time.Millisecond)
			}
			gathered = append(gathered, line)
		case <-t.C(): // read anew each time round
			fmt.Println(gathered)
			gathered = gathered[:0]
		}
	}
	// Output: [one two]
}

func ExampleWithTimeoutCause() {
	errTooSlow := errors.New("the sink took too long")
	ctx, cancel := clockutil.WithTimeoutCause(context.Background(), clock.New(), time.Millisecond, errTooSlow)
	defer cancel()

	err := clockutil.Sleep(ctx, clock.New(), time.Hour)
	fmt.Println(err)
	fmt.Println(context.Cause(ctx))
	// Output:
	// context deadline exceeded
	// the sink took too long
}
