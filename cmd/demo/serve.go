package main

import (
	"context"
	"errors"
	"fmt"
	"log"
	"net"
	"net/http"
	"time"

	"github.com/penstock-go/penstock/cmd/demo/internal/lab"
	"github.com/penstock-go/penstock/cmd/demo/internal/serve"
	"github.com/penstock-go/penstock/cmd/demo/internal/term"
)

const serveAbout = `Usage: demo serve [flags]

Serves a page that shows one experiment live: producers, a pipeline, and a sink
with faults. Its knobs act at once; settings that need a new pipeline take a
restart. The flags are the first experiment's, and the page's defaults. The
address of the page goes to the standard output, and at the end the verdict of
the last experiment.

Only this machine may ask, unless -public says otherwise: then whoever reaches
the address may turn the knobs. Under /metrics are the figures for Prometheus.

The first SIGINT or SIGTERM ends the experiment in good order, within -drain,
and then the page. Exit codes: 0 done, 1 runtime error, or books that do not
balance, 2 wrong usage, 3 events were lost that -overflow does not allow to
drop, 130 second signal.

Flags:
`

// leave is how long requests may take when the experiment is over.
const leave = 5 * time.Second

// server is the configuration of demo serve.
type server struct {
	addr string
	cfg  serve.Config
}

func serveCommand(p process, args []string) int {
	s := server{cfg: serve.Config{Settings: servedSettings()}}
	fs := newFlags("demo serve")
	fs.StringVar(&s.addr, "addr", "127.0.0.1:8080", "`address` to listen at; port 0: any that is free")
	fs.BoolVar(&s.cfg.Public, "public", false, "permit an -addr that other machines may reach")
	fs.BoolVar(&s.cfg.Pprof, "pprof", false, "serve profiles of the process under /debug/pprof/")
	s.cfg.Settings.Flags(fs)
	if code, ok := parse(p, fs, serveAbout, args, s.check); !ok {
		return code
	}
	return interruptible(p, "demo serve", func(ctx context.Context) int { return s.run(ctx, p) })
}

// servedSettings are such that every part of the page has something to show.
func servedSettings() lab.Settings {
	s := lab.Defaults()
	s.Rate, s.Sink, s.Latency = 20_000, lab.Memory, 5*time.Millisecond
	s.Fallback, s.Breaker = lab.Memory, 5
	s.Duration = 24 * time.Hour
	return s
}

func (s *server) check() error {
	if err := serve.CheckAddr(s.addr, s.cfg.Public); err != nil {
		return err
	}
	return s.cfg.Settings.Check()
}

func (s *server) run(ctx context.Context, p process) int {
	l, err := net.Listen("tcp", s.addr)
	if err != nil {
		return serveError(p, err)
	}
	if host, _, err := net.SplitHostPort(s.addr); err == nil && s.cfg.Public {
		s.cfg.Hosts = []string{host}
	}
	page, err := serve.New(s.cfg)
	if err != nil {
		return serveError(p, errors.Join(err, l.Close()))
	}
	h := http.Server{
		Handler: page, ReadHeaderTimeout: 5 * time.Second, IdleTimeout: time.Minute, MaxHeaderBytes: 16 << 10,
		ErrorLog: log.New(p.stderr, "demo serve: ", 0),
	}
	served := make(chan error, 1)
	go func() { served <- h.Serve(l) }()
	if _, err = fmt.Fprintf(p.stdout, "http://%s/\n", l.Addr()); err == nil {
		select {
		case err = <-served:
			served <- nil
		case <-ctx.Done():
		}
	}
	o := page.Close()
	bye, cancel := context.WithTimeout(context.Background(), leave)
	defer cancel()
	if h.Shutdown(bye) != nil {
		_ = h.Close() // who does not read is let go
	}
	<-served
	_, write := fmt.Fprintln(p.stdout, term.Wrap(o.Verdict, term.Width))
	if o.Closing != "" {
		fmt.Fprintf(p.stderr, "demo serve: %s\n", o.Closing)
	}
	if err = errors.Join(err, write); err != nil {
		return serveError(p, err)
	}
	return verdictCode(&o)
}

func serveError(p process, err error) int {
	fmt.Fprintf(p.stderr, "demo serve: %v\n", err)
	return exitRuntime
}
