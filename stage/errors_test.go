package stage

import (
	"context"
	"errors"
	"fmt"
	"io"
	"runtime"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestPermanentIsFoundThroughWrapping(t *testing.T) {
	require.NoError(t, Permanent(nil))
	require.False(t, IsPermanent(nil))
	require.False(t, IsPermanent(io.EOF))

	err := Permanent(io.EOF)
	require.EqualError(t, err, "EOF", "the mark does not change the message")
	for _, e := range []error{
		err,
		fmt.Errorf("sink: %w", err),
		errors.Join(err, fmt.Errorf("branch 2: %w", Permanent(io.ErrClosedPipe))),
		&PartialError{Failed: []int{1}, Err: err},
		Permanent(err),
	} {
		require.True(t, IsPermanent(e), "%v", e)
		require.ErrorIs(t, e, io.EOF)
	}
	require.False(t, IsPermanent(fmt.Errorf("%v", err)), "a message is no mark")
	require.False(t, IsPermanent(errors.Join(io.ErrClosedPipe, err)), "one part may be worth another try")
}

func TestPartialError(t *testing.T) {
	err := error(&PartialError{Failed: []int{4, 2}})
	require.EqualError(t, err, "2 events failed")
	require.NoError(t, errors.Unwrap(err))

	err = fmt.Errorf("bulk: %w", &PartialError{Failed: []int{4}, Err: io.EOF})
	require.EqualError(t, err, "bulk: 1 events failed: EOF")
	require.ErrorIs(t, err, io.EOF)
	var pe *PartialError
	require.ErrorAs(t, err, &pe)
	require.Equal(t, []int{4}, pe.Failed)

	// What a function returns that has *PartialError for a result and no error.
	err = (*PartialError)(nil)
	require.EqualError(t, err, "all events failed")
	require.NotErrorIs(t, err, io.EOF)
	require.Nil(t, FailedIndexes(fmt.Errorf("bulk: %w", err), 3))
}

func TestPartialIndexes(t *testing.T) {
	for _, c := range []struct {
		failed []int
		n      int
		want   []int // nil: the whole batch
	}{
		{[]int{3, 0, 2}, 4, []int{0, 2, 3}},
		{[]int{0}, 1, []int{0}},
		{[]int{1, 0}, 2, []int{0, 1}},
		{nil, 3, nil},
		{[]int{}, 3, nil},
		{[]int{1, 1}, 3, nil},
		{[]int{-1}, 3, nil},
		{[]int{0, 3}, 3, nil},
		{[]int{0, 1, 2, 2}, 3, nil},
		{[]int{0}, 0, nil},
	} {
		err := fmt.Errorf("sink: %w", &PartialError{Failed: c.failed})
		require.Equal(t, c.want, FailedIndexes(err, c.n), "%v of %d", c.failed, c.n)
	}
	require.Nil(t, FailedIndexes(io.EOF, 3))
	require.Nil(t, FailedIndexes(nil, 3))
}

// Each byte of the input is an index, as a signed number.
func FuzzPartialIndexes(f *testing.F) {
	f.Add([]byte{0, 2}, uint8(3))
	f.Add([]byte{2, 0, 1}, uint8(3))
	f.Add([]byte{1, 1}, uint8(3))
	f.Add([]byte{255}, uint8(3))
	f.Add([]byte{}, uint8(0))
	f.Fuzz(func(t *testing.T, raw []byte, n uint8) {
		indexes := make([]int, len(raw))
		for i, b := range raw {
			indexes[i] = int(int8(b))
		}
		given := slices.Clone(indexes)
		want := slices.Clone(indexes)
		slices.Sort(want)
		valid := len(want) > 0 && len(slices.Compact(slices.Clone(want))) == len(want) &&
			want[0] >= 0 && want[len(want)-1] < int(n)
		if !valid {
			want = nil
		}
		got := FailedIndexes(&PartialError{Failed: indexes}, int(n))
		require.Equal(t, want, got)
		require.Equal(t, given, indexes, "the sink's slice was changed")

		events := make([]int, n)
		for i := range events {
			events[i] = i + 1
		}
		// A failed part and the rest are the batch, whatever the indexes.
		at, others := divide(slices.Clone(events), got)
		taken, kept := take(slices.Clone(events), got)
		require.Equal(t, at, taken)
		require.Equal(t, others, kept)
		all := append(slices.Clone(at), others...)
		slices.Sort(all)
		require.Equal(t, events, all)
	})
}

// blowUp is a name to look for in a stack.
//
//go:noinline
func blowUp(v any) { panic(v) }

//go:noinline
func bowOut() { runtime.Goexit() }

// touchy is an error that panics when it is asked in one way.
type touchy struct{ about string }

func (e *touchy) Error() string { return "touchy about " + e.about }

func (e *touchy) asked(how string) {
	if how == e.about {
		blowUp("hands off")
	}
}

func (e *touchy) Is(error) bool { e.asked("Is"); return false }
func (e *touchy) As(any) bool   { e.asked("As"); return false }
func (e *touchy) Unwrap() error { e.asked("Unwrap"); return nil }

// eachTouchy runs f with one of each kind.
func eachTouchy(t *testing.T, f func(t *testing.T, err error)) {
	t.Helper()
	for _, about := range []string{"Is", "As", "Unwrap"} {
		t.Run(about, func(t *testing.T) { f(t, &touchy{about}) })
	}
}

// requireSafe holds that err is safe to ask, and tells of a touchy error.
func requireSafe(t *testing.T, err error) {
	t.Helper()
	var p *PanicError
	require.ErrorAs(t, err, &p)
	require.NoError(t, p.Unwrap())
	require.ErrorContains(t, err, "touchy about")
	require.ErrorContains(t, err, "hands off")
}

func TestGuardAsksTheError(t *testing.T) {
	eachTouchy(t, func(t *testing.T, bad error) {
		for _, err := range []error{bad, fmt.Errorf("sink: %w", bad), errors.Join(io.EOF, bad), &PartialError{Failed: []int{0}, Err: bad}} {
			requireSafe(t, Guard(t.Context(), "sink", func() error { return err }, nil))
			err = Guard(t.Context(), "sink", func() error { blowUp(err); return nil }, nil)
			requireSafe(t, err)
			require.ErrorContains(t, err, "blowUp", "it is still known where the panic came from")
		}
	})
}

func TestPanicErrorKnowsWhereItCameFrom(t *testing.T) {
	err := Guard(t.Context(), "sink", func() error { blowUp("boom"); return nil }, nil)
	var p *PanicError
	require.ErrorAs(t, err, &p)
	require.Equal(t, "boom", p.Value)
	require.Contains(t, p.Stack, "stage.blowUp")
	require.Contains(t, err.Error(), "panic: boom\n")
	require.Contains(t, err.Error(), "stage.blowUp")
	require.NoError(t, errors.Unwrap(err), "a string is no error")
}

func TestPanicErrorWrapsTheValue(t *testing.T) {
	err := Guard(t.Context(), "sink", func() error { blowUp(Permanent(io.EOF)); return nil }, nil)
	require.ErrorIs(t, err, io.EOF)
	require.True(t, IsPermanent(err))

	err = Guard(t.Context(), "sink", func() error { var s []int; s[len(s)] = 1; return nil }, nil)
	var index runtime.Error
	require.ErrorAs(t, err, &index)

	err = Guard(t.Context(), "sink", func() error { panic(nil) }, nil) //nolint:govet // that is the case
	var null *runtime.PanicNilError
	require.ErrorAs(t, err, &null, "a panic without a value is not a Goexit")
}

func TestPanicErrorOfGoexit(t *testing.T) {
	var got error
	done := make(chan struct{})
	go func() {
		defer close(done)
		_ = Guard(context.Background(), "sink", func() error { bowOut(); return nil }, func(err error) { got = err })
	}()
	<-done
	var p *PanicError
	require.ErrorAs(t, got, &p)
	require.Nil(t, p.Value)
	require.Contains(t, p.Error(), "runtime.Goexit called\n")
	require.Contains(t, p.Stack, "stage.bowOut")
	require.NoError(t, errors.Unwrap(got))
}

// What a fan-out of the user's own joins may hold the failure of a whole batch
// beside a partial one.
func TestAPartialErrorAmongOthersIsNone(t *testing.T) {
	pe := &PartialError{Failed: []int{1}, Err: io.EOF}
	require.Equal(t, []int{1}, FailedIndexes(fmt.Errorf("sink: %w", pe), 3))
	require.Nil(t, FailedIndexes(errors.Join(io.ErrClosedPipe, pe), 3))
	require.Nil(t, FailedIndexes(errors.Join(pe), 3))
}
