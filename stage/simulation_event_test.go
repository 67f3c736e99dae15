package stage

// simEvent is what is known of one event. Its number is its index plus one.
type simEvent struct {
	fate     simFate
	producer int
	size     int64
	matters  bool // it is important
	at       int  // place in the order in which outcomes became known
	lostAt   int  // likewise, if it is lost
	tried    bool // a sink has been called with it
	paniced  bool // among the causes of its failure is a panic
	buried   bool // or a death
	pushed   bool // or that overflow has pushed it out of the queue
	failed   bool // or anything
	dark     bool // a stage has it and will not let go of it
	loss     Loss
	reported int // times the failure hook heard of it
}

// simFate is what has become of an event.
type simFate uint8

const (
	simOffered simFate = iota // Enqueue has not returned
	simRefused
	simWaiting // at the intake
	simPassing // on its way, or between two calls
	simCalling // inside a sink or a route
	simDelivered
	simRerouted
	simFiltered
	simEvicted
	simLost

	numSimFate
)

var simFateNames = [numSimFate]string{"offered", "refused", "waiting", "passing", "calling",
	"delivered", "rerouted", "filtered", "evicted", "lost"}

func (f simFate) String() string { return simFateNames[f] }

func (f simFate) settled() bool { return f >= simDelivered || f == simRefused }
