package main

import (
	"context"
	"time"

	"go.opentelemetry.io/otel/attribute"
	otellog "go.opentelemetry.io/otel/log"
	sdklog "go.opentelemetry.io/otel/sdk/log"
)

// otelPeer is OpenTelemetry's batch processor. Producers hand it a record that
// was made before; it copies records, and nothing in them.
type otelPeer struct {
	b      *sdklog.BatchProcessor
	record sdklog.Record
}

func openOtel(s setup) (peer, error) {
	options := []sdklog.BatchProcessorOption{sdklog.WithMaxQueueSize(s.queue), sdklog.WithExportTimeout(time.Hour)}
	if s.delay > 0 {
		options = append(options, sdklog.WithExportInterval(s.delay))
	}
	return &otelPeer{sdklog.NewBatchProcessor(otelExporter{s.out}, options...), otelRecord()}, nil
}

func (p *otelPeer) producer() send {
	ctx, r := context.Background(), p.record
	return func(uint64, int64) bool { return p.b.OnEmit(ctx, &r) == nil }
}

func (p *otelPeer) flush()       { _ = p.b.ForceFlush(context.Background()) }
func (p *otelPeer) close() error { return p.b.Shutdown(context.Background()) }

// dropped: the count goes to a logger that is silent unless told otherwise.
func (p *otelPeer) dropped() (uint64, bool) { return 0, false }

// otelExporter counts records. Into a file go as many lines, by one write.
type otelExporter struct{ out *output }

func (e otelExporter) Export(_ context.Context, records []sdklog.Record) error {
	if e.out.gate != nil {
		<-e.out.gate
	}
	for i := range records {
		e.out.sum += uint64(records[i].Severity())
	}
	e.out.batch(len(records))
	return e.out.err
}

func (otelExporter) ForceFlush(context.Context) error { return nil }
func (otelExporter) Shutdown(context.Context) error   { return nil }

// otelRecord returns a record as a provider makes it, with its limits.
func otelRecord() (made sdklog.Record) {
	provider := sdklog.NewLoggerProvider(sdklog.WithProcessor(otelCapture{&made}))
	var r otellog.Record
	r.SetTimestamp(time.Now())
	r.SetSeverity(otellog.SeverityInfo)
	r.SetBody(attribute.StringValue("request served"))
	r.AddAttributes(attribute.Int("status", 200), attribute.String("path", "/api/orders"), attribute.Int("us", 1500))
	provider.Logger("bench").Emit(context.Background(), r)
	return made
}

// otelCapture keeps the last record.
type otelCapture struct{ to *sdklog.Record }

func (c otelCapture) OnEmit(_ context.Context, r *sdklog.Record) error { *c.to = r.Clone(); return nil }
func (otelCapture) Enabled(context.Context, sdklog.EnabledParameters) bool {
	return true
}
func (otelCapture) ForceFlush(context.Context) error { return nil }
func (otelCapture) Shutdown(context.Context) error   { return nil }
