package sinks

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/penstock-go/penstock/clockutil/clocktest"
	"github.com/penstock-go/penstock/stage"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

func TestFileRollsBySize(t *testing.T) {
	f := newTestFile(t, FileConfig[string]{MaxSize: 10}, nil)
	require.NoError(t, f.Write(t.Context(), []string{"aaaa", "bbbb"}))
	require.Len(t, contents(t, f.cfg.Path), 1, "exactly full, and nothing more came")
	require.NoError(t, f.Write(t.Context(), []string{"c", "dddd", "eee", "a very long line", "f"}))
	require.Equal(t, []string{
		"aaaa\nbbbb\n", "c\ndddd\n", "eee\n", "a very long line\n", "f\n",
	}, contents(t, f.cfg.Path))
	require.NoError(t, f.Close())

	f = newTestFile(t, FileConfig[string]{Path: f.cfg.Path, MaxSize: 10}, nil)
	require.NoError(t, f.Write(t.Context(), []string{"gggggg", "h"}))
	require.Equal(t, []string{"f\ngggggg\n", "h\n"}, contents(t, f.cfg.Path)[4:], "goes on where the last run ended")
}

func TestFileNamesRolledFilesByUTCAndNumber(t *testing.T) {
	clocktest.Both(t, func(t *testing.T, w *clocktest.World) {
		path := filepath.Join(t.TempDir(), "app.log")
		f := newTestFile(t, FileConfig[string]{Path: path, MaxSize: 2}, nil)
		w.Advance(90*time.Minute + 7*time.Millisecond)
		stamp := w.Clock().Now().UTC().Format("20060102T150405.000Z")
		put(t, filepath.Join(filepath.Dir(path), "app-"+stamp+"-000001.log"), "taken\n")
		put(t, filepath.Join(filepath.Dir(path), "app-"+stamp+"-000003.log.gz"), "taken too\n")
		require.NoError(t, f.Write(at(w), []string{"a", "b"}))
		require.NoError(t, f.Close())
		require.Equal(t, []string{
			"app-" + stamp + "-000001.log", "app-" + stamp + "-000003.log.gz", "app-" + stamp + "-000004.log", "app.log",
		}, list(t, filepath.Dir(path)))
	})
}

// Names that appear while the sink runs are not clobbered either.
func TestFileNeverClobbers(t *testing.T) {
	clocktest.Run(t, func(t *testing.T, w *clocktest.World) {
		f := newTestFile(t, FileConfig[string]{MaxSize: 2}, nil)
		require.NoError(t, f.Write(at(w), []string{"a"}))
		put(t, f.name.format(w.Clock().Now(), 1), "taken\n")
		put(t, f.name.format(w.Clock().Now(), 2)+gzSuffix, "")
		require.NoError(t, f.Write(at(w), []string{"b"}))
		require.Equal(t, "taken\n", read(t, f.name.format(w.Clock().Now(), 1)))
		require.Equal(t, "a\n", read(t, f.name.format(w.Clock().Now(), 3)))
		require.NoError(t, f.Close())
	})
}

func TestRolledNames(t *testing.T) {
	at := time.Date(2026, 1, 2, 3, 4, 5, 6e6, time.FixedZone("", 3600))
	for path, want := range map[string]string{
		"/d/app.log":  "/d/app-20260102T020405.006Z-000042.log",
		"/d/app":      "/d/app-20260102T020405.006Z-000042",
		"/d/.hidden":  "/d/.hidden-20260102T020405.006Z-000042",
		"/d/a.b.json": "/d/a.b-20260102T020405.006Z-000042.json",
	} {
		r := newRolledName(filepath.FromSlash(path))
		name := r.format(at, 42)
		require.Equal(t, filepath.FromSlash(want), name)
		for _, suffix := range []string{"", gzSuffix, tmpSuffix} {
			stamp, seq, got, ok := r.parse(filepath.Base(name) + suffix)
			require.True(t, ok)
			require.True(t, stamp.Equal(at))
			require.Equal(t, 42, seq)
			require.Equal(t, suffix, got)
		}
		_, seq, _, ok := r.parse(filepath.Base(r.format(at, 12345678)))
		require.True(t, ok)
		require.Equal(t, 12345678, seq)
	}
	r := newRolledName("/d/app.log")
	for _, foreign := range []string{
		"", "app.log", "app-.log", "app-old.log", "app-20260102T020405.006Z.log",
		"app-20260102T020405.006Z-000042.log.bak", "app-20260102T020405.006Z-000042",
		"app-20260102T020405.006Z-42.log", "app-20261302T020405.006Z-000042.log",
		"app-x-20260102T020405.006Z-000042.log", "app-20260102T020405.006Zx000042.log",
		"app-20260102T020405.006Z-99999999999999999999.log",
	} {
		_, _, _, ok := r.parse(foreign)
		require.False(t, ok, foreign)
	}
}

func TestFileRollsByTime(t *testing.T) {
	clocktest.Both(t, func(t *testing.T, w *clocktest.World) {
		fs := &faultFS{}
		f := newTestFile(t, FileConfig[string]{RotateEvery: 90 * time.Minute}, fs)
		ctx := at(w)
		// Both clocks start at a multiple of the period.
		require.NoError(t, f.Write(ctx, []string{"0:00"}))
		w.Advance(90*time.Minute - 1)
		require.NoError(t, f.Write(ctx, []string{"1:29"}))
		w.Advance(1)
		require.NoError(t, f.Write(ctx, []string{"1:30", "1:30"}))
		w.Advance(time.Minute)
		require.NoError(t, f.Write(ctx, []string{"1:31"}))
		require.Equal(t, counts{open: 2, rename: 1, write: 4}, fs.counted())

		// However many periods are missed, there is one roll, and no empty file.
		w.Advance(1000 * time.Hour)
		require.NoError(t, f.Write(ctx, []string{"late"}))
		require.NoError(t, f.Write(ctx, []string{"late"}))
		require.Equal(t, counts{open: 3, rename: 2, write: 6}, fs.counted())
		require.Equal(t, []string{"0:00\n1:29\n", "1:30\n1:30\n1:31\n", "late\nlate\n"}, contents(t, f.cfg.Path))
		require.NoError(t, f.Close())
	})
}

