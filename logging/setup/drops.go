package setup

import (
	"log/slog"
	"strconv"
	"time"

	"github.com/penstock-go/penstock/pipeline"
)

// DropTemplate is the template of the summary that an output gets when it has
// dropped records, as in "1,204 records dropped in 5 s". The record has the level
// Warning, and the attributes count; period; output, its name; and reasons, a
// group with a count for each: count and bytes for records evicted by these
// bounds, full, too_large and invalid for records refused. Records that failed
// in the sink are not among them.
//
// The count is of all records since the summary before. There is at most one
// summary for each Config.DropSummary, none while the one before may still be in
// the queue, and a last one at Close if there is something left to say. It takes
// no part in levels and filters, is important, and is counted like any record.
const DropTemplate = "{count:N0} records dropped in {period:l}"

// drops counts records that an output did not take, or did not keep.
type drops struct{ count, bytes, full, tooLarge, invalid uint64 }

func dropsOf(s *pipeline.Stats) drops {
	return drops{
		count: s.Evicted.Count, bytes: s.Evicted.Bytes,
		full: s.Rejected.Full, tooLarge: s.Rejected.TooLarge, invalid: s.Rejected.Invalid,
	}
}

func (d drops) minus(e drops) drops {
	return drops{d.count - e.count, d.bytes - e.bytes, d.full - e.full, d.tooLarge - e.tooLarge, d.invalid - e.invalid}
}

func (d drops) total() uint64 { return d.count + d.bytes + d.full + d.tooLarge + d.invalid }

// reasons returns the counts that are not zero, as Stats name them.
func (d drops) reasons() slog.Value {
	var attrs []slog.Attr
	for _, r := range []struct {
		name string
		n    uint64
	}{{"count", d.count}, {"bytes", d.bytes}, {"full", d.full}, {"too_large", d.tooLarge}, {"invalid", d.invalid}} {
		if r.n > 0 {
			attrs = append(attrs, slog.Uint64(r.name, r.n))
		}
	}
	return slog.GroupValue(attrs...)
}

// message returns the message of a summary, and the texts in it of the
// template's holes.
func (d drops) message(period time.Duration) (message string, renderings []string) {
	records := " records"
	if d.total() == 1 {
		records = " record"
	}
	count := thousands(d.total())
	seconds := strconv.FormatFloat(period.Round(time.Millisecond).Seconds(), 'f', -1, 64) + " s"
	return count + records + " dropped in " + seconds, []string{count, seconds}
}

// thousands writes n with a comma between groups of three digits.
func thousands(n uint64) string {
	digits := strconv.FormatUint(n, 10)
	var text []byte
	for i := range len(digits) {
		if i > 0 && (len(digits)-i)%3 == 0 {
			text = append(text, ',')
		}
		text = append(text, digits[i])
	}
	return string(text)
}
