package sinks

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/penstock-go/penstock/sinks/sinktest"
	"github.com/penstock-go/penstock/stage"
)

// subject is short for what the table below makes.
type subject = sinktest.Subject[string]

// conforming are all sinks of this package, each as it is tested. A new one
// needs an entry here and nothing else.
var conforming = map[string]func(t *testing.T) subject{
	"Memory": func(*testing.T) subject { return memory(&Memory[string]{}) },
	"Discard": func(*testing.T) subject {
		return subject{Sink: &Discard[string]{}}
	},
	"Writer": func(t *testing.T) subject {
		p := &page{}
		w, err := NewWriter[string](p, line)
		require.NoError(t, err)
		return subject{Sink: w, Read: p.lines, Fail: p.fail}
	},
	"Console": func(t *testing.T) subject {
		path := filepath.Join(t.TempDir(), "stderr")
		stream, err := os.Create(path)
		require.NoError(t, err)
		t.Cleanup(func() { _ = stream.Close() })
		w, err := NewConsole(stream, line)
		require.NoError(t, err)
		return subject{Sink: w, Read: func() []string { return lineList(read(t, path)) }}
	},
	"File": func(t *testing.T) subject { return file(t, FileConfig[string]{}) },
	"File, synced at every batch": func(t *testing.T) subject {
		return file(t, FileConfig[string]{Sync: SyncBatch})
	},
	"File, synced by interval": func(t *testing.T) subject {
		return file(t, FileConfig[string]{Sync: SyncInterval, SyncEvery: time.Millisecond})
	},
	"File that rolls and compresses": func(t *testing.T) subject {
		return file(t, FileConfig[string]{MaxSize: 400, Compress: true})
	},
	"Tee": func(t *testing.T) subject {
		a, b := memory(&Memory[string]{}), memory(&Memory[string]{})
		s, err := Tee(a.Sink, b.Sink)
		require.NoError(t, err)
		return subject{Sink: s, Read: b.Read, Block: a.Block}
	},
	"Tee, by the branch that fails": func(t *testing.T) subject {
		a, b := memory(&Memory[string]{}), &Discard[string]{}
		s, err := Tee[string](a.Sink, b)
		require.NoError(t, err)
		a.Sink = s
		return a
	},
	"Shared": around(func(inner stage.Sink[string]) (stage.Sink[string], error) {
		s, err := NewShared(inner)
		return s.Handle(), err
	}),
	"Poison": around(func(inner stage.Sink[string]) (stage.Sink[string], error) { return Poison(inner, "poison") }),
	"Retry": func(t *testing.T) subject {
		s := around(func(inner stage.Sink[string]) (stage.Sink[string], error) { return NewRetry(inner, RetryConfig{}) })(t)
		s.Fail = nil // it succeeds at the second attempt
		return s
	},
	"Retry that gives up": around(func(inner stage.Sink[string]) (stage.Sink[string], error) {
		return NewRetry(inner, RetryConfig{MaxAttempts: 1})
	}),
	"Breaker": around(func(inner stage.Sink[string]) (stage.Sink[string], error) {
		return NewBreaker(inner, BreakerConfig{})
	}),
	"Timeout": around(func(inner stage.Sink[string]) (stage.Sink[string], error) {
		return NewTimeout(inner, TimeoutConfig{Limit: time.Minute})
	}),
	"RateLimit": around(func(inner stage.Sink[string]) (stage.Sink[string], error) {
		return NewRateLimit(inner, RateLimitConfig{Events: 100, Batches: 1})
	}),
}

func TestConformance(t *testing.T) {
	for name, open := range conforming {
		t.Run(name, func(t *testing.T) {
			sinktest.Run(t, sinktest.Config[string]{
				Open:       open,
				Event:      func(i int) string { return fmt.Sprint("event ", i) },
				Concurrent: true,
			})
		})
	}
}

// memory is the subject for m, and for decorators around it. A failing Write
// fails every second event, and one that is alone.
func memory(m *Memory[string]) subject {
	failing := false
	m.Fail = func(_ int, events []string) error {
		if !failing {
			return nil
		}
		failing = false
		pe := &stage.PartialError{Err: errDown}
		for i := len(events) % 2; i < len(events); i += 2 {
			pe.Failed = append(pe.Failed, i)
		}
		if len(events) == 1 {
			return errDown
		}
		return pe
	}
	return subject{
		Sink: m,
		Read: m.Events,
		Fail: func() { failing = true },
		Block: func() func() {
			m.Hold()
			return m.Release
		},
	}
}

// around is the subject for a decorator of a Memory.
func around(decorate func(inner stage.Sink[string]) (stage.Sink[string], error)) func(t *testing.T) subject {
	return func(t *testing.T) subject {
		s := memory(&Memory[string]{})
		outer, err := decorate(s.Sink)
		require.NoError(t, err)
		s.Sink = outer
		return s
	}
}

// file is the subject for a File on the real file system, whose next write is
// cut short when it is to fail.
func file(t *testing.T, cfg FileConfig[string]) subject {
	fs := &faultFS{}
	f := newTestFile(t, cfg, fs)
	return subject{
		Sink: f,
		Read: func() []string {
			synctest.Wait() // for the compression
			var all []string
			for _, text := range contents(t, f.cfg.Path) {
				all = append(all, lineList(text)...)
			}
			return all
		},
		Fail: func() {
			fs.set(hooks{write: func(_ string, p []byte) (int, error) {
				fs.set(hooks{})
				return len(p) / 2, errNoSpace
			}})
		},
	}
}

// page is an io.Writer that keeps what it is given, in short writes, and can
// be told to fail in the middle of one.
type page struct {
	mu      sync.Mutex
	text    []byte
	failing bool
}

func (p *page) Write(b []byte) (int, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	n := (len(b) + 1) / 2
	p.text = append(p.text, b[:n]...)
	if p.failing {
		p.failing = false
		return n, errDown
	}
	return n, nil
}

func (p *page) fail() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.failing = true
}

// lines are the whole ones: a stump is for its reader to skip.
func (p *page) lines() (whole []string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, l := range lineList(string(p.text)) {
		var n int
		if _, err := fmt.Sscanf(l+"$", "event %d$", &n); err == nil {
			whole = append(whole, l)
		}
	}
	return whole
}

// lineList is the lines of text without what ends them.
func lineList(text string) []string {
	if text == "" {
		return nil
	}
	return strings.Split(strings.TrimSuffix(text, "\n"), "\n")
}
