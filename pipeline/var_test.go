package pipeline_test

import (
	"encoding/json"
	"expvar"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/penstock-go/penstock/clockutil/clocktest"
	"github.com/penstock-go/penstock/pipeline"
)

// What expvar serves is what Stats say at that moment.
func TestVar(t *testing.T) {
	clocktest.Run(t, func(t *testing.T, w *clocktest.World) {
		a, b := newHouse(t, w, config{Name: "a"}, nil), newHouse(t, w, config{Name: "b"}, nil)
		fan, err := pipeline.NewFan(a.p, b.p)
		require.NoError(t, err)
		var one, all expvar.Map
		one.Set("one", a.p.Var())
		all.Set("all", fan.Var())
		for i := range 3 {
			a.offer(t, ev(1, i+1))
			require.NoError(t, a.flush(t))
			var got struct{ One Stats }
			require.NoError(t, json.Unmarshal([]byte(one.String()), &got))
			require.Equal(t, a.p.Stats(), got.One)
			require.EqualValues(t, i+1, got.One.Delivered)
		}
		var got struct{ All []Stats }
		require.NoError(t, json.Unmarshal([]byte(all.String()), &got))
		require.Equal(t, fan.Stats(), got.All)
		a.close(t)
		b.close(t)
	})
}

func TestVarOnItsPage(t *testing.T) {
	clocktest.Run(t, func(t *testing.T, w *clocktest.World) {
		h := newHouse(t, w, config{Name: "scraped"}, nil)
		pipelines.Set(t.Name(), h.p.Var())
		defer pipelines.Delete(t.Name())
		h.offer(t, run(1, 1, 5)...)
		h.close(t)
		page := httptest.NewRecorder()
		http.DefaultServeMux.ServeHTTP(page, httptest.NewRequest(http.MethodGet, "/debug/vars", nil))
		var vars struct{ Pipelines map[string]Stats }
		require.NoError(t, json.Unmarshal(page.Body.Bytes(), &vars))
		s := vars.Pipelines[t.Name()]
		require.Equal(t, h.p.Stats(), s)
		require.EqualValues(t, 5, s.Sinks[0].Events)
	})
}
