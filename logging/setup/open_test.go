package setup

import (
	"fmt"
	"log/slog"
	"math"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/penstock-go/penstock/clockutil/clocktest"
	"github.com/penstock-go/penstock/logging"
	"github.com/penstock-go/penstock/pipeline"
	"github.com/penstock-go/penstock/sinks"
	"github.com/penstock-go/penstock/stage"
)

type (
	fileConfig     = sinks.FileConfig[logging.Record]
	letterConfig   = sinks.FileConfig[sinks.Letter[logging.Record]]
	pipelineConfig = pipeline.Config[logging.Record]
)

// A bad configuration is refused with the field named, whichever output it is
// in, and nothing stays open.
func TestBadConfigurationIsRefused(t *testing.T) {
	dir := t.TempDir()
	occupied := filepath.Join(dir, "occupied")
	require.NoError(t, os.Mkdir(occupied, 0o755))
	jsonEncoder := logging.EncodeJSON
	for want, spoil := range map[string]func(c *Config, o *Output){
		"Outputs = []: must not be empty":                            func(c *Config, _ *Output) { c.Outputs = nil },
		`Overrides = "a..b": must be names, joined by dots`:          func(c *Config, _ *Output) { c.Overrides = map[string]slog.Level{"a..b": 0} },
		`Overrides = "": must be names, joined by dots`:              func(c *Config, _ *Output) { c.Overrides = map[string]slog.Level{"": 0} },
		`Redact[1] = "": must not be empty`:                          func(c *Config, _ *Output) { c.Redact = []string{"a", ""} },
		"Extract[0] = <nil>: must not be nil":                        func(c *Config, _ *Output) { c.Extract = []logging.Extractor{nil} },
		"Templates.CacheSize = -1: must not be negative":             func(c *Config, _ *Output) { c.Templates.CacheSize = -1 },
		"Outputs[1].To = 0: must be one of Console, File and Sink":   func(_ *Config, o *Output) { o.To = Target{} },
		"Outputs[1].To = 2: must be one of Console, File and Sink":   func(_ *Config, o *Output) { o.To.Console = os.Stderr },
		"Outputs[1].To.Format = Format(9): must be FormatAuto":       func(_ *Config, o *Output) { o.To.Format = 9 },
		"Outputs[1].To.Format = json: must be FormatAuto with":       func(_ *Config, o *Output) { o.To.Format, o.To.Encode = FormatJSON, jsonEncoder },
		"Outputs[1].To.Format = text: must not be set with Sink":     func(_ *Config, o *Output) { o.To = Target{Sink: &memory{}, Format: FormatText} },
		"Outputs[1].To.File.Encode = a function: must be left to":    func(_ *Config, o *Output) { o.To.File.Encode = jsonEncoder },
		"Outputs[1].To.Style.Color = 7: must be":                     func(_ *Config, o *Output) { o.To.Format, o.To.Style.Color = FormatConsole, 7 },
		"Outputs[1].To.File: FileConfig.Path is \"\", want a path":   func(_ *Config, o *Output) { o.To.File.Path = "" },
		"Outputs[1].To.File: open: ":                                 func(_ *Config, o *Output) { o.To.File.Path = occupied },
		"must not be that of Outputs[0].To.File":                     func(_ *Config, o *Output) { o.To.File.Path = filepath.Join(dir, ".", "first.log") },
		"Outputs[1].Name = first: must be no other output's":         func(_ *Config, o *Output) { o.Name = "first" },
		"Outputs[1].Timeout: TimeoutConfig.Limit is -1ns, want":      func(_ *Config, o *Output) { o.Timeout = &sinks.TimeoutConfig{Limit: -1} },
		"Outputs[1].RateLimit: RateLimitConfig.Events is 0, want":    func(_ *Config, o *Output) { o.RateLimit = &sinks.RateLimitConfig{} },
		"Outputs[1].Breaker: BreakerConfig.Failures is -1, want":     func(_ *Config, o *Output) { o.Breaker = &sinks.BreakerConfig{Failures: -1} },
		"Outputs[1].Retry: RetryConfig.MaxAttempts is -1, want":      func(_ *Config, o *Output) { o.Retry = &sinks.RetryConfig{MaxAttempts: -1} },
		"Outputs[1].Fallback = 0: must be one of":                    func(_ *Config, o *Output) { o.Fallback = &Target{} },
		"Outputs[1].Fallback.File: open: ":                           func(_ *Config, o *Output) { o.Fallback = &Target{File: &fileConfig{Path: occupied}} },
		"Outputs[1].DeadLetters: open: ":                             func(_ *Config, o *Output) { o.DeadLetters = &letterConfig{Path: occupied} },
		"Outputs[1].ImportantFrom = ERROR: must be nil with":         func(_ *Config, o *Output) { o.NoReserve, o.ImportantFrom = true, slog.LevelError },
		"Outputs[1].Pipeline.Name = x: must be left to Output.Name":  func(_ *Config, o *Output) { o.Pipeline.Name = "x" },
		"Outputs[1].Pipeline.Clock = *clock.Mock: must be left to":   nil, // below
		"Outputs[1].Pipeline.Important = a function: must be left":   func(_ *Config, o *Output) { o.Pipeline.Important = func(logging.Record) bool { return true } },
		"Outputs[1].Pipeline.QueueSize = -1: must not be negative":   func(_ *Config, o *Output) { o.Pipeline.QueueSize = -1 },
		"Outputs[1].Pipeline.Reserve = 0.5: must be 0 with":          func(_ *Config, o *Output) { o.NoReserve, o.Pipeline.Reserve = true, 0.5 },
		"Outputs[1].Pipeline.QueueBytes = -1: must not be negative":  func(_ *Config, o *Output) { o.Pipeline.QueueBytes = -1 },
		"Outputs[1].Pipeline.MaxEventBytes = -1: must not be negati": func(_ *Config, o *Output) { o.Pipeline.MaxEventBytes = -1 },
	} {
		t.Run(want, func(t *testing.T) {
			clocktest.Run(t, func(t *testing.T, w *clocktest.World) {
				if spoil == nil {
					spoil = func(_ *Config, o *Output) { o.Pipeline.Clock = w.Clock() }
				}
				var given memory
				cfg := Config{Clock: w.Clock(), Outputs: []Output{
					{Name: "first", To: Target{File: &fileConfig{Path: filepath.Join(dir, "first.log")}}},
					{Name: "second", To: Target{File: &fileConfig{Path: filepath.Join(dir, "second.log")}}},
					{Name: "third", To: Target{Sink: &given}},
				}}
				spoil(&cfg, &cfg.Outputs[1])
				before := openFiles(t)
				l, err := Open(cfg)
				require.ErrorContains(t, err, want)
				require.ErrorContains(t, err, "penstock: ")
				require.Nil(t, l)
				require.Equal(t, before, openFiles(t))
				require.NoError(t, given.Write(t.Context(), nil))
				require.Zero(t, given.Closes(), "it is not the Log's yet")
			}, clocktest.WithMock())
		})
	}
}

