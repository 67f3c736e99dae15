package main

import (
	"context"
	"io"
	"log/slog"
	"time"

	phuslu "github.com/phuslu/log"
	"github.com/rs/zerolog"
	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"

	"github.com/penstock-go/penstock/logging"
	"github.com/penstock-go/penstock/pipeline"
	"github.com/penstock-go/penstock/sinks"
)

// Whole loggers: each call takes a message and three attributes, and what
// arrives are lines of JSON with the time and the level.
var (
	slogDirect   = logs("slog JSONHandler", true, func(s setup) (peer, error) { return &directPeer{s.out}, nil }, logSlog)
	slogBuffered = logs("slog, mutex and bufio", true, openBufio, logSlog)
	penstockLogs = kind{"penstock logging.Handler", false, true, openLogging}
	zerologLogs  = logs("zerolog and diode", false, openZerolog, logZerolog)
	zapLogs      = logs("zap and its buffer", true, openZap, logZap)
	phusluLogs   = kind{"phuslu and AsyncWriter", true, true, openPhusluLogs}
)

const (
	logMessage = "request served"
	logPath    = "/api/orders"
	logStatus  = 200
	logTook    = 1500 * time.Microsecond
)

// logsPeer is a peer with a logger in front.
type logsPeer struct {
	peer
	call func()
}

func (p *logsPeer) producer() send {
	return func(uint64, int64) bool { p.call(); return true }
}

// logs puts a logger in front of a peer that takes lines.
func logs(name string, blocks bool, open func(setup) (peer, error), call func(p peer) func()) kind {
	return kind{name, blocks, true, func(s setup) (peer, error) {
		p, err := open(s)
		if err != nil {
			return nil, err
		}
		return &logsPeer{p, call(p)}, nil
	}}
}

func slogCall(h slog.Handler) func() {
	log := slog.New(h)
	return func() { log.Info(logMessage, "path", logPath, "status", logStatus, "took", logTook) }
}

func zerologCall(w io.Writer) func() {
	log := zerolog.New(w).With().Timestamp().Logger()
	return func() {
		log.Info().Str("path", logPath).Int("status", logStatus).Dur("took", logTook).Msg(logMessage)
	}
}

func zapCall(w io.Writer) func() {
	log := zap.New(zapcore.NewCore(zapcore.NewJSONEncoder(zap.NewProductionEncoderConfig()), zapcore.AddSync(w), zap.InfoLevel))
	return func() {
		log.Info(logMessage, zap.String("path", logPath), zap.Int("status", logStatus), zap.Duration("took", logTook))
	}
}

func phusluCall(w phuslu.Writer) func() {
	log := phuslu.Logger{Writer: w}
	return func() {
		log.Info().Str("path", logPath).Int("status", logStatus).Dur("took", logTook).Msg(logMessage)
	}
}

// writerOf is what a peer has for loggers.
func writerOf(p peer) io.Writer {
	switch p := p.(type) {
	case *directPeer:
		return p.out
	case *zerologPeer:
		return p.w
	case *zapPeer:
		return p.w
	}
	return p.(*bufioPeer)
}

func logSlog(p peer) func()    { return slogCall(slog.NewJSONHandler(writerOf(p), nil)) }
func logZerolog(p peer) func() { return zerologCall(writerOf(p)) }
func logZap(p peer) func()     { return zapCall(writerOf(p)) }

func openPhusluLogs(s setup) (peer, error) {
	w := &phuslu.AsyncWriter{Writer: phuslu.IOWriter{Writer: s.out}, ChannelSize: uint(s.queue)}
	return &logsPeer{&phusluPeer{w}, phusluCall(w)}, nil
}

// directPeer writes in the call, as slog's handlers do, under their lock.
type directPeer struct{ out *output }

func (p *directPeer) producer() send {
	return lines(func(line []byte) bool { _, err := p.out.Write(line); return err == nil })()
}
func (p *directPeer) flush()                  {}
func (p *directPeer) close() error            { return nil }
func (p *directPeer) dropped() (uint64, bool) { return 0, true }

// loggingPeer is a pipeline of records behind a slog.Logger.
type loggingPeer struct {
	p    *pipeline.Pipeline[logging.Record]
	call func()
}

func openLogging(s setup) (peer, error) {
	sink, err := sinks.NewWriter(s.out, logging.EncodeJSON)
	if err != nil {
		return nil, err
	}
	p, err := pipeline.New[logging.Record](sink, pipeline.Config[logging.Record]{QueueSize: s.queue})
	if err != nil {
		return nil, err
	}
	h, err := logging.NewHandler(p, logging.HandlerConfig{Forms: logging.FormJSON})
	if err != nil {
		return nil, err
	}
	return &loggingPeer{p, slogCall(h)}, nil
}

func (p *loggingPeer) producer() send {
	return func(uint64, int64) bool { p.call(); return true }
}
func (p *loggingPeer) flush()       { _ = p.p.Flush(context.Background()) }
func (p *loggingPeer) close() error { return p.p.Close(context.Background()) }

func (p *loggingPeer) dropped() (uint64, bool) {
	s := p.p.Stats()
	return s.Evicted.Total() + s.Rejected.Total() + s.Lost.Total(), true
}
