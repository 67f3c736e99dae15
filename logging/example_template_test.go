package logging_test

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"time"

	"github.com/penstock-go/penstock/logging"
	"github.com/penstock-go/penstock/pipeline"
	"github.com/penstock-go/penstock/sinks"
)

// A logger by message templates, through a pipeline to the console. The time
// is left out for the sake of the example.
func ExampleLogger() {
	sink, err := sinks.NewConsole(os.Stdout, func(dst []byte, r logging.Record) ([]byte, error) {
		r.Time = time.Time{}
		return logging.EncodeText(dst, r)
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	p, err := pipeline.New(sink, pipeline.Config[logging.Record]{})
	if err != nil {
		fmt.Println(err)
		return
	}
	h, err := logging.NewHandler(p, logging.HandlerConfig{})
	if err != nil {
		fmt.Println(err)
		return
	}
	log, err := logging.NewLogger(h, logging.LoggerConfig{})
	if err != nil {
		fmt.Println(err)
		return
	}
	log.Information("User {UserId} bought {@Cart} for {Price:0.00}", 42, []string{"boat", "oar"}, 9.5)
	log.ForContext(slog.String("gate", "north")).Warning("Level {Level} above {Limit,6:0.0}", "high", 3.25)
	fmt.Println(p.Close(context.Background()))
	// Output:
	// level=INFO msg="User 42 bought [\"boat\",\"oar\"] for 9.50" UserId=42 Cart="[\"boat\",\"oar\"]" Price=9.5
	// level=WARN msg="Level \"high\" above    3.2" gate=north Level=high Limit=3.25
	// <nil>
}

// A template works without a logger too. It is parsed once, and holes that are
// numbers are positions.
func ExampleParseTemplate() {
	t := logging.ParseTemplate("{1:#,##0.0} of {0:l}, {{{2}}}")
	fmt.Println(string(t.Append(nil, "water", 1234.56, "{0}")))
	fmt.Println(t.Attrs(nil, "water", 1234.56, "{0}", "left over"))
	// Output:
	// 1,234.6 of water, {"{0}"}
	// [1=1234.56 0=water 2={0} __3=left over]
}

func ExampleParseLevel() {
	for _, text := range []string{"Warning", "ftl", "info", "loud"} {
		level, err := logging.ParseLevel(text)
		if err != nil {
			fmt.Println(err)
			continue
		}
		fmt.Println(logging.LevelAbbrev(level), int(level))
	}
	// Output:
	// WRN 4
	// FTL 12
	// INF 0
	// penstock: level "loud": want one of Verbose, Debug, Information, Warning, Error, Fatal, or three letters, or slog's names
}
