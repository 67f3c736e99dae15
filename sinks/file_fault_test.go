package sinks

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/penstock-go/penstock/clockutil/clocktest"
	"github.com/penstock-go/penstock/stage"
	"github.com/stretchr/testify/require"
)

// fullAfter lets n bytes through in all, and then reports a full disk.
func fullAfter(n int) func(string, []byte) (int, error) {
	return func(_ string, p []byte) (int, error) {
		if len(p) <= n {
			n -= len(p)
			return 0, nil
		}
		m := n
		n = 0
		return m, errNoSpace
	}
}

func TestFileOnAFullDisk(t *testing.T) {
	for space, want := range map[int]struct {
		failed []int
		text   string
	}{
		0: {[]int{0, 1, 2}, ""},
		3: {[]int{0, 1, 2}, ""},
		4: {[]int{1, 2}, "aaa\n"},
		7: {[]int{1, 2}, "aaa\n"},
		9: {[]int{2}, "aaa\nbbb\n"},
	} {
		fs := &faultFS{}
		f := newTestFile(t, FileConfig[string]{}, fs)
		fs.set(hooks{write: fullAfter(space)})
		events := []string{"aaa", "bbb", "ccc"}
		err := f.Write(t.Context(), events)
		require.ErrorIs(t, err, errNoSpace)
		require.False(t, stage.IsPermanent(err))
		if len(want.failed) == len(events) {
			requireWhole(t, err)
		} else {
			requireFailed(t, err, want.failed...)
		}
		require.Equal(t, want.text, read(t, f.cfg.Path), "whole lines only, with space for %d", space)

		requireWhole(t, f.Write(t.Context(), events[want.failed[0]:]))
		require.Equal(t, want.text, read(t, f.cfg.Path), "still full")

		fs.set(hooks{})
		require.NoError(t, f.Write(t.Context(), events[want.failed[0]:]))
		require.Equal(t, "aaa\nbbb\nccc\n", read(t, f.cfg.Path))
	}
}

// A file that cannot be cut back keeps the stump, as a line of its own.
func TestFileThatCannotBeCutBack(t *testing.T) {
	for name, h := range map[string]hooks{
		"truncate": {truncate: func() error { return errDown }},
		"stat":     {statFile: func() error { return errDown }},
	} {
		t.Run(name, func(t *testing.T) {
			fs := &faultFS{}
			f := newTestFile(t, FileConfig[string]{MaxSize: 11}, fs)
			h.write = fullAfter(6)
			fs.set(h)
			requireFailed(t, f.Write(t.Context(), []string{"aaa", "bbb"}), 1)
			require.Equal(t, "aaa\nbb", read(t, f.cfg.Path))
			requireWhole(t, f.Write(t.Context(), []string{"bbb"}))
			fs.set(hooks{})
			require.NoError(t, f.Write(t.Context(), []string{"bbb", "c"}))
			require.Equal(t, []string{"aaa\nbb\nbbb\n", "c\n"}, contents(t, f.cfg.Path), "the line feed counts too")
		})
	}
}

// The line feed owed to a stump stays owed if it is cut back with the line
// behind it.
func TestFileOwesTheLineFeed(t *testing.T) {
	path := put(t, filepath.Join(t.TempDir(), "app.log"), "hal")
	fs := &faultFS{}
	f := newTestFile(t, FileConfig[string]{Path: path}, fs)
	fs.set(hooks{write: fullAfter(3)})
	requireWhole(t, f.Write(t.Context(), []string{"aaa"}))
	require.Equal(t, "hal", read(t, path))
	fs.set(hooks{write: fullAfter(6)})
	requireFailed(t, f.Write(t.Context(), []string{"aaa", "bbb"}), 1)
	require.Equal(t, "hal\naaa\n", read(t, path))
	fs.set(hooks{})
	require.NoError(t, f.Write(t.Context(), []string{"bbb"}))
	require.Equal(t, "hal\naaa\nbbb\n", read(t, path))
}

// The line feed owed is written before a roll as well.
func TestFileEndsAStumpBeforeARoll(t *testing.T) {
	fs := &faultFS{}
	f := newTestFile(t, FileConfig[string]{MaxSize: 7}, fs)
	fs.set(hooks{write: fullAfter(2), truncate: func() error { return errDown }})
	requireWhole(t, f.Write(t.Context(), []string{"aaa"}))
	fs.set(hooks{})
	require.NoError(t, f.Write(t.Context(), []string{"bbbb"}))
	require.Equal(t, []string{"aa\n", "bbbb\n"}, contents(t, f.cfg.Path))
}

// Nothing is taken away that somebody else has appended.
func TestFileCutsBackOnlyItsOwn(t *testing.T) {
	fs := &faultFS{}
	f := newTestFile(t, FileConfig[string]{}, fs)
	fs.set(hooks{write: func(name string, _ []byte) (int, error) {
		file, err := os.OpenFile(name, os.O_WRONLY|os.O_APPEND, 0)
		require.NoError(t, err)
		_, err = file.WriteString("other\n")
		require.NoError(t, err)
		require.NoError(t, file.Close())
		return 2, errNoSpace
	}})
	requireWhole(t, f.Write(t.Context(), []string{"aaa"}))
	fs.set(hooks{})
	require.NoError(t, f.Write(t.Context(), []string{"bbb"}))
	require.Equal(t, "other\naa\nbbb\n", read(t, f.cfg.Path))
}

