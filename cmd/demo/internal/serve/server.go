package serve

import (
	"embed"
	"io/fs"
	"net/http"
	"net/http/pprof"
	"strings"
	"sync"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"github.com/penstock-go/penstock/cmd/demo/internal/lab"
	metrics "github.com/penstock-go/penstock/metrics/prometheus"
)

// Config says what to serve, and to whom.
type Config struct {
	Settings lab.Settings // of the first experiment, and the defaults of the next
	Pprof    bool         // serve /debug/pprof/
	Public   bool         // believe Host headers with any address, not only loopback's
	Hosts    []string     // and those with these names
}

// Server is the handlers, and the experiment behind them. Close must be called.
// It is safe for concurrent use.
type Server struct {
	cfg     Config
	bench   *bench
	handler http.Handler
	knobs   sync.Mutex
	streams chan struct{} // a send takes one of the places for readers
	flushes chan struct{} // likewise
	ended   chan struct{} // closed by Close
}

//go:embed assets
var assets embed.FS

// New starts the first experiment.
func New(cfg Config) (*Server, error) {
	page, err := fs.Sub(assets, "assets")
	if err != nil {
		return nil, err
	}
	b, err := newBench(cfg.Settings)
	if err != nil {
		return nil, err
	}
	s := &Server{cfg: cfg, bench: b, streams: make(chan struct{}, maxStreams), flushes: make(chan struct{}, 1), ended: make(chan struct{})}
	exporter, err := s.exporter()
	if err != nil {
		b.end()
		return nil, err
	}
	mux := http.NewServeMux()
	mux.Handle("GET /", http.FileServerFS(page))
	mux.HandleFunc("GET /events", s.stream)
	mux.HandleFunc("GET /api/state", s.state)
	mux.HandleFunc("POST /api/knobs", s.turnKnobs)
	mux.HandleFunc("POST /api/flush", s.flush)
	mux.HandleFunc("POST /api/close", s.close)
	mux.HandleFunc("POST /api/restart", s.restart)
	mux.Handle("GET /metrics", exporter)
	if cfg.Pprof {
		mux.HandleFunc("GET /debug/pprof/", pprof.Index)
		mux.HandleFunc("GET /debug/pprof/profile", pprof.Profile)
		mux.HandleFunc("GET /debug/pprof/trace", pprof.Trace)
		mux.HandleFunc("GET /debug/pprof/symbol", pprof.Symbol)
	}
	g := &guard{public: cfg.Public, next: mux}
	for _, h := range cfg.Hosts {
		g.hosts = append(g.hosts, strings.ToLower(h))
	}
	s.handler = g
	return s, nil
}

func (s *Server) exporter() (http.Handler, error) {
	c, err := metrics.NewCollector(s.bench)
	if err != nil {
		return nil, err
	}
	r := prometheus.NewRegistry()
	if err := r.Register(c); err != nil {
		return nil, err
	}
	return promhttp.HandlerFor(r, promhttp.HandlerOpts{MaxRequestsInFlight: maxStreams}), nil
}

// ServeHTTP implements [http.Handler].
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) { s.handler.ServeHTTP(w, r) }

// Close ends the experiment, then the streams, so that they tell the end, and
// returns the outcome of the last experiment. It is to be called once, and
// before the shutdown of an [http.Server], which waits for the streams.
func (s *Server) Close() lab.Outcome {
	o := s.bench.end()
	close(s.ended)
	return o
}
