package prometheus_test

import (
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"
	"github.com/prometheus/client_golang/prometheus/testutil"
	dto "github.com/prometheus/client_model/go"
	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"
	"github.com/stretchr/testify/require"

	metrics "github.com/penstock-go/penstock/metrics/prometheus"
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

func newCollector(t *testing.T, source metrics.Source) *metrics.Collector {
	t.Helper()
	c, err := metrics.NewCollector(source)
	require.NoError(t, err)
	return c
}

// scrape is a GET over a connection, parsed as a Prometheus server would.
func scrape(t *testing.T, registry *prometheus.Registry) map[string]*dto.MetricFamily {
	t.Helper()
	server := httptest.NewServer(promhttp.HandlerFor(registry, promhttp.HandlerOpts{}))
	defer server.Close()
	resp, err := server.Client().Get(server.URL + "/metrics")
	require.NoError(t, err)
	defer func() { _ = resp.Body.Close() }()
	require.Equal(t, http.StatusOK, resp.StatusCode)
	parser := expfmt.NewTextParser(model.UTF8Validation)
	families, err := parser.TextToMetricFamilies(resp.Body)
	require.NoError(t, err)
	return families
}

// series finds the one metric of a family that has these labels.
func series(t *testing.T, families map[string]*dto.MetricFamily, name string, labels map[string]string) *dto.Metric {
	t.Helper()
	require.Contains(t, families, name)
	var found []*dto.Metric
	for _, m := range families[name].Metric {
		have := map[string]string{}
		for _, l := range m.Label {
			have[l.GetName()] = l.GetValue()
		}
		matches := true
		for k, v := range labels {
			matches = matches && have[k] == v
		}
		if matches {
			found = append(found, m)
		}
	}
	require.Len(t, found, 1, "%s%v", name, labels)
	return found[0]
}

func TestScrapeIsWhatStatsSay(t *testing.T) {
	dead := &sinks.Memory[string]{}
	sink := &sinks.Memory[string]{Fail: func(call int, lines []string) error {
		if strings.HasPrefix(lines[0], "bad") {
			return io.EOF
		}
		return nil
	}}
	p := newPipeline(t, sink, pipeline.Config[string]{Name: "gate", BatchSize: 2, Routes: []stage.Route[string]{{To: dead}}})
	registry := prometheus.NewPedanticRegistry()
	require.NoError(t, registry.Register(newCollector(t, p)))

	families := scrape(t, registry)
	require.Zero(t, series(t, families, "penstock_events_accepted_total", nil).Counter.GetValue(), "there from the start")
	require.Zero(t, series(t, families, "penstock_sink_latency_seconds", map[string]string{"role": "main"}).Summary.GetSampleCount())

	_, err := p.EnqueueAll([]string{"a", "b", "bad", "c", "d"})
	require.NoError(t, err)
	require.NoError(t, p.Flush(t.Context()))
	require.NoError(t, p.Close(t.Context()))
	require.ErrorIs(t, p.Enqueue("late"), stage.ErrClosed)

	s, families := p.Stats(), scrape(t, registry)
	number := func(name string, labels map[string]string) float64 {
		m := series(t, families, name, labels)
		require.Equal(t, "gate", m.Label[0].GetValue())
		if m.Counter != nil {
			return m.Counter.GetValue()
		}
		return m.Gauge.GetValue()
	}
	with := func(pairs ...string) map[string]string {
		labels := map[string]string{}
		for i := 0; i < len(pairs); i += 2 {
			labels[pairs[i]] = pairs[i+1]
		}
		return labels
	}
	require.EqualValues(t, 5, number("penstock_events_accepted_total", nil))
	require.EqualValues(t, 3, number("penstock_events_delivered_total", nil))
	require.EqualValues(t, 2, number("penstock_events_rerouted_total", nil))
	require.EqualValues(t, 1, number("penstock_events_rejected_total", with("reason", "closed")))
	require.EqualValues(t, 0, number("penstock_events_lost_total", with("reason", "in_doubt")))
	require.EqualValues(t, 0, number("penstock_events_in_flight", nil))
	require.EqualValues(t, s.BatchEvents.Size, number("penstock_batch_events_total", with("trigger", "size")))
	main := with("role", "main", "sink", s.Sinks[0].Name)
	require.EqualValues(t, s.Sinks[0].Calls, number("penstock_sink_calls_total", main))
	require.EqualValues(t, 1, number("penstock_sink_failed_calls_total", main))
	require.EqualValues(t, 2, number("penstock_sink_events_total", with("role", "route0")))

	latency := series(t, families, "penstock_sink_latency_seconds", main).Summary
	require.Equal(t, s.Sinks[0].Latency.Count, latency.GetSampleCount())
	require.InDelta(t, s.Sinks[0].Latency.Sum.Seconds(), latency.GetSampleSum(), 1e-9)
	require.Len(t, latency.Quantile, 3)
	require.Equal(t, 0.99, latency.Quantile[2].GetQuantile())
	require.InDelta(t, s.Sinks[0].Latency.P99.Seconds(), latency.Quantile[2].GetValue(), 1e-9)
	require.InDelta(t, s.Sinks[0].Latency.Max.Seconds(), number("penstock_sink_latency_max_seconds", main), 1e-9)
	require.Equal(t, s.Age.Count, series(t, families, "penstock_age_seconds", nil).Summary.GetSampleCount())
}

func TestLinterHasNoComplaints(t *testing.T) {
	p := newPipeline(t, &sinks.Discard[string]{}, pipeline.Config[string]{Routes: []stage.Route[string]{{To: &sinks.Discard[string]{}}}})
	c := newCollector(t, p)
	problems, err := testutil.CollectAndLint(c)
	require.NoError(t, err)
	require.Empty(t, problems)
	require.Greater(t, testutil.CollectAndCount(c), 50)
}

// A registry takes several pipelines, the outputs of a Fan as well; not two of
// one name; and lets each go.
func TestSeveralPipelines(t *testing.T) {
	a := newPipeline(t, &sinks.Discard[string]{}, pipeline.Config[string]{Name: "a"})
	b := newPipeline(t, &sinks.Discard[string]{}, pipeline.Config[string]{Name: "b"})
	fan, err := pipeline.NewFan(a, b)
	require.NoError(t, err)
	registry := prometheus.NewPedanticRegistry()
	ofA, ofB := newCollector(t, a), newCollector(t, b)
	require.NoError(t, registry.Register(ofA))
	require.NoError(t, registry.Register(ofB))
	require.Error(t, registry.Register(newCollector(t, a)), "figures of one name would be mixed up")

	require.NoError(t, fan.Enqueue("x"))
	require.NoError(t, fan.Flush(t.Context()))
	families := scrape(t, registry)
	for _, name := range []string{"a", "b"} {
		require.EqualValues(t, 1, series(t, families, "penstock_events_delivered_total", map[string]string{"pipeline": name}).Counter.GetValue())
	}
	require.NoError(t, a.Close(t.Context()))
	require.EqualValues(t, 1, series(t, scrape(t, registry), "penstock_events_delivered_total", map[string]string{"pipeline": "a"}).Counter.GetValue(), "the last figures")
	require.True(t, registry.Unregister(ofA))
	require.Len(t, scrape(t, registry)["penstock_events_delivered_total"].Metric, 1)
	require.NoError(t, registry.Register(ofA), "the name is free again")
}

// odd is a sink that calls itself what no label may be.
type odd struct{ sinks.Discard[string] }

func (*odd) Name() string { return "\xff" }

func TestNamesThatAreNoText(t *testing.T) {
	p := newPipeline(t, &odd{}, pipeline.Config[string]{})
	registry := prometheus.NewPedanticRegistry()
	require.NoError(t, registry.Register(newCollector(t, p)))
	series(t, scrape(t, registry), "penstock_sink_calls_total", map[string]string{"sink": "\uFFFD", "pipeline": "\uFFFD"})
}

func TestCollectorNeedsAPipeline(t *testing.T) {
	for _, source := range []metrics.Source{nil, (*pipeline.Pipeline[string])(nil)} {
		_, err := metrics.NewCollector(source)
		require.ErrorContains(t, err, "source")
	}
}
