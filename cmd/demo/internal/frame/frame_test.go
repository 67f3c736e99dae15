package frame

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"os"
	"slices"
	"strconv"
	"testing"
	"time"
)

// pieces are the lines that come out, as they were given: nobody changes them.
type pieces struct {
	lines [][]byte
	parts []bool
	long  []int64
}

func (p *pieces) emit(line []byte, piece bool) {
	p.lines, p.parts = append(p.lines, line), append(p.parts, piece)
}

// cut frames data, which is read a part at a time; n says how many of the bytes
// that there is room for. Now and then a negative n has it go on at what was
// emitted, and read the rest again.
func cut(t *testing.T, data []byte, l Lines, n func(room int) int) *pieces {
	p := new(pieces)
	l.Long = func(offset int64) { p.long = append(p.long, offset) }
	for l.Next() < int64(len(data)) {
		room := l.Room()
		if len(room) == 0 {
			t.Fatal("there is no room")
		}
		size := n(len(room))
		if size < 0 {
			l.Resume(l.At(), l.Open())
			continue
		}
		before, next := l.At(), l.Next()
		size = copy(room[:size], data[next:])
		l.Read(size, p.emit)
		if l.Next() != next+int64(size) || l.Next() != l.At()+int64(len(l.Pending())) {
			t.Fatalf("at %d, next %d, after %d bytes behind %d", l.At(), l.Next(), size, next)
		}
		if !bytes.Equal(l.Pending(), data[l.At():l.Next()]) {
			t.Fatalf("%q is pending at %d", l.Pending(), l.At())
		}
		if last := l.Last(l.At() - before); !bytes.Equal(last, data[before:l.At()]) {
			t.Fatalf("%q was emitted last, up to %d", last, l.At())
		}
		l.Idle()
	}
	l.Rest(p.emit)
	if l.Finish && l.Open() || l.At() != int64(len(data)) {
		t.Fatalf("open %v at %d", l.Open(), l.At())
	}
	return p
}

// check wants every byte of data once and in its place, in lines of at most size
// bytes, and exactly the longer ones in pieces, and told.
func check(t *testing.T, data []byte, size int, finish bool, got *pieces) {
	var lines [][]byte
	var parts []bool
	var long []int64
	at := int64(0)
	for line := range bytes.Lines(data) {
		ended := line[len(line)-1] == '\n'
		whole := line
		if !ended { // it is as long as with the end that it lacks
			whole = append(slices.Clone(line), '\n')
		}
		piece := len(whole) > size
		if piece {
			long = append(long, at)
		}
		at += int64(len(line))
		if finish && len(whole) <= size {
			line = whole
		}
		for part := range slices.Chunk(line, size) {
			lines, parts = append(lines, part), append(parts, piece)
		}
		if finish && !ended && piece {
			lines, parts = append(lines, []byte{'\n'}), append(parts, true)
		}
	}
	if !slices.EqualFunc(got.lines, lines, bytes.Equal) || !slices.Equal(got.parts, parts) {
		t.Errorf("of %d bytes, at most %d in a line, finish %v: %d lines and pieces that are not the %d wanted", len(data), size, finish, len(got.lines), len(lines))
	}
	if !slices.Equal(got.long, long) {
		t.Errorf("long lines were told at %v, want %v", got.long, long)
	}
}

// FuzzLines frames text of every kind, read in parts of every size.
func FuzzLines(f *testing.F) {
	f.Add([]byte("one\ntwo\r\n\nthree"), []byte{1, 3, 0, 200}, uint16(4), true)
	f.Add([]byte("exactly4\n\x00\xff\nabc\nabcd\nabcde\n"), []byte{255}, uint16(4), false)
	f.Add([]byte("a line without an end"), []byte{2, 128, 5}, uint16(1), true)
	f.Add([]byte{}, []byte{}, uint16(9), true)
	f.Fuzz(func(t *testing.T, data, sizes []byte, most uint16, finish bool) {
		size := 1 + int(most)
		got := cut(t, data, Lines{Max: size, Finish: finish}, func(room int) int {
			if len(sizes) == 0 {
				return room
			}
			n := int(sizes[0])
			sizes = sizes[1:]
			if n >= 250 {
				return -1
			}
			return n
		})
		check(t, data, size, finish, got)
	})
}

// TestStreamsOfManyBlocks frames more than fits in a block, with lines around
// the default maximum and far beyond it.
func TestStreamsOfManyBlocks(t *testing.T) {
	seed := uint64(time.Now().UnixNano())
	if s := os.Getenv("PENSTOCK_SEED"); s != "" {
		var err error
		if seed, err = strconv.ParseUint(s, 10, 64); err != nil {
			t.Fatal(err)
		}
	}
	t.Logf("PENSTOCK_SEED=%d", seed)
	r := rand.New(rand.NewPCG(seed, 4))
	for range 20 {
		var data []byte
		for len(data) < 3*BlockSize {
			n := r.IntN(200)
			switch r.IntN(20) {
			case 0:
				n = DefaultMax - 3 + r.IntN(6)
			case 1:
				n = r.IntN(4 * BlockSize)
			}
			for i := range n {
				data = append(data, "abcdefg"[i%7])
			}
			data = append(data, '\n')
		}
		data = data[:len(data)-r.IntN(2)]
		finish := r.IntN(2) == 0
		got := cut(t, data, Lines{Finish: finish}, func(room int) int {
			if r.IntN(10) == 0 {
				return -1
			}
			return 1 + r.IntN(room)
		})
		check(t, data, DefaultMax, finish, got)
	}
}

func ExampleLines() {
	l := Lines{Max: 8, Finish: true, Long: func(at int64) { fmt.Println("a long line at", at) }}
	text := "short\nlonger than that\nrest"
	l.Read(copy(l.Room(), text), func(line []byte, piece bool) { fmt.Printf("%q %v\n", line, piece) })
	l.Rest(func(line []byte, piece bool) { fmt.Printf("%q %v\n", line, piece) })
	// Output:
	// "short\n" false
	// a long line at 6
	// "longer t" true
	// "han that" true
	// "\n" true
	// "rest\n" false
}
