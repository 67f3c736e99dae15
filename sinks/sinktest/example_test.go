package sinktest_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"

	"github.com/penstock-go/penstock/sinks/sinktest"
	"github.com/penstock-go/penstock/stage"
)

// journal is a sink of somebody's own.
type journal struct {
	mu     sync.Mutex
	lines  []string
	closed bool
}

var errJournalClosed = errors.New("journal closed")

func (j *journal) Write(_ context.Context, lines []string) error {
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.closed {
		return stage.Permanent(errJournalClosed)
	}
	j.lines = append(j.lines, lines...)
	return nil
}

func (j *journal) Close() error {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.closed = true
	return nil
}

func (j *journal) read() []string {
	j.mu.Lock()
	defer j.mu.Unlock()
	return slices.Clone(j.lines)
}

// The whole test of a sink against the contract.
func TestExampleConformance(t *testing.T) {
	sinktest.Run(t, sinktest.Config[string]{
		Event:      func(i int) string { return fmt.Sprint("event ", i) },
		Concurrent: true,
		Open: func(*testing.T) sinktest.Subject[string] {
			j := &journal{}
			return sinktest.Subject[string]{Sink: j, Read: j.read}
		},
	})
}
