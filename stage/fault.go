package stage

// fault names an error in bookkeeping that package internal/mutation plants
// to show that the test suite would notice it. It does so through the build tag
// plantedfaults, and through nothing that a normal build contains.
type fault string

const (
	faultSkipSettle       fault = "skip-settle"       // a delivered batch is never settled
	faultSettleTwice      fault = "settle-twice"      // a delivered batch counts twice
	faultMiscountEviction fault = "miscount-eviction" // every eighth eviction is not counted
	faultForgetAbandoned  fault = "forget-abandoned"  // Abandon forgets what has a receipt
	faultForgetWaiting    fault = "forget-waiting"    // Abandon forgets what waits at the intake
	faultPartialAsWhole   fault = "partial-as-whole"  // a partial failure's good events are not settled
	faultRerouteAsLost    fault = "reroute-as-lost"   // a route's success counts as a loss
	faultFilterUncounted  fault = "filter-uncounted"  // filtered events leave the books
	faultEarlyMark        fault = "early-mark"        // the watermark passes a batch before it is settled
	faultKeepBytes        fault = "keep-bytes"        // a settled batch's bytes are not given back
	faultRejectUncounted  fault = "reject-uncounted"  // refusals of a full queue are not counted
	faultStaleReceipt     fault = "stale-receipt"     // a used receipt settles again
	faultDropUnreported   fault = "drop-unreported"   // the drop hook misses an event
	faultReportTwice      fault = "report-twice"      // the failure hook hears of a failure twice
	faultInvadeReserve    fault = "invade-reserve"    // lesser events evict important ones
)
