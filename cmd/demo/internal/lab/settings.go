package lab

import (
	"fmt"
	"time"
)

// The overflow policies.
const (
	Wait       = "wait" // producers call EnqueueWait
	DropOldest = "drop-oldest"
	DropNewest = "drop-newest"
)

// The sinks.
const (
	Discard = "discard" // counts
	Memory  = "memory"  // encodes, into memory that is used again
	File    = "file"    // encodes, into a temporary file, of which the last 256 to 512 MiB are kept
	Slow    = "slow"    // Discard that takes 5ms a call, unless Latency says otherwise
	Flaky   = "flaky"   // Discard that fails every tenth call, unless FailRate says otherwise
	None    = "none"    // no fallback
)

// Settings say everything about an experiment.
type Settings struct {
	Producers int           `json:"producers"`
	Rate      int           `json:"rate"` // events per second of all producers together; 0: flat out
	Size      int           `json:"size"` // bytes of an event's line
	Queue     int           `json:"queue"`
	Batch     int           `json:"batch"`
	Interval  time.Duration `json:"interval_ns"`
	Overflow  string        `json:"overflow"`
	Workers   int           `json:"workers"`
	Sink      string        `json:"sink"`
	Fallback  string        `json:"fallback"` // where what the sink refuses goes; a sink or None
	Dir       string        `json:"dir,omitempty"`

	Faults
	Retry     int           `json:"retry"` // attempts, the first included; 0: one, without a decorator
	RetryWait time.Duration `json:"retry_wait_ns"`
	Breaker   int           `json:"breaker"` // failed calls in a row that open it; 0: none
	CoolDown  time.Duration `json:"cooldown_ns"`
	Timeout   time.Duration `json:"timeout_ns"` // of a call; 0: none

	Duration time.Duration `json:"duration_ns"` // of producing; the draining comes on top
	Drain    time.Duration `json:"drain_ns"`    // greatest time for it
	Seed     uint64        `json:"seed"`
}

// Defaults are settings that work.
func Defaults() Settings {
	return Settings{
		Producers: 4, Rate: 100_000, Size: 200, Queue: 8192, Batch: 512, Interval: 100 * time.Millisecond,
		Overflow: DropOldest, Workers: 1, Sink: Discard, Fallback: None,
		RetryWait: 50 * time.Millisecond, CoolDown: time.Second,
		Duration: 10 * time.Second, Drain: 10 * time.Second, Seed: 1,
	}
}

// What the sinks Slow and Flaky stand for.
const (
	slowLatency = 5 * time.Millisecond
	flakyRate   = 0.1
)

// Bounds of settings, so that no slip of a finger takes all memory.
const (
	maxProducers = 1024
	maxQueue     = 1 << 24
	maxWorkers   = 1024
	maxRate      = 1_000_000_000
	maxSize      = 1 << 20
)

// Check returns an error that names the flag and the value of what makes no
// sense.
func (s *Settings) Check() error {
	for _, n := range []struct {
		flag            string
		value, from, to int
	}{
		{"producers", s.Producers, 1, maxProducers},
		{"rate", s.Rate, 0, maxRate},
		{"size", s.Size, minSize, maxSize},
		{"queue", s.Queue, 1, maxQueue},
		{"batch", s.Batch, 1, s.Queue},
		{"workers", s.Workers, 1, maxWorkers},
		{"retry", s.Retry, 0, 1000},
		{"breaker", s.Breaker, 0, 1_000_000},
	} {
		switch {
		case n.value >= n.from && n.value <= n.to:
		case n.flag == "batch":
			return fmt.Errorf("-batch is %d, want 1 to %d (-queue)", n.value, n.to)
		default:
			return fmt.Errorf("-%s is %d, want %d to %d", n.flag, n.value, n.from, n.to)
		}
	}
	for _, d := range []struct {
		flag  string
		value time.Duration
		zero  bool
	}{
		{"interval", s.Interval, false},
		{"retry-wait", s.RetryWait, false},
		{"cooldown", s.CoolDown, false},
		{"timeout", s.Timeout, true},
		{"duration", s.Duration, false},
		{"drain", s.Drain, false},
	} {
		switch {
		case d.value < 0:
			return fmt.Errorf("-%s is %v, want 0 or more", d.flag, d.value)
		case d.value == 0 && !d.zero:
			return fmt.Errorf("-%s is 0s, want more", d.flag)
		}
	}
	if err := oneOf("overflow", s.Overflow, overflows); err != nil {
		return err
	}
	if err := oneOf("sink", s.Sink, sinkKinds); err != nil {
		return err
	}
	if err := oneOf("fallback", s.Fallback, fallbacks); err != nil {
		return err
	}
	return s.Faults.Check()
}

var (
	overflows = []string{Wait, DropOldest, DropNewest}
	sinkKinds = []string{Discard, Memory, File, Slow, Flaky}
	fallbacks = []string{None, Discard, Memory, File}
)
