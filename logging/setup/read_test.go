package setup

import (
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/penstock-go/penstock/logging"
	"github.com/penstock-go/penstock/pipeline"
	"github.com/penstock-go/penstock/sinks"
	"github.com/penstock-go/penstock/stage"
)

func read(t *testing.T, text string) Config {
	t.Helper()
	cfg, err := ReadConfig(strings.NewReader(text))
	require.NoError(t, err)
	return cfg
}

// What is left out has the defaults of the struct.
func TestReadDefaults(t *testing.T) {
	require.Equal(t, Config{}, read(t, `{}`))
	require.Equal(t, Config{Outputs: []Output{{To: Target{Console: os.Stderr}}}}, read(t, `{"outputs":[{"to":{"console":"stderr"}}]}`))
	require.Equal(t, Output{
		Timeout: &sinks.TimeoutConfig{}, Retry: &sinks.RetryConfig{}, Breaker: &sinks.BreakerConfig{}, RateLimit: &sinks.RateLimitConfig{},
		Fallback: &Target{}, DeadLetters: &letterConfig{},
	}, read(t, `{"outputs":[{"timeout":{},"retry":{},"breaker":{},"rateLimit":{},"fallback":{},"deadLetters":{},"pipeline":{},"to":{}}]}`).Outputs[0])
}

// The example of the documents is read as it is meant.
func TestReadTheExample(t *testing.T) {
	f, err := os.Open(filepath.Join("..", "..", "docs", "logging.json"))
	require.NoError(t, err)
	defer f.Close()
	got, err := ReadConfig(f)
	require.NoError(t, err)

	r := one(t, func(l *slog.Logger) { l.With(NameKey, "mill.gate").Info("m", slog.Group("request", "id", 1)) })
	sick := one(t, func(l *slog.Logger) { l.Error("m", "health", true) })
	require.True(t, got.Filter(r))
	require.False(t, got.Filter(sick))
	require.True(t, got.Outputs[1].Filter(r))
	require.True(t, got.Outputs[1].Filter(sick))
	require.False(t, got.Outputs[1].Filter(one(t, func(l *slog.Logger) { l.Info("m") })))
	got.Filter, got.Outputs[1].Filter = nil, nil

	require.Equal(t, Config{
		Level:     slog.LevelInfo,
		Overrides: map[string]slog.Level{"mill": slog.LevelDebug, "mill.gate": slog.LevelWarn},
		Attrs:     []slog.Attr{slog.String("service", "mill"), slog.Group("build", "number", 42)},
		Host:      true, PID: true, Redact: []string{"password", "token"}, Source: true, DropSummary: 10 * time.Second,
		Templates: logging.LoggerConfig{Unquoted: true, CacheSize: 256},
		Outputs: []Output{
			{
				Name: "console", Level: slog.LevelWarn,
				To: Target{Console: os.Stderr, Style: logging.ConsoleConfig{Color: logging.ColorNever, TimeFormat: "15:04:05", Location: time.UTC}},
			},
			{
				Name: "file", ImportantFrom: slog.LevelError,
				To: Target{Format: FormatCLEF, File: &fileConfig{
					Path: "mill.log", Mode: 0o640, DirMode: 0o750, MaxSize: 64 << 20, RotateEvery: 24 * time.Hour, MaxBackups: 14,
					MaxAge: 336 * time.Hour, Compress: true, Sync: sinks.SyncInterval, SyncEvery: time.Second,
				}},
				Timeout:   &sinks.TimeoutConfig{Limit: 10 * time.Second, Grace: 200 * time.Millisecond},
				RateLimit: &sinks.RateLimitConfig{Events: 50000, Burst: 10000, Batches: 200, BatchBurst: 20},
				Breaker:   &sinks.BreakerConfig{Rate: 0.5, Window: 10 * time.Second, MinCalls: 10, CoolDown: 5 * time.Second, Probes: 2},
				Retry: &sinks.RetryConfig{
					Initial: 100 * time.Millisecond, Multiplier: 2, Max: 5 * time.Second, Jitter: sinks.JitterBounded, JitterShare: 0.5,
					Seed: 1, MaxAttempts: 5, MaxElapsed: 30 * time.Second,
				},
				Fallback:    &Target{Console: os.Stdout, Format: FormatJSON},
				DeadLetters: &letterConfig{Path: "mill.dead.json"},
				Pipeline: pipelineConfig{
					QueueSize: 16384, QueueBytes: 32e6, MaxEventBytes: 1e6, Overflow: stage.DropOldest, Pressure: 0.5, Reserve: 0.25, SpillSize: 1024,
					BatchSize: 256, BatchBytes: 4e6, FlushInterval: 200 * time.Millisecond, Pace: time.Millisecond, Workers: 1,
				},
			},
			{
				Name: "debug", To: Target{File: &fileConfig{Path: "debug.log"}}, Level: slog.LevelDebug, NoReserve: true,
				Breaker: &sinks.BreakerConfig{Failures: 3, Hold: true},
			},
		},
	}, got)
	t.Chdir(t.TempDir())
	l, err := Open(got)
	require.NoError(t, err)
	require.NoError(t, l.Close(t.Context()))
}

