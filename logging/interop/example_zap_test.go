package interop

import (
	"context"
	"fmt"
	"os"

	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"

	"github.com/penstock-go/penstock/logging"
	"github.com/penstock-go/penstock/pipeline"
	"github.com/penstock-go/penstock/sinks"
)

// zap in front of a pipeline.
func Example_zap() {
	sink, err := sinks.NewConsole(os.Stdout, logging.AppendLine)
	if err != nil {
		fmt.Println(err)
		return
	}
	p, err := pipeline.New(sink, pipeline.Config[[]byte]{})
	if err != nil {
		fmt.Println(err)
		return
	}
	w, err := logging.NewWriter(p, logging.WriterConfig{})
	if err != nil {
		fmt.Println(err)
		return
	}
	encoder := zapcore.NewJSONEncoder(zapcore.EncoderConfig{MessageKey: "msg"})
	logger := zap.New(zapcore.NewCore(encoder, w, zap.InfoLevel))
	logger.Info("gate open", zap.Float64("level", 3.2))
	fmt.Println(logger.Sync(), p.Close(context.Background()))
	// Output:
	// {"msg":"gate open","level":3.2}
	// <nil> <nil>
}
