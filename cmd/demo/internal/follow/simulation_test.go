package follow

import (
	"fmt"
	"math/rand/v2"
	"os"
	"strconv"
	"strings"
	"testing"
)

// TestSimulation writes, rotates, looks, reads, and goes on at earlier states
// in random order. Each line comes once and in order.
func TestSimulation(t *testing.T) { seeds(t, 40, simulate) }

func simulate(t *testing.T, seed uint64) {
	w := newWorld(t, "app.log")
	defer func() { w.must(os.RemoveAll(w.dir)) }()
	r := rand.New(rand.NewPCG(seed, 2))
	var states []State
	length, written := 0, 0
	var story []string
	// The file is seen once before anything happens.
	w.write("app.log", "")
	w.must(w.set.Look(w.emit))
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
				w.rotate(false)
			}
		case 4:
			w.rotate(true)
			if cut != "" { // the writer goes on in the middle of its line
				w.write("app.log.1", cut)
				cut = ""
			}
		case 5, 6:
			w.must(w.set.Look(w.emit))
		case 7, 8, 9:
			_, err := w.set.Read(w.emit)
			w.must(err)
		case 10:
			states, length = w.set.States(), w.got.Len()
		case 11:
			w.kill(states)
			w.forget(length)
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