func TestReadIsStrict(t *testing.T) {
	for text, want := range map[string]string{
		``:                                       `read configuration: EOF`,
		`{`:                                      `read configuration: unexpected EOF`,
		`[]`:                                     `the configuration = []: must be an object`,
		`{} {}`:                                  `something follows the object`,
		`{}x`:                                    `something follows the object`,
		`{"levle":"Debug"}`:                      `levle = "Debug": is unknown`,
		`{"Level":"Debug"}`:                      `Level = "Debug": is unknown`,
		`{"level":"Debug","level":"Error"}`:      `level = "Error": must not be there twice`,
		`{"level":"loud"}`:                       `level = "loud": must be Verbose, Debug,`,
		`{"level":4}`:                            `level = 4: must be Verbose`,
		`{"source":null}`:                        `source = null: must be true or false`,
		`{"redact":"password"}`:                  `redact = "password": must be a list`,
		`{"redact":["a",null]}`:                  `redact[1] = null: must be a text`,
		`{"attrs":{"a":1,"a":2}}`:                `attrs.a = 2: must not be there twice`,
		`{"attrs":{"g":{"a":1,"a":{}}}}`:         `attrs.g.a = {}: must not be there twice`,
		`{"filter":{"has":""}}`:                  `filter.has = "": must not be empty`,
		`{"filter":{"not":{"named":""}}}`:        `filter.not.named = "": must not be empty`,
		`{"overrides":{"a":"loud"}}`:             `overrides["a"] = "loud": must be`,
		`{"overrides":{"a":"inf","a":"inf"}}`:    `overrides["a"] = "inf": must not be there twice`,
		`{"dropSummary":5}`:                      `dropSummary = 5: must be a duration as "5s"`,
		`{"dropSummary":"5"}`:                    `dropSummary = "5": must be a duration`,
		`{"outputs":{}}`:                         `outputs = {}: must be a list`,
		`{"outputs":[null]}`:                     `outputs[0] = null: must be an object`,
		`{"outputs":[{},{"level":"loud"}]}`:      `outputs[1].level = "loud": must be`,
		`{"outputs":[{"to":{"console":"tty"}}]}`: `outputs[0].to.console = "tty": must be "stdout" or "stderr"`,
		`{"outputs":[{"to":{"format":"xml"}}]}`:  `outputs[0].to.format = "xml": must be "auto" or "json" or "text"`,
		`{"outputs":[{"to":{"style":{"color":"red"}}}]}`:         `outputs[0].to.style.color = "red": must be "auto"`,
		`{"outputs":[{"to":{"style":{"location":"Atlantis"}}}]}`: `outputs[0].to.style.location = "Atlantis": must be a time zone`,
		`{"outputs":[{"to":{"file":{"mode":"rw"}}}]}`:            `outputs[0].to.file.mode = "rw": must be an octal mode`,
		`{"outputs":[{"to":{"file":{"maxSize":"10 parsecs"}}}]}`: `outputs[0].to.file.maxSize = "10 parsecs": must be a number of bytes`,
		`{"outputs":[{"to":{"file":{"maxSize":1.5}}}]}`:          `outputs[0].to.file.maxSize = 1.5: must be a number of bytes`,
		`{"outputs":[{"pipeline":{"workers":"many"}}]}`:          `outputs[0].pipeline.workers = "many": must be a whole number`,
		`{"outputs":[{"pipeline":{"name":"x"}}]}`:                `outputs[0].pipeline.name = "x": is unknown`,
		`{"filter":{}}`:                                                 `filter = {}: must be a filter`,
		`{"filter":{"has":"a","named":"b"}}`:                            `filter.named = "b": must be the only member`,
		`{"filter":{"all":[{"has":"a"},{"not":{"hass":"b"}}]}}`:         `filter.all[1].not.hass = "b": is unknown`,
		`{"filter":{"equals":{"path":"a"}}}`:                            `filter.equals = {"path":"a"}: must be an object with path and value`,
		`{"filter":{"equals":{"path":"a","value":[]}}}`:                 `filter.equals.value = []: must be a text, a number, true or false`,
		`{"attrs":{"a":{"b":null}}}`:                                    `attrs.a.b = null: must be a text, a number`,
		`{"attrs":{"a":1e999}}`:                                         `attrs.a = 1e999: must be a number that fits`,
		`{"attrs":["` + strings.Repeat("x", 100) + `"]}`:                `attrs = ["` + strings.Repeat("x", 58) + `…: must be an object`,
		`{"outputs":[{"to":{"console":"stderr"}},{"to":{"sink":"x"}}]}`: `outputs[1].to.sink = "x": is unknown`,
	} {
		_, err := ReadConfig(strings.NewReader(text))
		require.ErrorContains(t, err, want, text)
		require.ErrorContains(t, err, "penstock: ", text)
	}
}

