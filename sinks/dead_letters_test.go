package sinks

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/penstock-go/penstock/stage"
	"github.com/stretchr/testify/require"
)

var (
	noon = time.Date(2026, 1, 2, 12, 0, 0, 5, time.FixedZone("east", 3600))
	// of two events that a sink was given twice
	broken = stage.Failure[string]{
		Events: []string{"a", "b"}, Stage: "db", Err: errDown, Attempts: 2, First: noon, Last: noon.Add(time.Second),
	}
)

func deadLetters(t *testing.T, to stage.Sink[Letter[string]]) stage.FailureSink[string] {
	t.Helper()
	s, err := DeadLetters(to)
	require.NoError(t, err)
	return s.(stage.FailureSink[string])
}

func TestDeadLettersTellTheStory(t *testing.T) {
	m := &Memory[Letter[string]]{}
	s := deadLetters(t, m)
	f := broken
	f.Err = errors.Join(stage.Permanent(errDown), stage.Permanent(errors.New("aside")))
	require.NoError(t, s.WriteFailure(t.Context(), f))
	want := Letter[string]{
		Event: "a", Stage: "db", Causes: []string{"down", "aside"}, Permanent: true,
		Attempts: 2, First: noon, Last: noon.Add(time.Second),
	}
	require.Len(t, m.Batches(), 1)
	got := m.Events()
	require.Equal(t, want, got[0])
	want.Event = "b"
	require.Equal(t, want, got[1])

	require.NoError(t, s.Write(t.Context(), []string{"c"}))
	require.Equal(t, Letter[string]{Event: "c"}, m.Events()[2], "nobody knows why")
}

// A stage that fails events makes no call with them. When they came here is
// all that is known.
func TestDeadLettersOfAStage(t *testing.T) {
	m := &Memory[Letter[string]]{}
	f := stage.Failure[string]{Events: []string{"a"}, Stage: "map", Err: errDown, First: noon}
	require.NoError(t, deadLetters(t, m).WriteFailure(t.Context(), f))
	require.Equal(t, []Letter[string]{{Event: "a", Stage: "map", Causes: []string{"down"}, First: noon, Last: noon}}, m.Events())
}

func TestCausesAreTakenApart(t *testing.T) {
	long := strings.Repeat("é", maxCause)
	many := make([]error, maxCauses+5)
	for i := range many {
		many[i] = errDown
	}
	for name, c := range map[string]struct {
		err  error
		want []string
	}{
		"none":            {nil, nil},
		"one":             {errDown, []string{"down"}},
		"wrapped":         {fmt.Errorf("put: %w", errDown), []string{"put: down"}},
		"permanent":       {stage.Permanent(errDown), []string{"down"}},
		"joined":          {errors.Join(errors.Join(errDown, errors.New("a\nb")), errNoSpace), []string{"down", "a\nb", errNoSpace.Error()}},
		"permanent joint": {stage.Permanent(errors.Join(errDown, errNoSpace)), []string{"down", errNoSpace.Error()}},
		"partial":         {&stage.PartialError{Failed: []int{1}, Err: errDown}, []string{"down"}},
		"partial joint":   {&stage.PartialError{Failed: []int{1}, Err: errors.Join(errDown, errDown)}, []string{"down", "down"}},
		"partial, bare":   {&stage.PartialError{Failed: []int{1}}, []string{"1 events failed"}},
		"two in one text": {fmt.Errorf("%w after %w", errDown, errNoSpace), []string{"down after " + errNoSpace.Error()}},
		"not UTF-8":       {errors.New("a\xffb"), []string{"a\uFFFDb"}},
		"long":            {errors.New("x" + long), []string{"x" + long[:maxCause-2] + "…"}},
		"many":            {errors.Join(many...), append(strings.Split(strings.Repeat("down,", maxCauses)[:5*maxCauses-1], ","), "and 5 more")},
		"panics":          {(*textless)(nil), []string{"*sinks.textless"}},
	} {
		require.Equal(t, c.want, causesOf(c.err), name)
	}
	require.LessOrEqual(t, len(causesOf(errors.New(long))[0]), maxCause+len("…"))
}

