package setup

import (
	"log/slog"
	"math/big"

	"github.com/penstock-go/penstock/logging"
)

// frozen returns v as records have it.
func frozen(v slog.Value) slog.Value {
	if v.Kind() != slog.KindAny || v.Any() == nil {
		return v
	}
	if _, done := v.Any().(*logging.Rendered); done {
		return v
	}
	return rendered(v.Any())
}

func rendered(v any) slog.Value {
	return slog.AnyValue(logging.Render(v, logging.FormText|logging.FormJSON))
}

// equal compares a record's value with one that frozen returned.
func equal(v, want slog.Value) bool {
	if v.Kind() == want.Kind() {
		x, ok := v.Any().(*logging.Rendered)
		y, also := want.Any().(*logging.Rendered)
		if ok && also {
			return x.Equal(y)
		}
		return ok == also && v.Equal(want)
	}
	x, ok := number(v)
	y, also := number(want)
	return ok && also && x.Cmp(y) == 0
}

// number returns the exact value of a number.
func number(v slog.Value) (*big.Float, bool) {
	const exact = 64 // bits, which is as many as any of them has
	f := new(big.Float).SetPrec(exact)
	switch v.Kind() {
	case slog.KindInt64:
		return f.SetInt64(v.Int64()), true
	case slog.KindUint64:
		return f.SetUint64(v.Uint64()), true
	case slog.KindFloat64:
		if x := v.Float64(); x == x {
			return f.SetFloat64(x), true
		}
	}
	return nil, false
}
