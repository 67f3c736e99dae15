package stage

import "fmt"

// SinkReport is what a sink and its decorators count themselves, because nobody
// outside can: the pipeline sees one call where a retry has made five.
type SinkReport struct {
	Bytes     uint64       `json:"bytes"`     // written to the destination
	Retries   uint64       `json:"retries"`   // attempts after the first
	Abandoned uint64       `json:"abandoned"` // calls given up that ignored their context
	Throttled uint64       `json:"throttled"` // calls that had to wait for a rate limit
	Opened    uint64       `json:"opened"`    // times a circuit breaker has opened
	Breaker   BreakerState `json:"breaker"`
}

// BreakerState is what a circuit breaker lets through.
type BreakerState uint8

// The states, the one that lets most through first.
const (
	NoBreaker BreakerState = iota // there is none
	BreakerClosed
	BreakerHalfOpen // a few calls, to see whether the sink has recovered
	BreakerOpen     // nothing

	numBreakerState
)

var breakerStateNames = [numBreakerState]string{"none", "closed", "half_open", "open"}

// String returns the lower-case name that Stats uses.
func (s BreakerState) String() string { return name(breakerStateNames[:], int(s)) }

// MarshalText returns the name.
func (s BreakerState) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// UnmarshalText takes a name back.
func (s *BreakerState) UnmarshalText(text []byte) error {
	for i, name := range breakerStateNames {
		if string(text) == name {
			*s = BreakerState(i)
			return nil
		}
	}
	return fmt.Errorf("penstock: no breaker state is called %q", text)
}

// ReportSink calls sink's method Report(*SinkReport), if it has one. Report
// adds to what is there, keeps the worse of two breaker states, is safe
// for concurrent use with Write, and does not wait for one. Decorators use
// ReportSink to pass the report on to what they wrap.
func ReportSink[T any](sink Sink[T], r *SinkReport) {
	if s, ok := sink.(interface{ Report(*SinkReport) }); ok {
		s.Report(r)
	}
}
