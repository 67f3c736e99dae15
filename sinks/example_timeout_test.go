package sinks_test

import (
	"context"
	"errors"
	"fmt"
	"log"
	"time"

	"github.com/penstock-go/penstock/sinks"
	"github.com/penstock-go/penstock/stage"
)

// The order decides what the limit is for. Inside the retry it is for each
// attempt, and one that takes too long is followed by another. Around it, it is
// for all of them with the waits in between.
func ExampleTimeout() {
	slow := stage.SinkFunc[string](func(ctx context.Context, _ []string) error {
		<-ctx.Done() // as a good sink does
		return ctx.Err()
	})
	limit := sinks.TimeoutConfig{Limit: 20 * time.Millisecond}
	again := sinks.RetryConfig{Initial: time.Millisecond, MaxAttempts: 3}

	each, err := sinks.NewTimeout(slow, limit)
	if err != nil {
		log.Fatal(err)
	}
	inside, err := sinks.NewRetry(each, again)
	if err != nil {
		log.Fatal(err)
	}
	retry, err := sinks.NewRetry(slow, again)
	if err != nil {
		log.Fatal(err)
	}
	around, err := sinks.NewTimeout(retry, limit)
	if err != nil {
		log.Fatal(err)
	}
	for _, s := range []stage.Sink[string]{inside, around} {
		err := s.Write(context.Background(), []string{"hello"})
		var gaveUp *sinks.RetryError
		fmt.Println(errors.As(err, &gaveUp), gaveUp.Attempts, errors.Is(err, sinks.ErrTimeout))
		if err := stage.CloseSink(s); err != nil {
			fmt.Println(err)
		}
	}
	// Output:
	// true 3 true
	// true 1 true
}
