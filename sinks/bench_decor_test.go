package sinks

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/penstock-go/penstock/stage"
)

// BenchmarkDecorator is what each decorator adds to a batch when nothing fails.
func BenchmarkDecorator(b *testing.B) {
	for _, c := range []struct {
		name  string
		build func(stage.Sink[record]) (stage.Sink[record], error)
	}{
		{"none", func(s stage.Sink[record]) (stage.Sink[record], error) { return s, nil }},
		{"retry", func(s stage.Sink[record]) (stage.Sink[record], error) { return NewRetry(s, RetryConfig{}) }},
		{"breaker/failures", func(s stage.Sink[record]) (stage.Sink[record], error) { return NewBreaker(s, BreakerConfig{}) }},
		{"breaker/calls", func(s stage.Sink[record]) (stage.Sink[record], error) {
			return NewBreaker(s, BreakerConfig{Rate: 0.5})
		}},
		{"breaker/time", func(s stage.Sink[record]) (stage.Sink[record], error) {
			return NewBreaker(s, BreakerConfig{Rate: 0.5, Window: time.Minute})
		}},
		{"timeout", func(s stage.Sink[record]) (stage.Sink[record], error) { return NewTimeout(s, TimeoutConfig{}) }},
		{"rate", func(s stage.Sink[record]) (stage.Sink[record], error) {
			return NewRateLimit(s, RateLimitConfig{Events: 1e15})
		}},
	} {
		b.Run(c.name, func(b *testing.B) {
			var to Discard[record]
			s, err := c.build(&to)
			require.NoError(b, err)
			ctx, _ := stage.Watched(stage.WithScope(b.Context(), stage.Scope{Draining: make(chan struct{})}))
			events := make([]record, 512)
			b.ReportAllocs()
			for b.Loop() {
				if err := s.Write(ctx, events); err != nil {
					b.Fatal(err)
				}
			}
			require.NoError(b, stage.CloseSink(s))
			require.EqualValues(b, b.N*len(events), to.Count())
		})
	}
}

// record is an event of 128 bytes.
type record [128]byte
