package sim

import (
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/penstock-go/penstock/clockutil/clocktest"
	"github.com/penstock-go/penstock/internal/oracle"
)

// trace is what happened, and when. Safe for concurrent use.
type trace struct {
	w  *clocktest.World
	mu sync.Mutex
	at []line
}

// line is one entry. It is put into words only if somebody reads it.
type line struct {
	at     time.Duration
	who    string
	what   string
	events []oracle.Event
	err    error
}

func (l *trace) add(who, what string, events []oracle.Event, err error) {
	at := l.w.Elapsed()
	l.mu.Lock()
	defer l.mu.Unlock()
	l.at = append(l.at, line{at, who, what, events, err})
}

// String is the trace in words. What happened at one instant has no order, and
// is sorted.
func (l *trace) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	words := make([]string, 0, len(l.at))
	for _, e := range l.at {
		var b strings.Builder
		fmt.Fprintf(&b, "%12v  %-10s %s", e.at, e.who, e.what)
		for _, ev := range e.events {
			fmt.Fprintf(&b, " %d/%d", ev.Producer, ev.Seq)
		}
		if e.err != nil {
			first, _, _ := strings.Cut(e.err.Error(), "\n")
			fmt.Fprintf(&b, ": %s", first)
		}
		words = append(words, b.String())
	}
	for from := 0; from < len(words); {
		to := from
		for to < len(words) && l.at[to].at == l.at[from].at {
			to++
		}
		slices.Sort(words[from:to])
		from = to
	}
	return strings.Join(words, "\n")
}
