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
	w.set.Rest(w.emit)
	w.expect("four\n")
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
	w.set.disk = shortDisk{}
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
