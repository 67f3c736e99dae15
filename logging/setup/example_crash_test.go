package setup_test

import (
	"context"
	"fmt"
	"os"
	"time"

	"github.com/penstock-go/penstock/logging"
	"github.com/penstock-go/penstock/logging/setup"
)

// The panic of a goroutine is logged and flushed, and goes on. Here it is then
// recovered, so that the example goes on too.
func ExampleLog_FlushOnPanic() {
	log, err := setup.Open(setup.Config{
		Outputs: []setup.Output{{To: setup.Target{Console: os.Stdout, Encode: short}}},
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	func() {
		defer func() { fmt.Println("recovered:", recover()) }()
		defer log.FlushOnPanic(5 * time.Second)
		panic("the wheel came off")
	}()
	if err := log.Close(context.Background()); err != nil {
		fmt.Println(err)
	}
	// Output:
	// Fatal the wheel came off
	// recovered: the wheel came off
}

// short is an encoder that leaves out the stack.
func short(dst []byte, r logging.Record) ([]byte, error) {
	v, _ := r.Find("panic")
	return fmt.Appendf(dst, "%s %v\n", logging.LevelName(r.Level), v), nil
}
