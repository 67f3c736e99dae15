package follow

import (
	"crypto/sha256"
	"encoding/hex"
	"io"
	"os"
	"time"
)

// Place is how far a file has been read, with what is needed to find that file
// again under another name.
type Place struct {
	Path   string `json:"path"`
	Device uint64 `json:"device,omitempty"` // 0 with Inode 0: not known on this system
	Inode  uint64 `json:"inode,omitempty"`
	Offset int64  `json:"offset"` // where the first line begins that was not emitted
	// Print is a hash of the first and of the last 1024 bytes before Offset;
	// empty if Offset is 0.
	Print string `json:"print,omitempty"`
	// Head is a hash of the first 1024 bytes; empty if Offset is less. A copy
	// that ends before Offset is known by it.
	Head     string    `json:"head,omitempty"`
	Modified time.Time `json:"modified"`
}

// State is how far one of a Set's files has been read.
type State struct {
	Path string `json:"path"` // as it is followed
	At   Place  `json:"at"`
	// After is the end of the file that was rotated away before the one of At;
	// nil: there was none, or it is not known.
	After *Place `json:"after,omitempty"`
	// Alone says, where After is nil, that there was none: whatever is rotated
	// was rotated since.
	Alone bool `json:"alone,omitempty"`
}

// newPlace is a place in the file of info, before which head and tail are the
// first and the last bytes.
func newPlace(path string, info os.FileInfo, offset int64, head, tail []byte) Place {
	p := Place{Path: path, Offset: offset, Print: hash(head, tail), Modified: info.ModTime()}
	if offset >= printSize {
		p.Head = hash(head, nil)
	}
	p.Device, p.Inode = Numbers(info)
	return p
}

const printSize = 1024

// hash is the print of a file whose content before some place begins with head
// and ends in tail.
func hash(head, tail []byte) string {
	if len(head) == 0 {
		return ""
	}
	h := sha256.New()
	h.Write(head)
	h.Write(tail)
	return hex.EncodeToString(h.Sum(nil)[:16])
}

// ends returns the first and the last bytes before offset.
func ends(r io.ReaderAt, offset int64) (head, tail []byte, err error) {
	n := min(offset, printSize)
	head, tail = make([]byte, n), make([]byte, n)
	if _, err = io.ReadFull(io.NewSectionReader(r, 0, n), head); err == nil {
		_, err = io.ReadFull(io.NewSectionReader(r, offset-n, n), tail)
	}
	return head, tail, err
}

// endsOf is ends of the file at path.
func endsOf(d disk, path string, offset int64) (head, tail []byte, err error) {
	h, err := d.open(path)
	if err != nil {
		return nil, nil, err
	}
	defer h.Close()
	return ends(h, offset)
}

// is reports whether info is of the file that p was found in, by number.
func (p *Place) is(info os.FileInfo) bool {
	device, inode := Numbers(info)
	return p.Inode != 0 && p.Device == device && p.Inode == inode
}

// holds reports whether a file begins with what was read up to p. Where nothing
// was read that proves nothing.
func (p *Place) holds(d disk, path string) bool {
	head, tail, err := endsOf(d, path, p.Offset)
	return err == nil && hash(head, tail) == p.Print
}

// within reports whether s begins with what was read up to p.
func (p *Place) within(d disk, s sibling) bool {
	return s.info.Size() >= p.Offset && p.holds(d, s.path)
}

// beyond reports whether s ends before p and begins with what was read: a copy
// that was made before all of that was written.
func (p *Place) beyond(d disk, s sibling) bool {
	n := s.info.Size()
	if p.Head == "" || n < printSize || n >= p.Offset {
		return false
	}
	head, _, err := endsOf(d, s.path, printSize)
	return err == nil && hash(head, nil) == p.Head
}
