package logging_test

import (
	"context"
	"fmt"
	"log/slog"
	"os"

	"github.com/penstock-go/penstock/logging"
	"github.com/penstock-go/penstock/pipeline"
	"github.com/penstock-go/penstock/sinks"
)

type traceKey struct{}

// trace is an extractor. What it finds stands outside of the logger's groups.
func trace(ctx context.Context, attrs []slog.Attr) []slog.Attr {
	if id, ok := ctx.Value(traceKey{}).(string); ok {
		attrs = append(attrs, slog.String(logging.TraceIDKey, id))
	}
	return attrs
}

// Attributes from the context of a call, and Serilog's compact format, which
// has a place for the id of a trace.
func Example_context() {
	sink, err := sinks.NewConsole(os.Stdout, logging.EncodeCLEF)
	if err != nil {
		fmt.Println(err)
		return
	}
	p, err := pipeline.New(sink, pipeline.Config[logging.Record]{})
	if err != nil {
		fmt.Println(err)
		return
	}
	h, err := logging.NewHandler(p, logging.HandlerConfig{
		Extract: []logging.Extractor{trace},
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	logger := slog.New(untimed{h}).WithGroup("request")
	ctx := context.WithValue(context.Background(), traceKey{}, "4bf92f35")
	logger.WarnContext(ctx, "slow", "path", "/level")
	if err := p.Close(ctx); err != nil {
		fmt.Println(err)
	}
	// Output:
	// {"@m":"slow","@l":"Warning","@tr":"4bf92f35","request":{"path":"/level"}}
}