func TestFileRollsWhatThePeriodBeforeLeft(t *testing.T) {
	clocktest.Run(t, func(t *testing.T, w *clocktest.World) {
		dir := t.TempDir()
		for name, age := range map[string]time.Duration{"old": time.Hour, "new": 0, "future": -time.Hour} {
			path := put(t, filepath.Join(dir, name), "found\n")
			changed := w.Clock().Now().Add(-age)
			require.NoError(t, os.Chtimes(path, changed, changed))
			f := newTestFile(t, FileConfig[string]{Path: path, RotateEvery: time.Hour}, nil)
			require.NoError(t, f.Write(at(w), []string{"first"}))
			if name == "old" {
				require.Equal(t, []string{"found\n", "first\n"}, contents(t, path))
			} else {
				require.Equal(t, []string{"found\nfirst\n"}, contents(t, path))
			}
			require.NoError(t, f.Close())
		}
	})
}

func TestPeriods(t *testing.T) {
	epoch := time.Unix(0, 0)
	for d, want := range map[time.Duration]int64{0: 0, 9: 0, 10: 1, -1: -1, -10: -1, -11: -2} {
		require.Equal(t, want, period(epoch.Add(d), 10), d)
	}
}

// A clock that is set back rolls nothing by itself.
func TestFileWhenTheClockIsSetBack(t *testing.T) {
	f := newTestFile(t, FileConfig[string]{RotateEvery: time.Hour}, nil)
	require.NoError(t, f.Write(t.Context(), []string{"a"}))
	f.begun = f.begun.Add(5 * time.Hour)
	require.NoError(t, f.Write(t.Context(), []string{"b"}))
	require.Equal(t, []string{"a\nb\n"}, contents(t, f.cfg.Path))
	f.begun = f.begun.Add(-time.Hour)
	require.NoError(t, f.Write(t.Context(), []string{"c"}))
	require.Equal(t, []string{"a\nb\n", "c\n"}, contents(t, f.cfg.Path))
}

// The rolled files, in order, and the live one hold exactly what was delivered.
func TestFilesAddUpToTheInput(t *testing.T) {
	root := t.TempDir()
	n := 0
	rapid.Check(t, func(t *rapid.T) {
		n++
		path := filepath.Join(root, fmt.Sprint(n), "app.log")
		maxSize := rapid.Int64Range(0, 60).Draw(t, "max size")
		compress := rapid.Bool().Draw(t, "compress")
		fs := &faultFS{}
		faulty := rapid.Bool().Draw(t, "faulty")
		if faulty {
			fs.set(hooks{
				write: func(_ string, p []byte) (int, error) {
					if !rapid.Bool().Draw(t, "write fails") {
						return 0, nil
					}
					return rapid.IntRange(0, len(p)).Draw(t, "n"), errNoSpace
				},
				truncate: func() error {
					return rapid.SampledFrom([]error{nil, errDown}).Draw(t, "truncate")
				},
				rename: func(from, _ string) error {
					if from != path { // compression, on another goroutine
						return nil
					}
					return rapid.SampledFrom([]error{nil, errDown}).Draw(t, "rename")
				},
				closes: rapid.Bool().Draw(t, "close before renaming"),
			})
		}
		cfg := FileConfig[string]{Path: path, MaxSize: maxSize, Compress: compress && !faulty, Encode: line}
		f, err := newFile(cfg, fs)
		if err != nil {
			t.Fatal(err)
		}
		var want []string
		var report stage.SinkReport // of all the sinks that had the path, one after the other
		for range rapid.IntRange(1, 8).Draw(t, "batches") {
			events := make([]string, rapid.IntRange(1, 6).Draw(t, "size"))
			for i := range events {
				events[i] = fmt.Sprintf("<%d%s>", len(want)+i, strings.Repeat("x", rapid.IntRange(0, 20).Draw(t, "len")))
			}
			want = append(want, delivered(events, f.Write(context.Background(), events))...)
			if rapid.IntRange(0, 9).Draw(t, "restart") == 0 {
				if err := f.Close(); err != nil && !faulty {
					t.Fatal(err)
				}
				f.Report(&report)
				if f, err = newFile(cfg, fs); err != nil {
					t.Fatal(err)
				}
			}
		}
		if err := f.Close(); err != nil && !faulty {
			t.Fatal(err)
		}
		f.Report(&report)
		var got []string
		for _, text := range contents(t, path) {
			report.Bytes -= uint64(len(text))
			lines := split(text)
			if !faulty && maxSize > 0 && int64(len(text)) > maxSize && len(lines) > 1 {
				t.Fatalf("%d bytes in %q", len(text), text)
			}
			got = append(got, lines...)
		}
		for _, w := range want {
			for faulty && len(got) > 0 && got[0] != w {
				if strings.Count(got[0], "<") > 1 {
					t.Fatalf("glued: %q", got[0])
				}
				got = got[1:] // of an event that failed
			}
			if len(got) == 0 || got[0] != w {
				t.Fatalf("want %q, got %q", w, got)
			}
			got = got[1:]
		}
		if !faulty && len(got) > 0 {
			t.Fatalf("too much: %q", got)
		}
		if report.Bytes != 0 {
			t.Fatalf("%d bytes more reported than are in the files", int64(report.Bytes))
		}
	})
}
