package setup_test

import (
	"context"
	"fmt"
	"strings"

	"github.com/penstock-go/penstock/logging/setup"
)

// A configuration from JSON.
func ExampleReadConfig() {
	const file = `{
		"level": "Warning",
		"overrides": {"mill.gate": "Debug"},
		"redact": ["password"],
		"outputs": [
			{
				"to": {"console": "stdout", "style": {"color": "never", "timeFormat": "-"}},
				"filter": {"not": {"has": "noise"}},
				"pipeline": {"queueSize": 1024, "flushInterval": "50ms"}
			}
		]
	}`
	cfg, err := setup.ReadConfig(strings.NewReader(file))
	if err != nil {
		fmt.Println(err)
		return
	}
	log, err := setup.Open(cfg)
	if err != nil {
		fmt.Println(err)
		return
	}
	log.Logger("mill.gate").Debug("moving", "password", "hunter2")
	log.Logger("mill.gate").Debug("creaking", "noise", true)
	log.Logger("mill").Info("grinding")
	if err := log.Close(context.Background()); err != nil {
		fmt.Println(err)
	}

	_, err = setup.ReadConfig(strings.NewReader(`{"outputs": [{}, {"level": "loud"}]}`))
	fmt.Println(err)
	// Output:
	// - DBG moving logger=mill.gate password=[redacted]
	// penstock: outputs[1].level = "loud": must be Verbose, Debug, Information, Warning, Error or Fatal, three letters, or slog's names
}
