package sinks

import (
	"context"
	"errors"
	"fmt"
	"os"
	"sync/atomic"
	"time"

	"github.com/benbjohnson/clock"
	"github.com/penstock-go/penstock/stage"
	"github.com/sourcegraph/conc"
)

// File appends lines to a file, one write(2) per batch.
//
// What reaches the file is whole lines only. If a write fails in the middle,
// as on a full disk, the file is cut back to the last whole line; where that
// is impossible, the next batch begins with a line feed, as it does when a
// crash left the file with half a line. Events completely written count as
// delivered, the others as failed.
//
// Rotation happens when a batch arrives, so that an idle sink arms no timer
// and an idle file is not split. The live file always has the name Path; a
// rolled one is named after the instant of the roll, in UTC, and a number that
// only grows, as app-20060102T150405.000Z-000042.log for app.log. A roll that
// fails leaves the sink on the old file, and the next batch tries again.
//
// If Path was renamed or deleted from outside, the next batch goes to a new
// file of that name. What the new file cannot take fails; it is never written
// to a file that nobody can find. Finding out costs a stat(2) per batch.
// Several File sinks on one path, in one process or in several, are not
// supported.
//
// Compression and retention run on a goroutine that a roll starts. What a
// crash interrupted is taken up again at the first Write of the next run.
// Errors that no Write is to blame for, as of a roll, of that goroutine, or of
// an fsync by interval, are returned by the next Flush or Close.
//
// Close waits for these goroutines. It lets a compression go on for another
// 16 MiB at most, which is well below a second; the rest is left for the next
// run.
type File[T any] struct {
	cfg  FileConfig[T]
	name rolledName
	fs   fileSystem
	turn turn
	wg   conc.WaitGroup // the goroutines of arm and tend; started with turn held

	bytes atomic.Uint64 // written and not cut back

	// Guarded by turn.
	clk    clock.Clock // from the first Write; nil before
	lines  lines[T]
	closed bool

	file  openFile // nil after a failed reopening
	info  os.FileInfo
	size  int64
	begun time.Time // about when the first line of file was written
	cut   bool      // file ends in the middle of a line

	dirty  bool          // written to since the last fsync, with SyncInterval
	disarm chan struct{} // closed to stop the goroutine of arm; nil: there is none

	seq     int // of the latest roll
	tending bool
	again   bool      // a roll happened while tending
	rolled  time.Time // the latest roll

	rollErr, syncErr, tendErr error // not reported yet

	closing atomic.Bool // read by the tending goroutine
	spare   int64       // what it may still compress while closing; its own
}

// NewFile opens the file and creates it, and the directories above it, if they
// are missing. A path that cannot be opened, or is not a regular file, is an
// error here and not later.
func NewFile[T any](cfg FileConfig[T]) (*File[T], error) {
	return newFile(cfg, osFileSystem{})
}

func newFile[T any](cfg FileConfig[T], fs fileSystem) (*File[T], error) {
	cfg, err := cfg.complete()
	if err != nil {
		return nil, err
	}
	f := &File[T]{
		cfg:   cfg,
		name:  newRolledName(cfg.Path),
		fs:    fs,
		turn:  newTurn(),
		lines: lines[T]{encode: cfg.Encode},
		spare: closingBytes,
	}
	if err := f.reopen(); err != nil {
		return nil, fmt.Errorf("penstock: open: %w", err)
	}
	return f, nil
}

// Write implements [stage.Sink].
func (f *File[T]) Write(ctx context.Context, events []T) error {
	if err := f.turn.take(ctx); err != nil {
		return err
	}
	defer f.turn.give()
	if f.closed {
		return errClosed()
	}
	if f.clk == nil {
		f.clk = stage.Clock(ctx)
		f.resume(f.clk.Now())
	}
	f.lines.fill(events)
	done, err := f.writeLines()
	err = f.lines.verdict(len(events), done, err)
	f.lines.trim()
	return err
}

// Flush makes what was written durable, by fsync, unless the policy is
// SyncNever. It also returns the errors that had no Write to report them.
func (f *File[T]) Flush(ctx context.Context) error {
	if err := f.turn.take(ctx); err != nil {
		return err
	}
	defer f.turn.give()
	if f.closed {
		return errClosed()
	}
	err := f.sync()
	return errors.Join(err, f.complaints())
}

// Reopen opens the file at Path anew, as after an outside logrotate has moved
// the old one away. Every Write notices that by itself; Reopen is for those
// who want the old file let go at once. After an error the old file is kept.
func (f *File[T]) Reopen() error {
	f.turn.wait()
	defer f.turn.give()
	if f.closed {
		return errClosed()
	}
	if err := f.reopen(); err != nil {
		return fmt.Errorf("penstock: reopen: %w", err)
	}
	return nil
}

// Close syncs, unless the policy is SyncNever, closes the file and joins the
// goroutines.
func (f *File[T]) Close() error {
	if !f.shut() {
		return nil
	}
	crash := f.wg.WaitAndRecover().AsError()
	return errors.Join(f.complaints(), crash)
}

// shut reports whether this was the first call.
func (f *File[T]) shut() bool {
	f.turn.wait()
	defer f.turn.give()
	if f.closed {
		return false
	}
	f.closed = true
	f.closing.Store(true)
	f.detach()
	return true
}

// complaints returns the errors that have not been reported yet.
func (f *File[T]) complaints() error {
	err := errors.Join(f.rollErr, f.syncErr, f.tendErr)
	f.rollErr, f.syncErr, f.tendErr = nil, nil, nil
	return err
}

// Report adds the bytes that were written to the file and to those before it,
// without what was cut back after a failure.
func (f *File[T]) Report(r *stage.SinkReport) { r.Bytes += f.bytes.Load() }

// Name is "file" and the path.
func (f *File[T]) Name() string { return "file " + f.cfg.Path }

var _ stage.Sink[int] = (*File[int])(nil)