type textless struct{ text string }

func (e *textless) Error() string { return e.text }

func TestDeadLettersMapFailuresThrough(t *testing.T) {
	partial := &stage.PartialError{Failed: []int{1}, Err: errDown}
	s := deadLetters(t, &Memory[Letter[string]]{Fail: func(int, []Letter[string]) error { return partial }})
	requireFailed(t, s.WriteFailure(t.Context(), broken), 1)
	requireFailed(t, s.Write(t.Context(), broken.Events), 1)
}

func TestDeadLettersPassOn(t *testing.T) {
	m := &reporting{Memory[Letter[string]]{FlushErr: errDown, CloseErr: errNoSpace}}
	s := deadLetters(t, m)
	require.ErrorIs(t, stage.FlushSink[string](t.Context(), s), errDown)
	require.ErrorIs(t, stage.CloseSink[string](s), errNoSpace)
	require.Equal(t, "morgue", stage.NameOf(s))
	var r stage.SinkReport
	stage.ReportSink[string](s, &r)
	require.EqualValues(t, 7, r.Bytes)
}

type reporting struct{ Memory[Letter[string]] }

func (*reporting) Name() string               { return "morgue" }
func (*reporting) Report(r *stage.SinkReport) { r.Bytes += 7 }

// Letters that fail again go on with their story.
func TestReturnedLettersAddUp(t *testing.T) {
	m := &Memory[Letter[string]]{}
	s, err := ReturnedLetters(m)
	require.NoError(t, err)
	before := []Letter[string]{
		{Event: "a", Stage: "db", Causes: []string{"timeout"}, Permanent: true, Attempts: 3, First: noon.Add(-time.Hour), Last: noon.Add(-time.Minute)},
		{Event: "b"},
		{Text: "NaN", Attempts: 1, First: noon},
	}
	f := stage.Failure[Letter[string]]{Events: before, Stage: "file", Err: errDown, Attempts: 2, First: noon, Last: noon.Add(time.Second)}
	require.NoError(t, s.(stage.FailureSink[Letter[string]]).WriteFailure(t.Context(), f))
	again := Letter[string]{Stage: "file", Causes: []string{"down"}, Last: noon.Add(time.Second)}
	want := []Letter[string]{again, again, again}
	want[0].Event, want[0].Attempts, want[0].First = "a", 5, noon.Add(-time.Hour)
	want[1].Event, want[1].Attempts, want[1].First = "b", 2, noon
	want[2].Text, want[2].Attempts, want[2].First = "NaN", 3, noon
	require.Equal(t, want, m.Events())
	require.Equal(t, "timeout", before[0].Causes[0], "the letters that came are not changed")

	m.Reset()
	require.NoError(t, s.Write(t.Context(), before))
	require.Equal(t, before, m.Events(), "without a failure they are as they were")
}

func TestDeadLettersRefuseNoSink(t *testing.T) {
	_, err := DeadLetters[string](nil)
	require.ErrorContains(t, err, "DeadLetters' sink is <nil>")
	_, err = ReturnedLetters[string](nil)
	require.ErrorContains(t, err, "ReturnedLetters' sink is <nil>")
}

// A call of the sink below that was abandoned may go on reading its letters.
func TestDeadLettersAreNotUsedAgain(t *testing.T) {
	var kept [][]Letter[string]
	keep := stage.SinkFunc[Letter[string]](func(_ context.Context, letters []Letter[string]) error {
		kept = append(kept, letters)
		return nil
	})
	s := deadLetters(t, keep)
	require.NoError(t, s.WriteFailure(t.Context(), broken))
	require.NoError(t, s.Write(t.Context(), []string{"c", "d"}))
	require.Equal(t, "a", kept[0][0].Event)
}
