package main

import (
	"bufio"
	"bytes"
	"path/filepath"
	"sync"
	"time"

	phuslu "github.com/phuslu/log"
	"go.uber.org/zap/zapcore"
)

// phusluPeer is phuslu's AsyncWriter: a channel of pointers to entries. It
// keeps the caller's slice, so each line is copied for it.
type phusluPeer struct{ w *phuslu.AsyncWriter }

func openPhuslu(discard bool) func(setup) (peer, error) {
	return func(s setup) (peer, error) {
		to := phuslu.Writer(phuslu.IOWriter{Writer: s.out})
		if s.dir != "" { // its own writer of files takes many lines at once
			to = &phuslu.FileWriter{Filename: filepath.Join(s.dir, "phuslu.log")}
		}
		return &phusluPeer{&phuslu.AsyncWriter{Writer: to, ChannelSize: uint(s.queue), DiscardOnFull: discard}}, nil
	}
}

func (p *phusluPeer) producer() send {
	return lines(func(line []byte) bool {
		_, err := p.w.Write(bytes.Clone(line))
		return err == nil
	})()
}

func (p *phusluPeer) flush()       {}
func (p *phusluPeer) close() error { return p.w.Close() }

// dropped: the callers are told.
func (p *phusluPeer) dropped() (uint64, bool) { return 0, true }

// zapPeer is zap's buffer. The caller who finds it full does the writing.
type zapPeer struct{ w *zapcore.BufferedWriteSyncer }

func openZap(s setup) (peer, error) {
	return &zapPeer{&zapcore.BufferedWriteSyncer{WS: s.out, FlushInterval: s.delay}}, nil
}

func (p *zapPeer) producer() send {
	return lines(func(line []byte) bool {
		_, err := p.w.Write(line)
		return err == nil
	})()
}

func (p *zapPeer) flush()                  { _ = p.w.Sync() }
func (p *zapPeer) close() error            { return p.w.Stop() }
func (p *zapPeer) dropped() (uint64, bool) { return 0, true }

// bufioPeer is what one writes first: a buffer behind a mutex. It has the size
// of zap's.
type bufioPeer struct {
	mu   sync.Mutex
	w    *bufio.Writer
	stop func()
}

func openBufio(s setup) (peer, error) {
	p := &bufioPeer{w: bufio.NewWriterSize(s.out, bufioBytes/lineBytes*lineBytes), stop: func() {}}
	if s.delay > 0 {
		t := time.NewTicker(s.delay)
		end, ended := make(chan struct{}), make(chan struct{})
		go func() {
			defer close(ended)
			for {
				select {
				case <-t.C:
					p.flush()
				case <-end:
					return
				}
			}
		}()
		p.stop = func() { t.Stop(); close(end); <-ended }
	}
	return p, nil
}

const bufioBytes = 256 << 10

// Write implements [io.Writer], for slog.
func (p *bufioPeer) Write(line []byte) (int, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.w.Write(line)
}

func (p *bufioPeer) producer() send {
	return lines(func(line []byte) bool {
		_, err := p.Write(line)
		return err == nil
	})()
}

func (p *bufioPeer) flush() {
	p.mu.Lock()
	defer p.mu.Unlock()
	_ = p.w.Flush()
}

func (p *bufioPeer) close() error {
	p.stop()
	p.flush()
	return nil
}

func (p *bufioPeer) dropped() (uint64, bool) { return 0, true }
