package setup

import (
	"errors"
	"log/slog"
	"math"
	"sync/atomic"

	"github.com/penstock-go/penstock/logging"
	"github.com/penstock-go/penstock/pipeline"
	"github.com/penstock-go/penstock/stage"
)

// fan offers each record to the outputs that want it. Unlike a pipeline.Fan it
// asks each of them first.
type fan struct {
	filter  Filter
	outputs []*output

	records  atomic.Uint64
	filtered atomic.Uint64
	panics   atomic.Uint64
}

// output is an Output at work.
type output struct {
	pipe    *pipeline.Pipeline[logging.Record]
	level   slog.Leveler // nil: takes everything
	filter  Filter
	summary *summary // nil: nobody asked for it

	below    atomic.Uint64
	filtered atomic.Uint64
}

// least returns the least level that the output takes.
func (o *output) least() slog.Level {
	if o.level == nil {
		return math.MinInt
	}
	return o.level.Level()
}

// level returns the least level that any output takes.
func (f *fan) level() slog.Level {
	level := slog.Level(math.MaxInt)
	for _, o := range f.outputs {
		level = min(level, o.least())
	}
	return level
}

// Enqueue offers r to the outputs whose level and filter let it through, and
// joins their errors as a [pipeline.Fan] does.
func (f *fan) Enqueue(r logging.Record) error {
	f.records.Add(1)
	if f.filter != nil && !f.keeps(f.filter, r) {
		f.filtered.Add(1)
		return nil
	}
	var errs []error
	for _, o := range f.outputs {
		switch {
		case r.Level < o.least():
			o.below.Add(1)
			continue
		case o.filter != nil && !f.keeps(o.filter, r):
			o.filtered.Add(1)
			continue
		}
		if err := o.pipe.Enqueue(r); err != nil {
			errs = append(errs, &pipeline.OutputError{Output: o.pipe.Name(), Err: err})
			if o.summary != nil && !errors.Is(err, stage.ErrClosed) {
				o.summary.noticed()
			}
		}
	}
	return errors.Join(errs...)
}

// keeps asks a filter, and takes its panic for a yes.
func (f *fan) keeps(filter Filter, r logging.Record) (kept bool) {
	defer func() {
		if v := recover(); v != nil {
			f.panics.Add(1)
			kept = true
		}
	}()
	return filter(r)
}