func TestSizes(t *testing.T) {
	for text, want := range map[string]int64{
		"0B": 0, "12B": 12, "10MB": 10_000_000, "1.5GB": 1_500_000_000, "64KiB": 65536, "2 MiB": 2 << 20, "1TiB": 1 << 40, "3kB": 3000, "4KB": 4000, "-1B": -1,
		"1GiB": 1 << 30, "1TB": 1e12,
	} {
		got, ok := parseSize(text)
		require.True(t, ok, text)
		require.Equal(t, want, got, text)
	}
	for _, text := range []string{"", "10", "MB", "ten MB", "0.3B", "NaNB", "InfB", "9999999999TiB"} {
		_, ok := parseSize(text)
		require.False(t, ok, text)
	}
}

func TestAttrsKeepTheirKinds(t *testing.T) {
	cfg := read(t, `{"attrs":{"s":"x","i":-3,"big":1e3,"u":18446744073709551615,"f":0.5,"b":true,"g":{"a":1}}}`)
	require.Equal(t, []slog.Attr{
		slog.String("s", "x"), slog.Int("i", -3), slog.Float64("big", 1000), slog.Float64("u", 18446744073709551615), slog.Float64("f", 0.5),
		slog.Bool("b", true), slog.Group("g", "a", 1),
	}, cfg.Attrs)
}

// inCode are the fields that a file cannot express.
var inCode = map[string][]string{
	"Config":         {"Extract", "Clock"},
	"LoggerConfig":   {"NoSource", "OnFatal", "OnError", "Clock"},
	"Target":         {"Sink", "Encode"},
	"ConsoleConfig":  {"Stream"},
	"FileConfig":     {"Encode"},
	"BreakerConfig":  {"Trips", "OnStateChange"},
	"RetryConfig":    {"OnRetry"},
	"PipelineConfig": {"Name", "SizeOf", "OnPressure", "Important", "Stages", "Routes", "OnFailure", "OnDrop", "Clock"},
}

// Every field of the structs can be read, but for those that are code.
func TestEveryFieldCanBeRead(t *testing.T) {
	for name, c := range map[string]struct {
		of   reflect.Type
		have members
	}{
		"Config": {reflect.TypeFor[Config](), configMembers(&Config{})}, "Output": {reflect.TypeFor[Output](), outputMembers(&Output{})},
		"Target":         {reflect.TypeFor[Target](), targetMembers(&Target{})},
		"FileConfig":     {reflect.TypeFor[fileConfig](), fileMembers(&fileConfig{})},
		"TimeoutConfig":  {reflect.TypeFor[sinks.TimeoutConfig](), timeoutMembers(&sinks.TimeoutConfig{})},
		"RateLimit":      {reflect.TypeFor[sinks.RateLimitConfig](), rateLimitMembers(&sinks.RateLimitConfig{})},
		"BreakerConfig":  {reflect.TypeFor[sinks.BreakerConfig](), breakerMembers(&sinks.BreakerConfig{})},
		"RetryConfig":    {reflect.TypeFor[sinks.RetryConfig](), retryMembers(&sinks.RetryConfig{})},
		"PipelineConfig": {reflect.TypeFor[pipelineConfig](), pipelineMembers(&pipeline.Config[logging.Record]{})},
	} {
		known := 0
		for _, f := range reflect.VisibleFields(c.of) {
			_, have := c.have[memberName(f.Name)]
			require.Equal(t, !slices.Contains(inCode[name], f.Name), have, "%s.%s", name, f.Name)
			if have {
				known++
			}
		}
		require.Len(t, c.have, known, name)
	}
	// These two are written out inside others.
	for path, of := range map[string]reflect.Type{
		`{"templates":{"%s":null}}`:                  reflect.TypeFor[logging.LoggerConfig](),
		`{"outputs":[{"to":{"style":{"%s":null}}}]}`: reflect.TypeFor[logging.ConsoleConfig](),
	} {
		for _, f := range reflect.VisibleFields(of) {
			_, err := ReadConfig(strings.NewReader(fmt.Sprintf(path, memberName(f.Name))))
			unknown := strings.Contains(err.Error(), "is unknown")
			require.Equal(t, slices.Contains(inCode[of.Name()], f.Name), unknown, "%s.%s: %v", of.Name(), f.Name, err)
		}
	}
}

// memberName is the name that a field has in JSON.
func memberName(field string) string {
	if strings.ToUpper(field) == field {
		return strings.ToLower(field)
	}
	return strings.ToLower(field[:1]) + field[1:]
}
