package sinks

import (
	"fmt"
	"time"
)

// writeLines returns how many of the lines were written.
func (f *File[T]) writeLines() (done int, err error) {
	all := len(f.lines.ends)
	if all == 0 {
		return 0, nil
	}
	if err := f.attach(); err != nil {
		return 0, err
	}
	now := f.clk.Now()
	if f.begun.After(now) {
		f.begun = now // the clock was set back, or is not the file system's
	}
	mayRoll := true
	if f.due(now) {
		mayRoll = f.roll(now)
	}
	for done < all {
		n := f.fit(done)
		if n == 0 && mayRoll {
			mayRoll = f.roll(now)
			n = f.fit(done)
		}
		if n == 0 {
			n = all - done // better too large a file than no file
		}
		wrote, err := f.writeSpan(done, done+n, now)
		done += wrote
		if err != nil {
			return done, err
		}
	}
	return done, nil
}

// fit returns how many lines from i on the file has room for, but at least one
// if it is empty.
func (f *File[T]) fit(i int) int {
	if f.cfg.MaxSize == 0 {
		return len(f.lines.ends) - i
	}
	room := f.cfg.MaxSize - f.size
	if f.cut {
		room--
	}
	n := 0
	for _, end := range f.lines.ends[i:] {
		if int64(end-f.lines.start(i)) > room {
			break
		}
		n++
	}
	if n == 0 && f.size == 0 {
		return 1
	}
	return n
}

// writeSpan writes lines i to j-1 and returns how many were written.
func (f *File[T]) writeSpan(i, j int, now time.Time) (int, error) {
	if f.file == nil { // a failed roll had to close it first
		if err := f.reopen(); err != nil {
			return 0, fmt.Errorf("penstock: reopen: %w", err)
		}
	}
	p := f.lines.span(i, j, f.cut)
	from := f.lines.ends[j-1] - len(p)
	n, err := writeAll(f.file, p)
	if err == nil {
		err = f.written()
	}
	if err == nil {
		if f.size == 0 {
			f.begun = now
		}
		f.grow(n)
		f.cut = false
		return j - i, nil
	}
	whole := 0
	if n < len(p) { // else an fsync failed, and nothing is sure
		whole = f.lines.whole(i, from+n)
	}
	keep := 0
	if whole > 0 {
		keep = f.lines.ends[i+whole-1] - from
	}
	f.cutBack(p[:n], keep)
	return whole, fmt.Errorf("penstock: write: %w", err)
}

// cutBack tries to take back all but the first keep bytes of p, which was
// written last.
func (f *File[T]) cutBack(p []byte, keep int) {
	if len(p) == 0 {
		return
	}
	end := f.size + int64(len(p))
	info, err := f.file.Stat()
	if err == nil && info.Size() == end && f.file.Truncate(f.size+int64(keep)) == nil {
		f.grow(keep)
		f.cut = f.cut && keep == 0
		return
	}
	f.grow(len(p))
	f.cut = p[len(p)-1] != '\n'
}

// grow notes that n more bytes are in the file to stay.
func (f *File[T]) grow(n int) {
	f.size += int64(n)
	f.bytes.Add(uint64(n))
}
