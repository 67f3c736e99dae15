package sinks

import (
	"context"
	"errors"
	"fmt"
	"io"
	"runtime"
	"testing"

	"github.com/penstock-go/penstock/stage"
	"github.com/stretchr/testify/require"
)

func tee3(t *testing.T) (s stage.Sink[int], m [3]*Memory[int]) {
	t.Helper()
	for i := range m {
		m[i] = &Memory[int]{}
	}
	s, err := Tee[int](m[0], m[1], m[2])
	require.NoError(t, err)
	return s, m
}

func fails(err error) func(int, []int) error { return func(int, []int) error { return err } }

func TestTeeReachesAllBranches(t *testing.T) {
	s, m := tee3(t)
	m[0].Fail = fails(errDown)
	m[1].Fail = func(int, []int) error { panic(io.ErrClosedPipe) }
	err := s.Write(t.Context(), []int{1, 2})
	requireFailed(t, err, 0, 1)
	require.ErrorIs(t, err, errDown)
	require.ErrorIs(t, err, io.ErrClosedPipe)
	require.ErrorContains(t, err, "branch 0, *sinks.Memory[int]: down")
	require.ErrorContains(t, err, "branch 1, *sinks.Memory[int]: panic: io")
	require.Equal(t, []int{1, 2}, m[2].Events())

	m[0].Fail, m[1].Fail = nil, nil
	require.NoError(t, s.Write(t.Context(), []int{3}), "not sticky")
	require.Equal(t, []int{3}, m[0].Events())
}

func TestTeeReachesAllBranchesAfterAGoexit(t *testing.T) {
	s, m := tee3(t)
	m[0].Fail = func(int, []int) error { runtime.Goexit(); return nil }
	m[1].Fail = func(int, []int) error { runtime.Goexit(); return nil }
	ended, returned := make(chan struct{}), false
	go func() {
		defer close(ended)
		_ = s.Write(context.Background(), []int{1})
		returned = true
	}()
	<-ended
	require.False(t, returned, "a Goexit cannot be stopped")
	require.Equal(t, 1, m[1].Calls())
	require.Equal(t, []int{1}, m[2].Events())
}

func TestTeeUnitesPartialErrors(t *testing.T) {
	partial := func(failed ...int) error { return &stage.PartialError{Failed: failed, Err: errDown} }
	for name, c := range map[string]struct {
		errs [3]error
		want []int
	}{
		"one":          {[3]error{nil, partial(2), nil}, []int{2}},
		"overlapping":  {[3]error{partial(3, 0), nil, partial(2, 3)}, []int{0, 2, 3}},
		"wrapped":      {[3]error{fmt.Errorf("wrapped: %w", partial(1)), partial(2)}, []int{1, 2}},
		"joined":       {[3]error{errors.Join(errDown, partial(1)), partial(2)}, []int{0, 1, 2, 3}},
		"one whole":    {[3]error{partial(1), errDown}, []int{0, 1, 2, 3}},
		"empty":        {[3]error{partial(), nil, nil}, []int{0, 1, 2, 3}},
		"out of range": {[3]error{partial(4), nil, nil}, []int{0, 1, 2, 3}},
		"duplicate":    {[3]error{nil, nil, partial(1, 1)}, []int{0, 1, 2, 3}},
		"too many":     {[3]error{nil, nil, partial(0, 1, 2, 3, 3)}, []int{0, 1, 2, 3}},
	} {
		t.Run(name, func(t *testing.T) {
			s, m := tee3(t)
			for i := range m {
				m[i].Fail = fails(c.errs[i])
			}
			err := s.Write(t.Context(), []int{10, 11, 12, 13})
			requireFailed(t, err, c.want...)
			f := stage.Failure[int]{Events: []int{10, 11, 12, 13}}
			requireFailed(t, s.(stage.FailureSink[int]).WriteFailure(t.Context(), f), c.want...)
		})
	}
}

