package follow

import (
	"bytes"
	"io"
)

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

// intact reports whether the first and the last bytes that were read are still
// there. They are not if the file was cut and has grown again, however far.
func (f *file) intact() bool {
	var room [2 * printSize]byte
	pending := f.lines.Pending()
	was := append(append(room[:0], f.tail...), pending[max(0, len(pending)-printSize):]...)
	if len(pending) > printSize {
		was = was[len(f.tail):] // the two are not next to each other
	}
	now := make([]byte, len(was))
	n := int64(len(now))
	if _, err := io.ReadFull(io.NewSectionReader(f.h, f.lines.Next()-n, n), now); err != nil || !bytes.Equal(now, was) {
		return false
	}
	if f.lines.At() <= printSize {
		return true // the last bytes were the first, too
	}
	now = now[:len(f.head)]
	_, err := io.ReadFull(io.NewSectionReader(f.h, 0, int64(len(now))), now)
	return err == nil && bytes.Equal(now, f.head)
}

// copiedTo reports whether s begins with what was read.
func (f *file) copiedTo(d disk, s sibling) bool {
	p := f.place()
	if p.Offset == 0 || s.info.Size() < f.lines.Next() || !p.within(d, s) {
		return false
	}
	h, err := d.open(s.path)
	if err != nil {
		return false
	}
	defer h.Close()
	same := make([]byte, len(f.lines.Pending()))
	_, err = io.ReadFull(io.NewSectionReader(h, p.Offset, int64(len(same))), same)
	return err == nil && bytes.Equal(same, f.lines.Pending())
}

// beyond reports whether s ends before what was read and begins like it: a copy
// that was made before all of that was written.
func (f *file) beyond(d disk, s sibling) bool {
	n := min(s.info.Size(), int64(len(f.head)))
	if n == 0 || s.info.Size() >= f.lines.Next() {
		return false
	}
	head, _, err := endsOf(d, s.path, n)
	return err == nil && bytes.Equal(head, f.head[:n])
}
