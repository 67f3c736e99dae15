// Package sinktest is a conformance suite for sinks: it holds any
// [stage.Sink] against the contract that pipelines rely on. It is for tests
// alone and needs nothing but the standard library and penstock itself.
//
// The author of a sink writes one test:
//
//	func TestConformance(t *testing.T) {
//		sinktest.Run(t, sinktest.Config[string]{
//			Event: func(i int) string { return fmt.Sprint("event ", i) },
//			Open: func(*testing.T) sinktest.Subject[string] {
//				j := &journal{}
//				return sinktest.Subject[string]{Sink: j, Read: j.read}
//			},
//		})
//	}
//
// Each rule is a subtest with a sink of its own:
//
//   - delivery: what was written arrives, once, by batches of any size; a
//     batch without events does nothing.
//   - order: it arrives in the order in which it was written.
//   - concurrent: batches that are written at the same time stay whole, and
//     none is lost. Only if the sink claims it ([Config.Concurrent]).
//   - flush: what was written can be read after Flush, or at once without one.
//   - lent-slice: the slice is neither kept nor modified.
//   - partial: a failure names the events that did not arrive, and no others;
//     the next batch is none the worse for it. Needs [Subject.Fail].
//   - ended-context: a context that has ended makes nothing hang, and what
//     Write returns is still the truth.
//   - blocked-write: a Write that waits for the destination ends with its
//     context. Needs [Subject.Block].
//   - write-failure: WriteFailure, if there is one, keeps Write's contract.
//   - zero-event: the zero value of an event may be refused and breaks nothing.
//   - name: Name, if there is one, names something.
//   - close-twice: a second Close does no harm.
//   - write-after-close: it fails, permanently, and breaks nothing.
//   - goroutines: when the sink is closed, those that it has started are gone.
//
// A rule that cannot be checked is skipped, with what it needs. A rule that is
// broken fails with the text of the rule. A panic or a call that does not
// return fails the subtest and not the whole binary.
//
// Subtests run in bubbles of testing/synctest, by package clocktest: a sink
// that waits an hour before it tries again costs nothing, and one that waits
// for ever is found at once. Sinks for real servers set [Config.NoBubble].
package sinktest
