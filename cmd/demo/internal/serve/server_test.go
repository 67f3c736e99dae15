package serve

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/penstock-go/penstock/cmd/demo/internal/lab"
)

func TestPageIsServedAndGuarded(t *testing.T) {
	h := newServed(t, Config{Settings: settings()})
	for path, text := range map[string]string{
		"/": "<title>penstock", "/style.css": "prefers-color-scheme", "/app.js": "EventSource", "/house.js": "intake",
		"/charts.js": "canvas", "/panels.js": "ledger", "/knobs.js": "restart", "/saved.js": "localStorage", "/format.js": "flat out",
		"/icon.svg": "<svg", "/api/state": `"state":"running"`, "/metrics": `penstock_events_accepted_total{pipeline="experiment"}`,
	} {
		h.want(http.StatusOK, text, "GET", path, "")
	}
	h.want(http.StatusNotFound, "", "GET", "/nosuch", "")
	h.want(http.StatusNotFound, "", "GET", "/debug/pprof/", "")
	h.want(http.StatusNotFound, "", "GET", "/api/close", "")
	h.want(http.StatusMethodNotAllowed, "", "PUT", "/api/knobs", "{}")
	for _, part := range []string{"default-src 'none'", "script-src 'self'", "style-src 'self'", "connect-src 'self'", "img-src 'self';",
		"base-uri 'none'", "form-action 'none'", "frame-ancestors 'none'", "require-trusted-types-for 'script'"} {
		if !strings.Contains(policy, part) {
			t.Errorf("the policy lacks %s", part)
		}
	}
	profiled := newServed(t, Config{Settings: settings(), Pprof: true})
	profiled.want(http.StatusOK, "goroutine", "GET", "/debug/pprof/", "")
}

func TestNothingInThePageNeedsMoreThanThePolicyPermits(t *testing.T) {
	h := newServed(t, Config{Settings: settings()})
	for _, path := range []string{"/", "/app.js", "/house.js", "/charts.js", "/panels.js", "/knobs.js", "/saved.js", "/format.js", "/style.css"} {
		_, _, text := h.ask("GET", path, "")
		for _, banned := range []string{" style=\"", " onclick=", "<style", "innerHTML", "eval(", "https://", "@import", "url("} {
			if strings.Contains(text, banned) {
				t.Errorf("%s has %q", path, banned)
			}
		}
	}
}

func TestOthersAreRefused(t *testing.T) {
	h := newServed(t, Config{Settings: settings()})
	own := h.http.URL
	for _, post := range []struct {
		code   int
		header []string
	}{
		{http.StatusOK, nil}, // no browser
		{http.StatusOK, []string{"Origin", own}},
		{http.StatusOK, []string{"Origin", own, "Sec-Fetch-Site", "same-origin"}},
		{http.StatusForbidden, []string{"Origin", "http://example.org"}},
		{http.StatusForbidden, []string{"Origin", "null"}},
		{http.StatusForbidden, []string{"Origin", "http://127.0.0.1:1"}},
		{http.StatusForbidden, []string{"Origin", own, "Sec-Fetch-Site", "cross-site"}},
		{http.StatusForbidden, []string{"Sec-Fetch-Site", "same-site"}},
		{http.StatusForbidden, []string{"Sec-Fetch-Site", "none"}},
		{http.StatusForbidden, []string{"Host", "rebound.example.org"}},
		{http.StatusForbidden, []string{"Host", "192.0.2.1:8080"}},
		{http.StatusUnsupportedMediaType, []string{"Content-Type", "text/plain"}},
	} {
		text := ""
		if post.code != http.StatusOK {
			text = `{"error":`
		}
		h.want(post.code, text, "POST", "/api/knobs", `{"rate":1000}`, post.header...)
	}
	h.want(http.StatusForbidden, "origin", "GET", "/events", "", "Sec-Fetch-Site", "cross-site")
	h.want(http.StatusForbidden, "host", "GET", "/", "", "Host", "rebound.example.org")
	h.want(http.StatusOK, "<title>", "GET", "/", "", "Sec-Fetch-Site", "cross-site") // a link leads here
	h.want(http.StatusOK, "<title>", "GET", "/", "", "Host", "localhost:8080")
	h.want(http.StatusOK, "<title>", "GET", "/", "", "Host", "[::1]:8080")
	open := newServed(t, Config{Settings: settings(), Public: true, Hosts: []string{"Lab.example.org"}})
	open.want(http.StatusOK, "<title>", "GET", "/", "", "Host", "192.0.2.1:8080")
	open.want(http.StatusOK, "<title>", "GET", "/", "", "Host", "lab.example.org")
	open.want(http.StatusForbidden, "host", "GET", "/", "", "Host", "rebound.example.org")
}

