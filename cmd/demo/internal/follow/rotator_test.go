package follow

import (
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"strings"
)

// rotator is a program that logs and one that rotates, as a sequence of the
// calls they make; between two of them they yield.
type rotator struct {
	w      *world
	r      *rand.Rand
	lines  int
	busy   bool // the writer goes on while its log is copied
	doomed []int
	copied bool // what is written now is in no copy
	idle   bool // between two lines or rotations
}

func (p *rotator) steps(yield func(struct{}) bool) {
	ok := true
	step := func() { ok = ok && yield(struct{}{}) }
	for ok {
		for p.busy && p.w.size("app.log") < 2*printSize { // a shorter copy may not be known again
			p.log(step)
		}
		switch p.r.IntN(8) {
		case 0:
			p.w.shift(step)
			p.w.rename("app.log", "app.log.1")
			step()
			p.w.write("app.log", "")
		case 1, 2:
			p.w.shift(step)
			p.copy(step)
			p.w.must(os.Truncate(p.w.path("app.log"), 0))
			p.copied = false
		default:
			p.log(step)
		}
		p.idle = true
		step()
		p.idle = false
	}
}

// log writes some lines in two writes.
func (p *rotator) log(step func()) {
	var text strings.Builder
	for range 1 + p.r.IntN(3) {
		if p.copied {
			p.doomed = append(p.doomed, p.lines)
		}
		fmt.Fprintf(&text, "%04d %s\n", p.lines, strings.Repeat("x", p.r.IntN(200)*p.r.IntN(5)))
		p.lines++
	}
	at := p.r.IntN(text.Len())
	p.w.write("app.log", text.String()[:at])
	if !p.copied && !p.busy {
		step()
	}
	p.w.write("app.log", text.String()[at:])
}

// copy copies as far as the log goes, a part at a time.
func (p *rotator) copy(step func()) {
	from, err := os.Open(p.w.path("app.log"))
	p.w.must(err)
	defer from.Close()
	p.w.write("app.log.1", "")
	part := make([]byte, 200+p.r.IntN(2000))
	if p.busy {
		part = make([]byte, printSize+p.r.IntN(2000))
	}
	for {
		step()
		n, err := from.Read(part)
		if err == io.EOF {
			break
		}
		p.w.must(err)
		p.w.write("app.log.1", string(part[:n]))
		if p.busy && p.r.IntN(2) == 0 {
			p.log(step)
		}
	}
	p.copied = true
	for p.busy && p.r.IntN(2) == 0 {
		step()
		p.log(step)
	}
	step()
}
