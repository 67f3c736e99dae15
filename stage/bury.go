package stage

// Bury makes a Failure of a batch that a dead actor never received, so that
// its events still reach the error router. It is for whoever started the
// actor; name is the actor's, err why it died. A chunk has no receipt yet and
// gets one.
func Bury[T any](l *Ledger, b Batch[T], name string, err error) Failure[T] {
	if b.chunk {
		var bytes int64
		if b.buf != nil && b.buf.sizes != nil {
			for _, size := range b.buf.sizes[b.buf.n-len(b.Events) : b.buf.n] {
				bytes += size
			}
		}
		b.receipt = l.Issue(len(b.Events), bytes, b.span, max(b.Trigger, ByFlush))
	}
	return Failure[T]{Events: b.Events, Stage: name, Err: err, receipt: b.receipt}
}
