package setup

import (
	"context"
	"fmt"
	"log/slog"
	"maps"
	"os"

	"github.com/benbjohnson/clock"

	"github.com/penstock-go/penstock/logging"
	"github.com/penstock-go/penstock/pipeline"
	"github.com/penstock-go/penstock/stage"
)

// Open starts a Log. If cfg makes no sense or a file cannot be opened it returns
// an error that names the field; nothing that it has opened is left open then,
// and the sinks it was given are not closed.
func Open(cfg Config) (*Log, error) {
	cfg = cfg.withDefaults()
	if err := cfg.validate(); err != nil {
		return nil, err
	}
	l := &Log{fan: &fan{filter: cfg.Filter}, clk: cfg.Clock}
	if l.clk == nil {
		l.clk = clock.New()
	}
	byName := map[string]slog.Level{}
	maps.Copy(byName, cfg.Overrides)
	l.levels.set.Store(&levelSet{base: cfg.Level, byName: byName})

	attrs, err := cfg.attrs()
	if err != nil {
		return nil, err
	}
	if l.root, err = cfg.handler(l.fan, attrs); err != nil {
		return nil, err
	}
	if l.templates, err = logging.NewLogger(l.root, cfg.Templates); err != nil {
		return nil, within("Templates", err)
	}
	if err := l.start(&cfg, attrs); err != nil {
		return nil, err
	}
	return l, nil
}

// attrs returns the attributes of every record.
func (c *Config) attrs() ([]slog.Attr, error) {
	attrs := append([]slog.Attr(nil), c.Attrs...)
	if c.Host {
		name, err := os.Hostname()
		if err != nil {
			return nil, within("Host", err)
		}
		attrs = append(attrs, slog.String(HostKey, name))
	}
	if c.PID {
		attrs = append(attrs, slog.Int(PIDKey, os.Getpid()))
	}
	return attrs, nil
}

// handler returns a handler in front of q.
func (c *Config) handler(q logging.Queue, attrs []slog.Attr) (*logging.Handler, error) {
	forms := logging.Forms(0)
	for i := range c.Outputs {
		forms |= c.Outputs[i].forms()
	}
	h, err := logging.NewHandler(q, logging.HandlerConfig{
		AddSource: c.Source, Extract: c.Extract, Redact: c.Redact, Forms: forms,
	})
	if err != nil {
		return nil, err
	}
	return h.WithAttrs(attrs).(*logging.Handler), nil
}

// start opens all targets, and starts the pipelines when that has succeeded.
func (l *Log) start(cfg *Config, attrs []slog.Attr) error {
	o := opener{paths: map[string]string{}}
	names := map[string]bool{}
	mains := make([]sink, len(cfg.Outputs))
	configs := make([]pipeline.Config[logging.Record], len(cfg.Outputs))
	for i := range cfg.Outputs {
		out, field := &cfg.Outputs[i], fmt.Sprintf("Outputs[%d]", i)
		err := out.validate(field)
		if err == nil {
			configs[i] = out.config()
			mains[i], configs[i].Routes, err = o.open(field, out)
		}
		if err != nil {
			return o.abandon(err)
		}
		name := out.Name
		if name == "" {
			name = stage.NameOf(mains[i])
		}
		if names[name] {
			return o.abandon(refuse(field+".Name", name, "must be no other output's"))
		}
		names[name] = true
		configs[i].Name, configs[i].Clock = name, cfg.Clock
	}
	pipes := make([]*pipeline.Pipeline[logging.Record], len(mains))
	for i, main := range mains {
		var err error
		if pipes[i], err = l.output(cfg, attrs, &cfg.Outputs[i], main, configs[i]); err != nil {
			return o.abandon(err)
		}
	}
	var err error
	l.pipes, err = pipeline.NewFan(pipes...)
	return err
}

// output starts the pipeline of out.
func (l *Log) output(cfg *Config, attrs []slog.Attr, out *Output, main sink, pc pipeline.Config[logging.Record]) (*pipeline.Pipeline[logging.Record], error) {
	o := &output{level: out.Level, filter: out.Filter}
	if cfg.DropSummary > 0 {
		s := &summary{every: cfg.DropSummary, clk: l.clk, stop: make(chan struct{}), since: l.clk.Now()}
		user := pc.OnDrop
		if user == nil {
			pc.DropEvents = -1 // the number is enough
		}
		pc.OnDrop = func(ctx context.Context, d stage.Dropped[logging.Record]) {
			s.noticed()
			if user != nil {
				user(ctx, d)
			}
		}
		o.summary = s
	}
	var err error
	if o.pipe, err = pipeline.New(main, pc); err != nil {
		return nil, err
	}
	if s := o.summary; s != nil {
		s.pipe = o.pipe
		if s.handler, err = cfg.handler(o.pipe, attrs); err != nil {
			return nil, err
		}
	}
	l.fan.outputs = append(l.fan.outputs, o)
	return o.pipe, nil
}