// openFiles returns the files that this process has open, where that can be
// asked.
func openFiles(t *testing.T) (open []string) {
	t.Helper()
	entries, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		return nil
	}
	for _, e := range entries {
		if to, err := os.Readlink(filepath.Join("/proc/self/fd", e.Name())); err == nil && filepath.Ext(to) == ".log" {
			open = append(open, to)
		}
	}
	return open
}

// A file, a fallback and dead letters: what the sink refuses goes on to the
// next, and the files have it.
func TestWhatFailsGoesToTheFallbackAndThenToTheLetters(t *testing.T) {
	clocktest.Both(t, func(t *testing.T, w *clocktest.World) {
		dir := t.TempDir()
		letters := filepath.Join(dir, "dead", "letters.json")
		failing := &memory{Fail: func(int, []logging.Record) error { return os.ErrDeadlineExceeded }}
		fallback := &memory{Fail: func(_ int, rs []logging.Record) error {
			if rs[0].Message == "poison" {
				return os.ErrInvalid
			}
			return nil
		}}
		l := open(t, w, Config{Redact: []string{"token"}, Outputs: []Output{{
			Name: "net", To: Target{Sink: failing}, Fallback: &Target{Sink: fallback},
			DeadLetters: &letterConfig{Path: letters},
			Retry:       &sinks.RetryConfig{MaxAttempts: 3, Initial: time.Second, Jitter: sinks.JitterNone},
			Breaker:     &sinks.BreakerConfig{Failures: 100},
			Timeout:     &sinks.TimeoutConfig{Limit: time.Minute},
			RateLimit:   &sinks.RateLimitConfig{Events: math.MaxInt32},
			Pipeline:    pipelineConfig{BatchSize: 1},
		}}})
		l.Logger("").Info("fine", "token", "s3cret")
		l.Logger("").Info("poison", "token", "s3cret")
		w.Advance(time.Minute)
		ctx, cancel := w.WithTimeout(t.Context(), time.Second)
		defer cancel()
		require.NoError(t, l.Close(ctx))
		require.Equal(t, []string{"fine"}, messages(fallback))
		text, err := os.ReadFile(letters)
		require.NoError(t, err)
		require.Contains(t, string(text), `"msg":"poison"`)
		require.NotContains(t, string(text), "s3cret")
		s := l.Stats().Outputs[0].Pipeline
		require.Equal(t, uint64(2), s.Rerouted)
		require.Equal(t, uint64(4), s.Sinks[0].Retries)
	})
}

