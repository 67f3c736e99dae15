package clockutil

import (
	"reflect"

	"github.com/benbjohnson/clock"
)

// isSystem reports whether clk is the system's clock. The test is on the
// concrete type, which the clock package does not export: asserting that clk is
// no *clock.Mock would take a type that embeds the mock for the system's clock.
func isSystem(clk clock.Clock) bool {
	return clk == nil || reflect.TypeOf(clk) == reflect.TypeOf(clock.New())
}

// sameClock reports whether a and b are one clock, so that their instants may
// be compared. Implementations that Go cannot compare are taken as different.
func sameClock(a, b clock.Clock) bool {
	return reflect.ValueOf(a).Comparable() && reflect.ValueOf(b).Comparable() && a == b
}
