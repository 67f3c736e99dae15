package sinks

import (
	"compress/gzip"
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/penstock-go/penstock/clockutil/clocktest"
	"github.com/penstock-go/penstock/stage"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var errDown = errors.New("down")

const errNoSpace = syscall.ENOSPC

func line(dst []byte, ev string) ([]byte, error) { return append(append(dst, ev...), '\n'), nil }

// at returns a context as a pipeline on w's clock would give it to a sink.
func at(w *clocktest.World) context.Context {
	return stage.WithScope(context.Background(), stage.Scope{Clock: w.Clock()})
}

// requireFailed checks that err names exactly these events.
func requireFailed(t *testing.T, err error, failed ...int) {
	t.Helper()
	var pe *stage.PartialError
	require.ErrorAs(t, err, &pe)
	require.Equal(t, failed, pe.Failed)
}

// requireWhole checks that err is not a partial one.
func requireWhole(t *testing.T, err error) {
	t.Helper()
	require.Error(t, err)
	var pe *stage.PartialError
	require.False(t, errors.As(err, &pe), "partial: %v", err)
}

func newTestFile(t *testing.T, cfg FileConfig[string], fs fileSystem) *File[string] {
	t.Helper()
	if cfg.Path == "" {
		cfg.Path = filepath.Join(t.TempDir(), "app.log")
	}
	if cfg.Encode == nil {
		cfg.Encode = line
	}
	if fs == nil {
		fs = &faultFS{}
	}
	f, err := newFile(cfg, fs)
	require.NoError(t, err)
	t.Cleanup(func() { _ = f.Close() })
	return f
}

func read(t require.TestingT, path string) string {
	b, err := os.ReadFile(path)
	require.NoError(t, err)
	return string(b)
}

func unzip(t require.TestingT, path string) string {
	file, err := os.Open(path)
	require.NoError(t, err)
	defer func() { _ = file.Close() }()
	gz, err := gzip.NewReader(file)
	require.NoError(t, err)
	b, err := io.ReadAll(gz)
	require.NoError(t, err)
	return string(b)
}

// contents returns what each file holds, oldest first, the live one last. A
// file that is there in two forms fails the test.
func contents(t require.TestingT, path string) []string {
	f := &File[string]{name: newRolledName(path), fs: osFileSystem{}}
	found, err := f.backups()
	require.NoError(t, err)
	texts := make([]string, 0, len(found)+1)
	for i := range found {
		b := found[len(found)-1-i]
		require.False(t, b.raw && b.gz || b.tmp, "%+v", b)
		if b.gz {
			texts = append(texts, unzip(t, b.path+gzSuffix))
		} else {
			texts = append(texts, read(t, b.path))
		}
	}
	if _, err := os.Stat(path); err == nil {
		texts = append(texts, read(t, path))
	}
	return texts
}

func list(t require.TestingT, dir string) []string {
	entries, err := os.ReadDir(dir)
	require.NoError(t, err)
	names := make([]string, len(entries))
	for i, e := range entries {
		names[i] = e.Name()
	}
	return names
}

func put(t require.TestingT, path, text string) string {
	require.NoError(t, os.WriteFile(path, []byte(text), 0o600))
	return path
}

func split(text string) []string { return strings.Split(strings.TrimSuffix(text, "\n"), "\n") }
