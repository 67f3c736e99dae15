package clocktest

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// onStuck replaces what the watchdog does when the time is up.
func onStuck(f func(report string)) Option { return func(c *config) { c.expire = f } }

func TestWatchdogSeesAStuckBubble(t *testing.T) {
	outside := make(chan struct{}) // waiting for it is not durable
	var report string
	Run(t, func(t *testing.T, w *World) {
		waited := make(chan struct{})
		go func() {
			defer close(waited)
			<-outside
		}()
		w.Advance(time.Second)
		<-waited
	}, WithStuckTimeout(time.Millisecond), onStuck(func(r string) {
		report = r
		close(outside)
	}))
	require.Contains(t, report, "TestWatchdogSeesAStuckBubble (seed 1) is stuck")
	require.Contains(t, report, "in 1ms of real time")
	require.Contains(t, report, "TestWatchdogSeesAStuckBubble(", "the stacks are missing")
}

func TestWatchdogIsCalledOff(t *testing.T) {
	for _, d := range []time.Duration{time.Minute, 0, -1} {
		c := newConfig([]Option{WithStuckTimeout(d), onStuck(func(report string) { t.Error(report) })})
		stop := c.watch(t.Name())
		require.Equal(t, d > 0, stop())
		require.False(t, stop(), "it was off already")
	}
	require.Equal(t, time.Minute, newConfig(nil).stuck)
}

// Virtual time is not what it measures.
func TestWatchdogIsOnRealTime(t *testing.T) {
	Both(t, func(t *testing.T, w *World) {
		w.Advance(365 * 24 * time.Hour)
	}, onStuck(func(report string) { t.Error(report) }))
}

func TestStacksAreWhole(t *testing.T) {
	Run(t, func(t *testing.T, w *World) {
		release := make(chan struct{})
		for range 1000 { // more than fits into the first buffer
			go func() { <-release }()
		}
		w.Settle()
		dump := string(stacks())
		close(release)
		require.Greater(t, len(dump), 1<<16)
		require.Contains(t, dump, "synctest bubble")
		require.Equal(t, 1000, strings.Count(dump, "TestStacksAreWhole.func1 in goroutine"))
	})
}
