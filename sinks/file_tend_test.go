package sinks

import (
	"compress/gzip"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/penstock-go/penstock/clockutil/clocktest"
	"github.com/stretchr/testify/require"
)

var someTime = time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)

func TestFileKeepsSoManyBackups(t *testing.T) {
	clocktest.Both(t, func(t *testing.T, w *clocktest.World) {
		f := newTestFile(t, FileConfig[string]{MaxSize: 2, MaxBackups: 2}, nil)
		foreign := put(t, filepath.Join(filepath.Dir(f.cfg.Path), "app-old.log"), "")
		for i := range 6 {
			require.NoError(t, f.Write(at(w), []string{fmt.Sprint(i)}))
			w.Advance(time.Second)
			require.LessOrEqual(t, len(contents(t, f.cfg.Path)), 3)
		}
		require.Equal(t, []string{"3\n", "4\n", "5\n"}, contents(t, f.cfg.Path))
		require.FileExists(t, foreign)
		require.NoError(t, f.Close())
	})
}

// The number decides which is the oldest, not the clock.
func TestFileKeepsTheNewestWhenTheClockIsSetBack(t *testing.T) {
	clocktest.Run(t, func(t *testing.T, w *clocktest.World) {
		dir := t.TempDir()
		path := filepath.Join(dir, "app.log")
		put(t, newRolledName(path).format(w.Clock().Now().AddDate(1, 0, 0), 7), "old\n")
		f := newTestFile(t, FileConfig[string]{Path: path, MaxSize: 2, MaxBackups: 1}, nil)
		require.NoError(t, f.Write(at(w), []string{"a", "b"}))
		require.NoError(t, f.Close())
		require.Equal(t, []string{"a\n", "b\n"}, contents(t, path))
	})
}

func TestFileKeepsBackupsForSoLong(t *testing.T) {
	clocktest.Both(t, func(t *testing.T, w *clocktest.World) {
		f := newTestFile(t, FileConfig[string]{MaxSize: 2, MaxAge: time.Hour, Compress: true}, nil)
		for i := range 5 { // i is rolled at the beginning of half hour i+1
			require.NoError(t, f.Write(at(w), []string{fmt.Sprint(i)}))
			w.Advance(30 * time.Minute)
		}
		require.Equal(t, []string{"1\n", "2\n", "3\n", "4\n"}, contents(t, f.cfg.Path))
		require.NoError(t, f.Close())

		// Also at the beginning of the next run.
		w.Advance(24 * time.Hour)
		f = newTestFile(t, FileConfig[string]{Path: f.cfg.Path, MaxAge: time.Hour}, nil)
		require.NoError(t, f.Write(at(w), []string{"5"}))
		require.NoError(t, f.Close())
		require.Equal(t, []string{"4\n5\n"}, contents(t, f.cfg.Path))
	})
}

func TestFileCompresses(t *testing.T) {
	clocktest.Both(t, func(t *testing.T, w *clocktest.World) {
		f := newTestFile(t, FileConfig[string]{MaxSize: 6, Compress: true}, nil)
		require.NoError(t, f.Write(at(w), []string{"aaaaa", "bbbbb", "ccccc"}))
		w.Settle()
		names := list(t, filepath.Dir(f.cfg.Path))
		require.Len(t, names, 3)
		require.True(t, strings.HasSuffix(names[0], "-000001.log.gz"), names[0])
		require.True(t, strings.HasSuffix(names[1], "-000002.log.gz"), names[1])
		require.Equal(t, []string{"aaaaa\n", "bbbbb\n", "ccccc\n"}, contents(t, f.cfg.Path))
		require.False(t, f.tending, "the goroutine is gone")
		require.NoError(t, f.Close())
	})
}

