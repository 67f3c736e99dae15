package interop

import (
	"log"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/penstock-go/penstock/clockutil/clocktest"
)

func TestLog(t *testing.T) {
	clocktest.Run(t, func(t *testing.T, w *clocktest.World) {
		h := newHouse(t, w)
		l := log.New(h.w, "app ", log.LstdFlags|log.Lshortfile)
		logAll(func(g, i int) { l.Printf("gate at %d %d", g, i) })
		require.NoError(t, h.w.Sync())
		h.requireAll(t, fromText(t))
		h.requireClosed(t)
		require.Error(t, l.Output(1, "late"))
	})
}

// A message of several lines is one entry, and nobody's line comes between.
func TestLogLines(t *testing.T) {
	clocktest.Run(t, func(t *testing.T, w *clocktest.World) {
		h := newHouse(t, w)
		l := log.New(h.w, "", 0)
		logAll(func(g, i int) { l.Printf("[\n%d\n]", g) })
		h.requireClosed(t)
		lines := splitLines(h.out.String())
		require.Len(t, lines, 3*writers*each)
		for i := 0; i < len(lines); i += 3 {
			require.Equal(t, "[", lines[i])
			require.Equal(t, "]", lines[i+2])
		}
	})
}

func splitLines(text string) []string { return strings.Split(strings.TrimSuffix(text, "\n"), "\n") }
