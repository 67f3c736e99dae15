package sim

import (
	"time"

	"github.com/penstock-go/penstock/sinks"
	"github.com/penstock-go/penstock/stage"
)

// wrapped is a sink with its decorators around it.
func wrapped(s stage.Sink[event], plan []wrap, seed uint64) (outer stage.Sink[event], err error) {
	outer = s
	for _, p := range plan {
		if err != nil {
			return nil, err
		}
		switch p.Kind {
		case retry:
			outer, err = sinks.NewRetry(outer, sinks.RetryConfig{Initial: p.Short, Max: p.Long, MaxAttempts: p.Times, Seed: seed})
		case breaker:
			outer, err = sinks.NewBreaker(outer, sinks.BreakerConfig{Failures: p.Times, CoolDown: p.Long, Hold: p.Holds})
		case timeout:
			outer, err = sinks.NewTimeout(outer, sinks.TimeoutConfig{Limit: p.Long, Grace: p.Short})
		case rate:
			outer, err = sinks.NewRateLimit(outer, sinks.RateLimitConfig{
				Events: float64(p.Times) * float64(time.Second) / float64(p.Short), Burst: p.Times,
			})
		}
	}
	return outer, err
}