func TestFileResumesAfterACrash(t *testing.T) {
	for name, c := range map[string]struct {
		compress bool
		left     map[string]string // by suffix
		want     []string
	}{
		"uncompressed":            {true, map[string]string{"": "text\n"}, []string{".gz"}},
		"half compressed":         {true, map[string]string{"": "text\n", ".gz.tmp": "ha"}, []string{".gz"}},
		"source not deleted":      {true, map[string]string{"": "text\n", ".gz": "zipped"}, []string{".gz"}},
		"all three":               {true, map[string]string{"": "text\n", ".gz": "zipped", ".gz.tmp": "x"}, []string{".gz"}},
		"done":                    {true, map[string]string{".gz": "zipped"}, []string{".gz"}},
		"half without its source": {true, map[string]string{".gz.tmp": "ha"}, []string{".gz.tmp"}},
		"no longer compressing":   {false, map[string]string{"": "text\n", ".gz.tmp": "ha"}, []string{""}},
	} {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "app.log")
			rolled := newRolledName(path).format(someTime, 41)
			for suffix, text := range c.left {
				if text == "zipped" {
					zip(t, rolled+suffix, "text\n")
				} else {
					put(t, rolled+suffix, text)
				}
			}
			f := newTestFile(t, FileConfig[string]{Path: path, MaxSize: 2, MaxBackups: 9, Compress: c.compress}, nil)
			require.NoError(t, f.Write(t.Context(), []string{"a"}))
			require.NoError(t, f.Close())
			want := make([]string, len(c.want))
			for i, suffix := range c.want {
				want[i] = filepath.Base(rolled) + suffix
			}
			require.Equal(t, append(want, "app.log"), list(t, filepath.Dir(path)))
			if c.want[0] != ".gz.tmp" {
				require.Equal(t, []string{"text\n", "a\n"}, contents(t, path))
			}
		})
	}
}

func zip(t *testing.T, path, text string) {
	t.Helper()
	file, err := os.Create(path)
	require.NoError(t, err)
	gz := gzip.NewWriter(file)
	_, err = io.WriteString(gz, text)
	require.NoError(t, err)
	require.NoError(t, gz.Close())
	require.NoError(t, file.Close())
}

func TestFileReportsWhatItCouldNotTidy(t *testing.T) {
	isZip := func(name string) bool { return strings.HasSuffix(name, tmpSuffix) }
	for name, h := range map[string]hooks{
		"list": {readDir: func() error { return errDown }},
		"open source": {open: func(name string, flag int) error {
			if flag == os.O_RDONLY {
				return errDown
			}
			return nil
		}},
		"open target": {open: func(name string, _ int) error {
			if isZip(name) {
				return errDown
			}
			return nil
		}},
		"read": {read: func(string) error { return errDown }},
		"write": {write: func(name string, p []byte) (int, error) {
			if isZip(name) {
				return len(p) / 2, errDown
			}
			return 0, nil
		}},
		"sync": {sync: func(string) error { return errDown }},
		"rename": {rename: func(from, _ string) error {
			if isZip(from) {
				return errDown
			}
			return nil
		}},
		"remove": {remove: func(string) error { return errDown }},
	} {
		t.Run(name, func(t *testing.T) {
			clocktest.Run(t, func(t *testing.T, w *clocktest.World) {
				fs := &faultFS{}
				f := newTestFile(t, FileConfig[string]{MaxSize: 2, Compress: true}, fs)
				require.NoError(t, f.Write(at(w), []string{"a"}))
				fs.set(h)
				require.NoError(t, f.Write(at(w), []string{"b"}), "no batch is to blame")
				w.Settle()
				require.ErrorIs(t, f.Flush(at(w)), errDown)
				require.NoError(t, f.Flush(at(w)))
				fs.set(hooks{})
				require.NoError(t, f.Write(at(w), []string{"c"}))
				require.NoError(t, f.Close())
				require.Equal(t, []string{"a\n", "b\n", "c\n"}, contents(t, f.cfg.Path))
				for _, name := range list(t, filepath.Dir(f.cfg.Path)) {
					require.True(t, name == "app.log" || strings.HasSuffix(name, ".log.gz"), name)
				}
			})
		})
	}
}

