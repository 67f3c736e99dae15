package logging

import (
	"fmt"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"
)

// held is what a cache keeps.
func (c *cache) held() (n int) {
	for i := range c.slots {
		if c.slots[i].Load() != nil {
			n++
		}
	}
	return n
}

func TestCacheIsBounded(t *testing.T) {
	for size, slots := range map[int]int{1: 2, 2: 2, 3: 4, 1024: 1024, 1025: 2048} {
		c := newCache(size)
		require.Len(t, c.slots, slots)
		for i := range 10 * slots {
			text := fmt.Sprint("template {N} ", i)
			require.Equal(t, text, c.get(text).text)
			require.Equal(t, text, c.get(text).text)
		}
		require.LessOrEqual(t, c.held(), slots)
		require.Same(t, c.get("again"), c.get("again"))
	}
}

// The newer of a pair pushes out the older one, and never itself.
func TestCachePairs(t *testing.T) {
	c := newCache(2)
	a, b := c.get("a"), c.get("b")
	require.Same(t, a, c.get("a"))
	require.Same(t, b, c.get("b"))
	d := c.get("d")
	require.Same(t, b, c.get("b"))
	require.Same(t, d, c.get("d"))
	require.NotSame(t, a, c.get("a"))
}

func TestCacheLeavesOut(t *testing.T) {
	c := newCache(8)
	long := strings.Repeat("x", maxCached+1)
	require.Equal(t, long, c.get(long).message)
	require.Zero(t, c.held())
}

func TestCacheConcurrently(t *testing.T) {
	c := newCache(16)
	var wg sync.WaitGroup
	for g := range 4 {
		wg.Go(func() {
			for i := range 2000 {
				text := fmt.Sprintf("{A%d} and %d", i%40, g)
				if got := c.get(text); got.text != text || len(got.props) != 1 {
					t.Errorf("%q became %q", text, got.text)
				}
			}
		})
	}
	wg.Wait()
	require.LessOrEqual(t, c.held(), 16)
}

func TestLoggersShareTheirCache(t *testing.T) {
	l := newLogger(t, nothing{}, LoggerConfig{})
	l.ForContext().Information("{A}", 1)
	require.Equal(t, 1, l.cache.held())
	require.Same(t, l.cache, l.on(nothing{}).cache)
	require.Zero(t, newLogger(t, nothing{}, LoggerConfig{}).cache.held())
}
