package logging

import (
	"log/slog"
	"sync"
)

// blockSize is the number of attributes in a block: what fits into 4 KiB.
const blockSize = 102

// block is memory for the attributes of several records, so that most calls
// allocate nothing. Nobody gives a part back: an event may be encoded by
// several sinks, again after a failure, or never, so only the collector knows
// when it is done with. It frees a block when all records in it are gone,
// which in a queue is at about the same time. One record that is kept for
// long keeps its block.
type block struct {
	free    []slog.Attr
	scratch []slog.Attr // what extractors append to; empty between two calls
}

var blocks = sync.Pool{New: func() any { return new(block) }}

// take returns an empty slice with room for n attributes. A nil block gives
// every slice memory of its own.
func (b *block) take(n int) []slog.Attr {
	if b == nil || n > blockSize/4 {
		return make([]slog.Attr, 0, n)
	}
	if n > len(b.free) {
		b.free = make([]slog.Attr, blockSize)
	}
	part := b.free[:0:n]
	b.free = b.free[n:]
	return part
}
