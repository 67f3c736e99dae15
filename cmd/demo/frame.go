package main

import "bytes"

const (
	// maxEvent is the greatest number of bytes in one event. A longer line
	// travels as several.
	maxEvent  = 64 << 10
	blockSize = 256 << 10
	minRead   = 16 << 10 // smaller room is not worth a read
)

// framer cuts a stream into events: lines with their line feed, every byte as
// it is. The last event may lack the line feed, and so does every piece but the
// last of a line that is longer than maxEvent.
//
// Events are slices of the blocks that were read into. A block is never used
// again, so an event may be kept, and the collector frees a block with the last
// event in it.
type framer struct {
	block      []byte
	start, end int // block[start:end] is a line that is not complete
}

// room returns where the next bytes are to be read to.
func (f *framer) room() []byte {
	if len(f.block)-f.end < minRead {
		block := make([]byte, blockSize)
		f.end = copy(block, f.block[f.start:f.end])
		f.block, f.start = block, 0
	}
	return f.block[f.end:]
}

// read takes in n bytes that were read into room and calls emit for each event
// that they complete.
func (f *framer) read(n int, emit func(event []byte)) {
	from := f.end
	f.end += n
	for {
		i := bytes.IndexByte(f.block[from:f.end], '\n')
		if i < 0 {
			break
		}
		from += i + 1
		f.emit(from, emit)
	}
	for f.end-f.start >= maxEvent {
		f.emit(f.start+maxEvent, emit)
	}
}

// rest emits what is left of a last line without a line feed.
func (f *framer) rest(emit func(event []byte)) { f.emit(f.end, emit) }

func (f *framer) emit(end int, emit func(event []byte)) {
	for f.start < end {
		next := min(f.start+maxEvent, end)
		emit(f.block[f.start:next:next])
		f.start = next
	}
}
