package sinks

import (
	"testing"
	"time"

	"github.com/penstock-go/penstock/clockutil/clocktest"
	"github.com/stretchr/testify/require"
)

func TestFileSyncsNever(t *testing.T) {
	fs := &faultFS{}
	f := newTestFile(t, FileConfig[string]{MaxSize: 2}, fs)
	require.NoError(t, f.Write(t.Context(), []string{"a", "b"}))
	require.NoError(t, f.Flush(t.Context()))
	require.NoError(t, f.Close())
	require.Zero(t, fs.counted().sync)
}

func TestFileSyncsEveryBatch(t *testing.T) {
	fs := &faultFS{}
	f := newTestFile(t, FileConfig[string]{Sync: SyncBatch, MaxSize: 8}, fs)
	require.NoError(t, f.Write(t.Context(), []string{"aaa"}))
	require.Equal(t, 1, fs.counted().sync)

	fs.set(hooks{sync: func(string) error { return errDown }})
	err := f.Write(t.Context(), []string{"bbb", "ccc"})
	require.ErrorIs(t, err, errDown)
	requireWhole(t, err)
	require.Equal(t, "aaa\n", read(t, f.cfg.Path), "what failed is not in the file")

	// Of a batch that is split, what was synced before has been delivered.
	n := 0
	fs.set(hooks{sync: func(string) error {
		if n++; n == 2 {
			return errDown
		}
		return nil
	}})
	requireFailed(t, f.Write(t.Context(), []string{"bbb", "ccc", "ddd"}), 1, 2)
	require.Equal(t, []string{"aaa\nbbb\n", ""}, contents(t, f.cfg.Path))
	require.NoError(t, f.Write(t.Context(), []string{"ccc", "ddd"}))
	require.Equal(t, []string{"aaa\nbbb\n", "ccc\nddd\n"}, contents(t, f.cfg.Path))
	require.NoError(t, f.Flush(t.Context()))
	require.NoError(t, f.Close())
}

// recordSyncs notes when which file was synced.
func recordSyncs(w *clocktest.World, fs *faultFS) *clocktest.Recorder[string] {
	r := clocktest.NewRecorder[string](w)
	fs.set(hooks{sync: func(name string) error { r.Add(name); return nil }})
	return r
}

func TestFileSyncsByInterval(t *testing.T) {
	clocktest.Both(t, func(t *testing.T, w *clocktest.World) {
		fs := &faultFS{}
		syncs := recordSyncs(w, fs)
		f := newTestFile(t, FileConfig[string]{Sync: SyncInterval, SyncEvery: 10 * time.Second}, fs)
		w.Advance(time.Hour)
		require.Nil(t, f.disarm, "idle, so no timer")
		for range 15 { // one a second; the first after each sync starts the interval
			require.NoError(t, f.Write(at(w), []string{"a"}))
			w.Advance(time.Second)
		}
		w.Advance(time.Hour)
		require.Equal(t, []time.Duration{time.Hour + 10*time.Second, time.Hour + 20*time.Second}, syncs.Times())
		require.Nil(t, f.disarm)
		require.NoError(t, f.Close())
		require.Equal(t, 2, syncs.Len(), "nothing left to sync")
	})
}

func TestFileSyncsEarlier(t *testing.T) {
	for name, early := range map[string]func(t *testing.T, w *clocktest.World, f *File[string]){
		"flush":  func(t *testing.T, w *clocktest.World, f *File[string]) { require.NoError(t, f.Flush(at(w))) },
		"close":  func(t *testing.T, w *clocktest.World, f *File[string]) { require.NoError(t, f.Close()) },
		"reopen": func(t *testing.T, w *clocktest.World, f *File[string]) { require.NoError(t, f.Reopen()) },
	} {
		t.Run(name, func(t *testing.T) {
			clocktest.Both(t, func(t *testing.T, w *clocktest.World) {
				fs := &faultFS{}
				syncs := recordSyncs(w, fs)
				f := newTestFile(t, FileConfig[string]{Sync: SyncInterval}, fs)
				require.NoError(t, f.Write(at(w), []string{"a"}))
				w.Advance(time.Second / 2)
				early(t, w, f)
				w.Advance(time.Hour)
				require.NoError(t, f.Close())
				require.Equal(t, []time.Duration{time.Second / 2}, syncs.Times())
			})
		})
	}
}

