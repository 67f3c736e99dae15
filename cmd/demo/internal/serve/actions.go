package serve

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"slices"
	"time"

	"github.com/penstock-go/penstock/cmd/demo/internal/lab"
)

const (
	maxBody    = 4 << 10
	maxReading = 5 * time.Second // for a request's body
	maxFlush   = 5 * time.Second
	maxLatency = 10_000 // milliseconds
)

// knobs are what is to change at once; what is nil stays as it is.
type knobs struct {
	Producers *int     `json:"producers"`
	Rate      *int     `json:"rate"` // events per second; 0: flat out
	LatencyMS *float64 `json:"latency_ms"`
	FailRate  *float64 `json:"fail_rate"`
	PanicRate *float64 `json:"panic_rate"`
	Stalled   *bool    `json:"stalled"`
}

// turn turns all knobs or, if one does not go so far, none.
func (k *knobs) turn(l *lab.Lab) error {
	at, s := l.Snapshot(), l.Settings()
	s.Faults = at.Faults
	if k.Producers != nil {
		s.Producers = *k.Producers
	}
	if k.Rate != nil {
		s.Rate = *k.Rate
	}
	if ms := k.LatencyMS; ms != nil {
		if !(*ms >= 0 && *ms <= maxLatency) {
			return fmt.Errorf("latency_ms is %v, want 0 to %d", *ms, maxLatency)
		}
		s.Latency = time.Duration(*ms * float64(time.Millisecond))
	}
	if k.FailRate != nil {
		s.FailRate = *k.FailRate
	}
	if k.PanicRate != nil {
		s.PanicRate = *k.PanicRate
	}
	if err := s.Check(); err != nil {
		return err
	}
	var errs []error
	if k.Producers != nil {
		errs = append(errs, l.SetProducers(s.Producers))
	}
	if k.Rate != nil {
		errs = append(errs, l.SetRate(s.Rate))
	}
	if s.Faults != at.Faults {
		errs = append(errs, l.SetFaults(s.Faults))
	}
	if k.Stalled != nil {
		l.SetStalled(*k.Stalled)
	}
	return errors.Join(errs...)
}

// turnKnobs serves POST /api/knobs.
func (s *Server) turnKnobs(w http.ResponseWriter, r *http.Request) {
	var k knobs
	t, ok := s.change(w, r, &k, running, closing)
	if !ok {
		return
	}
	if t.state == closing && (k.Producers != nil || k.Rate != nil) {
		refuse(w, http.StatusConflict, errOver)
		return
	}
	s.knobs.Lock() // two pages turn one after the other
	err := k.turn(t.lab)
	s.knobs.Unlock()
	if err != nil {
		refuse(w, http.StatusBadRequest, err)
		return
	}
	s.state(w, r)
}

// change reads what is to change, and returns the experiment it is to change, if
// that is in one of some states. If not ok, the request has been refused.
func (s *Server) change(w http.ResponseWriter, r *http.Request, to any, states ...string) (t trial, ok bool) {
	if !body(w, r, to) {
		return t, false
	}
	t, _ = s.bench.look()
	if !slices.Contains(states, t.state) {
		refuse(w, http.StatusConflict, errOver)
		return t, false
	}
	return t, true
}

// flush serves POST /api/flush.
func (s *Server) flush(w http.ResponseWriter, r *http.Request) {
	t, ok := s.change(w, r, &struct{}{}, running)
	if !ok {
		return
	}
	select {
	case s.flushes <- struct{}{}:
		defer func() { <-s.flushes }()
	default:
		refuse(w, http.StatusConflict, errors.New("a flush is under way already"))
		return
	}
	ctx, cancel := context.WithTimeoutCause(r.Context(), maxFlush, fmt.Errorf("not flushed within %v: what is on the way is still delivered", maxFlush))
	defer cancel()
	began := time.Now()
	if err := t.lab.Flush(ctx); err != nil {
		if ctx.Err() != nil {
			err = context.Cause(ctx)
		}
		refuse(w, http.StatusConflict, err)
		return
	}
	answer(w, http.StatusOK, struct {
		Took time.Duration `json:"took_ns"`
	}{time.Since(began)})
}

// close serves POST /api/close. It does not wait.
func (s *Server) close(w http.ResponseWriter, r *http.Request) {
	t, ok := s.change(w, r, &struct{}{}, running)
	if !ok {
		return
	}
	t.lab.Halt()
	answer(w, http.StatusAccepted, struct {
		State string `json:"state"`
	}{closing})
}

// restart serves POST /api/restart. It waits until the new one runs. What is not
// given of the settings is as the server was started with.
func (s *Server) restart(w http.ResponseWriter, r *http.Request) {
	var to struct {
		Settings map[string]string `json:"settings"` // by the names of demo run's flags
	}
	if !body(w, r, &to) {
		return
	}
	next := s.cfg.Settings
	for name, value := range to.Settings {
		err := next.Set(name, value)
		if name == "dir" {
			err = errors.New("-dir is not for pages to choose")
		}
		if err != nil {
			refuse(w, http.StatusBadRequest, err)
			return
		}
	}
	if err := next.Check(); err != nil {
		refuse(w, http.StatusBadRequest, err)
		return
	}
	switch err := s.bench.restart(r.Context(), next); {
	case errors.Is(err, errBusy), errors.Is(err, errEnd):
		refuse(w, http.StatusConflict, err)
	case err != nil:
		refuse(w, http.StatusInternalServerError, err)
	default:
		s.state(w, r)
	}
}

// state serves GET /api/state. Its rates are those of no time at all.
func (s *Server) state(w http.ResponseWriter, _ *http.Request) {
	t, _ := s.bench.look()
	answer(w, http.StatusOK, new(reader).read(t))
}

// body reads what a request brings, which is one JSON value of few bytes. A page
// of another origin cannot send that type of content without asking.
func body(w http.ResponseWriter, r *http.Request, to any) bool {
	kind, _, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	if err != nil || kind != "application/json" {
		refuse(w, http.StatusUnsupportedMediaType, errors.New("want content of the type application/json"))
		return false
	}
	_ = http.NewResponseController(w).SetReadDeadline(time.Now().Add(maxReading)) // where one can be set; it ends with the body
	if err = decode(http.MaxBytesReader(w, r.Body, maxBody), to); err != nil {
		refuse(w, http.StatusBadRequest, err)
		return false
	}
	return true
}

// decode reads one JSON value, and the end.
func decode(from io.Reader, to any) error {
	d := json.NewDecoder(from)
	d.DisallowUnknownFields()
	if err := d.Decode(to); err != nil {
		return err
	}
	_, more := d.Token()
	if tooLarge := (*http.MaxBytesError)(nil); more != io.EOF && !errors.As(more, &tooLarge) {
		return errors.New("more than one JSON value")
	} else if more != io.EOF {
		return more
	}
	return nil
}

// refuse says in JSON why not.
func refuse(w http.ResponseWriter, code int, why error) {
	answer(w, code, struct {
		Error string `json:"error"`
	}{why.Error()})
}

func answer(w http.ResponseWriter, code int, v any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(code)
	_ = json.NewEncoder(w).Encode(v) // who has left needs no answer
}
