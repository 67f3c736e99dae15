package lab

import (
	"flag"
	"fmt"
	"slices"
	"strings"
	"time"
)

// Flags makes a flag of every setting. The defaults are what s has.
func (s *Settings) Flags(fs *flag.FlagSet) {
	fs.IntVar(&s.Producers, "producers", s.Producers, "`number` of goroutines that produce")
	fs.IntVar(&s.Rate, "rate", s.Rate, "`events` per second of all producers together; 0: flat out")
	fs.IntVar(&s.Size, "size", s.Size, "`bytes` of an event's line")
	fs.IntVar(&s.Queue, "queue", s.Queue, "`events` that may wait in the queue")
	fs.IntVar(&s.Batch, "batch", s.Batch, "`events` in a batch; at most -queue")
	fs.DurationVar(&s.Interval, "interval", s.Interval, "greatest time that an event waits for its batch to fill")
	word(fs, &s.Overflow, "overflow", overflows, "`policy` for a full queue")
	fs.IntVar(&s.Workers, "workers", s.Workers, "`number` of concurrent calls of the sink")
	word(fs, &s.Sink, "sink", sinkKinds, "`kind` of sink")
	word(fs, &s.Fallback, "fallback", fallbacks, "`kind` of sink for what the first refuses; none: it is lost")
	fs.StringVar(&s.Dir, "dir", s.Dir, "`directory` for -sink file (default the system's for temporary files)")

	fs.DurationVar(&s.Latency, "latency", s.Latency, "time that each call of the sink takes")
	fs.Float64Var(&s.FailRate, "fail-rate", s.FailRate, "`share` of the sink's calls that fail, 0 to 1")
	fs.Float64Var(&s.PanicRate, "panic-rate", s.PanicRate, "`share` of the sink's calls that panic, 0 to 1")
	fs.Var(&s.Stall, "stall", "`every/for`: each EVERY a call hangs FOR so long and ignores its context, as 5s/800ms")
	fs.Var(&s.Outage, "outage", "`from/for`: FROM that time on all calls fail FOR so long, as 3s/2s")

	fs.IntVar(&s.Retry, "retry", s.Retry, "`attempts` for each batch, the first included; 0: one")
	fs.DurationVar(&s.RetryWait, "retry-wait", s.RetryWait, "wait after the first failed attempt; it doubles each time")
	fs.IntVar(&s.Breaker, "breaker", s.Breaker, "failed `calls` in a row, retries not counted, that open a circuit breaker; 0: none")
	fs.DurationVar(&s.CoolDown, "cooldown", s.CoolDown, "how long the breaker stays open")
	fs.DurationVar(&s.Timeout, "timeout", s.Timeout, "greatest time for one attempt; 0: none")

	fs.DurationVar(&s.Duration, "duration", s.Duration, "how long to produce")
	fs.DurationVar(&s.Drain, "drain", s.Drain, "greatest time for delivering the rest")
	fs.Uint64Var(&s.Seed, "seed", s.Seed, "`number` that decides what is left to chance")
}

// Set sets one setting by the name of its flag.
func (s *Settings) Set(name, value string) error {
	fs := flag.NewFlagSet("", flag.ContinueOnError)
	s.Flags(fs)
	if fs.Lookup(name) == nil {
		return fmt.Errorf("there is no setting %q", name)
	}
	if err := fs.Set(name, value); err != nil {
		return fmt.Errorf("-%s %s: %w", name, value, err)
	}
	return nil
}

// Args are the flags by which s differs from [Defaults].
func (s *Settings) Args() (args []string) {
	fs, defaults := flag.NewFlagSet("", flag.ContinueOnError), flag.NewFlagSet("", flag.ContinueOnError)
	own, usual := *s, Defaults()
	own.Flags(fs)
	usual.Flags(defaults)
	fs.VisitAll(func(f *flag.Flag) {
		if value := f.Value.String(); value != defaults.Lookup(f.Name).Value.String() {
			args = append(args, "-"+f.Name, value)
		}
	})
	return args
}

// word makes a flag of a setting that has a few permitted words.
func word(fs *flag.FlagSet, p *string, name string, among []string, usage string) {
	fs.Var(&choice{p, among}, name, usage+": "+strings.Join(among, ", "))
}

type choice struct {
	p     *string
	among []string
}

// String implements [flag.Value], also for the zero value.
func (c *choice) String() string {
	if c.p == nil {
		return ""
	}
	return *c.p
}

func (c *choice) Set(s string) error {
	if !slices.Contains(c.among, s) {
		return fmt.Errorf("want one of %s", strings.Join(c.among, ", "))
	}
	*c.p = s
	return nil
}

func oneOf(name, value string, among []string) error {
	if !slices.Contains(among, value) {
		return fmt.Errorf("-%s is %q, want one of %s", name, value, strings.Join(among, ", "))
	}
	return nil
}

// Span is a pair of durations, of which both or none are set. What they mean
// is up to who uses it.
type Span struct {
	At  time.Duration `json:"at_ns"`
	For time.Duration `json:"for_ns"`
}

// String is what Set takes.
func (s *Span) String() string {
	if s.For == 0 {
		return ""
	}
	return fmt.Sprintf("%v/%v", s.At, s.For)
}

// Set implements [flag.Value].
func (s *Span) Set(text string) error {
	if text == "" {
		*s = Span{}
		return nil
	}
	at, length, ok := strings.Cut(text, "/")
	if !ok {
		return fmt.Errorf("want two durations with a / between, as 5s/800ms")
	}
	var got Span
	var err error
	if got.At, err = time.ParseDuration(at); err != nil {
		return err
	}
	if got.For, err = time.ParseDuration(length); err != nil {
		return err
	}
	if got.At < 0 || got.For <= 0 {
		return fmt.Errorf("the first duration must not be negative, the second must be more than 0")
	}
	*s = got
	return nil
}