func TestBadInput(t *testing.T) {
	h := newServed(t, Config{Settings: settings()})
	for _, bad := range []struct{ path, body, why string }{
		{"knobs", `{`, "unexpected EOF"},
		{"knobs", `{} {}`, "more than one"},
		{"knobs", `{"nosuch":1}`, "nosuch"},
		{"knobs", `{"rate":"fast"}`, "rate"},
		{"knobs", `{"rate":-1}`, "-rate is -1"},
		{"knobs", `{"producers":0}`, "-producers is 0"},
		{"knobs", `{"producers":100000}`, "-producers is 100000"},
		{"knobs", `{"fail_rate":2}`, "-fail-rate is 2"},
		{"knobs", `{"panic_rate":-0.1}`, "-panic-rate is -0.1"},
		{"knobs", `{"latency_ms":-1}`, "latency_ms is -1"},
		{"knobs", `{"latency_ms":1e9}`, "latency_ms is 1e+09"},
		{"knobs", `{"rate":1` + strings.Repeat(" ", maxBody) + `}`, "too large"},
		{"flush", `{"now":true}`, "now"},
		{"close", `[]`, "array"},
		{"restart", `{"settings":{"nosuch":"1"}}`, "no setting"},
		{"restart", `{"settings":{"batch":"x"}}`, "-batch x"},
		{"restart", `{"settings":{"batch":"1000000"}}`, "-batch is 1000000"},
		{"restart", `{"settings":{"dir":"/"}}`, "-dir is not for pages"},
	} {
		h.want(http.StatusBadRequest, bad.why, "POST", "/api/"+bad.path, bad.body)
	}
	if f, _ := h.listen().next(); f.Rate != 2000 || f.Producers != 4 || f.Run != 1 {
		t.Errorf("something has changed: %+v", f)
	}
	s := settings()
	s.Workers = 0
	if _, err := New(Config{Settings: s}); err == nil {
		t.Error("settings that make no sense were served")
	}
}

func TestAddresses(t *testing.T) {
	for addr, fine := range map[string]bool{
		"127.0.0.1:8080": true, "127.9.9.9:0": true, "[::1]:0": true, "localhost:80": true,
		":8080": false, "0.0.0.0:8080": false, "[::]:0": false, "192.0.2.1:1": false, "example.org:80": false,
	} {
		if err := CheckAddr(addr, false); (err == nil) != fine {
			t.Errorf("%s: %v", addr, err)
		}
		if err := CheckAddr(addr, true); err != nil {
			t.Errorf("%s, public: %v", addr, err)
		}
	}
	if CheckAddr("nowhere", true) == nil {
		t.Error("an address without a port")
	}
}

