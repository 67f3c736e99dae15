package sinktest_test

import (
	"context"
	"os"
	"os/exec"
	"regexp"
	"runtime"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/penstock-go/penstock/sinks/sinktest"
	"github.com/penstock-go/penstock/stage"
)

// pause lets others run: in a bubble that is enough for them to.
func pause() { <-time.After(time.Microsecond) }

// big takes events as spoil makes them, if there are many.
func big(spoil func(own []ev) []ev) func([]ev) []ev {
	return func(events []ev) []ev {
		own := slices.Clone(events)
		if len(own) > 100 {
			own = spoil(own)
		}
		return own
	}
}

// victims are sinks that break rules, and what they break.
var victims = map[string]struct {
	spoil func(m *model)
	rules []string // the subtests that fail
	says  string   // what one of them says
}{
	"keeps the slice": {
		func(m *model) { m.take = func(events []ev) []ev { return events } },
		[]string{"lent-slice", "write-failure"}, `the memory of each slice was filled with another event`,
	},
	"modifies the slice": {
		func(m *model) {
			m.take = func(events []ev) []ev {
				own := slices.Clone(events)
				clear(events)
				return own
			}
		}, []string{"lent-slice", "write-failure"}, `has become sinktest_test.ev{N:0, Tags:[]string(nil)} in the slice`,
	},
	"modifies what an event refers to": {
		func(m *model) {
			m.take = func(events []ev) []ev {
				own := slices.Clone(events)
				for i, e := range events {
					own[i].Tags = slices.Clone(e.Tags)
					if e.Tags != nil {
						e.Tags[0] = "seen"
					}
				}
				return own
			}
		}, []string{"lent-slice", "write-failure"}, `Tags:[]string{"seen"}} in the slice`,
	},
	"appends to the slice": {
		func(m *model) {
			m.take = func(events []ev) []ev {
				own := slices.Clone(events)
				_ = append(events, ev{N: -1})
				return own
			}
		}, []string{"lent-slice", "write-failure"}, `behind the slice that was lent`,
	},
	"loses the last event": {
		func(m *model) {
			m.take = big(func(own []ev) []ev { return own[:len(own)-1] })
		}, []string{"delivery"}, `has not arrived, although Write did not report it as failed`,
	},
	"writes twice": {
		func(m *model) {
			m.take = big(func(own []ev) []ev { return append(own, own[7]) })
		}, []string{"delivery", "order"}, `has arrived 2 times`,
	},
	"makes events up": {
		func(m *model) {
			m.take = func(events []ev) []ev {
				if len(events) == 0 {
					return []ev{{N: -1}}
				}
				return slices.Clone(events)
			}
		}, []string{"delivery"}, `has arrived, and nobody wrote that`,
	},
	"refuses no events": {
		func(m *model) {
			m.early = func(_ context.Context, events []ev) error {
				if len(events) == 0 {
					return errDown
				}
				return nil
			}
		}, []string{"delivery"}, `Write of no events failed: down`,
	},
	"reorders events": {
		func(m *model) {
			m.take = big(func(own []ev) []ev { slices.Reverse(own); return own })
		}, []string{"order"}, `has arrived after event`,
	},
	"reorders batches": {
		func(m *model) {
			m.flush = func() {
				for _, events := range slices.Backward(m.buf) {
					m.out = append(m.out, events...)
				}
				m.buf = nil
			}
		}, []string{"order"}, `has arrived after event`,
	},
	"interleaves": {
		func(m *model) { m.hasty = true }, []string{"concurrent"}, `does not come right behind the event before it`,
	},
	"forgets to flush": {
		func(m *model) { m.flush = func() {} },
		[]string{"delivery", "concurrent", "flush", "lent-slice", "partial", "ended-context", "blocked-write", "write-failure", "close-twice", "write-after-close"},
		`has not arrived`,
	},
	"indexes out of range": {
		func(m *model) {
			m.fail = func(events []ev) ([]ev, error) {
				return nil, &stage.PartialError{Failed: []int{len(events)}}
			}
		}, []string{"partial"}, `the indexes [5] of a PartialError are not distinct ones of a batch of 5`,
	},
	"indexes twice": {
		func(m *model) {
			m.fail = func([]ev) ([]ev, error) { return nil, &stage.PartialError{Failed: []int{0, 0}} }
		}, []string{"partial"}, `the indexes [0 0] of a PartialError are not distinct`,
	},
	"indexes of what was delivered": {
		func(m *model) {
			m.fail = func(events []ev) ([]ev, error) {
				return events[1:], &stage.PartialError{Failed: []int{len(events) - 1}}
			}
		}, []string{"partial"}, `has arrived, although Write reported it as failed`,
	},
	"a whole failure that was a part": {
		func(m *model) { m.fail = func(events []ev) ([]ev, error) { return events[:1], errDown } },
		[]string{"partial"}, `has arrived, although Write reported it as failed`,
	},
	"hides a failure": {
		func(m *model) { m.fail = func([]ev) ([]ev, error) { return nil, nil } },
		[]string{"partial"}, `returned nil, although Subject.Fail was called`,
	},
	"never recovers": {
		func(m *model) {
			m.fail = func([]ev) ([]ev, error) { m.fails = 1 << 20; return nil, errDown }
		}, []string{"partial"}, `Write of 3 events failed: down`,
	},
	"panics": {
		func(m *model) { m.fail = func([]ev) ([]ev, error) { panic("burst") } },
		[]string{"partial"}, `Write panicked: burst`,
	},
	"ends its goroutine": {
		func(m *model) { m.fail = func([]ev) ([]ev, error) { runtime.Goexit(); return nil, nil } },
		[]string{"partial"}, `Write called runtime.Goexit`,
	},
	"ignores the context": {
		func(m *model) { m.deaf = true }, []string{"blocked-write"}, `has not returned after 1h0m0s`,
	},
	"says nil when the context ends": {
		func(m *model) {
			m.early = func(ctx context.Context, events []ev) error {
				if m.gate != nil {
					<-ctx.Done()
					m.gate = nil
				}
				return nil
			}
		}, []string{"blocked-write"}, `Write returned nil, although the destination did not answer`,
	},
	"hangs on an ended context": {
		func(m *model) {
			m.early = func(ctx context.Context, _ []ev) error {
				if ctx.Err() != nil {
					<-make(chan int)
				}
				return nil
			}
		}, []string{"ended-context"}, `Write with an ended context has not returned`,
	},
	"lies about an ended context": {
		func(m *model) {
			m.early = func(ctx context.Context, _ []ev) error {
				if ctx.Err() != nil {
					m.take = func([]ev) []ev { m.take = slices.Clone[[]ev]; return nil }
				}
				return nil
			}
		}, []string{"ended-context"}, `has not arrived`,
	},
	"hangs": {
		func(m *model) {
			m.early = func(_ context.Context, events []ev) error {
				if len(events) == 64 {
					<-make(chan int)
				}
				return nil
			}
		}, []string{"delivery", "order", "goroutines"}, `Write has not returned after 1h0m0s`,
	},
	"panics on a zero event": {
		func(m *model) {
			m.early = func(_ context.Context, events []ev) error {
				for _, e := range events {
					_ = e.Tags[0]
				}
				return nil
			}
		}, []string{"zero-event"}, `Write of a zero event panicked: runtime error: index out of range`,
	},
	"has no name": {
		func(m *model) { m.title = "" }, []string{"name"}, `Name returned nothing`,
	},
	"panics at the second Close": {
		func(m *model) { m.again = func() { panic("close of closed channel") } },
		[]string{"close-twice"}, `a second Close panicked: close of closed channel`,
	},
	"panics after Close": {
		func(m *model) { m.late = func() error { panic("send on closed channel") } },
		[]string{"write-after-close"}, `Write after Close panicked: send on closed channel`,
	},
	"takes events after Close": {
		func(m *model) { m.late = func() error { return nil } },
		[]string{"write-after-close"}, `Write after Close returned nil`,
	},
	"may be asked again after Close": {
		func(m *model) { m.late = func() error { return errDown } },
		[]string{"write-after-close"}, `is not marked as permanent: down`,
	},
	"leaks a goroutine": {
		func(m *model) { m.ends = func() { go leak() } }, []string{"goroutines"}, `sinktest_test.leak`,
	},
	"leaks a ticker": {
		func(m *model) {
			m.ends = func() {
				go func() {
					for range time.NewTicker(time.Second).C {
						m.title = "ticking"
					}
				}()
			}
		}, []string{"goroutines"}, `after Close there is still`,
	},
}

