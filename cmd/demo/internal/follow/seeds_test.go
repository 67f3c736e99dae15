package follow

import (
	"os"
	"strconv"
	"testing"
	"time"
)

// seeds runs a test with a number of seeds, or with the one of PENSTOCK_SEED.
func seeds(t *testing.T, runs int, run func(t *testing.T, seed uint64)) {
	seed := uint64(time.Now().UnixNano())
	if testing.Short() {
		runs = max(1, runs/5)
	}
	if s := os.Getenv("PENSTOCK_SEED"); s != "" {
		var err error
		if seed, err = strconv.ParseUint(s, 10, 64); err != nil {
			t.Fatal(err)
		}
		runs = 1
	}
	for i := range uint64(runs) {
		if t.Run(strconv.FormatUint(seed+i, 10), func(t *testing.T) { run(t, seed+i) }); t.Failed() {
			t.Fatalf("PENSTOCK_SEED=%d", seed+i)
		}
	}
}
