// Package frame cuts streams into lines.
package frame

import "bytes"

const (
	// DefaultMax is the default of [Lines].Max.
	DefaultMax = 64 << 10
	// GreatestMax is the greatest Max that makes sense: a stream's memory is
	// twice as much at least.
	GreatestMax = 16 << 20
	// BlockSize is how many bytes are read at once at most, unless Max needs
	// larger blocks.
	BlockSize = 256 << 10

	minRead = 16 << 10 // smaller room is not worth a read
)

// Emit takes a line with its line feed. It is a piece if it is a part of a line
// longer than Max: all but the last of the pieces lack the line feed. The slice
// may be kept; nobody changes it.
type Emit func(line []byte, piece bool)

// Lines cuts a stream into lines, every byte as it is. The last line may lack
// the line feed. A line longer than Max comes in pieces.
//
// Lines are slices of the blocks that were read into. A block is never used
// again, so a line may be kept, and the collector frees a block with the last
// line in it. The zero value is ready, at the beginning of a stream.
type Lines struct {
	// Max is the greatest number of bytes of a line, its line feed included;
	// default DefaultMax.
	Max int
	// Finish has Rest add the line feed that a last line lacks.
	Finish bool
	// Long, if there is one, is told where each line longer than Max begins.
	Long func(offset int64)

	block      []byte
	start, end int   // block[start:end] is a line that is not complete
	at         int64 // where block[start] is in the stream
	open       bool  // what was emitted last was not the end of its line
}

// Resume goes on at another place, in the middle of a line if open. What was
// not emitted is forgotten.
func (l *Lines) Resume(at int64, open bool) {
	l.block, l.start, l.end, l.at, l.open = nil, 0, 0, at, open
}

// At is how many bytes of the stream have been emitted.
func (l *Lines) At() int64 { return l.at }

// Next is how many bytes of the stream have been read.
func (l *Lines) Next() int64 { return l.at + int64(l.end-l.start) }

// Pending returns what was read and not emitted. It must not be changed.
func (l *Lines) Pending() []byte { return l.block[l.start:l.end] }

// Open reports whether what was emitted last was not the end of its line.
func (l *Lines) Open() bool { return l.open }

// Last returns at most n of the bytes that were emitted last, as far as they
// are at hand. They must not be changed.
func (l *Lines) Last(n int64) []byte { return l.block[max(0, l.start-int(n)):l.start] }

// Idle lets go of the block if nothing in it is still needed.
func (l *Lines) Idle() {
	if l.start == l.end {
		l.block, l.start, l.end = nil, 0, 0
	}
}

func (l *Lines) max() int {
	if l.Max > 0 {
		return l.Max
	}
	return DefaultMax
}

// Room returns where the next bytes are to be read to.
func (l *Lines) Room() []byte {
	if len(l.block)-l.end < minRead {
		block := make([]byte, max(BlockSize, 2*l.max()))
		l.end = copy(block, l.block[l.start:l.end])
		l.block, l.start = block, 0
	}
	return l.block[l.end:]
}

// Read takes in n bytes that were read into Room and calls emit for each line
// that they complete.
func (l *Lines) Read(n int, emit Emit) {
	from := l.end
	l.end += n
	for {
		i := bytes.IndexByte(l.block[from:l.end], '\n')
		if i < 0 {
			break
		}
		from += i + 1
		l.emit(from, emit)
	}
	for l.end-l.start >= l.max() {
		l.emit(l.start+l.max(), emit)
	}
}

// Rest emits what is left of a last line without a line feed.
func (l *Lines) Rest(emit Emit) {
	l.emit(l.end, emit)
	if l.Finish && l.open {
		l.open = false
		emit([]byte{'\n'}, true)
	}
}

// emit emits the bytes up to end, which is behind a line feed unless the line
// goes on.
func (l *Lines) emit(end int, emit Emit) {
	for l.start < end {
		next := min(l.start+l.max(), end)
		line := l.block[l.start:next:next]
		whole := line[len(line)-1] == '\n'
		piece := l.open || !whole && len(line) == l.max()
		if piece && !l.open && l.Long != nil {
			l.Long(l.at)
		}
		l.open = !whole
		l.at += int64(len(line))
		l.start = next
		if l.Finish && !whole && !piece { // only Rest emits such a line
			line, l.open = append(line, '\n'), false
		}
		emit(line, piece)
	}
}
