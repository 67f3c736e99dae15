package sinks

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/penstock-go/penstock/stage"
)

const (
	maxCauses = 16      // kept of one failure
	maxCause  = 4 << 10 // bytes kept of one cause; a stack has about as many
)

// Letter is a dead letter: one event that failed, and the story of it. See
// [DeadLetters] for how events become letters, [LetterEncoder] and
// [LetterReader] for how letters become lines and come back. It is a plain
// value; letters of one failure share Causes, which is read-only.
type Letter[T any] struct {
	Event T
	// Text stands for an event that could not be encoded: a rendering for the
	// eye, from which Event cannot be had back. Empty otherwise.
	Text string

	Stage     string    // where it failed last
	Causes    []string  // why: the texts of the errors joined in the cause, the first failure's first
	Permanent bool      // no other attempt can succeed, said the cause
	Attempts  int       // calls of sinks and routes that failed; of all runs, if it was returned
	First     time.Time // when the first of them began; zero if unknown
	Last      time.Time // when the last of them returned; zero if unknown
}

// failed adds a failure to what l knows already.
func (l Letter[T]) failed(why *story) Letter[T] {
	l.Stage, l.Causes, l.Permanent = why.stage, why.causes, why.permanent
	l.Attempts += why.attempts
	if l.First.IsZero() {
		l.First = why.first
	}
	l.Last = why.last
	return l
}

// story is what a failure says about each of its events.
type story struct {
	stage       string
	causes      []string
	permanent   bool
	attempts    int
	first, last time.Time
}

func storyOf[T any](f stage.Failure[T]) *story {
	why := &story{
		stage: f.Stage, causes: causesOf(f.Err), permanent: stage.IsPermanent(f.Err),
		attempts: f.Attempts, first: f.First, last: f.Last,
	}
	if why.last.IsZero() {
		why.last = why.first // a stage failed it: this is the first sink to see it
	}
	return why
}

// causesOf returns the texts of the errors joined in err. An error that panics
// when asked is known by its type.
func causesOf(err error) []string {
	var texts []string
	if stage.Guard(context.Background(), "error", func() error { texts = appendCauses(nil, err); return nil }, nil) != nil {
		return []string{fmt.Sprintf("%T", err)}
	}
	if more := len(texts) - maxCauses; more > 0 {
		texts = append(texts[:maxCauses:maxCauses], fmt.Sprintf("and %d more", more))
	}
	return texts
}

// appendCauses takes apart what only adds up: joined errors, and wrappers that
// say no more than what they wrap. The number of events in a PartialError is
// none of this event's business.
func appendCauses(texts []string, err error) []string {
	if err == nil {
		return texts
	}
	text := err.Error()
	switch e := err.(type) {
	case *stage.PartialError:
		if e.Err != nil {
			return appendCauses(texts, e.Err)
		}
	case interface{ Unwrap() []error }:
		if parts := e.Unwrap(); errors.Join(parts...).Error() == text {
			for _, part := range parts {
				texts = appendCauses(texts, part)
			}
			return texts
		}
	default:
		if inner := errors.Unwrap(err); inner != nil && inner.Error() == text {
			return appendCauses(texts, inner)
		}
	}
	return append(texts, clip(text, maxCause))
}

// clip returns valid UTF-8 of at most about limit bytes.
func clip(s string, limit int) string {
	cut := len(s) > limit
	if cut {
		for limit > 0 && !utf8.RuneStart(s[limit]) {
			limit--
		}
		s = s[:limit]
	}
	s = strings.ToValidUTF8(s, "\uFFFD")
	if cut {
		s += "…"
	}
	return s
}
