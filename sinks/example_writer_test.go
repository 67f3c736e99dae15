package sinks_test

import (
	"context"
	"fmt"
	"os"
	"strconv"

	"github.com/penstock-go/penstock/sinks"
)

// Reading is an event.
type Reading struct {
	Sensor string
	Value  float64
}

// A Writer on any io.Writer, with an encoder in the style of strconv's Append
// functions. In a program the pipeline calls Write and Close.
func ExampleWriter() {
	s, err := sinks.NewConsole(os.Stdout, func(dst []byte, r Reading) ([]byte, error) {
		dst = append(dst, r.Sensor...)
		dst = append(dst, '=')
		dst = strconv.AppendFloat(dst, r.Value, 'f', 1, 64)
		return append(dst, '\n'), nil
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	if err := s.Write(context.Background(), []Reading{{"inlet", 4.25}, {"outlet", 1.5}}); err != nil {
		fmt.Println(err)
	}
	if err := s.Close(); err != nil {
		fmt.Println(err)
	}
	// Output:
	// inlet=4.2
	// outlet=1.5
}
