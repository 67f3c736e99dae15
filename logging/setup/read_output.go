package setup

import (
	"encoding/json"
	"os"

	"github.com/penstock-go/penstock/logging"
	"github.com/penstock-go/penstock/pipeline"
	"github.com/penstock-go/penstock/sinks"
	"github.com/penstock-go/penstock/stage"
)

func outputMembers(o *Output) members {
	return members{
		"name":          plain(&o.Name, text),
		"to":            targetMembers(&o.To).read,
		"level":         leveler(&o.Level),
		"filter":        filter(&o.Filter),
		"importantFrom": leveler(&o.ImportantFrom),
		"noReserve":     plain(&o.NoReserve, "true or false"),
		"timeout":       pointer(&o.Timeout, timeoutMembers),
		"rateLimit":     pointer(&o.RateLimit, rateLimitMembers),
		"breaker":       pointer(&o.Breaker, breakerMembers),
		"retry":         pointer(&o.Retry, retryMembers),
		"fallback":      pointer(&o.Fallback, targetMembers),
		"deadLetters":   pointer(&o.DeadLetters, fileMembers[sinks.Letter[logging.Record]]),
		"pipeline":      pipelineMembers(&o.Pipeline).read,
	}
}

func targetMembers(t *Target) members {
	return members{
		"console": console(&t.Console),
		"file":    pointer(&t.File, fileMembers[logging.Record]),
		"format":  choice(&t.Format, FormatAuto, FormatJSON, FormatText, FormatCLEF, FormatConsole),
		"style": members{
			"color":      color(&t.Style.Color),
			"timeFormat": plain(&t.Style.TimeFormat, text),
			"location":   location(&t.Style.Location),
		}.read,
	}
}

func console(dst **os.File) reader {
	return parsed(dst, `"stdout" or "stderr"`, func(s string) (*os.File, bool) {
		switch s {
		case "stdout":
			return os.Stdout, true
		case "stderr":
			return os.Stderr, true
		}
		return nil, false
	})
}

func color(dst *logging.Color) reader {
	return parsed(dst, `"auto", "always" or "never"`, func(s string) (logging.Color, bool) {
		c, ok := map[string]logging.Color{"auto": logging.ColorAuto, "always": logging.ColorAlways, "never": logging.ColorNever}[s]
		return c, ok
	})
}

func fileMembers[T any](f *sinks.FileConfig[T]) members {
	return members{
		"path":        plain(&f.Path, text),
		"mode":        mode(&f.Mode),
		"dirMode":     mode(&f.DirMode),
		"maxSize":     size(&f.MaxSize),
		"rotateEvery": duration(&f.RotateEvery),
		"maxBackups":  plain(&f.MaxBackups, wholeNumber),
		"maxAge":      duration(&f.MaxAge),
		"compress":    plain(&f.Compress, "true or false"),
		"sync":        choice(&f.Sync, sinks.SyncNever, sinks.SyncBatch, sinks.SyncInterval),
		"syncEvery":   duration(&f.SyncEvery),
	}
}

func timeoutMembers(c *sinks.TimeoutConfig) members {
	return members{"limit": duration(&c.Limit), "grace": duration(&c.Grace)}
}

func rateLimitMembers(c *sinks.RateLimitConfig) members {
	return members{
		"events":     plain(&c.Events, anyNumber),
		"burst":      plain(&c.Burst, wholeNumber),
		"batches":    plain(&c.Batches, anyNumber),
		"batchBurst": plain(&c.BatchBurst, wholeNumber),
	}
}

func breakerMembers(c *sinks.BreakerConfig) members {
	return members{
		"failures":    plain(&c.Failures, wholeNumber),
		"rate":        plain(&c.Rate, anyNumber),
		"windowCalls": plain(&c.WindowCalls, wholeNumber),
		"window":      duration(&c.Window),
		"minCalls":    plain(&c.MinCalls, wholeNumber),
		"coolDown":    duration(&c.CoolDown),
		"probes":      plain(&c.Probes, wholeNumber),
		"hold":        plain(&c.Hold, "true or false"),
	}
}

func retryMembers(c *sinks.RetryConfig) members {
	return members{
		"initial":     duration(&c.Initial),
		"multiplier":  plain(&c.Multiplier, anyNumber),
		"max":         duration(&c.Max),
		"jitter":      choice(&c.Jitter, sinks.JitterFull, sinks.JitterBounded, sinks.JitterNone),
		"jitterShare": plain(&c.JitterShare, anyNumber),
		"seed":        plain(&c.Seed, wholeNumber),
		"maxAttempts": plain(&c.MaxAttempts, wholeNumber),
		"maxElapsed":  duration(&c.MaxElapsed),
	}
}

func pipelineMembers(c *pipeline.Config[logging.Record]) members {
	return members{
		"queueSize":     plain(&c.QueueSize, wholeNumber),
		"queueBytes":    size(&c.QueueBytes),
		"maxEventBytes": size(&c.MaxEventBytes),
		"overflow":      choice(&c.Overflow, stage.DropOldest, stage.DropNewest),
		"spillSize":     plain(&c.SpillSize, wholeNumber),
		"pressure":      plain(&c.Pressure, anyNumber),
		"reserve":       plain(&c.Reserve, anyNumber),
		"dropEvents":    plain(&c.DropEvents, wholeNumber),
		"batchSize":     plain(&c.BatchSize, wholeNumber),
		"batchBytes":    size(&c.BatchBytes),
		"flushInterval": duration(&c.FlushInterval),
		"pace":          duration(&c.Pace),
		"workers":       plain(&c.Workers, wholeNumber),
	}
}

// pointer reads an object into a new T.
func pointer[T any](dst **T, of func(*T) members) reader {
	return func(path string, raw json.RawMessage) error {
		*dst = new(T)
		return of(*dst).read(path, raw)
	}
}
