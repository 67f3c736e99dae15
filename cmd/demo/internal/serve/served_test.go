package serve

import (
	"bufio"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/penstock-go/penstock/cmd/demo/internal/lab"
)

// served is a server that listens, for one test.
type served struct {
	*testing.T
	server *Server
	http   *httptest.Server
	ended  bool
}

func settings() lab.Settings {
	s := lab.Defaults()
	s.Rate, s.Sink, s.Duration, s.Drain = 2000, lab.Memory, time.Hour, 5*time.Second
	s.Queue, s.Batch, s.Interval = 256, 32, 10*time.Millisecond
	return s
}

func newServed(t *testing.T, cfg Config) *served {
	t.Helper()
	s, err := New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	h := &served{T: t, server: s, http: httptest.NewServer(s)}
	t.Cleanup(func() { h.end() })
	return h
}

// end ends all as the command does.
func (h *served) end() (o lab.Outcome) {
	if !h.ended {
		h.ended = true
		o = h.server.Close()
		h.http.Client().CloseIdleConnections()
		h.http.Close()
	}
	return o
}

// ask sends a request and returns the answer's status, header and body.
func (h *served) ask(method, path, body string, header ...string) (int, http.Header, string) {
	h.Helper()
	r, err := http.NewRequestWithContext(h.Context(), method, h.http.URL+path, strings.NewReader(body))
	if err != nil {
		h.Fatal(err)
	}
	if body != "" {
		r.Header.Set("Content-Type", "application/json")
	}
	for i := 0; i < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
		if header[i] == "Host" {
			r.Host = header[i+1]
		}
	}
	resp, err := h.http.Client().Do(r)
	if err != nil {
		h.Fatal(err)
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		h.Fatal(err)
	}
	return resp.StatusCode, resp.Header, string(text)
}

// want sends a request that is to be answered with code and a text.
func (h *served) want(code int, text, method, path, body string, header ...string) {
	h.Helper()
	got, head, answer := h.ask(method, path, body, header...)
	if got != code || !strings.Contains(answer, text) {
		h.Errorf("%s %s %s: %d %s, want %d %q", method, path, body, got, answer, code, text)
	}
	if head.Get("Content-Security-Policy") != policy || head.Get("X-Content-Type-Options") != "nosniff" {
		h.Errorf("%s %s: unguarded: %v", method, path, head)
	}
	if code >= 400 && head.Get("Content-Type") == "application/json" {
		var reason struct{ Error string }
		if err := json.Unmarshal([]byte(answer), &reason); err != nil || reason.Error == "" {
			h.Errorf("%s %s: no reason in %q", method, path, answer)
		}
	}
}

// reading is an open stream.
type reading struct {
	h    *served
	body io.Closer
	from *bufio.Reader
}

func (h *served) listen() *reading {
	h.Helper()
	r, err := http.NewRequestWithContext(h.Context(), http.MethodGet, h.http.URL+"/events", nil)
	if err != nil {
		h.Fatal(err)
	}
	resp, err := h.http.Client().Do(r)
	if err != nil {
		h.Fatal(err)
	}
	h.Cleanup(func() { resp.Body.Close() })
	if resp.StatusCode != http.StatusOK || resp.Header.Get("Content-Type") != "text/event-stream" {
		h.Fatalf("%s, %v", resp.Status, resp.Header)
	}
	return &reading{h, resp.Body, bufio.NewReader(resp.Body)}
}

// next returns the next figures; false when the stream has ended.
func (r *reading) next() (f figures, ok bool) {
	r.h.Helper()
	for {
		line, err := r.from.ReadString('\n')
		if err != nil {
			return f, false
		}
		if data, found := strings.CutPrefix(line, "data: "); found {
			if err := json.Unmarshal([]byte(data), &f); err != nil {
				r.h.Fatal(err)
			}
			return f, true
		}
	}
}

// until reads figures until they are as wanted.
func (r *reading) until(what string, wanted func(figures) bool) figures {
	r.h.Helper()
	deadline := time.Now().Add(20 * time.Second)
	for {
		f, ok := r.next()
		if !ok || time.Now().After(deadline) {
			r.h.Fatalf("never %s; the last: %+v", what, f)
		}
		if wanted(f) {
			return f
		}
	}
}