func TestFileReportsWhatItCouldNotResume(t *testing.T) {
	fs := &faultFS{}
	f := newTestFile(t, FileConfig[string]{MaxSize: 2}, fs)
	put(t, newRolledName(f.cfg.Path).format(someTime, 1), "")
	fs.set(hooks{readDir: func() error { return errDown }})
	require.NoError(t, f.Write(t.Context(), []string{"a"}))
	require.ErrorIs(t, f.Close(), errDown)

	// Half a file that cannot be removed is in the way.
	path := filepath.Join(t.TempDir(), "app.log")
	rolled := put(t, newRolledName(path).format(someTime, 1), "text\n")
	put(t, rolled+tmpSuffix, "ha")
	fs.set(hooks{remove: func(string) error { return errDown }})
	f = newTestFile(t, FileConfig[string]{Path: path, Compress: true}, fs)
	require.NoError(t, f.Write(t.Context(), []string{"a"}))
	require.ErrorIs(t, f.Close(), errDown)
	require.Equal(t, "text\n", read(t, rolled))
}

// A roll while the files are being looked after is not forgotten.
func TestFileTidiesUntilThereIsNothingLeft(t *testing.T) {
	fs := &faultFS{}
	f := newTestFile(t, FileConfig[string]{MaxSize: 2, Compress: true}, fs)
	require.NoError(t, f.Write(t.Context(), []string{"a"}))
	entered, leave := make(chan struct{}), make(chan struct{})
	first := true
	fs.set(hooks{rename: func(from, _ string) error {
		if strings.HasSuffix(from, tmpSuffix) && first {
			first = false
			close(entered)
			<-leave
		}
		return nil
	}})
	require.NoError(t, f.Write(t.Context(), []string{"b"}))
	<-entered
	require.NoError(t, f.Write(t.Context(), []string{"c", "d"}), "delivery does not wait for it")
	close(leave)
	require.NoError(t, f.Close())
	require.Equal(t, []string{"a\n", "b\n", "c\n", "d\n"}, contents(t, f.cfg.Path))
	require.Len(t, list(t, filepath.Dir(f.cfg.Path)), 4)
	for _, name := range list(t, filepath.Dir(f.cfg.Path))[:3] {
		require.True(t, strings.HasSuffix(name, gzSuffix))
	}
}

// Close does not wait for a large file, and the next run finds it.
func TestFileCloseInterruptsCompression(t *testing.T) {
	path := filepath.Join(t.TempDir(), "app.log")
	old := put(t, newRolledName(path).format(someTime, 1), "small\n")
	large := newRolledName(path).format(someTime, 2)
	put(t, large, strings.Repeat("large\n", 100))

	fs := &faultFS{}
	f := newTestFile(t, FileConfig[string]{Path: path, Compress: true}, fs)
	require.EqualValues(t, closingBytes, f.spare)
	f.spare = 500
	entered, leave := make(chan struct{}), make(chan struct{})
	first := true
	fs.set(hooks{open: func(name string, _ int) error {
		if name == old && first {
			first = false
			close(entered)
			<-leave
		}
		return nil
	}})
	require.NoError(t, f.Write(t.Context(), []string{"a"}))
	<-entered
	require.True(t, f.shut())
	close(leave)
	require.Nil(t, f.wg.WaitAndRecover())
	require.NoError(t, f.complaints())
	base := filepath.Base
	require.Equal(t, []string{base(old) + gzSuffix, base(large), "app.log"}, list(t, filepath.Dir(path)))

	f = newTestFile(t, FileConfig[string]{Path: path, Compress: true}, nil)
	require.NoError(t, f.Write(t.Context(), []string{"b"}))
	require.NoError(t, f.Close())
	require.Equal(t, []string{base(old) + gzSuffix, base(large) + gzSuffix, "app.log"}, list(t, filepath.Dir(path)))
	require.Equal(t, "small\n", unzip(t, old+gzSuffix))
	require.Equal(t, strings.Repeat("large\n", 100), unzip(t, large+gzSuffix))
}
