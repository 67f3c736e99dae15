// Package otel exports the Stats of a pipeline through OpenTelemetry's metric
// API. It is a module of its own, so that only those who import it depend on
// that.
//
// The instruments are asynchronous: each collection takes one snapshot, which
// costs the pipeline some microseconds and never stops its producers, and
// nothing is recorded in between.
//
// Every measurement has the attribute pipeline with the pipeline's name. Call
// [Register] for each pipeline, and for each output of a Fan, with names that
// differ. A pipeline that was closed shows its last figures until its
// registration is taken back.
package otel

import (
	"context"
	"errors"
	"strings"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"

	"github.com/penstock-go/penstock/internal/figures"
	"github.com/penstock-go/penstock/pipeline"
)

// Source is a pipeline of any type of event.
type Source interface {
	Name() string
	Stats() pipeline.Stats
}

// Register makes meter observe source until the registration's Unregister is
// called, which is to be done after the pipeline's Close. Several pipelines may
// use one meter.
//
// OpenTelemetry has no asynchronous instrument for distributions. Those of
// penstock come as two counters, count and sum, and a gauge with the attribute
// quantile, of which 1 is the greatest.
func Register(meter metric.Meter, source Source) (metric.Registration, error) {
	switch {
	case meter == nil:
		return nil, errors.New("penstock: Register's meter is <nil>, must be a meter")
	case figures.IsNil(source):
		return nil, errors.New("penstock: Register's source is <nil>, must be a pipeline")
	}
	e := exporter{source: source, meter: meter, pipeline: attribute.String("pipeline", text(source.Name()))}
	for _, f := range figures.All {
		e.number(f)
	}
	for _, f := range figures.Timings {
		e.timing(f)
	}
	if err := errors.Join(e.errs...); err != nil {
		return nil, err
	}
	return meter.RegisterCallback(e.observe, e.instruments...)
}

// text is s as an attribute may be.
func text(s string) string { return strings.ToValidUTF8(s, "\uFFFD") }

// exporter holds what one registration observes. It does not change once it is
// registered.
type exporter struct {
	source      Source
	meter       metric.Meter
	pipeline    attribute.KeyValue
	instruments []metric.Observable
	reads       []read
	errs        []error
}

// read observes one figure.
type read func(to metric.Observer, s *pipeline.Stats)

func (e *exporter) observe(_ context.Context, to metric.Observer) error {
	s := e.source.Stats()
	for _, read := range e.reads {
		read(to, &s)
	}
	return nil
}

// add notes an instrument and what reads it.
func (e *exporter) add(i metric.Observable, err error, r read) {
	e.instruments = append(e.instruments, i)
	e.errs = append(e.errs, err)
	e.reads = append(e.reads, r)
}

// with returns the attributes of a measurement.
func (e *exporter) with(names, values []string, more ...attribute.KeyValue) metric.MeasurementOption {
	set := append([]attribute.KeyValue{e.pipeline}, more...)
	for i, name := range names {
		set = append(set, attribute.String(name, text(values[i])))
	}
	return metric.WithAttributeSet(attribute.NewSet(set...))
}
