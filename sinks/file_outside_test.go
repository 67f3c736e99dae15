package sinks

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"
)

// skipWhereOpenFilesStay skips tests of what others do to an open file.
func skipWhereOpenFilesStay(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("an open file can be neither renamed nor deleted")
	}
}

func TestFileNoticesARename(t *testing.T) {
	skipWhereOpenFilesStay(t)
	fs := &faultFS{}
	f := newTestFile(t, FileConfig[string]{Sync: SyncInterval}, fs)
	moved := f.cfg.Path + ".1"
	require.NoError(t, f.Write(t.Context(), []string{"a"}))
	require.NoError(t, os.Rename(f.cfg.Path, moved))
	require.NoError(t, f.Write(t.Context(), []string{"b"}))
	require.Equal(t, 1, fs.counted().sync, "what the old file holds is made durable")
	require.NoError(t, f.Write(t.Context(), []string{"c"}))
	require.Equal(t, 2, fs.counted().open)
	require.Equal(t, "a\n", read(t, moved))
	require.Equal(t, "b\nc\n", read(t, f.cfg.Path))
}

func TestFileNoticesARenameAndANewFile(t *testing.T) {
	skipWhereOpenFilesStay(t)
	f := newTestFile(t, FileConfig[string]{}, nil)
	require.NoError(t, f.Write(t.Context(), []string{"a"}))
	require.NoError(t, os.Rename(f.cfg.Path, f.cfg.Path+".1"))
	put(t, f.cfg.Path, "somebody's\nhal")
	require.NoError(t, f.Write(t.Context(), []string{"b"}))
	require.Equal(t, "somebody's\nhal\nb\n", read(t, f.cfg.Path))
}

func TestFileNoticesADeletion(t *testing.T) {
	skipWhereOpenFilesStay(t)
	path := filepath.Join(t.TempDir(), "a", "app.log")
	f := newTestFile(t, FileConfig[string]{Path: path}, nil)
	require.NoError(t, f.Write(t.Context(), []string{"a"}))
	require.NoError(t, os.Remove(path))
	require.NoError(t, f.Write(t.Context(), []string{"b"}))
	require.Equal(t, "b\n", read(t, path))

	require.NoError(t, os.RemoveAll(filepath.Dir(path)))
	require.NoError(t, f.Write(t.Context(), []string{"c"}))
	require.Equal(t, "c\n", read(t, path))
}

// What cannot be written where it can be found is an error.
func TestFileFailsWhereItCannotBeFound(t *testing.T) {
	skipWhereOpenFilesStay(t)
	dir := filepath.Join(t.TempDir(), "a")
	f := newTestFile(t, FileConfig[string]{Path: filepath.Join(dir, "app.log")}, nil)
	require.NoError(t, f.Write(t.Context(), []string{"a"}))
	require.NoError(t, os.RemoveAll(dir))
	put(t, dir, "in the way")
	for range 2 {
		err := f.Write(t.Context(), []string{"b"})
		requireWhole(t, err)
		require.ErrorContains(t, err, "penstock: reopen")
		require.ErrorContains(t, f.Reopen(), "penstock: reopen")
	}
	require.NoError(t, os.Remove(dir))
	require.NoError(t, f.Write(t.Context(), []string{"c"}))
	require.Equal(t, "c\n", read(t, f.cfg.Path))
}

// As logrotate's copytruncate does.
func TestFileNoticesATruncation(t *testing.T) {
	f := newTestFile(t, FileConfig[string]{MaxSize: 10}, nil)
	require.NoError(t, f.Write(t.Context(), []string{"aaaaaaa"}))
	require.NoError(t, os.Truncate(f.cfg.Path, 0))
	require.NoError(t, f.Write(t.Context(), []string{"bbbbbbb"}))
	require.Equal(t, []string{"bbbbbbb\n"}, contents(t, f.cfg.Path))
}

func TestFileReopens(t *testing.T) {
	skipWhereOpenFilesStay(t)
	fs := &faultFS{}
	f := newTestFile(t, FileConfig[string]{}, fs)
	require.NoError(t, f.Write(t.Context(), []string{"a"}))
	require.NoError(t, os.Rename(f.cfg.Path, f.cfg.Path+".1"))
	require.NoError(t, f.Reopen())
	require.Equal(t, []string{""}, contents(t, f.cfg.Path), "at once")
	require.NoError(t, f.Write(t.Context(), []string{"b"}))
	require.NoError(t, f.Reopen(), "without a reason")
	require.NoError(t, f.Write(t.Context(), []string{"c"}))
	require.Equal(t, "b\nc\n", read(t, f.cfg.Path))

	opened := fs.counted().open
	for _, h := range []hooks{
		{open: func(string, int) error { return errDown }},
		{statFile: func() error { return errDown }},
		{mkdir: func() error { return errDown }},
	} {
		fs.set(h)
		require.ErrorIs(t, f.Reopen(), errDown)
		fs.set(hooks{})
		require.NoError(t, f.Write(t.Context(), []string{"d"}))
	}
	require.Equal(t, "b\nc\nd\nd\nd\n", read(t, f.cfg.Path))
	require.Equal(t, opened+2, fs.counted().open, "two attempts, and no need for another")
}

// An outside logrotate at work while batches arrive: no line is lost.
func TestFileLosesNoLineToARotationFromOutside(t *testing.T) {
	skipWhereOpenFilesStay(t)
	f := newTestFile(t, FileConfig[string]{}, nil)
	const batches, moves = 500, 50
	var wg sync.WaitGroup
	moved := 0
	wg.Go(func() {
		for i := range moves {
			if os.Rename(f.cfg.Path, fmt.Sprintf("%s.%d", f.cfg.Path, i)) == nil {
				moved++
			}
			if err := f.Reopen(); i%2 == 0 && err != nil {
				t.Error(err)
			}
		}
	})
	wg.Go(func() {
		for i := range batches {
			if err := f.Write(context.Background(), []string{fmt.Sprint(i)}); err != nil {
				t.Error(err)
			}
		}
	})
	wg.Wait()
	require.NoError(t, f.Close())
	require.Equal(t, moves, moved)
	var all strings.Builder
	for _, name := range list(t, filepath.Dir(f.cfg.Path)) {
		all.WriteString(read(t, filepath.Join(filepath.Dir(f.cfg.Path), name)))
	}
	want := make([]string, batches)
	for i := range want {
		want[i] = fmt.Sprint(i)
	}
	require.ElementsMatch(t, want, split(all.String()))
}
