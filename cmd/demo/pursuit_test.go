package main

import (
	"testing"
	"time"

	"github.com/penstock-go/penstock/clockutil/clocktest"
	"github.com/penstock-go/penstock/cmd/demo/internal/follow"
)

// TestAPursuitWaits: where nothing happens time passes, and what comes is
// noticed at the next look and not before.
func TestAPursuitWaits(t *testing.T) {
	clocktest.Both(t, func(t *testing.T, w *clocktest.World) {
		at := folder(t, map[string]string{"a.log": "1\n"})
		s := &shipment{haul: &haul{in: inputs{words: []string{at("a.log")}}}, follow: true, poll: time.Second, every: time.Hour, say: func(err error) { t.Error(err) }}
		got := clocktest.NewRecorder[string](w)
		u := newPursuit(s, follow.Config{}, nil, func(line []byte, _ bool) { got.Add(string(line)) })
		u.clk = w.Clock()
		ended := make(chan error)
		go func() { ended <- u.run() }()
		w.Advance(10 * time.Second)
		appendTo(t, at("a.log"), "2\nrest")
		w.Advance(time.Second - 1)
		if got := got.Values(); len(got) != 1 {
			t.Errorf("got %q", got)
		}
		w.Advance(1)
		if got := got.Values(); len(got) != 2 || got[1] != "2\n" {
			t.Errorf("got %q", got)
		}
		u.stop()
		u.stop()
		if err := <-ended; err != nil || w.Elapsed() != 11*time.Second {
			t.Errorf("%v after %v", err, w.Elapsed())
		}
		var v verdict
		if u.count(&v); v.events != 3 || v.bytes != 9 || got.Values()[2] != "rest\n" {
			t.Errorf("counted %+v, got %q", v, got.Values())
		}
	})
}
