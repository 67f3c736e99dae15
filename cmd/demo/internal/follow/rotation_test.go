package follow

import (
	"fmt"
	"strings"
	"testing"
)

// TestRotations runs each way of rotating a file, all of it seen, or with a
// restart at some step.
func TestRotations(t *testing.T) {
	type step struct {
		do   func(*world)
		want string // what then comes
	}
	write := func(name, text string) func(*world) { return func(w *world) { w.write(name, text) } }
	for name, steps := range map[string][]step{
		"rename": {
			{write("app.log", "1\n2\n"), "1\n2\n"},
			{func(w *world) { w.write("app.log", "3\n"); w.rename("app.log", "app.log.1") }, "3\n"},
			{write("app.log.1", "4\nlate"), "4\n"},
			{write("app.log", ""), ""},
			{write("app.log.1", "r\n"), "later\n"},
			{write("app.log", "5\n"), "5\n"},
			{func(w *world) { w.rename("app.log.1", "app.log.2"); w.rename("app.log", "app.log.1") }, ""},
			{write("app.log", "6\n"), "6\n"},
		},
		"no end before a rename": {
			{write("app.log", "1\n2"), "1\n"},
			{func(w *world) { w.rename("app.log", "app.log.1"); w.write("app.log", "3\n") }, "2\n3\n"},
		},
		"several renames": {
			{write("app.log", "1\n"), "1\n"},
			{func(w *world) {
				w.write("app.log", "2\n")
				for _, next := range []string{"3\n", "4\n", "5\n"} {
					w.rotate(false)
					w.write("app.log", next)
				}
			}, "2\n3\n4\n5\n"},
		},
		"several renames to dates": {
			{write("app.log", "1\n"), "1\n"},
			{func(w *world) {
				w.write("app-20231231T000000.000Z-000001.log", "old\n")
				w.write("app.log", "2\n")
				w.rename("app.log", "app-20240101T000000.000Z-000002.log")
				w.write("app.log", "3\n")
				w.rename("app.log", "app-20240102T000000.000Z-000003.log")
				w.write("app.log", "4\n")
			}, "2\n3\n4\n"},
		},
		"copytruncate": {
			{write("app.log", "1\n2\n"), "1\n2\n"},
			{func(w *world) { w.write("app.log", "3\n4"); w.copytruncate("app.log", "app.log.1") }, "3\n4\n"[:2]},
			{write("app.log", "5\n"), "4\n5\n"},
		},
		"copytruncate, grown again": {
			{write("app.log", "1\n2\n"), "1\n2\n"},
			{func(w *world) {
				w.copytruncate("app.log", "app.log.1")
				w.write("app.log", "another line, so that it is longer\n")
			}, "another line, so that it is longer\n"},
		},
		"several copytruncates": {
			{write("app.log", "1\n"), "1\n"},
			{func(w *world) {
				w.write("app.log", "2\n")
				w.rotate(true)
				w.write("app.log", "3\n")
				w.rotate(true)
				w.write("app.log", "4\n")
			}, "2\n3\n4\n"},
		},
		"copytruncate of what was taken for empty": {
			{write("app.log", "1\n"), "1\n"},
			{func(w *world) { w.copytruncate("app.log", "app.log.1") }, ""},
			{func(w *world) {
				w.write("app.log", "2\n")
				w.rotate(true)
				w.write("app.log", "3\n")
			}, "2\n3\n"},
		},
		"copytruncate in the middle of the first line": {
			{write("app.log", "1"), ""},
			{func(w *world) { w.write("app.log", "1\n"); w.copytruncate("app.log", "app.log.1") }, "11\n"},
			{write("app.log", "2\n"), "2\n"},
		},
		"copytruncate and rename": {
			{write("app.log", "1\n"), "1\n"},
			{func(w *world) {
				w.write("app.log", "2\n")
				w.rotate(true)
				w.write("app.log", "3\n")
				w.rotate(false)
				w.write("app.log", "4\n")
			}, "2\n3\n4\n"},
		},
		"copytruncate before anything was read": {
			{func(w *world) {
				w.write("app.log.1", "old\n")
				w.write("app.log", "")
			}, ""},
			{func(w *world) {
				w.write("app.log", "1\n")
				w.rotate(true)
				w.write("app.log", "2\n")
			}, "1\n2\n"},
		},
		"generations that begin alike": {
			{write("app.log", "begun\n1\n"), "begun\n1\n"},
			{func(w *world) { w.rotate(true); w.write("app.log", "begun\n") }, "begun\n"},
			{func(w *world) { w.write("app.log", "2\n"); w.rotate(true); w.write("app.log", "begun\n3\n") }, "2\nbegun\n3\n"},
		},
		"vanishes and comes back": {
			{write("app.log", "1\n"), "1\n"},
			{func(w *world) { w.rename("app.log", "app.log.1") }, ""},
			{func(*world) {}, ""},
			{write("app.log", "2\n"), "2\n"},
		},
	} {
		for restart := -1; restart < len(steps); restart++ {
			t.Run(fmt.Sprintf("%s, restart %d", name, restart), func(t *testing.T) {
				w := newWorld(t, "app.log")
				for i, s := range steps {
					s.do(w)
					if i == restart {
						w.restart()
					}
					w.expect(s.want)
				}
				w.saying("")
			})
		}
	}
}

// TestARestartAnywhere goes on at the states of each moment once more: what
// came after it comes again, and nothing else does.
func TestARestartAnywhere(t *testing.T) {
	w := newWorld(t, "app.log")
	type moment struct {
		states []State
		length int
	}
	var moments []moment
	var all strings.Builder
	for i := range 60 {
		w.write("app.log", fmt.Sprintf("line %d of this log\n", i))
		if i%3 == 0 {
			w.look()
			all.WriteString(w.got.String())
			w.got.Reset()
			moments = append(moments, moment{w.set.States(), all.Len()})
		}
		if i%7 == 6 {
			w.rotate(i%2 == 1)
		}
	}
	w.look()
	all.WriteString(w.got.String())
	w.got.Reset()
	if n := strings.Count(all.String(), "\n"); n != 60 {
		t.Fatalf("%d lines: %s", n, all.String())
	}
	for _, m := range moments {
		w.kill(m.states)
		w.expect(all.String()[m.length:])
	}
	w.saying("")
}
