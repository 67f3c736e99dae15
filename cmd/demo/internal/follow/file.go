package follow

import (
	"errors"
	"io"
	"io/fs"
	"os"
	"time"

	"github.com/penstock-go/penstock/cmd/demo/internal/frame"
)

// file is one file on its way from a place to its end.
type file struct {
	path     string // where it was when it was opened
	h        handle
	info     os.FileInfo // from then: says which file it is
	lines    frame.Lines
	head     []byte    // the first bytes that were emitted
	tail     []byte    // the last
	modified time.Time // no later than what was read
	young    bool      // at the path when it was begun, and too little was read to know it by
	gone     bool      // what was read is in a copy, though the file begins like it
}

// openFile opens what was found at path, to be read from p on; nil: from its
// beginning.
func (s *Set) openFile(path string, want os.FileInfo, p *Place) (*file, error) {
	h, err := s.disk.open(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, errMoving
	}
	if err != nil {
		return nil, err
	}
	info, err := h.Stat()
	if err == nil && !os.SameFile(info, want) {
		err = errMoving
	}
	f := &file{path: path, h: h, info: info}
	if err == nil {
		err = f.start(s, p)
	}
	if err != nil {
		return nil, errors.Join(err, h.Close())
	}
	return f, nil
}

// start makes f begin at p.
func (f *file) start(s *Set, p *Place) (err error) {
	f.modified = f.info.ModTime()
	f.lines = frame.Lines{Max: s.cfg.MaxLine, Finish: true, Long: func(offset int64) { s.cfg.Long(f.path, offset) }}
	if p == nil {
		return nil
	}
	f.lines.Resume(p.Offset, false)
	f.head, f.tail, err = ends(f.h, p.Offset)
	switch {
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF): // it was cut
		return errMoving
	case err == nil && hash(f.head, f.tail) != p.Print:
		return errMoving
	}
	return err
}

// place is how far f has been read.
func (f *file) place() Place {
	p := newPlace(f.path, f.info, f.lines.At(), f.head, f.tail)
	p.Modified = f.modified
	return p
}

// errCut is a file that is not what it was.
var errCut = errors.New("the file was cut")

// fetch reads once; accept then takes in the n bytes. At the end of the file n is
// 0 and the error nil.
func (f *file) fetch() (n int, err error) {
	room := f.lines.Room()
	n, err = io.ReadFull(io.NewSectionReader(f.h, f.lines.Next(), int64(len(room))), room)
	switch {
	case n == 0 && f.size() < f.lines.Next() || !f.intact():
		return 0, errCut // now or before the reading
	case n == 0:
		f.lines.Idle()
	}
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		err = nil
	}
	return n, err
}

func (f *file) accept(n int, emit frame.Emit) {
	before := f.lines.At()
	f.lines.Read(n, emit)
	f.remember(before)
	f.young = f.young && f.lines.At() < printSize
}

// rest emits a last line that has no line feed, with one.
func (f *file) rest(emit frame.Emit) {
	before := f.lines.At()
	f.lines.Rest(emit)
	f.remember(before)
}

// cut reports whether the file has lost what was read of it. If not it learns
// when the file last changed.
func (f *file) cut() (bool, error) {
	info, err := f.h.Stat()
	if err != nil {
		return false, err
	}
	if f.gone || info.Size() < f.lines.Next() || !f.intact() {
		return true, nil
	}
	if !f.young { // else it may have been cut after all, and that be of the next generation
		f.modified = info.ModTime()
	}
	return false, nil
}

func (f *file) size() int64 {
	info, err := f.h.Stat()
	if err != nil {
		return 0
	}
	return info.Size()
}
