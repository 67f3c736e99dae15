package figures

import (
	"math"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/penstock-go/penstock/pipeline"
	"github.com/penstock-go/penstock/stage"
)

// number fills every number in v with another one, from n on, and returns the
// next.
func number(v reflect.Value, n uint64) uint64 {
	switch v.Kind() {
	case reflect.Struct:
		for i := range v.NumField() {
			n = number(v.Field(i), n)
		}
	case reflect.Slice:
		for i := range v.Len() {
			n = number(v.Index(i), n)
		}
	case reflect.Uint64:
		v.SetUint(n)
		n++
	case reflect.Int64:
		v.SetInt(int64(n))
		n++
	case reflect.Uint8: // a breaker's state
		v.SetUint(uint64(stage.BreakerOpen))
	}
	return n
}

// Every number in Stats is exported once, except those that are sums of others.
func TestEveryNumberIsExported(t *testing.T) {
	s := pipeline.Stats{Sinks: []pipeline.SinkStats{{Role: "main"}, {Role: "route0"}}}
	end := number(reflect.ValueOf(&s).Elem(), 1000)
	seen := map[float64]int{}
	for _, f := range All {
		f.Read(&s, func(v float64, labels ...string) {
			assert.Len(t, labels, len(f.Labels), f.Name)
			seen[v]++
		})
	}
	for _, f := range Timings {
		f.Read(&s, func(q stage.Quantiles, labels ...string) {
			assert.Len(t, labels, len(f.Labels), f.Name)
			seen[float64(q.Count)]++
			seen[float64(q.Sum)]++
			seen[float64(q.Max)]++
			for _, of := range Quantiles {
				seen[math.Round(of.Of(q)*1e9)]++
			}
		})
	}
	require.Equal(t, 2, seen[float64(stage.BreakerOpen)])
	delete(seen, float64(stage.BreakerOpen))
	for v := uint64(1000); v < end; v++ {
		want := 1
		if v == s.Offered || v == s.Buffered {
			want = 0
		}
		assert.Equal(t, want, seen[float64(v)], "the %dth number", v-1000)
	}
	require.Len(t, seen, int(end-1000)-2)
}

func TestDocsNameEveryFigure(t *testing.T) {
	page, err := os.ReadFile(filepath.Join("..", "..", "docs", "metrics.md"))
	require.NoError(t, err)
	names := map[string]bool{}
	for _, f := range All {
		assert.True(t, strings.Contains(string(page), "| `"+f.Name+"` |"), "no row for %s", f.Name)
		assert.False(t, names[f.Name], "%s twice", f.Name)
		names[f.Name] = true
	}
	for _, f := range Timings {
		assert.True(t, strings.Contains(string(page), "| `"+f.Name+"` |"), "no row for %s", f.Name)
	}
}
