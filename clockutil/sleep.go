package clockutil

import (
	"context"
	"time"

	"github.com/benbjohnson/clock"
)

// Sleep waits until d has passed on clk and returns nil, or until ctx ends and
// returns ctx.Err(). If ctx has ended by the time Sleep returns, also at the
// very instant d passes or before Sleep was called, the error wins. If d is zero
// or less it does not wait. A nil clk is the system's clock.
//
// Nothing stays armed when it returns.
func Sleep(ctx context.Context, clk clock.Clock, d time.Duration) error {
	if err := ctx.Err(); err != nil || d <= 0 {
		return err
	}
	t := NewTimer(clk, d)
	defer t.Stop()
	select {
	case <-t.C():
	case <-ctx.Done():
	}
	return ctx.Err()
}
