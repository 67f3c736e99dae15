package follow

import (
	"fmt"
	"iter"
	"math/rand/v2"
	"os"
	"slices"
	"strings"
	"testing"
)

// TestRaces runs a writer and a rotator between any two calls of the follower,
// which is killed and goes on at earlier states. Each line comes once and in
// order, but for those that the rotator has thrown away, and they not twice.
func TestRaces(t *testing.T) {
	for _, busy := range []bool{false, true} {
		t.Run(fmt.Sprintf("busy %v", busy), func(t *testing.T) {
			seeds(t, 25, func(t *testing.T, seed uint64) { race(t, seed, busy) })
		})
	}
}

func race(t *testing.T, seed uint64, busy bool) {
	w := newWorld(t, "app.log")
	defer func() { w.must(os.RemoveAll(w.dir)) }()
	r := rand.New(rand.NewPCG(seed, 3))
	p := &rotator{w: w, r: r, busy: busy}
	next, stop := iter.Pull(iter.Seq[struct{}](p.steps))
	defer stop()
	pace := 2 + r.IntN(12)
	w.write("app.log", "")
	w.must(w.set.Look(w.emit))
	w.step = func() {
		for r.IntN(pace) == 0 {
			next()
		}
	}
	states, length := w.set.States(), 0
	for p.lines < 120 {
		switch r.IntN(8) {
		case 0, 1, 2:
			w.must(w.set.Look(w.emit))
		case 3, 4, 5:
			_, err := w.set.Read(w.emit)
			w.must(err)
		case 6:
			states, length = w.set.States(), w.got.Len()
		case 7:
			if r.IntN(3) > 0 {
				continue
			}
			w.kill(states)
			w.forget(length)
		}
	}
	for !p.idle {
		next()
	}
	w.step = func() {}
	w.write("app.log", "last\n")
	for range 50 {
		w.look()
	}
	got := strings.Split(w.got.String(), "\n")
	for i := range p.lines {
		switch {
		case strings.HasPrefix(got[0], fmt.Sprintf("%04d x", i)) || got[0] == fmt.Sprintf("%04d ", i):
			got = got[1:]
		case !slices.Contains(p.doomed, i):
			t.Fatalf("got %.10q and not line %d; said %q", got[0], i, w.said)
		}
	}
	if len(got) != 2 || got[0] != "last" {
		t.Fatalf("got %.10q at the end", got)
	}
	w.saying("")
}
