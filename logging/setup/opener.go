package setup

import (
	"errors"
	"path/filepath"

	"github.com/penstock-go/penstock/logging"
	"github.com/penstock-go/penstock/sinks"
	"github.com/penstock-go/penstock/stage"
)

type sink = stage.Sink[logging.Record]

// opener opens the targets of outputs, and closes what it has opened if one of
// them cannot be. Sinks that it was given it leaves alone then.
type opener struct {
	files []interface{ Close() error }
	paths map[string]string // of files, to the fields that name them
}

// abandon closes what was opened and returns err, joined with what that gave.
func (o *opener) abandon(err error) error {
	for _, f := range o.files {
		err = errors.Join(err, f.Close())
	}
	return err
}

// open opens what out names and puts its decorators around it.
func (o *opener) open(field string, out *Output) (main sink, routes []stage.Route[logging.Record], err error) {
	if main, err = o.target(field+".To", &out.To); err != nil {
		return nil, nil, err
	}
	if main, err = decorate(field, out, main); err != nil {
		return nil, nil, err
	}
	routes = append(routes, out.Pipeline.Routes...)
	if out.Fallback != nil {
		to, err := o.target(field+".Fallback", out.Fallback)
		if err != nil {
			return nil, nil, err
		}
		routes = append(routes, stage.Route[logging.Record]{To: to})
	}
	if out.DeadLetters != nil {
		to, err := o.letters(field+".DeadLetters", *out.DeadLetters)
		if err != nil {
			return nil, nil, err
		}
		routes = append(routes, stage.Route[logging.Record]{To: to})
	}
	return main, routes, nil
}

// target opens a target that is valid.
func (o *opener) target(field string, t *Target) (sink, error) {
	if t.Sink != nil {
		return t.Sink, nil
	}
	encode, err := t.encoder()
	if err != nil {
		return nil, within(field+".Style", err)
	}
	if t.Console != nil {
		s, err := sinks.NewConsole(t.Console, encode)
		return s, within(field+".Console", err)
	}
	cfg := *t.File
	cfg.Encode = encode
	return file(o, field+".File", cfg)
}

func (o *opener) letters(field string, cfg sinks.FileConfig[sinks.Letter[logging.Record]]) (sink, error) {
	if cfg.Encode == nil {
		cfg.Encode = sinks.LetterEncoder(logging.EncodeJSON)
	}
	f, err := file(o, field, cfg)
	if err != nil {
		return nil, err
	}
	return sinks.DeadLetters(f)
}

// file opens a file that no other output has.
func file[T any](o *opener, field string, cfg sinks.FileConfig[T]) (stage.Sink[T], error) {
	path, err := filepath.Abs(cfg.Path)
	if other, taken := o.paths[path]; taken && err == nil && cfg.Path != "" {
		return nil, refuse(field+".Path", cfg.Path, "must not be that of "+other)
	}
	f, err := sinks.NewFile(cfg)
	if err != nil {
		return nil, within(field, err)
	}
	o.paths[path] = field
	o.files = append(o.files, f)
	return f, nil
}

// decorate puts out's decorators around s.
func decorate(field string, out *Output, s sink) (_ sink, err error) {
	if cfg := out.Timeout; cfg != nil {
		if s, err = sinks.NewTimeout(s, *cfg); err != nil {
			return nil, within(field+".Timeout", err)
		}
	}
	if cfg := out.RateLimit; cfg != nil {
		if s, err = sinks.NewRateLimit(s, *cfg); err != nil {
			return nil, within(field+".RateLimit", err)
		}
	}
	if cfg := out.Breaker; cfg != nil {
		if s, err = sinks.NewBreaker(s, *cfg); err != nil {
			return nil, within(field+".Breaker", err)
		}
	}
	if cfg := out.Retry; cfg != nil {
		if s, err = sinks.NewRetry(s, *cfg); err != nil {
			return nil, within(field+".Retry", err)
		}
	}
	return s, nil
}