// With room to spill, what the queue has no room for goes to the fallback too,
// and is not dropped.
func TestOverflowSpillsToTheFallback(t *testing.T) {
	clocktest.Both(t, func(t *testing.T, w *clocktest.World) {
		var m, fallback memory
		m.Hold()
		out := small(&m, stage.DropOldest)
		out.Fallback, out.Pipeline.SpillSize = &Target{Sink: &fallback}, 2000
		l := open(t, w, Config{Outputs: []Output{out}})
		for range 1000 {
			l.Logger("").Info("tick")
		}
		w.Settle()
		m.Release()
		closeLog(t, w, l, &m)
		s := l.Stats().Outputs[0]
		require.NotZero(t, s.Pipeline.Rerouted)
		require.Equal(t, uint64(1000), s.Pipeline.Delivered+s.Pipeline.Rerouted)
		require.Len(t, fallback.Events(), int(s.Pipeline.Rerouted))
		require.Zero(t, s.Summaries)
	})
}

// Each format, in a file.
func TestFormats(t *testing.T) {
	for name, c := range map[string]struct {
		to   Target
		want string
	}{
		"auto":    {Target{}, `"level":"INFO","msg":"open","gate":"north","err":{}`},
		"json":    {Target{Format: FormatJSON}, `"level":"INFO","msg":"open","gate":"north","err":{}`},
		"text":    {Target{Format: FormatText}, "level=INFO msg=open gate=north err={}\n"},
		"clef":    {Target{Format: FormatCLEF}, `"@m":"open","gate":"north","err":{}`},
		"console": {Target{Format: FormatConsole, Style: logging.ConsoleConfig{TimeFormat: "-"}}, "- INF open gate=north err={}\n"},
		"colored": {Target{Format: FormatConsole, Style: logging.ConsoleConfig{Color: logging.ColorAlways}}, "\x1b[32mINF"},
		"own":     {Target{Encode: func(dst []byte, r logging.Record) ([]byte, error) { return append(dst, "own\n"...), nil }}, "own\n"},
	} {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "x.log")
			c.to.File = &fileConfig{Path: path}
			l, err := Open(Config{Outputs: []Output{{To: c.to}}})
			require.NoError(t, err)
			l.Logger("").Info("open", "gate", "north", "err", struct{}{})
			require.NoError(t, l.Close(t.Context()))
			text, err := os.ReadFile(path)
			require.NoError(t, err)
			require.Contains(t, string(text), c.want)
			require.Equal(t, "file "+path, l.Stats().Outputs[0].Pipeline.Name)
			require.Nil(t, c.to.File.Encode, "the configuration is the caller's")
		})
	}
	require.Equal(t, "clef", FormatCLEF.String())
	require.Equal(t, "Format(9)", Format(9).String())
}

