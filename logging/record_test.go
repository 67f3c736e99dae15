package logging

import (
	"log/slog"
	"strconv"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// ints are the attributes a=0, b=1, … of which there are n.
func ints(n int) (attrs []slog.Attr) {
	for i := range n {
		attrs = append(attrs, slog.Int(string(rune('a'+i)), i))
	}
	return attrs
}

func TestRecordHoldsAnyNumberOfAttributes(t *testing.T) {
	for n := range 3 * inline {
		r := record(t, HandlerConfig{}, func(l *slog.Logger) { l.LogAttrs(t.Context(), slog.LevelInfo, "m", ints(n)...) })
		require.Len(t, r.Attrs(), n)
		require.True(t, slog.GroupValue(r.Attrs()...).Equal(slog.GroupValue(ints(n)...)))
		require.Empty(t, r.Context())
		require.Empty(t, r.Renderings())
	}
}

func TestRecordSetAttrs(t *testing.T) {
	for _, before := range []int{0, 1, inline, inline + 1, 20} {
		for _, after := range []int{0, 1, inline, inline + 1, 20} {
			r := record(t, HandlerConfig{Extract: []Extractor{user}}, func(l *slog.Logger) {
				l.LogAttrs(asAda(t), slog.LevelInfo, "m", ints(before)...)
			})
			same := r
			attrs := ints(after)
			r.SetAttrs(attrs)
			clear(attrs)
			require.True(t, slog.GroupValue(r.Attrs()...).Equal(slog.GroupValue(ints(after)...)))
			require.True(t, slog.GroupValue(same.Attrs()...).Equal(slog.GroupValue(ints(before)...)), "a copy changed")
			require.Equal(t, []slog.Attr{slog.String("user", "ada")}, r.Context())
		}
	}
}

func TestRecordSetAttrsKeepsRenderings(t *testing.T) {
	var q taken
	require.NoError(t, newHandler(t, &q, HandlerConfig{}).HandleTemplate(t.Context(), slog.Record{}, "{A:x}", []string{"0a"}))
	q[0].SetAttrs(ints(20))
	require.Equal(t, []string{"0a"}, q[0].Renderings())
	require.Len(t, q[0].Attrs(), 20)
}

func TestRecordTree(t *testing.T) {
	r := record(t, HandlerConfig{}, func(l *slog.Logger) {
		l.With("a", 1).WithGroup("g").With("b", 2).WithGroup("h").WithGroup("i").Info("m", "c", 3)
	})
	require.Equal(t, "[a=1 g=[b=2 h=[i=[c=3]]]]", slog.GroupValue(r.Tree()...).String())
	r.SetAttrs(nil)
	require.Equal(t, "[a=1 g=[b=2]]", slog.GroupValue(r.Tree()...).String())
	require.Equal(t, "[]", slog.GroupValue((&Record{}).Tree()...).String())
}

func TestSizeOf(t *testing.T) {
	own := SizeOf(Record{})
	require.Equal(t, map[int]int{32: 156, 64: 256}[strconv.IntSize], own, "what the documents say, of 64 bits")
	size := func(use func(*slog.Logger)) int { return SizeOf(record(t, HandlerConfig{}, use)) - own }
	assert.Equal(t, 3, size(func(l *slog.Logger) { l.Info("abc") }))
	assert.Equal(t, 3+1+4, size(func(l *slog.Logger) { l.Info("abc", "k", "text") }))
	assert.Equal(t, 1+attrSize+2, size(func(l *slog.Logger) { l.Info("", slog.Group("g", "in", 1)) }))
	assert.Equal(t, 6*attrSize+6, size(func(l *slog.Logger) { l.LogAttrs(t.Context(), 0, "", ints(6)...) }))
	assert.Greater(t, size(func(l *slog.Logger) { l.Info("", "k", []string{"some", "text"}) }), len(`k["some","text"][some text]`))
	assert.Zero(t, size(func(l *slog.Logger) { l.With("k", "text").Info("") }))

	var q taken
	require.NoError(t, newHandler(t, &q, HandlerConfig{}).HandleTemplate(t.Context(), slog.Record{}, "{A:x}", []string{"0a"}))
	assert.Equal(t, own+len("{A:x}")+strconv.IntSize/4+len("0a"), SizeOf(q[0]))
}
