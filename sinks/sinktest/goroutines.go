package sinktest

import (
	"regexp"
	"runtime"
	"strings"
	"testing/synctest"
	"time"
)

// dump maps the number of each goroutine but the caller's to its stack. In a
// bubble these are the bubble's alone.
func dump() map[string]string {
	all := strings.Split(stacks(), "\n\n")
	home := inBubble.FindString(all[0]) // the first is the caller
	found := map[string]string{}
	for _, stack := range all[1:] {
		header, _, _ := strings.Cut(stack, "\n")
		if inBubble.FindString(header) == home {
			found[number.FindString(header)] = stack
		}
	}
	return found
}

var (
	inBubble = regexp.MustCompile(`synctest bubble \d+`)
	number   = regexp.MustCompile(`\d+`)
)

func stacks() string {
	for size := 1 << 16; ; size *= 2 {
		buf := make([]byte, size)
		if n := runtime.Stack(buf, true); n < size {
			return string(buf[:n])
		}
	}
}

// Outside of a bubble a goroutine that has nothing left to do is still there
// for a moment, and nobody can wait for it.
const (
	looks  = 200
	moment = 5 * time.Millisecond
)

// left returns the stacks of goroutines that are there and not in before.
func (c *check[T]) left(before map[string]string) (stacks []string) {
	if !c.cfg.NoBubble {
		synctest.Wait()
		return since(before)
	}
	for range looks {
		if stacks = since(before); len(stacks) == 0 {
			break
		}
		<-time.After(moment)
	}
	return stacks
}

func since(before map[string]string) (stacks []string) {
	for n, stack := range dump() {
		if _, old := before[n]; !old {
			stacks = append(stacks, stack)
		}
	}
	return stacks
}

// goroutines uses the sink and closes it; leaked looks at what is left when
// the subject's own cleanups are through, too.
func goroutines[T any](c *check[T]) {
	for _, n := range batches {
		c.send(n)
	}
	c.close()
}

func (c *check[T]) leaked(before map[string]string) {
	if c.t.Failed() {
		return
	}
	for _, stack := range c.left(before) {
		c.broken("after Close there is still\n%s", stack)
	}
}
