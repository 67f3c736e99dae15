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
	"time"

	"github.com/penstock-go/penstock/clockutil"
	"github.com/penstock-go/penstock/clockutil/clocktest"
	"github.com/penstock-go/penstock/stage"
	"github.com/stretchr/testify/require"
)

func TestFileCreatesWhatIsMissing(t *testing.T) {
	path := filepath.Join(t.TempDir(), "a", "b", "app.log")
	fs := &faultFS{}
	f := newTestFile(t, FileConfig[string]{Path: path, Mode: 0o600, DirMode: 0o700}, fs)
	require.NoError(t, f.Write(t.Context(), []string{"a", "b"}))
	require.NoError(t, f.Write(t.Context(), nil))
	require.NoError(t, f.Write(t.Context(), []string{"c"}))
	require.Equal(t, "a\nb\nc\n", read(t, path))
	require.Equal(t, counts{open: 1, write: 2}, fs.counted(), "a write a batch")
	require.Equal(t, "file "+path, f.Name())
	if runtime.GOOS != "windows" {
		info, err := os.Stat(path)
		require.NoError(t, err)
		require.EqualValues(t, 0o600, info.Mode().Perm())
		info, err = os.Stat(filepath.Dir(path))
		require.NoError(t, err)
		require.EqualValues(t, 0o700, info.Mode().Perm())
	}
}

func TestFileAppends(t *testing.T) {
	path := put(t, filepath.Join(t.TempDir(), "app.log"), "old\n")
	f := newTestFile(t, FileConfig[string]{Path: path}, nil)
	require.NoError(t, f.Write(t.Context(), []string{"new"}))
	require.Equal(t, "old\nnew\n", read(t, path))
}

func TestFileEndsTheLineACrashCutOff(t *testing.T) {
	path := put(t, filepath.Join(t.TempDir(), "app.log"), "old\nhal")
	f := newTestFile(t, FileConfig[string]{Path: path}, nil)
	require.NoError(t, f.Write(t.Context(), []string{"a"}))
	require.NoError(t, f.Write(t.Context(), []string{"b"}))
	require.Equal(t, "old\nhal\na\nb\n", read(t, path))
}

func TestFileRefusesBadPaths(t *testing.T) {
	dir := t.TempDir()
	blocker := put(t, filepath.Join(dir, "blocker"), "")
	for _, path := range []string{dir, filepath.Join(blocker, "app.log")} {
		_, err := NewFile(FileConfig[string]{Path: path, Encode: line})
		require.ErrorContains(t, err, path[:len(path)-len(filepath.Base(path))-1])
	}
	if _, err := os.Stat("/dev/null"); err == nil {
		_, err := NewFile(FileConfig[string]{Path: "/dev/null", Encode: line})
		require.ErrorIs(t, err, errNotRegular)
	}
}

func TestFileConfigIsChecked(t *testing.T) {
	ok := FileConfig[string]{Path: "x", Encode: line}
	for want, change := range map[string]func(*FileConfig[string]){
		`FileConfig.Path is ""`:                         func(c *FileConfig[string]) { c.Path = "" },
		"FileConfig.Path is a/":                         func(c *FileConfig[string]) { c.Path = "a/" },
		"FileConfig.Mode is 01644":                      func(c *FileConfig[string]) { c.Mode = 0o1644 },
		"FileConfig.DirMode is 020000000755":            func(c *FileConfig[string]) { c.DirMode = os.ModeDir | 0o755 },
		"FileConfig.Encode is <nil>":                    func(c *FileConfig[string]) { c.Encode = nil },
		"FileConfig.MaxSize is -1":                      func(c *FileConfig[string]) { c.MaxSize = -1 },
		"FileConfig.RotateEvery is -1ns":                func(c *FileConfig[string]) { c.RotateEvery = -1 },
		"FileConfig.MaxBackups is -1":                   func(c *FileConfig[string]) { c.MaxBackups = -1 },
		"FileConfig.MaxAge is -1ns":                     func(c *FileConfig[string]) { c.MaxAge = -1 },
		"FileConfig.Sync is SyncPolicy(3)":              func(c *FileConfig[string]) { c.Sync = 3 },
		"FileConfig.SyncEvery is -1s":                   func(c *FileConfig[string]) { c.SyncEvery = -time.Second },
		"FileConfig.SyncEvery is 1s, want 0 without Sy": func(c *FileConfig[string]) { c.Sync, c.SyncEvery = SyncBatch, time.Second },
	} {
		cfg := ok
		change(&cfg)
		_, err := NewFile(cfg)
		require.ErrorContains(t, err, want)
	}
	require.Equal(t, "never batch interval", fmt.Sprint(SyncNever, " ", SyncBatch, " ", SyncInterval))

	full, err := ok.complete()
	require.NoError(t, err)
	require.True(t, filepath.IsAbs(full.Path))
	require.EqualValues(t, 0o644, full.Mode)
	require.EqualValues(t, 0o755, full.DirMode)
	require.Zero(t, full.SyncEvery)
	ok.Sync = SyncInterval
	full, err = ok.complete()
	require.NoError(t, err)
	require.Equal(t, time.Second, full.SyncEvery)
}

