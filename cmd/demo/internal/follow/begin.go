package follow

import (
	"errors"
	"fmt"
	"io/fs"
	"slices"
)

// begin opens the file for the first time.
func (t *tail) begin() error {
	all, err := meet(t.set.disk, t.path)
	switch {
	case err != nil:
		return err
	case all.live != nil && !all.live.Mode().IsRegular():
		return fmt.Errorf("%s is not a regular file", t.path)
	case all.live != nil && t.set.cfg.Skip(all.live):
		return fmt.Errorf("%s is an output", t.path)
	case t.from != nil:
		return t.resume(all)
	}
	switch err := t.note(all); {
	case err != nil:
		return err
	case all.live != nil:
		return t.take(all, nil, nil, t.path)
	case t.set.cfg.Once:
		return &fs.PathError{Op: "open", Path: t.path, Err: fs.ErrNotExist}
	}
	return nil
}

// note keeps what had been rotated before the file was followed.
func (t *tail) note(all family) error {
	if t.met {
		return nil
	}
	if n := len(all.old); n > 0 {
		t.after = all.old[n-1].end(all.disk) // or nil
	}
	t.met, t.alone = all.disk.err == nil, len(all.old) == 0
	return all.disk.err
}

// resume begins at the place of an earlier run.
func (t *tail) resume(all family) error {
	p, d := t.from, all.disk
	if p.Offset == 0 {
		return t.takeMissed(all)
	}
	near := t.candidates(d, all.old)
	i, sure := search(near, p.Modified, func(s sibling) bool { return p.within(d, s) }, func(s sibling) bool { return p.is(s.info) })
	here := all.live != nil && all.live.Size() >= p.Offset && p.holds(d, t.path)
	switch {
	case here && p.is(all.live) && !sure, here && i < 0:
		return t.take(all, p, nil, t.path)
	case i >= 0:
		return t.take(all, p, near[i:], t.path)
	}
	if i, _ := search(near, p.Modified, func(s sibling) bool { return p.beyond(d, s) }, never); i >= 0 {
		end := near[i].end(d)
		err := t.take(all, nil, near[i+1:], t.path)
		if err == nil {
			t.after = end
		}
		return err
	}
	if err := all.still(); err != nil {
		return err
	}
	if _, old := t.since(d, p.Modified, all.old); all.live == nil && len(old) == 0 && !t.found {
		return nil // it may come back
	}
	t.set.cfg.Say(fmt.Errorf("%s: the file that was read up to byte %d is gone; what followed there is not read", t.path, p.Offset))
	t.from = &Place{Modified: p.Modified} // this is said once
	return t.takeMissed(all)
}

// takeMissed begins with what was rotated since the place of the earlier run,
// of which nothing, or nothing that is left, was read.
func (t *tail) takeMissed(all family) error {
	from, old := t.since(all.disk, t.from.Modified, all.old)
	err := t.take(all, from, old, t.path)
	t.ended = err == nil && len(t.queue) == 0 && t.found
	return err
}

// take puts files of a family behind the queue: old ones, and the one at the
// path live, if there is one. The first of all is read from p on.
func (t *tail) take(all family, p *Place, old []sibling, live string) error {
	files, err := t.open(all, p, old, live)
	if err != nil {
		return err
	}
	t.queue = append(t.queue, files...)
	if len(t.queue) > 0 {
		t.from = nil
	}
	return nil
}

// insert puts old files of a family in front of the one at n in the queue.
func (t *tail) insert(n int, all family, p *Place, old []sibling) error {
	files, err := t.open(all, p, old, "")
	if err == nil {
		t.queue = slices.Insert(t.queue, n, files...)
	}
	return err
}

// open opens files of a family, other than empty old ones, if the family is
// still the same, or none.
func (t *tail) open(all family, p *Place, old []sibling, live string) (files []*file, err error) {
	old = filled(old)
	if live != "" && all.live != nil {
		old = append(old, sibling{path: live, info: all.live})
	}
	for _, s := range old {
		var f *file
		if f, err = t.set.openFile(s.path, s.info, p); err != nil {
			break
		}
		f.young = s.path == live && f.lines.At() < printSize
		files = append(files, f)
		p = nil
	}
	if err == nil {
		err = all.still()
	}
	if err != nil {
		for _, f := range files {
			err = errors.Join(err, f.h.Close())
		}
		return nil, err
	}
	return files, nil
}
