//go:build plantedfaults

package stage

import "os"

// PlantedFault is read once, when the test binary of the mutation table starts.
var plantedFault = fault(os.Getenv("PENSTOCK_FAULT"))

func planted(f fault) bool { return f == plantedFault }