// A roll syncs the old file, and the timer starts anew with the new one.
func TestFileSyncsBeforeARoll(t *testing.T) {
	clocktest.Both(t, func(t *testing.T, w *clocktest.World) {
		fs := &faultFS{}
		syncs := recordSyncs(w, fs)
		f := newTestFile(t, FileConfig[string]{Sync: SyncInterval, MaxSize: 2}, fs)
		require.NoError(t, f.Write(at(w), []string{"a"}))
		w.Advance(time.Second / 2)
		require.NoError(t, f.Write(at(w), []string{"b"}))
		w.Advance(time.Hour)
		require.Equal(t, []time.Duration{time.Second / 2, 3 * time.Second / 2}, syncs.Times())
		require.NoError(t, f.Close())
	})
}

func TestFileRetriesAFailedSync(t *testing.T) {
	clocktest.Both(t, func(t *testing.T, w *clocktest.World) {
		fs := &faultFS{}
		f := newTestFile(t, FileConfig[string]{Sync: SyncInterval}, fs)
		fs.set(hooks{sync: func(string) error { return errDown }})
		require.NoError(t, f.Write(at(w), []string{"a"}), "it is not this batch alone that is at stake")
		w.Advance(3 * time.Second)
		require.Equal(t, 3, fs.counted().sync)
		require.ErrorIs(t, f.Flush(at(w)), errDown)
		fs.set(hooks{})
		w.Advance(time.Second)
		require.NoError(t, f.Flush(at(w)))
		w.Advance(time.Hour)
		require.Equal(t, 5, fs.counted().sync)
		require.Nil(t, f.disarm)

		// A later success does not take an earlier failure back.
		fs.set(hooks{sync: func(string) error { return errDown }})
		require.NoError(t, f.Write(at(w), []string{"a"}))
		w.Advance(time.Second)
		fs.set(hooks{})
		w.Advance(time.Second)
		require.Nil(t, f.disarm)
		require.ErrorIs(t, f.Close(), errDown)
	})
}

// What a file let go of could not be synced, and the next one is none the
// worse for it.
func TestFileLetsGoAfterAFailedSync(t *testing.T) {
	clocktest.Both(t, func(t *testing.T, w *clocktest.World) {
		fs := &faultFS{}
		f := newTestFile(t, FileConfig[string]{Sync: SyncInterval}, fs)
		require.NoError(t, f.Write(at(w), []string{"a"}))
		fs.set(hooks{sync: func(string) error { return errDown }})
		require.NoError(t, f.Reopen())
		require.Nil(t, f.disarm)
		fs.set(hooks{})
		require.ErrorIs(t, f.Flush(at(w)), errDown)
		w.Advance(time.Second / 2)
		require.NoError(t, f.Write(at(w), []string{"b"}))
		syncs := recordSyncs(w, fs)
		w.Advance(time.Hour)
		require.Equal(t, []time.Duration{3 * time.Second / 2}, syncs.Times())

		require.NoError(t, f.Write(at(w), []string{"c"}))
		fs.set(hooks{sync: func(string) error { return errDown }})
		before := w.Elapsed()
		require.ErrorIs(t, f.Close(), errDown)
		require.Equal(t, before, w.Elapsed(), "Close waits for no timer")
	})
}

// The tick and another sync at the same instant.
func TestFileIgnoresALateTick(t *testing.T) {
	clocktest.Both(t, func(t *testing.T, w *clocktest.World) {
		fs := &faultFS{}
		f := newTestFile(t, FileConfig[string]{Sync: SyncInterval}, fs)
		require.NoError(t, f.Write(at(w), []string{"a"}))
		disarm := f.disarm
		require.NoError(t, f.Flush(at(w)))
		require.NoError(t, f.Write(at(w), []string{"b"}))
		require.False(t, f.tick(disarm))
		require.Equal(t, 1, fs.counted().sync)
		require.NoError(t, f.Close())
	})
}

// The other tests spare the disk; this one does not.
func TestFileSyncsForReal(t *testing.T) {
	for _, policy := range []SyncPolicy{SyncBatch, SyncInterval} {
		f := newTestFile(t, FileConfig[string]{Sync: policy, MaxSize: 2, Compress: true}, osFileSystem{})
		require.NoError(t, f.Write(t.Context(), []string{"a", "b"}))
		require.NoError(t, f.Flush(t.Context()))
		require.NoError(t, f.Close())
		require.Equal(t, []string{"a\n", "b\n"}, contents(t, f.cfg.Path))
	}
	osFileSystem{}.SyncDir(t.TempDir() + "/missing")
}