func TestTeeIsPermanentIfAllOfItIs(t *testing.T) {
	s, m := tee3(t)
	m[0].Fail = fails(stage.Permanent(errDown))
	m[2].Fail = fails(stage.Permanent(io.EOF))
	require.True(t, stage.IsPermanent(s.Write(t.Context(), []int{1})))
	m[1].Fail = fails(io.ErrClosedPipe)
	err := s.Write(t.Context(), []int{1})
	require.False(t, stage.IsPermanent(err))
	for _, cause := range []error{errDown, io.EOF, io.ErrClosedPipe} {
		require.ErrorIs(t, err, cause)
	}
}

func TestTeeFlushesAndClosesAll(t *testing.T) {
	s, m := tee3(t)
	m[0].FlushErr, m[0].CloseErr = errDown, errDown
	m[2].FlushErr, m[2].CloseErr = io.EOF, io.EOF
	for _, err := range []error{stage.FlushSink(t.Context(), s), stage.CloseSink(s)} {
		require.ErrorIs(t, err, errDown)
		require.ErrorIs(t, err, io.EOF)
		require.ErrorContains(t, err, "branch 2")
	}
	for i := range m {
		require.Equal(t, 1, m[i].Flushes())
		require.Equal(t, 1, m[i].Closes())
	}
}

func TestTeeGivesFailuresToThoseWhoWantThem(t *testing.T) {
	m, plain := &Memory[int]{}, &Discard[int]{}
	s, err := Tee[int](m, plain)
	require.NoError(t, err)
	f := stage.Failure[int]{Events: []int{1, 2}, Err: errDown}
	require.NoError(t, s.(stage.FailureSink[int]).WriteFailure(t.Context(), f))
	require.ErrorIs(t, m.Failures()[0].Err, errDown)
	require.EqualValues(t, 2, plain.Count())
}

func TestTeeOfFew(t *testing.T) {
	_, err := Tee[int]()
	require.ErrorContains(t, err, "number of Tee's branches is 0, want 1 or more")
	_, err = Tee[int](&Memory[int]{}, nil)
	require.ErrorContains(t, err, "Tee's branch 1 is <nil>")
	m := &Memory[int]{}
	s, err := Tee[int](m)
	require.NoError(t, err)
	require.Same(t, m, s)
}

// FuzzTeeUnion checks the union of two branches' errors against counting. Each
// branch's error is read from bytes: none, whole, or the indexes of a partial
// one, which may be nonsense.
func FuzzTeeUnion(f *testing.F) {
	f.Add(uint8(4), []byte{2, 1, 2}, []byte{0})
	f.Add(uint8(4), []byte{1}, []byte{2, 9})
	f.Add(uint8(1), []byte{2}, []byte{2, 0, 0})
	f.Fuzz(func(t *testing.T, n uint8, a, b []byte) {
		fate := func(spec []byte) (failed map[int]bool, err error) {
			all := map[int]bool{}
			for i := range int(n) {
				all[i] = true
			}
			if len(spec) == 0 || spec[0] == 0 {
				return nil, nil
			}
			if spec[0] == 1 {
				return all, errDown
			}
			pe := &stage.PartialError{}
			failed = map[int]bool{}
			valid := len(spec) > 1
			for _, i := range spec[1:] {
				pe.Failed = append(pe.Failed, int(int8(i)))
				valid = valid && int8(i) >= 0 && int(i) < int(n) && !failed[int(i)]
				failed[int(i)] = true
			}
			if !valid {
				return all, pe
			}
			return failed, pe
		}
		failedA, errA := fate(a)
		failedB, errB := fate(b)
		s, err := Tee[int](&Memory[int]{Fail: fails(errA)}, &Memory[int]{Fail: fails(errB)})
		require.NoError(t, err)
		err = s.Write(t.Context(), make([]int, n))
		if errA == nil && errB == nil {
			require.NoError(t, err)
			return
		}
		var pe *stage.PartialError
		require.ErrorAs(t, err, &pe)
		var want []int
		for i := range int(n) {
			if failedA[i] || failedB[i] {
				want = append(want, i)
			}
		}
		require.Equal(t, want, pe.Failed)
	})
}
