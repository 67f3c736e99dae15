package setup

import (
	"errors"
	"log/slog"
	"math"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/penstock-go/penstock/clockutil/clocktest"
	"github.com/penstock-go/penstock/logging"
)

// one returns the record of a call.
func one(t *testing.T, use func(*slog.Logger)) logging.Record {
	t.Helper()
	var q queue
	h, err := logging.NewHandler(&q, logging.HandlerConfig{})
	require.NoError(t, err)
	use(slog.New(h))
	return q[0]
}

type queue []logging.Record

func (q *queue) Enqueue(r logging.Record) error {
	*q = append(*q, r)
	return nil
}

func TestFilters(t *testing.T) {
	type id int
	type pair struct{ A, B int }
	boom := errors.New("boom")
	r := one(t, func(l *slog.Logger) {
		l.With(NameKey, "mill.gate").WithGroup("g").Warn("m", "n", 7, "u", uint64(math.MaxUint64), "f", 0.5, "s", "text", "b", true,
			"d", time.Second, "err", boom, "nil", nil, "id", id(3), "pair", pair{1, 2}, "nan", math.NaN())
	})
	yes, no := LevelAtLeast(slog.LevelWarn), LevelAtLeast(slog.LevelError)
	for name, keeps := range map[string]Filter{
		"level": yes, "has": Has("g.n"), "named": Named("mill.gate"), "named above": Named("mill"),
		"int": Equals("g.n", 7), "int as float": Equals("g.n", 7.0), "int as uint": Equals("g.n", uint8(7)),
		"uint": Equals("g.u", uint64(math.MaxUint64)), "float": Equals("g.f", 0.5), "string": Equals("g.s", "text"),
		"bool": Equals("g.b", true), "duration": Equals("g.d", time.Second), "error": Equals("g.err", boom),
		"other error": Equals("g.err", errors.New("boom")), "nil": Equals("g.nil", nil), "type": Equals("g.id", id(3)),
		"struct": Equals("g.pair", pair{1, 2}), "rendered": Equals("g.pair", logging.Render(pair{1, 2}, logging.FormText)),
		"all": All(yes, yes), "all of none": All(), "all and nil": All(nil, yes), "any": Any(no, yes), "any nil": Any(no, nil),
		"not": Not(no), "nested": All(Any(no, yes), Not(All(yes, no))),
	} {
		require.True(t, keeps(r), name)
		require.False(t, Not(keeps)(r), name)
	}
	for name, keeps := range map[string]Filter{
		"level": no, "has": Has("n"), "named": Named("mil"), "named below": Named("mill.gate.north"),
		"int": Equals("g.n", 8), "int as text": Equals("g.n", "7"), "nearly": Equals("g.u", float64(math.MaxUint64)),
		"text as int": Equals("g.s", 7), "missing": Equals("g.x", nil), "bool": Equals("g.b", 1), "nan": Equals("g.nan", 7),
		"error": Equals("g.err", errors.New("bang")), "nil": Equals("g.err", nil), "not nil": Equals("g.nil", boom), "duration": Equals("g.d", int64(time.Second)),
		"all": All(yes, no), "any": Any(no, no), "any of none": Any(), "not": Not(yes), "not nil filter": Not(nil),
	} {
		require.False(t, keeps(r), name)
	}
	require.False(t, Named("mill")(one(t, func(l *slog.Logger) { l.Info("m", NameKey, 5) })))
	require.False(t, Named("mill")(one(t, func(l *slog.Logger) { l.Info("m") })))
}

// What is of none of slog's kinds is compared whatever forms the outputs need.
func TestEqualsInEveryForm(t *testing.T) {
	type pair struct{ A, B int }
	for _, forms := range []logging.Forms{logging.FormJSON, logging.FormText, logging.FormJSON | logging.FormErrors, 0} {
		var q queue
		h, err := logging.NewHandler(&q, logging.HandlerConfig{Forms: forms})
		require.NoError(t, err)
		slog.New(h).Info("m", "pair", pair{1, 2}, "list", []string{"a"}, "err", traced{}, "ip", netip.MustParseAddr("::1"), "plain", errors.New("boom"))
		for path, value := range map[string]any{"pair": pair{1, 2}, "list": []string{"a"}, "err": traced{}, "ip": netip.MustParseAddr("::1")} {
			require.True(t, Equals(path, value)(q[0]), "%s, forms %b", path, forms)
			require.False(t, Equals(path, pair{2, 1})(q[0]), "%s, forms %b", path, forms)
			require.False(t, Equals(path, "dry")(q[0]), "%s, forms %b", path, forms)
		}
		require.True(t, Equals("plain", "boom")(q[0]), "forms %b", forms)
		require.True(t, Equals("ip", "::1")(q[0]), "forms %b", forms)
	}
}

// Filters decide before the queue; each record is in the books of each output.
func TestFilteredRecordsTakeNoRoom(t *testing.T) {
	clocktest.Both(t, func(t *testing.T, w *clocktest.World) {
		var a, b, c memory
		l := open(t, w, Config{
			Level:  slog.LevelDebug,
			Filter: Not(Has("noise")),
			Outputs: []Output{
				{Name: "a", To: Target{Sink: &a}},
				{Name: "b", To: Target{Sink: &b}, Filter: Equals("gate", "north")},
				{Name: "c", To: Target{Sink: &c}, Level: slog.LevelInfo, Filter: func(logging.Record) bool { panic("oh") }},
			},
		})
		log := l.Logger("")
		for range 10 {
			log.Info("noise", "noise", true)
			log.Info("north", "gate", "north")
			log.Debug("south", "gate", "south")
		}
		closeLog(t, w, l, &a, &b, &c)
		s := l.Stats()
		require.Equal(t, uint64(30), s.Records)
		require.Equal(t, uint64(10), s.Filtered)
		require.Equal(t, uint64(10), s.FilterPanics)
		require.Equal(t, uint64(20), s.Outputs[0].Pipeline.Offered)
		require.Equal(t, uint64(10), s.Outputs[1].Filtered)
		require.Equal(t, uint64(10), s.Outputs[1].Pipeline.Offered)
		require.Equal(t, uint64(10), s.Outputs[2].Below)
		require.Equal(t, strings.Repeat("north ", 10), strings.Join(messages(&b), " ")+" ")
		require.Len(t, c.Events(), 10, "a filter that panics keeps the record")
	})
}
