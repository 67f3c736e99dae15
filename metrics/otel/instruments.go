package otel

import (
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"

	"github.com/penstock-go/penstock/internal/figures"
	"github.com/penstock-go/penstock/pipeline"
	"github.com/penstock-go/penstock/stage"
)

// number makes the instrument of a figure that is a number.
func (e *exporter) number(f figures.Figure) {
	unit := "1"
	if f.Unit == "bytes" {
		unit = "By"
	}
	name, about, in := "penstock."+f.Name, metric.WithDescription(f.Help), metric.WithUnit(unit)
	var i metric.Int64Observable
	var err error
	if f.Counter {
		i, err = e.meter.Int64ObservableCounter(name, about, in)
	} else {
		i, err = e.meter.Int64ObservableGauge(name, about, in)
	}
	e.add(i, err, func(to metric.Observer, s *pipeline.Stats) {
		f.Read(s, func(v float64, labels ...string) { to.ObserveInt64(i, int64(v), e.with(f.Labels, labels)) })
	})
}

// timing makes the instruments of a figure that is a distribution.
func (e *exporter) timing(f figures.Timing) {
	name := "penstock." + f.Name
	about, seconds := metric.WithDescription(f.Help), metric.WithUnit("s")
	quantiles, err := e.meter.Float64ObservableGauge(name, about, seconds)
	e.add(quantiles, err, func(to metric.Observer, s *pipeline.Stats) {
		f.Read(s, func(q stage.Quantiles, labels ...string) {
			at := func(share string, v float64) {
				to.ObserveFloat64(quantiles, v, e.with(f.Labels, labels, attribute.String("quantile", share)))
			}
			for _, of := range figures.Quantiles {
				at(of.Text, of.Of(q))
			}
			at("1", q.Max.Seconds())
		})
	})
	sum, err := e.meter.Float64ObservableCounter(name+".sum", metric.WithDescription(f.Help+", the sum"), seconds)
	e.add(sum, err, func(to metric.Observer, s *pipeline.Stats) {
		f.Read(s, func(q stage.Quantiles, labels ...string) {
			to.ObserveFloat64(sum, q.Sum.Seconds(), e.with(f.Labels, labels))
		})
	})
	count, err := e.meter.Int64ObservableCounter(name+".count", metric.WithDescription(f.Help+", how many there were"), metric.WithUnit("1"))
	e.add(count, err, func(to metric.Observer, s *pipeline.Stats) {
		f.Read(s, func(q stage.Quantiles, labels ...string) {
			to.ObserveInt64(count, int64(q.Count), e.with(f.Labels, labels))
		})
	})
}
