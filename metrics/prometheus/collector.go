// Package prometheus exports the Stats of a pipeline to Prometheus. It is a
// module of its own, so that only those who import it depend on the client.
//
// A [Collector] keeps no figures: each scrape takes one snapshot, which costs
// the pipeline some microseconds and never stops its producers.
//
// Register one Collector for each pipeline, and for each output of a Fan. The
// pipelines' names must differ within a registry, and a second registration of
// a name is refused. A pipeline that was closed shows its last figures until
// its Collector is unregistered.
package prometheus

import (
	"errors"
	"strings"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/penstock-go/penstock/internal/figures"
	"github.com/penstock-go/penstock/pipeline"
	"github.com/penstock-go/penstock/stage"
)

// Source is a pipeline of any type of event.
type Source interface {
	Name() string
	Stats() pipeline.Stats
}

// Collector is a prometheus.Collector with the figures of one pipeline. Its
// methods may be called concurrently.
type Collector struct {
	source  Source
	figures []*prometheus.Desc // of figures.All
	timings []*prometheus.Desc // of figures.Timings
	longest []*prometheus.Desc // likewise, of their greatest
}

// NewCollector returns a collector for source. The pipeline's name becomes the
// label pipeline of all its metrics.
func NewCollector(source Source) (*Collector, error) {
	if figures.IsNil(source) {
		return nil, errors.New("penstock: NewCollector's source is <nil>, must be a pipeline")
	}
	c := &Collector{source: source}
	of := prometheus.Labels{"pipeline": strings.ToValidUTF8(source.Name(), "\uFFFD")}
	for _, f := range figures.All {
		name := f.Name
		if f.Unit != "" {
			name += "_" + f.Unit
		}
		if f.Counter {
			name += "_total"
		}
		c.figures = append(c.figures, prometheus.NewDesc(full(name), f.Help+".", f.Labels, of))
	}
	for _, f := range figures.Timings {
		c.timings = append(c.timings, prometheus.NewDesc(full(f.Name+"_seconds"), f.Help+".", f.Labels, of))
		c.longest = append(c.longest, prometheus.NewDesc(full(f.Name+"_max_seconds"), f.Help+", the greatest since the start.", f.Labels, of))
	}
	return c, nil
}

func full(name string) string { return "penstock_" + strings.ReplaceAll(name, ".", "_") }

// Describe implements prometheus.Collector.
func (c *Collector) Describe(to chan<- *prometheus.Desc) {
	for _, descs := range [][]*prometheus.Desc{c.figures, c.timings, c.longest} {
		for _, d := range descs {
			to <- d
		}
	}
}

// Collect implements prometheus.Collector. All it sends is of one snapshot.
func (c *Collector) Collect(to chan<- prometheus.Metric) {
	s := c.source.Stats()
	for i, f := range figures.All {
		kind := prometheus.GaugeValue
		if f.Counter {
			kind = prometheus.CounterValue
		}
		f.Read(&s, func(v float64, labels ...string) { to <- number(c.figures[i], kind, v, labels) })
	}
	for i, f := range figures.Timings {
		f.Read(&s, func(q stage.Quantiles, labels ...string) {
			to <- summary(c.timings[i], q, labels)
			to <- number(c.longest[i], prometheus.GaugeValue, q.Max.Seconds(), labels)
		})
	}
}

func number(d *prometheus.Desc, kind prometheus.ValueType, v float64, labels []string) prometheus.Metric {
	m, err := prometheus.NewConstMetric(d, kind, v, valid(labels)...)
	return orInvalid(d, m, err)
}

func summary(d *prometheus.Desc, q stage.Quantiles, labels []string) prometheus.Metric {
	values := make(map[float64]float64, len(figures.Quantiles))
	for _, of := range figures.Quantiles {
		values[of.Share] = of.Of(q)
	}
	m, err := prometheus.NewConstSummary(d, q.Count, q.Sum.Seconds(), values, valid(labels)...)
	return orInvalid(d, m, err)
}

func orInvalid(d *prometheus.Desc, m prometheus.Metric, err error) prometheus.Metric {
	if err != nil {
		return prometheus.NewInvalidMetric(d, err)
	}
	return m
}

// valid replaces what Prometheus does not take in a label: a sink may call
// itself anything.
func valid(labels []string) []string {
	for i, l := range labels {
		labels[i] = strings.ToValidUTF8(l, "\uFFFD")
	}
	return labels
}
