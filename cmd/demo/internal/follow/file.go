package follow

import (
	"bytes"
	"errors"
	"io"
	"io/fs"
	"os"
	"time"

	"github.com/penstock-go/penstock/cmd/demo/internal/frame"
)

// handle is an open file.
type handle interface {
	io.ReaderAt
	io.Closer
	Stat() (os.FileInfo, error)
}

// file is one file on its way from a place to its end.
type file struct {
	path     string // where it was when it was opened
	h        handle
	info     os.FileInfo // from then: says which file it is
	lines    frame.Lines
	head     []byte    // the first bytes that were emitted
	tail     []byte    // the last
	modified time.Time // no later than what was read
	fresh    bool      // begun as the live file, and no line of it was seen yet
}

// openFile opens what was found at path, to be read from p on; nil: from its
// beginning.
func (s *Set) openFile(path string, want os.FileInfo, p *Place) (*file, error) {
	h, err := s.open(path)
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
	if f.head, f.tail, err = ends(f.h, p.Offset); err == nil && hash(f.head, f.tail) != p.Print {
		err = errMoving
	}
	return err
}

// place is how far f has been read.
func (f *file) place() Place {
	p := Place{Path: f.path, Offset: f.lines.At(), Print: hash(f.head, f.tail), Modified: f.modified}
	p.Device, p.Inode = Numbers(f.info)
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
}

// rest emits a last line that has no line feed, with one.
func (f *file) rest(emit frame.Emit) {
	before := f.lines.At()
	f.lines.Rest(emit)
	f.remember(before)
}

// remember keeps the ends of what was emitted. All that was since the offset
// before is still in one block.
func (f *file) remember(before int64) {
	emitted := f.lines.Last(f.lines.At() - before)
	f.head = append(f.head, emitted[:min(len(emitted), printSize-len(f.head))]...)
	if len(emitted) >= printSize {
		f.tail = append(f.tail[:0], emitted[len(emitted)-printSize:]...)
		return
	}
	if over := len(f.tail) + len(emitted) - printSize; over > 0 {
		f.tail = append(f.tail[:0], f.tail[over:]...)
	}
	f.tail = append(f.tail, emitted...)
}

// intact reports whether the last bytes that were read are still there. They are
// not if the file was cut and has grown again.
func (f *file) intact() bool {
	var room [2 * printSize]byte
	pending := f.lines.Pending()
	was := append(append(room[:0], f.tail...), pending[max(0, len(pending)-printSize):]...)
	if len(pending) > printSize {
		was = was[len(f.tail):] // the two are not next to each other
	}
	now := make([]byte, len(was))
	n := int64(len(now))
	_, err := io.ReadFull(io.NewSectionReader(f.h, f.lines.Next()-n, n), now)
	return err == nil && bytes.Equal(now, was)
}

// cut reports whether the file has lost what was read of it. If not it learns
// when the file last changed.
func (f *file) cut() (bool, error) {
	info, err := f.h.Stat()
	if err != nil {
		return false, err
	}
	if info.Size() < f.lines.Next() || !f.intact() {
		return true, nil
	}
	f.modified = info.ModTime()
	return false, nil
}

// copiedTo reports whether s begins with what was read.
func (f *file) copiedTo(s sibling) bool {
	p := f.place()
	pending := f.lines.Pending()
	if p.Offset == 0 || s.info.Size() < f.lines.Next() || !p.holds(s.path) {
		return false
	}
	h, err := os.Open(s.path)
	if err != nil {
		return false
	}
	defer h.Close()
	same := make([]byte, len(pending))
	_, err = io.ReadFull(io.NewSectionReader(h, p.Offset, int64(len(same))), same)
	return err == nil && bytes.Equal(same, pending)
}

func (f *file) size() int64 {
	info, err := f.h.Stat()
	if err != nil {
		return 0
	}
	return info.Size()
}