// others are what fails that is not the sink's fault, or not in a bubble.
var others = map[string]struct {
	run  func(t *testing.T)
	says string
}{
	"leaks in real time": {func(t *testing.T) {
		suite(t, func(m *model) { m.ends = func() { go leak() } }, func(cfg *sinktest.Config[ev]) { cfg.NoBubble = true })
	}, "sinktest_test.leak"},
	"no Open": {func(t *testing.T) {
		sinktest.Run(t, sinktest.Config[ev]{Event: event})
	}, "Config.Open and Config.Event are required"},
	"no Event": {func(t *testing.T) {
		suite(t, func(*model) {}, func(cfg *sinktest.Config[ev]) { cfg.Event = nil })
	}, "Config.Open and Config.Event are required"},
	"no sink": {func(t *testing.T) {
		suite(t, nil, func(cfg *sinktest.Config[ev]) {
			cfg.Open = func(*testing.T) sinktest.Subject[ev] { return sinktest.Subject[ev]{} }
		})
	}, "Subject.Sink is required"},
	"Open hangs": {func(t *testing.T) {
		suite(t, func(*model) { leak() })
	}, "all goroutines in bubble are blocked"},
	"Block does not": {func(t *testing.T) {
		suite(t, nil, func(cfg *sinktest.Config[ev]) {
			cfg.Open = func(*testing.T) sinktest.Subject[ev] {
				s := newModel().subject()
				s.Block = func() func() { return func() {} }
				return s
			}
		})
	}, "Write has returned, although Subject.Block was called"},
}

