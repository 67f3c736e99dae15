package chart

import (
	"encoding/xml"
	"errors"
	"io"
	"math"
	"strings"
	"testing"
)

// wellFormed reports what is wrong with a picture as XML, and with its numbers.
func wellFormed(t *testing.T, svg string) {
	t.Helper()
	d := xml.NewDecoder(strings.NewReader(svg))
	for {
		_, err := d.Token()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatalf("%v in\n%s", err, svg)
		}
	}
	for _, bad := range []string{"NaN", "Inf"} {
		if strings.Contains(svg, bad) {
			t.Errorf("%s in\n%s", bad, svg)
		}
	}
}

func TestPlotsOfAnything(t *testing.T) {
	nan, inf := math.NaN(), math.Inf(1)
	for _, values := range [][]float64{nil, {0}, {5}, {-3, 3}, {nan, 1, inf, 2}, {1, 10, 1000, 1e9}, {7, 7, 7}} {
		for _, log := range []bool{false, true} {
			for _, clock := range []bool{false, true} {
				l := Lines{Title: "<a&b>", LogX: log, LogY: log, Dots: true, Clock: clock, Series: []Series{{Name: `"q"`, X: values, Y: values}, {}},
					Bands: []Band{{From: -1, To: 2, Colour: "#888", Name: "<band>"}}}
				wellFormed(t, l.SVG(640, 380))
			}
		}
		h := Heat{Title: "<a&b>", X: make([]string, len(values)), Y: []string{"<y>"}, Z: [][]float64{values}}
		if len(values) > 0 && !math.IsInf(values[len(values)-1], 0) && values[0] == values[0] {
			wellFormed(t, h.SVG(640, 380))
		}
	}
	l := Lines{Names: []string{"wait", "<drop>"}, Series: []Series{{X: []float64{0, 1}, Y: []float64{1, nan}}}}
	svg := l.SVG(640, 380)
	wellFormed(t, svg)
	if strings.Contains(svg, "<path") || strings.Count(svg, "<circle") != 0 || !strings.Contains(svg, "&lt;drop&gt;") {
		t.Error(svg)
	}
	wellFormed(t, Stack(10, 20, svg, svg))
}

func TestTicksAreRound(t *testing.T) {
	for _, c := range []struct {
		s    scale
		want string
	}{
		{newScale([]float64{0, 10}, false, 0, 1), "0 2 4 6 8 10"},
		{newScale([]float64{0, 1}, false, 0, 1), "0 0.2 0.4 0.6 0.8 1"},
		{newScale([]float64{1, 100}, true, 0, 1), "1 2 5 10 20 50 100"},
		{newScale([]float64{1, 1e6}, true, 0, 1), "1 10 100 1k 10k 100k 1M"},
	} {
		var got []string
		for _, v := range c.s.ticks(6) {
			got = append(got, Short(v))
		}
		if s := strings.Join(got, " "); s != c.want {
			t.Errorf("%+v: %s, want %s", c.s, s, c.want)
		}
	}
	hour := newScale([]float64{0, 3600}, false, 0, 1)
	if at := hour.sixties(8); len(at) != 7 || at[1] != 600 {
		t.Errorf("%v", at)
	}
	if hour.place(1800) != 0.5 {
		t.Error(hour.place(1800))
	}
}

func TestHeatShowsItsValues(t *testing.T) {
	h := Heat{X: []string{"1", "16"}, Y: []string{"a"}, Z: [][]float64{{1500, math.NaN()}}}
	svg := h.SVG(640, 380)
	wellFormed(t, svg)
	if !strings.Contains(svg, ">1.5k<") || !strings.Contains(svg, ">–<") {
		t.Error(svg)
	}
}

func TestTicksAtWhatWasMeasured(t *testing.T) {
	values := []float64{1, 2, 3, 64, 65, 1024}
	l := Lines{LogX: true, Ticks: values, XFormat: func(v float64) string { return "<" + Short(v) + ">" }, Series: []Series{{X: values, Y: values}}}
	svg := l.SVG(640, 380)
	wellFormed(t, svg)
	for name, there := range map[string]bool{"1": true, "2": true, "3": false, "64": true, "65": false, "1.02k": true, "10": false} {
		if strings.Contains(svg, "&lt;"+name+"&gt;") != there {
			t.Errorf("a tick at %s: want %v\n%s", name, there, svg)
		}
	}
}
