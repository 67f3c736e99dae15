package sinks

import (
	"fmt"

	"github.com/penstock-go/penstock/clockutil"
)

// written is called after each write.
func (f *File[T]) written() error {
	switch f.cfg.Sync {
	case SyncBatch:
		return f.file.Sync()
	case SyncInterval:
		f.dirty = true
		f.arm()
	}
	return nil
}

// sync makes the open file durable if it is not.
func (f *File[T]) sync() error {
	if !f.dirty {
		return nil
	}
	if err := f.file.Sync(); err != nil {
		return fmt.Errorf("penstock: fsync: %w", err)
	}
	f.dirty = false
	f.stopTimer()
	return nil
}

// lateSync keeps an error for the next Flush or Close. It keeps the first: a
// later success does not prove that what failed is on the disk.
func (f *File[T]) lateSync(err error) {
	if f.syncErr == nil {
		f.syncErr = err
	}
}

// arm starts the timer unless it runs already.
func (f *File[T]) arm() {
	if f.disarm != nil {
		return
	}
	disarm := make(chan struct{})
	f.disarm = disarm
	timer := clockutil.NewTimer(f.clk, f.cfg.SyncEvery)
	f.wg.Go(func() { f.syncLater(timer, disarm) })
}

func (f *File[T]) stopTimer() {
	if f.disarm != nil {
		close(f.disarm)
		f.disarm = nil
	}
}

// syncLater syncs at the tick, and at each further one until it succeeds or
// somebody else has synced.
func (f *File[T]) syncLater(timer *clockutil.Timer, disarm <-chan struct{}) {
	defer timer.Stop()
	for {
		select {
		case <-disarm:
			return
		case <-timer.C():
		}
		if !f.tick(disarm) {
			return
		}
		timer.Reset(f.cfg.SyncEvery)
	}
}

// tick reports whether to try again.
func (f *File[T]) tick(disarm <-chan struct{}) bool {
	f.turn.wait()
	defer f.turn.give()
	if f.disarm != disarm {
		return false // too late
	}
	err := f.sync()
	f.lateSync(err)
	return err != nil
}
