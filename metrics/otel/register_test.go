package otel_test

import (
	"context"
	"errors"
	"io"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"
	"go.opentelemetry.io/otel/metric/noop"
	sdk "go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"

	metrics "github.com/penstock-go/penstock/metrics/otel"
	"github.com/penstock-go/penstock/pipeline"
	"github.com/penstock-go/penstock/sinks"
	"github.com/penstock-go/penstock/stage"
)

func newPipeline(t *testing.T, sink stage.Sink[string], cfg pipeline.Config[string]) *pipeline.Pipeline[string] {
	t.Helper()
	p, err := pipeline.New(sink, cfg)
	require.NoError(t, err)
	t.Cleanup(func() { _ = p.Close(context.Background()) })
	return p
}

// newMeter returns a meter of the SDK and what reads it.
func newMeter(t *testing.T) (metric.Meter, *sdk.ManualReader) {
	t.Helper()
	reader := sdk.NewManualReader()
	provider := sdk.NewMeterProvider(sdk.WithReader(reader))
	t.Cleanup(func() { require.NoError(t, provider.Shutdown(context.Background())) })
	return provider.Meter("test"), reader
}

// collected are the measurements of a collection by instrument, with each a
// unit, whether it is a counter, and the values by attributes.
type collected map[string]instrument

type instrument struct {
	unit    string
	counter bool
	values  map[attribute.Distinct]float64
}

func collect(t *testing.T, reader *sdk.ManualReader) collected {
	t.Helper()
	var data metricdata.ResourceMetrics
	require.NoError(t, reader.Collect(t.Context(), &data))
	all := collected{}
	for _, scope := range data.ScopeMetrics {
		for _, m := range scope.Metrics {
			require.NotContains(t, all, m.Name)
			i := instrument{unit: m.Unit, values: map[attribute.Distinct]float64{}}
			switch d := m.Data.(type) {
			case metricdata.Sum[int64]:
				i.counter = d.IsMonotonic
				points(i, d.DataPoints)
			case metricdata.Sum[float64]:
				i.counter = d.IsMonotonic
				points(i, d.DataPoints)
			case metricdata.Gauge[int64]:
				points(i, d.DataPoints)
			case metricdata.Gauge[float64]:
				points(i, d.DataPoints)
			default:
				t.Errorf("%s is a %T", m.Name, d)
			}
			all[m.Name] = i
		}
	}
	return all
}

func points[N int64 | float64](i instrument, all []metricdata.DataPoint[N]) {
	for _, p := range all {
		i.values[p.Attributes.Equivalent()] = float64(p.Value)
	}
}

// value returns the measurement with exactly these attributes, in pairs.
func (c collected) value(t *testing.T, name string, pairs ...string) float64 {
	t.Helper()
	var set []attribute.KeyValue
	for i := 0; i < len(pairs); i += 2 {
		set = append(set, attribute.String(pairs[i], pairs[i+1]))
	}
	attributes := attribute.NewSet(set...)
	require.Contains(t, c, name)
	v, ok := c[name].values[attributes.Equivalent()]
	require.True(t, ok, "%s has nothing for %v", name, pairs)
	return v
}