// A value is rendered in the forms that some output needs, and no other.
func TestFormsFollowFromFormats(t *testing.T) {
	both := logging.FormJSON | logging.FormText
	for name, c := range map[string]struct {
		out  Output
		want logging.Forms
	}{
		"json":     {Output{To: Target{File: &fileConfig{}}}, logging.FormJSON},
		"clef":     {Output{To: Target{File: &fileConfig{}, Format: FormatCLEF}}, logging.FormJSON | logging.FormErrors},
		"text":     {Output{To: Target{Console: os.Stderr}}, logging.FormText},
		"sink":     {Output{To: Target{Sink: &memory{}}}, both},
		"fallback": {Output{To: Target{File: &fileConfig{}}, Fallback: &Target{Console: os.Stderr}}, both},
		"letters":  {Output{To: Target{Console: os.Stderr}, DeadLetters: &letterConfig{}}, both},
		"encoder":  {Output{To: Target{File: &fileConfig{}}, DeadLetters: &letterConfig{Encode: sinks.LetterEncoder(logging.EncodeText)}}, both},
	} {
		require.Equal(t, c.want, c.out.forms(), name)
	}
	routed := Output{To: Target{File: &fileConfig{}}}
	routed.Pipeline.Stages = append(routed.Pipeline.Stages, nil)
	require.Equal(t, both, routed.forms())
}

// traced is an error with a stack, and JSON of its own.
type traced struct{}

func (traced) Error() string                { return "dry" }
func (traced) MarshalJSON() ([]byte, error) { return []byte(`{"why":"dry"}`), nil }
func (traced) Format(s fmt.State, _ rune)   { _, _ = fmt.Fprint(s, "dry\nat the mill") }

// An output in CLEF alone has the whole text of an error, stack included.
func TestErrorsInCLEFHaveTheirStack(t *testing.T) {
	path := filepath.Join(t.TempDir(), "x.log")
	l, err := Open(Config{Outputs: []Output{{To: Target{Format: FormatCLEF, File: &fileConfig{Path: path}}}}})
	require.NoError(t, err)
	l.Logger("").Error("stopped", "err", traced{}, "cause", traced{})
	require.NoError(t, l.Close(t.Context()))
	text, err := os.ReadFile(path)
	require.NoError(t, err)
	require.Contains(t, string(text), `"@x":"dry\nat the mill","cause":{"why":"dry"}}`)
}

// With a bound of bytes, records have a size.
func TestBytesAreBounded(t *testing.T) {
	clocktest.Run(t, func(t *testing.T, w *clocktest.World) {
		var m memory
		l := open(t, w, Config{Outputs: []Output{{To: Target{Sink: &m}, Pipeline: pipelineConfig{MaxEventBytes: 4000, QueueBytes: 10000}}}})
		l.Logger("").Info("short")
		l.Logger("").Info("long", "text", string(make([]byte, 5000)))
		closeLog(t, w, l)
		s := l.Stats().Outputs[0]
		require.Equal(t, uint64(1), s.Pipeline.Rejected.TooLarge)
		require.Equal(t, uint64(1), s.Summaries)
		require.Equal(t, []string{"short", "1 record dropped in 0 s"}, messages(&m))
	})
}

func TestTheCauseOfARefusalCanBeAskedFor(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	require.NoError(t, os.WriteFile(file, nil, 0o600))
	_, err := Open(Config{Outputs: []Output{{To: Target{File: &fileConfig{Path: filepath.Join(file, "x.log")}}}}})
	var cause *os.PathError
	require.ErrorAs(t, err, &cause)
}
