package logging

import (
	"hash/maphash"
	"math/bits"
	"strings"
	"sync/atomic"
)

// maxCached is the longest template that is kept. Longer ones are parsed each
// time, so that what a cache can hold is bounded in bytes too.
const maxCached = 4096

// cache keeps parsed templates: in pairs of slots, the newer one first. A
// template that is made anew for each call, against all advice, pushes out the
// one it meets, and nothing grows. A hit takes no lock and allocates nothing.
type cache struct {
	seed  maphash.Seed
	mask  uint64
	slots []atomic.Pointer[Template]
}

// newCache returns a cache of at least size templates, size being at least 1.
func newCache(size int) *cache {
	n := max(2, 1<<bits.Len(uint(size-1)))
	return &cache{seed: maphash.MakeSeed(), mask: uint64(n - 1), slots: make([]atomic.Pointer[Template], n)}
}

// get returns the template of text.
func (c *cache) get(text string) *Template {
	i := maphash.String(c.seed, text) & c.mask &^ 1
	first, second := &c.slots[i], &c.slots[i+1]
	newest := first.Load()
	if newest != nil && newest.text == text {
		return newest
	}
	if t := second.Load(); t != nil && t.text == text {
		return t
	}
	if len(text) > maxCached {
		return ParseTemplate(text)
	}
	// The text could be a piece of something much larger.
	t := ParseTemplate(strings.Clone(text))
	second.Store(newest)
	first.Store(t)
	return t
}