func leak() { <-make(chan int) }

// victimEnv names the victim that TestVictim is to play.
const victimEnv = "SINKTEST_VICTIM"

// TestVictim fails, in a test binary of its own.
func TestVictim(t *testing.T) {
	name := os.Getenv(victimEnv)
	if v, ok := victims[name]; ok {
		suite(t, v.spoil)
		return
	}
	v, ok := others[name]
	if !ok {
		t.Skip("played by other tests only")
	}
	v.run(t)
}

// sacrifice plays a victim in another process, which must fail, and returns
// what it printed.
func sacrifice(t *testing.T, victim string) string {
	t.Helper()
	self, err := os.Executable()
	require.NoError(t, err)
	cmd := exec.CommandContext(t.Context(), self, "-test.run=^TestVictim$")
	cmd.Env = append(os.Environ(), victimEnv+"="+victim, "GORACE=atexit_sleep_ms=0") // the default is a second
	out, err := cmd.CombinedOutput()
	var exit *exec.ExitError
	require.ErrorAs(t, err, &exit, "%s", out)
	return string(out)
}

// TestEveryVictimIsCaught is for the suite's teeth: the rule that is broken
// fails, no other does, and the message says why.
func TestEveryVictimIsCaught(t *testing.T) {
	failed := regexp.MustCompile(`(?m)^\s+--- FAIL: TestVictim/(\S+) `)
	for name, v := range victims {
		t.Run(name, func(t *testing.T) {
			out := sacrifice(t, name)
			var rules []string
			for _, m := range failed.FindAllStringSubmatch(out, -1) {
				rules = append(rules, m[1])
			}
			require.ElementsMatch(t, v.rules, rules, "%s", out)
			require.Contains(t, out, v.says)
			require.Contains(t, out, "the rule: ")
		})
	}
}

func TestOtherVictims(t *testing.T) {
	for name, v := range others {
		t.Run(name, func(t *testing.T) { require.Contains(t, sacrifice(t, name), v.says) })
	}
}

func TestASinkThatKeepsEveryRule(t *testing.T) {
	suite(t, func(*model) {})
	t.Run("in real time", func(t *testing.T) {
		suite(t, func(*model) {}, func(cfg *sinktest.Config[ev]) { cfg.NoBubble = true })
	})
	t.Run("with duplicates", func(t *testing.T) {
		suite(t, func(m *model) {
			m.fail = func(events []ev) ([]ev, error) { return events, errDown }
		}, func(cfg *sinktest.Config[ev]) { cfg.Duplicates = true })
	})
}

// A sink that has nothing but Write, and a destination that cannot be read.
func TestTheLeastOfSinks(t *testing.T) {
	n := 0
	sinktest.Run(t, sinktest.Config[int]{
		Event: func(i int) int { return i },
		Open: func(*testing.T) sinktest.Subject[int] {
			return sinktest.Subject[int]{Sink: stage.SinkFunc[int](func(_ context.Context, events []int) error {
				n += len(events)
				return nil
			})}
		},
	})
	require.NotZero(t, n)
}
