package setup

import (
	"context"
	"log/slog"
	"runtime/debug"
	"time"

	"github.com/penstock-go/penstock/clockutil"
	"github.com/penstock-go/penstock/logging"
)

// FlushOnPanic is to be deferred, by itself, at the top of a goroutine:
//
//	defer log.FlushOnPanic(5 * time.Second)
//
// If the goroutine panics it logs the panic at LevelFatal, whatever the levels,
// with the stack; flushes all outputs, for no longer than timeout; and goes on
// panicking with the same value, so that the program ends as it would have, and
// says the same. Otherwise it does nothing, after runtime.Goexit neither.
//
// It sees the panics of its goroutine only: each goroutine that may panic needs
// one. Fatal errors of the runtime, as concurrent writes to a map, and os.Exit
// cannot be seen by anybody.
func (l *Log) FlushOnPanic(timeout time.Duration) {
	v := recover()
	if v == nil {
		return
	}
	r := slog.NewRecord(l.clk.Now(), logging.LevelFatal, "panic", 0)
	r.AddAttrs(slog.Any("panic", v), slog.String("stack", string(debug.Stack())))
	ctx, cancel := clockutil.WithTimeout(context.Background(), l.clk, timeout)
	defer cancel()
	// What goes wrong here has nobody left to be told: the panic goes first.
	_ = l.root.Handle(ctx, r)
	_ = l.Flush(ctx)
	panic(v)
}
