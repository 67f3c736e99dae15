package term

import (
	"testing"
	"time"
)

func TestFormats(t *testing.T) {
	for d, want := range map[time.Duration]string{
		0: "0ns", 999: "999ns", 1000: "1.00µs", 9_994: "9.99µs", 12_345: "12.3µs", 123_456: "123µs",
		2_500_000: "2.50ms", 1_250_000_000: "1.25s", 90 * time.Second: "90.0s",
	} {
		if got := Brief(d); got != want {
			t.Errorf("%d: %s, want %s", int64(d), got, want)
		}
	}
	for n, want := range map[int64]string{0: "0", 999: "999", 1000: "1,000", 1234567: "1,234,567", -4321: "-4,321"} {
		if got := Signed(n); got != want {
			t.Errorf("%d: %s, want %s", n, got, want)
		}
	}
	if got := Wrap("aa bb  cc dddddd e", 5); got != "aa bb\ncc\ndddddd\ne" {
		t.Errorf("%q", got)
	}
}
