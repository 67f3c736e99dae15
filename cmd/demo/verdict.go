package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"strings"
	"time"

	"github.com/penstock-go/penstock/cmd/demo/internal/term"

	"github.com/penstock-go/penstock/pipeline"
	"github.com/penstock-go/penstock/stage"
)

// verdict is what became of a haul.
type verdict struct {
	command string
	policy  string // an overflow policy
	to      string
	dead    string // file of dead letters, if any
	events  uint64 // read
	bytes   uint64 // read
	took    time.Duration
	stats   pipeline.Stats

	long       uint64  // lines that travelled in pieces
	unended    uint64  // lines left for the next run
	unparsed   uint64  // lines that are only messages
	unread     uint64  // lines that are no events
	complaints []error // about the first of them

	stopped  error // why the reading ended before the input did
	readErr  error // of the input
	writeErr error // the first that cost an event
	refusal  error // the first that made a dead letter
	closeErr error // of closing the pipeline
}

// dropped is the number of events that the overflow policy let go.
func (v *verdict) dropped() uint64 {
	if v.policy == wait {
		return 0
	}
	return v.stats.Evicted.Total() + v.stats.Rejected.Full
}

// lost is the number of events that were read and neither delivered, nor kept
// as dead letters, nor dropped by the policy.
func (v *verdict) lost() uint64 {
	return v.events - min(v.events, v.stats.Delivered+v.stats.Rerouted+v.dropped())
}

// code is the exit code. An error of the output without a loss in the books,
// as of its last sync, may be one all the same.
func (v *verdict) code() int {
	switch {
	case v.lost() > 0 || v.closeErr != nil || v.writeErr != nil:
		return exitLoss
	case v.readErr != nil || v.unread > 0:
		return exitRuntime
	}
	return exitOK
}

// write prints the verdict, and the ledger in the given format, and returns
// the exit code.
func (v *verdict) write(w io.Writer, format string) int {
	switch format {
	case statsText:
		v.writeLedger(w)
	case statsJSON:
		line, err := json.Marshal(v.stats)
		if err != nil {
			line = []byte(err.Error())
		}
		fmt.Fprintf(w, "%s\n", line)
	}
	for _, err := range v.complaints {
		fmt.Fprintf(w, "demo %s: %v\n", v.command, err)
	}
	fmt.Fprintf(w, "demo %s: %s\n", v.command, v)
	return v.code()
}

// String is the verdict in one line.
func (v *verdict) String() string {
	var b strings.Builder
	switch {
	case v.readErr != nil:
		fmt.Fprintf(&b, "%v; ", v.readErr)
	case v.stopped != nil:
		fmt.Fprintf(&b, "%v; ", v.stopped)
	}
	fmt.Fprintf(&b, "read %s events, %s bytes, in %s; delivered %s to %s",
		term.Count(v.events), term.Count(v.bytes), term.Brief(v.took), term.Count(v.stats.Delivered), v.to)
	if v.policy != wait {
		fmt.Fprintf(&b, ", dropped %s as %s allows", term.Count(v.dropped()), v.policy)
	}
	if n := v.stats.Rerouted; n > 0 {
		fmt.Fprintf(&b, ", %s dead letters to %s (%s)", term.Count(n), v.dead, inShort(v.refusal))
	}
	if v.long > 0 {
		fmt.Fprintf(&b, "; %s long lines in pieces", term.Count(v.long))
	}
	if v.unended > 0 {
		fmt.Fprintf(&b, "; %s lines without an end left for the next time", term.Count(v.unended))
	}
	if v.unparsed > 0 {
		fmt.Fprintf(&b, "; %s lines did not parse and are messages", term.Count(v.unparsed))
	}
	if v.unread > 0 {
		fmt.Fprintf(&b, "; NOT READ %s lines that are no dead letters", term.Count(v.unread))
	}
	switch lost := v.lost(); {
	case lost > 0:
		fmt.Fprintf(&b, "; LOST %s", term.Count(lost))
		if n := v.stats.Lost.InDoubt; n > 0 {
			fmt.Fprintf(&b, ", %s of them in doubt", term.Count(n))
		}
	case v.code() == exitLoss:
		b.WriteString("; the output may be INCOMPLETE")
	default:
		b.WriteString("; nothing lost")
	}
	if cause := v.cause(); cause != "" {
		fmt.Fprintf(&b, ": %s", cause)
	}
	return b.String()
}

// cause says why the output failed. Of what a Close cut off, Close says more:
// by when, and where it was stuck.
func (v *verdict) cause() string {
	if v.writeErr != nil && !errors.Is(v.writeErr, stage.ErrAbandoned) {
		return inShort(v.writeErr)
	}
	return inShort(v.closeErr)
}

// inShort is err in one line, in the system's words if it has any.
func inShort(err error) string {
	if err == nil {
		return ""
	}
	if pe := (*fs.PathError)(nil); errors.As(err, &pe) {
		return pe.Error()
	}
	return strings.ReplaceAll(err.Error(), "\n", "; ")
}

func (v *verdict) writeLedger(w io.Writer) {
	s := &v.stats
	for _, line := range []struct {
		name string
		n    uint64
		of   string
	}{
		{"offered", s.Offered, ""},
		{"accepted", s.Accepted, ""},
		{"rejected", s.Rejected.Total(), fmt.Sprintf("full %d, closed %d, too large %d, canceled %d, dead %d, invalid %d",
			s.Rejected.Full, s.Rejected.Closed, s.Rejected.TooLarge, s.Rejected.Canceled, s.Rejected.Dead, s.Rejected.Invalid)},
		{"delivered", s.Delivered, ""},
		{"rerouted", s.Rerouted, ""},
		{"filtered", s.Filtered, ""},
		{"evicted", s.Evicted.Total(), fmt.Sprintf("for count %d, for bytes %d", s.Evicted.Count, s.Evicted.Bytes)},
		{"lost", s.Lost.Total(), fmt.Sprintf("failed %d, panic %d, dead %d, deadline %d, in doubt %d",
			s.Lost.Failed, s.Lost.Panic, s.Lost.Dead, s.Lost.Deadline, s.Lost.InDoubt)},
		{"buffered", s.Buffered, ""},
		{"batches", s.Batches.Size + s.Batches.Bytes + s.Batches.Age + s.Batches.Flush + s.Batches.Close,
			fmt.Sprintf("by size %d, bytes %d, age %d, flush %d, close %d",
				s.Batches.Size, s.Batches.Bytes, s.Batches.Age, s.Batches.Flush, s.Batches.Close)},
	} {
		if line.n > 0 && line.of != "" {
			line.of = "  " + line.of
		} else {
			line.of = ""
		}
		fmt.Fprintf(w, "%-9s %13s%s\n", line.name, term.Count(line.n), line.of)
	}
}