func TestFileAfterClose(t *testing.T) {
	f := newTestFile(t, FileConfig[string]{}, nil)
	require.NoError(t, f.Write(t.Context(), []string{"a"}))
	require.NoError(t, f.Flush(t.Context()))
	require.NoError(t, f.Close())
	require.NoError(t, f.Close())
	err := f.Write(t.Context(), []string{"late"})
	require.ErrorIs(t, err, ErrClosed)
	require.True(t, stage.IsPermanent(err))
	require.ErrorIs(t, f.Flush(t.Context()), ErrClosed)
	require.ErrorIs(t, f.Reopen(), ErrClosed)
	require.Equal(t, "a\n", read(t, f.cfg.Path))
}

func TestFileFailsOnlyWhatCannotBeEncoded(t *testing.T) {
	f := newTestFile(t, FileConfig[string]{MaxSize: 4, Encode: func(dst []byte, ev string) ([]byte, error) {
		if ev == "bad" {
			return dst, errDown
		}
		return line(dst, ev)
	}}, nil)
	err := f.Write(t.Context(), []string{"bad", "aaa", "bad", "bbb"})
	requireFailed(t, err, 0, 2)
	require.True(t, stage.IsPermanent(err))
	err = f.Write(t.Context(), []string{"bad"})
	requireWhole(t, err)
	require.Equal(t, []string{"aaa\n", "bbb\n"}, contents(t, f.cfg.Path))
}

func TestFileNeverInterleaves(t *testing.T) {
	f := newTestFile(t, FileConfig[string]{MaxSize: 1000, Compress: true}, nil)
	const writers, batches = 4, 25
	var wg sync.WaitGroup
	for w := range writers {
		wg.Go(func() {
			for b := range batches {
				text := fmt.Sprintf("%d %d", w, b)
				if err := f.Write(context.Background(), []string{text, text}); err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
	require.NoError(t, f.Close())
	lines := split(strings.Join(contents(t, f.cfg.Path), ""))
	require.Len(t, lines, 2*writers*batches)
	for i := 0; i < len(lines); i += 2 {
		require.Equal(t, lines[i], lines[i+1])
	}
}

// The timer of SyncInterval ticks while an encoder takes its time: whoever
// waits for its turn does not hold time up.
func TestFileDoesNotStopTime(t *testing.T) {
	clocktest.Both(t, func(t *testing.T, w *clocktest.World) {
		fs := &faultFS{}
		f := newTestFile(t, FileConfig[string]{
			Sync: SyncInterval, SyncEvery: time.Second,
			Encode: func(dst []byte, ev string) ([]byte, error) {
				if ev == "slow" {
					if err := clockutil.Sleep(context.Background(), w.Clock(), time.Minute); err != nil {
						return dst, err
					}
				}
				return line(dst, ev)
			},
		}, fs)
		require.NoError(t, f.Write(at(w), []string{"a"}))
		done := make(chan error, 1)
		go func() { done <- f.Write(at(w), []string{"slow"}) }()
		w.Settle()
		ctx, cancel := w.WithTimeout(at(w), time.Second)
		defer cancel()
		impatient := make(chan error, 1)
		go func() { impatient <- f.Write(ctx, []string{"impatient"}) }()
		w.Advance(time.Second)
		require.ErrorIs(t, <-impatient, context.DeadlineExceeded)
		w.Advance(time.Hour)
		require.NoError(t, <-done)
		require.NoError(t, f.Close())
		require.Equal(t, "a\nslow\n", read(t, f.cfg.Path))
	})
}