func TestFileFailsTheRestOfASplitBatch(t *testing.T) {
	fs := &faultFS{}
	f := newTestFile(t, FileConfig[string]{MaxSize: 8}, fs)
	fs.set(hooks{write: fullAfter(14)})
	err := f.Write(t.Context(), []string{"aaa", "bbb", "ccc", "ddd", "eee"})
	requireFailed(t, err, 3, 4)
	require.ErrorIs(t, err, errNoSpace)
	fs.set(hooks{})
	require.NoError(t, f.Write(t.Context(), []string{"ddd", "eee"}))
	require.Equal(t, []string{"aaa\nbbb\n", "ccc\nddd\n", "eee\n"}, contents(t, f.cfg.Path))
}

func TestFileAfterAFailedRoll(t *testing.T) {
	live := func(f *File[string]) func(name string, flag int) error {
		return func(name string, flag int) error {
			if name == f.cfg.Path && flag&os.O_CREATE != 0 {
				if _, err := os.Stat(name); err != nil {
					return errDown
				}
			}
			return nil
		}
	}
	for name, hook := range map[string]func(*File[string]) hooks{
		"rename": func(*File[string]) hooks {
			return hooks{rename: func(string, string) error { return errDown }}
		},
		"open": func(f *File[string]) hooks { return hooks{open: live(f)} },
		"rename a closed file": func(*File[string]) hooks {
			return hooks{rename: func(string, string) error { return errDown }, closes: true}
		},
		"open after a close": func(f *File[string]) hooks { return hooks{open: live(f), closes: true} },
	} {
		t.Run(name, func(t *testing.T) {
			fs := &faultFS{}
			f := newTestFile(t, FileConfig[string]{MaxSize: 4, MaxBackups: 9}, fs)
			require.NoError(t, f.Write(t.Context(), []string{"aaa"}))
			fs.set(hook(f))
			for range 2 {
				require.NoError(t, f.Write(t.Context(), []string{"bbb", "ccc"}))
				require.ErrorIs(t, f.Flush(t.Context()), errDown)
				require.NoError(t, f.Flush(t.Context()), "reported once")
			}
			require.NoError(t, f.Write(t.Context(), []string{"ddd"}))
			require.Equal(t, []string{"aaa\nbbb\nccc\nbbb\nccc\nddd\n"}, contents(t, f.cfg.Path), "on the old file")
			fs.set(hooks{closes: fs.get().closes})
			require.NoError(t, f.Write(t.Context(), []string{"eee"}))
			require.Equal(t, []string{"aaa\nbbb\nccc\nbbb\nccc\nddd\n", "eee\n"}, contents(t, f.cfg.Path))
			require.NoError(t, f.Close(), "mended, so not worth an error")
		})
	}
}

func TestFileRetriesARollByTime(t *testing.T) {
	clocktest.Both(t, func(t *testing.T, w *clocktest.World) {
		fs := &faultFS{}
		f := newTestFile(t, FileConfig[string]{RotateEvery: time.Hour}, fs)
		require.NoError(t, f.Write(at(w), []string{"a"}))
		w.Advance(time.Hour)
		fs.set(hooks{rename: func(string, string) error { return errDown }})
		require.NoError(t, f.Write(at(w), []string{"b"}))
		fs.set(hooks{})
		require.NoError(t, f.Write(at(w), []string{"c"}))
		require.Equal(t, []string{"a\nb\n", "c\n"}, contents(t, f.cfg.Path))
		require.NoError(t, f.Close())
	})
}

func TestFileThatIsGoneAfterAFailedRoll(t *testing.T) {
	for _, closes := range []bool{false, true} {
		fs := &faultFS{}
		f := newTestFile(t, FileConfig[string]{MaxSize: 4}, fs)
		require.NoError(t, f.Write(t.Context(), []string{"aaa"}))
		fs.set(hooks{
			closes: closes,
			open:   func(string, int) error { return errDown },
			rename: func(from, _ string) error {
				if from != f.cfg.Path {
					return errDown // not back either
				}
				return nil
			},
		})
		err := f.Write(t.Context(), []string{"bbb"})
		if closes {
			requireWhole(t, err)
		} else {
			require.NoError(t, err, "the rolled file is still open and can be found")
		}
		requireWhole(t, f.Write(t.Context(), []string{"ccc"}))
		fs.set(hooks{})
		require.NoError(t, f.Write(t.Context(), []string{"ddd"}))
		text := strings.Join(contents(t, f.cfg.Path), "")
		require.Equal(t, !closes, strings.Contains(text, "bbb"))
		require.NotContains(t, text, "ccc")
		require.Contains(t, text, "aaa\n")
		require.Contains(t, text, "ddd\n")
		require.ErrorIs(t, f.Close(), errDown)
	}
}

func TestFileReportsAFailedClose(t *testing.T) {
	fs := &faultFS{}
	f := newTestFile(t, FileConfig[string]{}, fs)
	require.NoError(t, f.Write(t.Context(), []string{"a"}))
	fs.set(hooks{close: func() error { return errDown }})
	require.ErrorIs(t, f.Close(), errDown)
}

// A file whose end cannot be read is taken as it is.
func TestFileOfUnknownEnd(t *testing.T) {
	path := put(t, filepath.Join(t.TempDir(), "app.log"), "hal")
	fs := &faultFS{}
	fs.set(hooks{open: func(_ string, flag int) error {
		if flag == os.O_RDONLY {
			return errDown
		}
		return nil
	}})
	f := newTestFile(t, FileConfig[string]{Path: path}, fs)
	require.NoError(t, f.Write(t.Context(), []string{"a"}))
	require.Equal(t, "hala\n", read(t, path))
}
