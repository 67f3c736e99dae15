package follow

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"runtime"
	"strings"
	"testing"
)

func TestAGrowingFile(t *testing.T) {
	w := newWorld(t, "app.log")
	w.expect("")
	w.write("app.log", "one\ntwo\nthr")
	w.expect("one\ntwo\n")
	w.expect("")
	w.write("app.log", "ee\nfour")
	w.expect("three\n")
	w.set.Rest(func(line []byte, _ bool) { w.got.Write(line) })
	w.expect("four\n")
	w.saying("")
}

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
				w.rename("app.log", "app.log.1")
				w.write("app.log", "3\n")
				w.rename("app.log.1", "app.log.2")
				w.rename("app.log", "app.log.1")
				w.write("app.log", "4\n")
				w.rename("app.log.2", "app.log.3")
				w.rename("app.log.1", "app.log.2")
				w.rename("app.log", "app.log.1")
				w.write("app.log", "5\n")
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
				w.copytruncate("app.log", "app.log.1")
				w.write("app.log", "3\n")
				w.rename("app.log.1", "app.log.2")
				w.copytruncate("app.log", "app.log.1")
				w.write("app.log", "4\n")
			}, "2\n3\n4\n"},
		},
		"copytruncate of what was taken for empty": {
			{write("app.log", "1\n"), "1\n"},
			{func(w *world) { w.copytruncate("app.log", "app.log.1") }, ""},
			{func(w *world) {
				w.write("app.log", "2\n")
				w.rename("app.log.1", "app.log.2")
				w.copytruncate("app.log", "app.log.1")
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
				w.copytruncate("app.log", "app.log.1")
				w.write("app.log", "3\n")
				w.rename("app.log.1", "app.log.2")
				w.rename("app.log", "app.log.1")
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
				w.rename("app.log.1", "app.log.2")
				w.copytruncate("app.log", "app.log.1")
				w.write("app.log", "2\n")
			}, "1\n2\n"},
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
			for n := 9; n > 0; n-- {
				if _, err := os.Stat(w.path(fmt.Sprintf("app.log.%d", n))); err == nil {
					w.rename(fmt.Sprintf("app.log.%d", n), fmt.Sprintf("app.log.%d", n+1))
				}
			}
			if i%2 == 0 {
				w.rename("app.log", "app.log.1")
			} else {
				w.copytruncate("app.log", "app.log.1")
			}
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

func TestAFileIsDeletedAndMadeAnew(t *testing.T) {
	w := newWorld(t, "app.log")
	w.write("app.log", "1\n")
	w.expect("1\n")
	w.write("app.log", "2\n")
	w.must(os.Remove(w.path("app.log")))
	w.expect("2\n")
	w.write("app.log", "3\n")
	w.expect("3\n")
	w.saying("")
}

func TestWhatIsGoneIsTold(t *testing.T) {
	w := newWorld(t, "app.log")
	w.write("app.log", "1\n")
	w.expect("1\n")
	states := w.set.States()
	w.must(os.Truncate(w.path("app.log"), 0))
	w.write("app.log", "2\n")
	w.expect("2\n")
	w.saying("cut to nothing behind byte 2")
	w.kill(states)
	w.expect("2\n")
	w.saying("read up to byte 2 is gone")
}

// TestAnInodeUsedAgain is not taken for the file that had it.
func TestAnInodeUsedAgain(t *testing.T) {
	w := newWorld(t, "app.log")
	w.write("app.log", "1 of the old file\n")
	w.expect("1 of the old file\n")
	states := w.set.States()
	w.must(os.WriteFile(w.path("app.log"), []byte("1 of a new file, which is longer\n"), 0o600))
	w.kill(states)
	w.expect("1 of a new file, which is longer\n")
	w.saying("is gone")
}

func TestShortReads(t *testing.T) {
	w := newWorld(t, "app.log")
	w.set.open = func(path string) (handle, error) {
		f, err := os.Open(path)
		return shortly{f}, err
	}
	w.write("app.log", "one\n\ntwo and more\nrest")
	w.expect("one\n\ntwo and more\n")
	w.write("app.log", "\n")
	w.expect("rest\n")
}

func TestLongLines(t *testing.T) {
	w := newWorld(t, "a.log", "b.log")
	w.cfg.MaxLine = 4
	var long []string
	w.cfg.Long = func(path string, offset int64) { long = append(long, fmt.Sprint(path[len(w.dir)+1:], offset)) }
	w.start(nil)
	w.write("a.log", "1\n123456789\n123\n")
	w.write("b.log", "2\n")
	w.expect("1\n123456789\n123\n2\n")
	w.write("a.log", "abcdef")
	w.expect("abcd")
	if w.set.Whole() {
		t.Error("there is a line without an end")
	}
	w.write("b.log", "3\n")
	w.expect("\n3\n")
	if !w.set.Whole() {
		t.Error("the line was ended")
	}
	w.restart()
	w.write("a.log", "g\n")
	w.expect("efg\n")
	if want := "[a.log2 a.log16]"; fmt.Sprint(long) != want {
		t.Errorf("long lines at %v, want %s", long, want)
	}
}

func TestPatterns(t *testing.T) {
	w := newWorld(t, "*.log*")
	out, err := os.Create(w.path("out.log"))
	w.must(err)
	info, err := out.Stat()
	w.must(err)
	w.must(out.Close())
	w.cfg.Skip = func(i os.FileInfo) bool { return os.SameFile(i, info) }
	w.start(nil)
	w.write("out.log", "not read\n")
	w.write("a.log", "a1\n")
	w.write("b-2.log", "b1\n")
	w.expect("a1\nb1\n")
	w.write("a.log", "a2\n")
	w.rename("a.log", "a.log.1")
	w.expect("a2\n")
	w.restart()
	w.write("a.log.1", "a3\n")
	w.write("c.log", "c1\n")
	w.expect("a3\nc1\n")
	w.write("b-2.log", "b2")
	w.look()
	if runtime.GOOS == "linux" {
		w.must(os.Remove(w.path("b-2.log")))
		w.expect("b2\n")
		if n := len(w.set.tails); n != 2 {
			t.Errorf("%d files are followed", n)
		}
	}
	w.saying("")
	states := w.set.States()
	w.must(os.Remove(w.path("c.log")))
	w.kill(states)
	w.expect("")
	w.saying("c.log: the file that was read up to byte 3 is gone")
	if n := len(w.set.States()); n != len(states)-1 {
		t.Errorf("%d files are known", n)
	}
}

func TestOnce(t *testing.T) {
	w := newWorld(t, "a.log", "b.log")
	w.cfg.Once = true
	w.start(nil)
	if err := w.set.Look(nil); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("%v for a missing file", err)
	}
	w.write("a.log", strings.Repeat("a\n", 300<<10))
	w.write("b.log", "b\n")
	w.look()
	if got := w.got.String(); got != strings.Repeat("a\n", 300<<10)+"b\n" {
		t.Errorf("%d bytes, not one file after another", len(got))
	}
}

