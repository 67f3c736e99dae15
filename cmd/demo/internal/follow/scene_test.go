package follow

import (
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
)

// act is something that a writer or a rotator does in one call.
type act func(*world)

func logs(text string) act { return func(w *world) { w.write("app.log", text) } }
func moves(from, to string) act {
	return func(w *world) { w.rename(from, to) }
}

// copies appends to app.log.1 as much of app.log as there is, or its half.
func copies(half bool) act {
	return func(w *world) {
		text, err := os.ReadFile(w.path("app.log"))
		w.must(err)
		part := text[w.size("app.log.1"):]
		if half {
			part = part[:len(part)/2]
		}
		w.write("app.log.1", string(part))
	}
}

func cuts(w *world) { w.must(os.Truncate(w.path("app.log"), 0)) }

// long is a line that no print covers whole.
var long = strings.Repeat("a long line ", 250) + "\n"

// scenes are rotations after some of app.log was read: a race each.
var scenes = map[string]struct {
	first string // what was read
	acts  []act
	want  string // what comes after first
	lost  string // what is in no copy, at the end of want: it may come or not
}{
	"copied and cut":                  {"1\n", []act{logs("2\n"), copies(false), cuts}, "2\n", ""},
	"copied and cut, nothing new":     {"1\n", []act{copies(false), cuts, logs("2\n")}, "2\n", ""},
	"cut and grown beyond the place":  {"1\n", []act{logs("2\n"), copies(false), cuts, logs(long + "3\n")}, "2\n" + long + "3\n", ""},
	"nothing was read of what is cut": {"", []act{logs("1\n"), copies(false), cuts, logs("2\n3\n")}, "1\n2\n3\n", ""},
	"a copy in progress":              {long, []act{logs(long + "2\n"), copies(true), copies(false), cuts, logs("3\n")}, long + "2\n3\n", ""},
	"a copy of nothing read":          {"", []act{logs(long + "2\n"), copies(true), copies(false), cuts, logs("3\n")}, long + "2\n3\n", ""},
	"written while it is copied":      {long, []act{copies(true), logs("2\n"), copies(false), cuts}, "2\n", ""},
	"written before the cut":          {long, []act{logs("2\n"), copies(false), logs("3\n"), cuts}, "2\n3\n", "3\n"},
	"a line that is cut":              {"1\n", []act{logs("2\n3"), copies(false), cuts, logs("4\n")}, "2\n3\n4\n", ""},
	"a long line that is cut":         {"1\n", []act{logs("2\n" + long[:2000]), copies(false), cuts, logs("4\n")}, "2\n" + long[:2000] + "\n4\n", ""},
	"two generations": {"1\n", []act{logs("2\n"), copies(false), cuts, logs("3\n"),
		moves("app.log.1", "app.log.2"), copies(false), cuts, logs("4\n")}, "2\n3\n4\n", ""},
	"two generations of which nothing was read": {"", []act{logs("2\n"), copies(false), cuts, logs("3\n"),
		moves("app.log.1", "app.log.2"), copies(false), cuts, logs("4\n")}, "2\n3\n4\n", ""},
	"copied, then renamed": {"1\n", []act{logs("2\n"), copies(false), cuts, logs("3\n"),
		moves("app.log.1", "app.log.2"), moves("app.log", "app.log.1"), logs("4\n")}, "2\n3\n4\n", ""},
	"renamed, then copied": {"1\n", []act{logs("2\n"), moves("app.log", "app.log.1"), logs("3\n"),
		moves("app.log.1", "app.log.2"), copies(false), cuts, logs("4\n")}, "2\n3\n4\n", ""},
	"generations that begin alike": {"begun\n", []act{logs("1\n"), copies(false), cuts, logs("begun\n2\n")}, "1\nbegun\n2\n", ""},
}

// TestScenes has each scene happen around one look in every way: some acts
// before it, one before the nth call of it, and the others there too, or some
// calls later, or after it. What comes is the same each time, and so is what
// comes when it is gone on at the states of before and after that look.
func TestScenes(t *testing.T) {
	for name, s := range scenes {
		t.Run(name, func(t *testing.T) {
			for early := range len(s.acts) {
				for call, more := 1, true; more; call++ {
					pause := []int{0, 2, 1 << 30}[(early+call)%3]
					w := newWorld(t, "app.log")
					w.write("app.log", s.first)
					w.expect(s.first)
					at := fmt.Sprintf("%d acts early, one before call %d, the others %d later", early, call, pause)
					more = w.play(s.acts, early, call, pause, at, s.want, s.lost)
					w.must(os.RemoveAll(w.dir))
				}
			}
		})
	}
}

// play reports whether there was such a call.
func (w *world) play(acts []act, early, call, pause int, at, want, lost string) bool {
	acts = slices.Clone(acts)
	do := func(n int) {
		for range min(n, len(acts)) {
			acts[0](w)
			acts = acts[1:]
		}
	}
	do(early)
	calls := 0
	type moment struct {
		states []State
		length int
	}
	moments := []moment{{w.set.States(), 0}}
	w.step = func() {
		switch calls++; {
		case calls == call:
			do(1)
			if pause == 0 {
				do(len(acts))
			}
		case calls == call+pause:
			do(len(acts))
		}
	}
	w.must(w.set.Look(w.emit))
	_, err := w.set.Read(w.emit)
	w.must(err)
	moments = append(moments, moment{w.set.States(), w.got.Len()})
	reached := calls >= call
	do(len(acts))
	w.write("app.log", "end\n")
	w.look()
	w.look()
	all := w.got.String()
	w.got.Reset()
	possible := []string{want + "end\n", strings.TrimSuffix(want, lost) + "end\n"}
	if !slices.Contains(possible, all) {
		w.t.Fatalf("%s: got %q, want %q; said %q", at, all, possible, w.said)
	}
	for i, m := range moments {
		w.kill(m.states)
		w.look()
		w.look()
		if again := all[:m.length] + w.got.String(); !slices.Contains(possible, again) {
			w.t.Fatalf("%s: going on at state %d: got %q, want %q; said %q", at, i, again, possible, w.said)
		}
		w.got.Reset()
	}
	w.saying("")
	return reached
}
