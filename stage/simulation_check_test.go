package stage

// check holds the books of the code under test against those of single events.
// It is called after every step.
func (b *simBooks) check() {
	if b.err != nil {
		return
	}
	b.refresh()
	is := &b.is
	evicted := is.Evicted[EvictedCount] + is.Evicted[EvictedBytes]
	spilled := is.Spilled - b.fetched // and not fetched
	for _, pair := range [...]struct {
		what        string
		books, seen uint64
	}{
		{"accepted", is.Accepted, uint64(len(b.events)) - b.n[simOffered] - b.n[simRefused]},
		{"depth, evicted and spilled", uint64(is.Depth) + evicted + spilled, b.n[simWaiting] + b.n[simEvicted]},
		{"in flight", is.InFlight - spilled, b.n[simPassing] + b.n[simCalling]},
		{"delivered", is.Delivered, b.n[simDelivered]},
		{"rerouted", is.Rerouted, b.n[simRerouted]},
		{"filtered", is.Filtered, b.n[simFiltered]},
		{"misuse", is.Misuse, b.misuse},
		{"waiting callers", uint64(is.Waiting - b.q.waiters.dozers), b.n[simOffered]},
	} {
		if pair.books != pair.seen {
			b.wrong("%s: the books say %d, single events %d", pair.what, pair.books, pair.seen)
		}
	}
	if is.Lost != b.lost {
		b.wrong("lost: the books say %v, single events %v", is.Lost, b.lost)
	}
	if is.Rejected != b.rejected {
		b.wrong("rejected: the books say %v, single events %v", is.Rejected, b.rejected)
	}
	for _, f := range b.barriers {
		if f.stage == flushWaits && isDone(f.mark) {
			b.barrier(f.made)
		}
	}
	cfg := &b.q.cfg
	if is.Depth > cfg.QueueSize || is.Bytes < 0 || cfg.QueueBytes > 0 && is.Bytes > cfg.QueueBytes {
		b.wrong("the queue of %d events and %d bytes holds %d and %d", cfg.QueueSize, cfg.QueueBytes, is.Depth, is.Bytes)
	}
	if b.enqueue.then == sleep && is.Depth > 0 && len(b.q.wake) == 0 && !b.dead {
		b.wrong("%d events wait, and nobody wakes the actor", is.Depth)
	}
	if n, a := b.q.waiters.dozers, b.enqueue; n > 0 && (a.then != deliver || a.out.busy() && a.relieved && !a.dozing) {
		b.wrong("%d callers doze, and nobody wakes them", n)
	}
}

// refresh takes note of what the books say, and of callers who were let in.
func (b *simBooks) refresh() {
	b.hear()
	b.is = b.q.Books()
}

// final is check when everything has come to its end.
func (b *simBooks) final() {
	if b.err != nil {
		return
	}
	if open := b.n[simOffered] + b.n[simPassing] + b.n[simCalling]; open > 0 || b.n[simWaiting] != b.hidden || b.is.Bytes != 0 {
		b.wrong("%d events wait, %d are on their way, and %d bytes are left", b.n[simWaiting]-b.hidden, open, b.is.Bytes)
	}
	if b.evicted != b.is.Evicted {
		b.wrong("evicted %v, and the drop hook has heard of %v", b.is.Evicted, b.evicted)
	}
	for i := range b.events {
		e := &b.events[i]
		want := 0
		if e.fate == simRerouted || e.fate == simLost && !e.dark {
			want = 1
		}
		if e.reported != want {
			b.wrong("event %d, which is %v, was reported %d times", i+1, e.fate, e.reported)
		}
	}
}
