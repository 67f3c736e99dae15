package stage

// simBarrier calls Flush once.
type simBarrier struct {
	*sim
	at    simTime // when it begins, and then how long it waits
	stage int
	mark  *Mark
	made  int // how far the books were when the mark was made
	reply chan error
}

const (
	flushComes = iota
	flushWaits // for the mark
	flushSyncs // waits for the sink's flush
	flushEnds  // waits for the routes' flush
	flushOver
)

func (f *simBarrier) name() string { return "caller of Flush" }

func (f *simBarrier) over() bool { return f.stage == flushOver }

func (f *simBarrier) next() simTime {
	switch {
	case f.stage == flushOver:
		return simNever
	case f.stage == flushComes:
		return f.at
	case f.stage == flushWaits && (isDone(f.mark) || f.judged),
		f.stage >= flushSyncs && (len(f.reply) > 0 || f.judged):
		return 0
	}
	return f.at
}

func (f *simBarrier) step() {
	switch {
	case f.stage == flushComes:
		f.mark, f.made = f.q.Mark(), f.books.clock
		f.stage, f.at = flushWaits, f.soon(200)
	case f.stage == flushWaits:
		f.passed()
	case len(f.reply) > 0:
		<-f.reply
		if f.stage++; f.stage == flushEnds {
			f.ask(&f.syncs.router)
			return
		}
		f.saw(simFlushed)
	default: // out of patience, or the pipeline has ended
		f.stage = flushOver
	}
}

// passed looks at a mark that is done, or that nobody waits for any more.
func (f *simBarrier) passed() {
	done := isDone(f.mark)
	told := f.l.Forget(f.mark)
	if f.sealed {
		f.saw(simFlushClose)
	}
	if !done {
		f.stage = flushOver
		return
	}
	lost := f.books.barrier(f.made)
	if told < lost || told > lost && !f.l.over() {
		f.wrong("Flush is told of %d events lost before its mark, and it were %d", told, lost)
	}
	if told > 0 {
		f.saw(simFlushLoss)
	}
	f.stage = flushSyncs
	f.ask(&f.syncs.flusher)
}

// ask asks an actor to flush its sinks.
func (f *simBarrier) ask(who *[]SyncRequest) {
	f.reply = make(chan error, 1)
	*who = append(*who, SyncRequest{Reply: f.reply})
}
