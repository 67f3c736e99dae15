package follow

import (
	"fmt"
	"math/rand/v2"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"
)

// TestSimulation writes, rotates, looks, reads, and goes on at earlier states
// in random order. Each line comes once and in order.
func TestSimulation(t *testing.T) {
	seed, runs := uint64(time.Now().UnixNano()), 100
	if testing.Short() {
		runs = 20
	}
	if s := os.Getenv("PENSTOCK_SEED"); s != "" {
		var err error
		if seed, err = strconv.ParseUint(s, 10, 64); err != nil {
			t.Fatal(err)
		}
		runs = 1
	}
	t.Logf("PENSTOCK_SEED=%d, and up", seed)
	for i := range uint64(runs) {
		simulate(t, seed+i)
		if t.Failed() {
			t.Fatalf("with PENSTOCK_SEED=%d", seed+i)
		}
	}
}

func simulate(t *testing.T, seed uint64) {
	w := newWorld(t, "app.log")
	defer func() { w.must(os.RemoveAll(w.dir)) }()
	r := rand.New(rand.NewPCG(seed, 2))
	emit := func(line []byte, _ bool) { w.got.Write(line) }
	var states []State
	length, written := 0, 0
	var story []string
	shift := func() {
		for n := 40; n > 0; n-- {
			if _, err := os.Stat(w.path(fmt.Sprintf("app.log.%d", n))); err == nil {
				w.rename(fmt.Sprintf("app.log.%d", n), fmt.Sprintf("app.log.%d", n+1))
			}
		}
	}
	// The file is seen once before anything happens.
	w.write("app.log", "")
	w.must(w.set.Look(emit))
	states = w.set.States()
	cut := "" // the rest of a line
	for range 60 {
		action := r.IntN(12)
		switch action {
		case 0, 1, 2:
			line := fmt.Sprintf("%04d\n", written)
			written++
			n := len(line)
			if r.IntN(3) == 0 {
				n = r.IntN(n)
			}
			w.write("app.log", cut+line[:n])
			cut = line[n:]
		case 3:
			if cut == "" {
				shift()
				w.rename("app.log", "app.log.1")
				w.write("app.log", "")
			}
		case 4:
			shift()
			w.copytruncate("app.log", "app.log.1")
			if cut != "" { // the writer goes on in the middle of its line
				w.write("app.log.1", cut)
				cut = ""
			}
		case 5, 6:
			w.must(w.set.Look(emit))
		case 7, 8, 9:
			_, err := w.set.Read(emit)
			w.must(err)
		case 10:
			states, length = w.set.States(), w.got.Len()
		case 11:
			w.kill(states)
			text := w.got.String()[:length]
			w.got.Reset()
			w.got.WriteString(text)
		}
		story = append(story, strconv.Itoa(action))
	}
	w.write("app.log", cut+"last\n")
	for range 50 {
		w.look()
	}
	var want strings.Builder
	for i := range written {
		fmt.Fprintf(&want, "%04d\n", i)
	}
	if got := w.got.String(); got != want.String()+"last\n" {
		t.Errorf("%s: got\n%s", strings.Join(story, " "), strings.ReplaceAll(got, "\n", " "))
	}
	if len(w.said) > 0 {
		t.Errorf("said %q", w.said)
	}
}
