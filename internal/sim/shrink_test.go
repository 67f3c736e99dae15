package sim

import (
	"encoding/json"
	"iter"
	"slices"
)

// shrink returns the smallest plan it finds that still fails. What is tried is
// to leave something out, as long as that helps.
func shrink(p plan, fails func(plan) bool) plan {
	for smaller := true; smaller; {
		smaller = false
		for q := range less(p) {
			if fails(q) {
				p, smaller = q, true
				break
			}
		}
	}
	return p
}

// less yields plans with something left out, the most first.
func less(p plan) iter.Seq[plan] {
	return func(yield func(plan) bool) {
		try := func(change func(*plan)) bool {
			q := copied(p)
			change(&q)
			return yield(q)
		}
		for _, change := range []func(*plan){
			func(q *plan) { q.Sinks = q.Sinks[:max(1, len(q.Sinks)-1)] },
			func(q *plan) { q.Flushes, q.Looks = nil, nil },
			func(q *plan) { q.OnFailure, q.OnDrop, q.OnPressure = nil, nil, nil },
			func(q *plan) { q.SizeOf, q.QueueBytes, q.BatchBytes = false, 0, 0 },
			func(q *plan) { q.Mock, q.Important, q.SpillSize = false, 0, 0 },
			func(q *plan) { q.Workers = 1 },
		} {
			before, _ := json.Marshal(p)
			q := copied(p)
			change(&q)
			if after, _ := json.Marshal(q); string(after) != string(before) && !yield(q) {
				return
			}
		}
		for i := range p.Producers {
			if len(p.Producers) > 1 && !try(func(q *plan) { q.Producers = slices.Delete(q.Producers, i, i+1) }) {
				return
			}
		}
		for i := range p.Stages {
			if !try(func(q *plan) { q.Stages = slices.Delete(q.Stages, i, i+1) }) {
				return
			}
		}
		for i, offers := range p.Producers {
			for j := range offers {
				if !try(func(q *plan) { q.Producers[i] = slices.Delete(q.Producers[i], j, j+1) }) {
					return
				}
			}
		}
		for i, s := range p.Sinks {
			if len(s.Wraps)+len(s.Flush) > 0 && !try(func(q *plan) { q.Sinks[i].Wraps, q.Sinks[i].Flush = nil, nil }) {
				return
			}
			for j := range s.Calls {
				if len(s.Calls) > 1 && !try(func(q *plan) { q.Sinks[i].Calls = slices.Delete(q.Sinks[i].Calls, j, j+1) }) {
					return
				}
			}
		}
	}
}

// copied is a deep copy.
func copied(p plan) (q plan) {
	text, err := json.Marshal(p)
	if err == nil {
		err = json.Unmarshal(text, &q)
	}
	if err != nil {
		panic(err) // plain data
	}
	return q
}