func TestCollectionIsWhatStatsSay(t *testing.T) {
	sink := &sinks.Memory[string]{Fail: func(call int, lines []string) error {
		if strings.HasPrefix(lines[0], "bad") {
			return io.EOF
		}
		return nil
	}}
	p := newPipeline(t, sink, pipeline.Config[string]{
		Name: "gate", BatchSize: 2, SizeOf: func(s string) int { return len(s) }, Routes: []stage.Route[string]{{To: &sinks.Memory[string]{}}},
	})
	meter, reader := newMeter(t)
	_, err := metrics.Register(meter, p)
	require.NoError(t, err)
	require.Zero(t, collect(t, reader).value(t, "penstock.events.accepted", "pipeline", "gate"), "there from the start")

	_, err = p.EnqueueAll([]string{"a", "b", "bad", "c", "d"})
	require.NoError(t, err)
	require.NoError(t, p.Flush(t.Context()))
	require.NoError(t, p.Close(t.Context()))
	require.ErrorIs(t, p.Enqueue("late"), stage.ErrClosed)

	s, c := p.Stats(), collect(t, reader)
	require.EqualValues(t, 5, c.value(t, "penstock.events.accepted", "pipeline", "gate"))
	require.EqualValues(t, 2, c.value(t, "penstock.events.rerouted", "pipeline", "gate"))
	require.EqualValues(t, 1, c.value(t, "penstock.events.rejected", "pipeline", "gate", "reason", "closed"))
	require.EqualValues(t, s.BatchEvents.Size, c.value(t, "penstock.batch.events", "pipeline", "gate", "trigger", "size"))
	require.EqualValues(t, 2, c.value(t, "penstock.sink.events", "pipeline", "gate", "sink", s.Sinks[1].Name, "role", "route0"))
	require.True(t, c["penstock.events.accepted"].counter)
	require.False(t, c["penstock.queue.depth"].counter)
	require.Equal(t, "By", c["penstock.buffered"].unit)
	require.Equal(t, "1", c["penstock.sink.calls"].unit)

	main := []string{"pipeline", "gate", "sink", s.Sinks[0].Name, "role", "main"}
	latency := s.Sinks[0].Latency
	require.EqualValues(t, latency.Count, c.value(t, "penstock.sink.latency.count", main...))
	require.InDelta(t, latency.Sum.Seconds(), c.value(t, "penstock.sink.latency.sum", main...), 1e-9)
	require.InDelta(t, latency.P99.Seconds(), c.value(t, "penstock.sink.latency", append(main, "quantile", "0.99")...), 1e-9)
	require.InDelta(t, latency.Max.Seconds(), c.value(t, "penstock.sink.latency", append(main, "quantile", "1")...), 1e-9)
	require.Equal(t, "s", c["penstock.sink.latency"].unit)
	require.EqualValues(t, s.Age.Count, c.value(t, "penstock.age.count", "pipeline", "gate"))
	require.Len(t, c["penstock.age"].values, 4)
}

// A meter takes several pipelines, the outputs of a Fan as well, and lets each
// go.
func TestSeveralPipelines(t *testing.T) {
	a := newPipeline(t, &sinks.Discard[string]{}, pipeline.Config[string]{Name: "a"})
	b := newPipeline(t, &sinks.Discard[string]{}, pipeline.Config[string]{Name: "\xff"})
	fan, err := pipeline.NewFan(a, b)
	require.NoError(t, err)
	meter, reader := newMeter(t)
	var taken []metric.Registration
	for _, p := range []metrics.Source{a, b} {
		r, err := metrics.Register(meter, p)
		require.NoError(t, err)
		taken = append(taken, r)
	}
	require.NoError(t, fan.Enqueue("x"))
	require.NoError(t, fan.Close(t.Context()))
	c := collect(t, reader)
	require.EqualValues(t, 1, c.value(t, "penstock.events.delivered", "pipeline", "a"))
	require.EqualValues(t, 1, c.value(t, "penstock.events.delivered", "pipeline", "\uFFFD"), "an attribute is text")

	require.NoError(t, taken[0].Unregister())
	require.Len(t, collect(t, reader)["penstock.events.delivered"].values, 1)
	require.NoError(t, taken[1].Unregister())
	require.Empty(t, collect(t, reader))
}

// broken makes no gauges.
type broken struct{ noop.Meter }

func (broken) Int64ObservableGauge(string, ...metric.Int64ObservableGaugeOption) (metric.Int64ObservableGauge, error) {
	return nil, io.ErrClosedPipe
}

func TestRegisterRefuses(t *testing.T) {
	p := newPipeline(t, &sinks.Discard[string]{}, pipeline.Config[string]{})
	_, err := metrics.Register(nil, p)
	require.ErrorContains(t, err, "meter")
	_, err = metrics.Register(noop.Meter{}, nil)
	require.ErrorContains(t, err, "source")
	_, err = metrics.Register(noop.Meter{}, (*pipeline.Pipeline[string])(nil))
	require.ErrorContains(t, err, "source")
	_, err = metrics.Register(broken{}, p)
	require.True(t, errors.Is(err, io.ErrClosedPipe))
}