func TestStreamTellsWhatHappens(t *testing.T) {
	h := newServed(t, Config{Settings: settings()})
	r := h.listen()
	r.until("delivered", func(f figures) bool { return f.Stats.Delivered > 100 && f.PerSecond.Delivered > 0 && f.Calls.Timed > 0 })
	h.want(http.StatusOK, `"producers":7`, "POST", "/api/knobs", `{"rate":5000,"producers":7,"latency_ms":1.5}`)
	r.until("turned", func(f figures) bool {
		return f.Rate == 5000 && f.Producers == 7 && f.Faults.Latency == 1500*time.Microsecond
	})
	h.want(http.StatusOK, `"took_ns"`, "POST", "/api/flush", `{}`)
	h.want(http.StatusOK, `"stalled":true`, "POST", "/api/knobs", `{"stalled":true}`)
	before := r.until("full", func(f figures) bool { return f.Stalled && f.Stats.Evicted.Count > 0 })
	r.until("dropping", func(f figures) bool {
		return f.Stats.Evicted.Count > before.Stats.Evicted.Count && f.PerSecond.Dropped > 0
	})
	h.want(http.StatusOK, `"stalled":false`, "POST", "/api/knobs", `{"stalled":false,"fail_rate":1}`)
	r.until("failing", func(f figures) bool { return f.Stats.Lost.Failed > 0 })
	h.want(http.StatusOK, "", "POST", "/api/knobs", `{"fail_rate":0,"panic_rate":1}`)
	r.until("panicking", func(f figures) bool { return f.Stats.Lost.Panic > 0 })
	h.want(http.StatusAccepted, closing, "POST", "/api/close", `{}`)
	f := r.until("closed", func(f figures) bool { return f.State == closed })
	if f.Outcome == nil || f.Outcome.Books != "" || !strings.Contains(f.Outcome.Verdict, "the books balance") || f.Stats.Buffered != 0 {
		t.Errorf("%+v", f)
	}
	for _, late := range []string{"flush", "close"} {
		h.want(http.StatusConflict, errOver.Error(), "POST", "/api/"+late, `{}`)
	}
	h.want(http.StatusConflict, errOver.Error(), "POST", "/api/knobs", `{"rate":1}`)
	if o := h.end(); o.Stats.Offered != f.Stats.Offered {
		t.Errorf("another outcome: %s", o.Verdict)
	}
	if _, ok := r.next(); ok { // the last figures once more
		if _, ok = r.next(); ok {
			t.Error("the stream goes on")
		}
	}
}

func TestRestarts(t *testing.T) {
	h := newServed(t, Config{Settings: settings()})
	r := h.listen()
	for i, policy := range []string{lab.Wait, lab.DropNewest, lab.DropOldest} {
		h.want(http.StatusOK, "", "POST", "/api/knobs", `{"stalled":true}`) // it is let go
		h.want(http.StatusOK, `"state":"running"`, "POST", "/api/restart", `{"settings":{"overflow":"`+policy+`","sink":"file","fallback":"memory"}}`)
		r.until("restarted", func(f figures) bool {
			return f.Run == i+2 && f.State == running && f.Settings.Overflow == policy && f.Stats.Delivered > 0 && len(f.Stats.Sinks) == 2
		})
	}
	h.want(http.StatusOK, `penstock_sink_calls_total{pipeline="experiment",role="route0"`, "GET", "/metrics", "")
	if o := h.end(); o.Books != "" || o.Lost() > 0 || o.Settings.Overflow != lab.DropOldest {
		t.Error(o.Verdict)
	}
	if err := h.server.bench.restart(t.Context(), settings()); err == nil {
		t.Error("restarted after the end")
	}
}

func TestOneChangeAtATime(t *testing.T) {
	h := newServed(t, Config{Settings: settings()})
	h.server.bench.turn <- struct{}{} // somebody restarts
	h.want(http.StatusConflict, errBusy.Error(), "POST", "/api/restart", `{}`)
	<-h.server.bench.turn
	h.server.flushes <- struct{}{}
	h.want(http.StatusConflict, "under way", "POST", "/api/flush", `{}`)
	<-h.server.flushes
	for range maxStreams {
		h.server.streams <- struct{}{}
	}
	h.want(http.StatusServiceUnavailable, "looking already", "GET", "/events", "")
	for range maxStreams {
		<-h.server.streams
	}
}

func TestAnExperimentEndsByItself(t *testing.T) {
	s := settings()
	s.Duration = 50 * time.Millisecond
	h := newServed(t, Config{Settings: s})
	f := h.listen().until("closed", func(f figures) bool { return f.State == closed })
	if f.Outcome.Books != "" || f.Stats.Delivered == 0 {
		t.Errorf("%+v", f)
	}
	h.want(http.StatusOK, `"run":2`, "POST", "/api/restart", `{}`)
}

func TestReadersThatLeaveGiveTheirPlacesBack(t *testing.T) {
	h := newServed(t, Config{Settings: settings()})
	for range 2 * maxStreams {
		r := h.listen()
		if _, ok := r.next(); !ok {
			t.Fatal("no figures")
		}
		r.body.Close()
		h.server.streams <- struct{}{} // when there is a place, and there soon is
		<-h.server.streams
	}
	h.end()
	if n := len(h.server.streams); n != 0 {
		t.Errorf("%d places are taken", n)
	}
}