func TestWhatIsNoFile(t *testing.T) {
	w := newWorld(t, "a.log")
	w.must(os.Mkdir(w.path("a.log"), 0o700))
	w.expect("")
	w.expect("")
	w.saying("is not a regular file")
	w.must(os.Remove(w.path("a.log")))
	w.write("a.log", "1\n")
	w.expect("1\n")
	w.must(os.Remove(w.path("a.log")))
	w.must(os.Mkdir(w.path("a.log"), 0o700))
	w.expect("")
}

func TestRotatedNames(t *testing.T) {
	for name, want := range map[string]bool{
		"app.log": false, "app.log.1": true, "app.log.12": true, "app.log-20240101": true, "app.log.2024-01-01": true,
		"app-20240101T000000.000Z-000001.log": true, "app-2.log": false, "app.log.gz": false, "app.log.1.gz": false,
		"app.log.old": false, "app.log.": false, "apple.log": false, "app2.log": false, "other.log.1": false,
	} {
		if _, ok := rotated("app.log", name); ok != want {
			t.Errorf("%s: %v", name, ok)
		}
	}
	order := []string{"app.log-20240101", "app.log-20240102", "app.log.10", "app.log.9", "app.log.1"}
	for i := 1; i < len(order); i++ {
		a, _ := rotated("app.log", order[i-1])
		b, _ := rotated("app.log", order[i])
		if a.compare(b) >= 0 || b.compare(a) <= 0 || a.compare(a) != 0 {
			t.Errorf("%s is not before %s", order[i-1], order[i])
		}
	}
}
