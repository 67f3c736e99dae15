package follow

import (
	"fmt"
	"os"
	"strings"
	"testing"
	"time"
)

// TestANameThatVanishes has the siblings renamed whenever one of them is asked
// for, so that the copy is never where it was listed.
func TestANameThatVanishes(t *testing.T) {
	w := newWorld(t, "app.log")
	w.write("app.log", "1\n")
	w.expect("1\n")
	w.write("app.log", "2\n")
	w.rotate(true)
	n := 0
	w.set.disk = vanishing{func(path string) {
		if n++; n < 20 {
			w.must(os.Rename(path, w.path(fmt.Sprintf("app.log.%d", n+1))))
		}
	}, osDisk{}}
	w.look() // until then it is renamed twice in each list
	w.saying("")
	n = 20
	w.expect("2\n")
	w.saying("")
}

// vanishing is a disk on which something happens to a file before it is asked for.
type vanishing struct {
	act func(path string)
	osDisk
}

func (d vanishing) lstat(path string) (os.FileInfo, error) {
	d.act(path)
	return d.osDisk.lstat(path)
}

// TestWhatCameLate: a renamed file got another line after it was found at its
// end, and before a line of the next was complete.
func TestWhatCameLate(t *testing.T) {
	for _, restart := range []bool{false, true} {
		w := newWorld(t, "app.log")
		w.write("app.log", "1\n")
		w.expect("1\n")
		w.rotate(false)
		w.write("app.log", "3")
		w.expect("")
		if n := w.set.Unfinished(); n != 1 {
			t.Errorf("%d lines are unfinished", n)
		}
		w.write("app.log.1", "2\n")
		if restart {
			w.restart()
		}
		w.write("app.log", "\n")
		w.expect("2\n3\n")
		w.saying("")
	}
}

// TestACopyShorterThanWhatWasRead is written to and read between the copying and
// the cutting. In the run that has read it, it is known whatever its length, in
// a later one only if it is long enough.
func TestACopyShorterThanWhatWasRead(t *testing.T) {
	for _, c := range []struct {
		copied, again, said string
		restart             bool
	}{
		{"1\n", "", "", false},
		{long, "", "", false},
		{long, "", "", true},
		{"1\n", "1\n", "the file that was read up to byte 4 is gone", true},
	} {
		w := newWorld(t, "app.log")
		w.write("app.log", c.copied)
		w.write("app.log.1", c.copied)
		w.write("app.log", "2\n")
		w.expect(c.copied + "2\n")
		w.must(os.Truncate(w.path("app.log"), 0))
		if c.restart {
			w.restart()
		}
		w.write("app.log", "3\n")
		w.expect(c.again + "3\n")
		w.saying(c.said)
	}
}

// TestARotationAtAnyCall of the follower, one after another, while little of the
// file is known: a sibling's name may be the file's own by the time it is opened,
// and the beginning of a line may be of a file that is a copy now.
func TestARotationAtAnyCall(t *testing.T) {
	for _, seen := range []string{"", "1\n", "1"} {
		for _, first := range []bool{false, true} {
			for _, second := range []bool{false, true} {
				for at, calls := 0, 1; at < calls; at++ {
					w := newWorld(t, "app.log")
					w.write("app.log", "0000\n")
					w.expect("0000\n")
					w.rotate(first)
					w.write("app.log", seen)
					w.look()
					calls = 0
					w.step = func() {
						if calls == at {
							w.write("app.log", "2\n")
							w.rotate(second)
							w.write("app.log", "3\n")
						}
						calls++
					}
					w.look()
					w.step = func() {}
					want := seen
					if at < calls {
						want += "2\n3\n"
					}
					w.expect(strings.TrimSuffix(want, "1"))
					w.saying("")
				}
			}
		}
	}
}

// TestABeginningThatIsInACopy: of a line its beginning was read, then its file was
// copied and cut; the copy is read, and what follows is being copied already.
func TestABeginningThatIsInACopy(t *testing.T) {
	for at, calls := 0, 1; at < calls; at++ {
		w := newWorld(t, "app.log")
		w.write("app.log", "0")
		w.expect("")
		w.write("app.log", "00\n")
		w.rotate(true)
		_, err := w.set.Read(w.emit)
		w.must(err)
		w.write("app.log", "1\n")
		calls = 0
		w.step = func() {
			if calls == at {
				w.shift(func() {})
			}
			calls++
		}
		_, err = w.set.Read(w.emit)
		w.must(err)
		w.step = func() {}
		w.write("app.log.1", "1\n")
		w.must(w.set.Look(w.emit))
		w.must(os.Truncate(w.path("app.log"), 0))
		w.expect("000\n1\n")
		w.saying("")
	}
}

// TestARotationThatWasGivenUp leaves half a copy behind, and the next one shifts it.
func TestARotationThatWasGivenUp(t *testing.T) {
	w := newWorld(t, "app.log")
	w.write("app.log", long+long+"1\n")
	copies(true)(w)
	w.expect(long + long + "1\n")
	w.write("app.log", "2\n")
	w.rotate(true)
	w.write("app.log", "3\n")
	w.expect("2\n3\n")
	w.saying("")
}

// TestThePredecessorIsDeleted while it is read, and the next one copied and cut.
func TestThePredecessorIsDeleted(t *testing.T) {
	w := newWorld(t, "app.log")
	w.write("app.log", "1\n")
	w.expect("1\n")
	w.rotate(false)
	w.expect("")
	w.write("app.log", "2\n")
	w.rotate(true)
	w.must(os.Remove(w.path("app.log.2")))
	w.expect("2\n")
	w.write("app.log", "3\n")
	w.expect("3\n")
	w.saying("")
}

// TestADeletedFileLeavesACopy: what a pattern found is copied, cut and deleted
// between two looks.
func TestADeletedFileLeavesACopy(t *testing.T) {
	for _, first := range []string{"", "1\n"} {
		w := newWorld(t, "*.log")
		w.write("app.log", first)
		w.expect(first)
		w.write("app.log", "2\n")
		w.rotate(true)
		w.must(os.Remove(w.path("app.log")))
		w.expect("2\n")
		w.saying("")
	}
}

// TestAShortCopyOrAGeneration: what is shorter than a print may be a copy that is
// not cut yet, or a generation that the next one begins like. It is the latter
// if the file was written to since; the copy's lines then come twice, and no
// more than that.
func TestAShortCopyOrAGeneration(t *testing.T) {
	for _, busy := range []bool{false, true} {
		w := newWorld(t, "app.log")
		w.write("app.log", "")
		w.expect("")
		w.write("app.log", "1\n2\n")
		w.write("app.log.1", "1\n")
		want := "1\n2\n"
		if busy {
			w.must(os.Chtimes(w.path("app.log.1"), time.Time{}, time.Now().Add(-time.Hour)))
			want = "1\n1\n2\n"
		}
		w.expect(want)
		w.write("app.log.1", "2\n")
		w.must(os.Truncate(w.path("app.log"), 0))
		w.write("app.log", "3\n")
		w.expect("3\n")
		w.saying("")
	}
}
