package sinks

import (
	"cmp"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"time"
)

// resume is called by the first Write. It finds out where the numbers of
// rolled files stand, and takes up what a crash interrupted.
func (f *File[T]) resume(now time.Time) {
	if !f.cfg.rolls() && !f.cfg.tends() {
		return
	}
	found, err := f.backups()
	if err != nil {
		f.tendErr = err
		return
	}
	for _, b := range found {
		f.seq = max(f.seq, b.seq)
	}
	if len(found) > 0 {
		f.rolled = now
		f.tendLater()
	}
}

// tendLater has the rolled files looked after, by one goroutine that ends when
// there is nothing left to do.
func (f *File[T]) tendLater() {
	switch {
	case !f.cfg.tends():
	case f.tending:
		f.again = true
	default:
		f.tending = true
		now := f.rolled
		f.wg.Go(func() { f.tend(now) })
	}
}

func (f *File[T]) tend(now time.Time) {
	for more := true; more; {
		err := f.tidy(now)
		now, more = f.tidied(err)
	}
}

// tidied reports whether there was another roll in the meantime, and when.
func (f *File[T]) tidied(err error) (time.Time, bool) {
	f.turn.wait()
	defer f.turn.give()
	f.tendErr = err
	f.tending = f.again
	f.again = false
	return f.rolled, f.tending
}

// backup is a rolled file, in one or more of its forms.
type backup struct {
	path         string // uncompressed
	stamp        time.Time
	seq          int
	raw, gz, tmp bool
}

// backups lists the rolled files, newest first.
func (f *File[T]) backups() ([]backup, error) {
	entries, err := f.fs.ReadDir(f.name.dir)
	if err != nil {
		return nil, fmt.Errorf("penstock: list rolled files: %w", err)
	}
	byPath := map[string]backup{}
	for _, e := range entries {
		stamp, seq, suffix, ok := f.name.parse(e.Name())
		if !ok || e.IsDir() {
			continue
		}
		path := filepath.Join(f.name.dir, e.Name()[:len(e.Name())-len(suffix)])
		b := byPath[path]
		b.path, b.stamp, b.seq = path, stamp, seq
		b.raw = b.raw || suffix == ""
		b.gz = b.gz || suffix == gzSuffix
		b.tmp = b.tmp || suffix == tmpSuffix
		byPath[path] = b
	}
	found := make([]backup, 0, len(byPath))
	for _, b := range byPath {
		found = append(found, b)
	}
	slices.SortFunc(found, func(a, b backup) int {
		return cmp.Or(cmp.Compare(b.seq, a.seq), b.stamp.Compare(a.stamp))
	})
	return found, nil
}

// tidy deletes what is beyond the limits and compresses the rest, the oldest
// first. One file's error does not keep it from the others.
func (f *File[T]) tidy(now time.Time) error {
	found, err := f.backups()
	if err != nil {
		return err
	}
	var errs []error
	keep := found[:0]
	for _, b := range found {
		tooMany := f.cfg.MaxBackups > 0 && len(keep) >= f.cfg.MaxBackups
		tooOld := f.cfg.MaxAge > 0 && now.Sub(b.stamp) > f.cfg.MaxAge
		if tooMany || tooOld {
			errs = append(errs, f.remove(b, b.raw, b.gz, b.tmp))
			continue
		}
		keep = append(keep, b)
	}
	for _, b := range slices.Backward(keep) {
		err := f.settle(b)
		if errors.Is(err, errInterrupted) {
			break // the next run goes on
		}
		errs = append(errs, err)
	}
	if err := errors.Join(errs...); err != nil {
		return fmt.Errorf("penstock: rolled files: %w", err)
	}
	return nil
}

// remove deletes the forms of b that are asked for.
func (f *File[T]) remove(b backup, raw, gz, tmp bool) error {
	var errs []error
	if tmp {
		errs = append(errs, f.fs.Remove(b.path+tmpSuffix))
	}
	if raw {
		errs = append(errs, f.fs.Remove(b.path))
	}
	if gz {
		errs = append(errs, f.fs.Remove(b.path+gzSuffix))
	}
	return errors.Join(errs...)
}
