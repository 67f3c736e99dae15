package main

import (
	"fmt"
	"io"
	"os"
	"os/signal"
	"strings"
	"syscall"
)

// The exit codes.
const (
	exitOK      = 0
	exitRuntime = 1
	exitUsage   = 2
	exitLoss    = 3
	exitQuit    = 130 // a second signal
)

// process is what a command has of the process it runs in.
type process struct {
	stdin          io.Reader
	stdout, stderr io.Writer
	signals        <-chan os.Signal
}

func main() {
	// A closed output shall be an error of a write, and so be accounted for.
	signal.Ignore(syscall.SIGPIPE)
	signals := make(chan os.Signal, 2)
	signal.Notify(signals, os.Interrupt, syscall.SIGTERM)
	os.Exit(run(process{os.Stdin, os.Stdout, os.Stderr, signals}, os.Args[1:]))
}

// run is main without the process.
func run(p process, args []string) int {
	switch {
	case len(args) == 0 || strings.HasPrefix(args[0], "-"):
		return experimentCommand(p, args)
	case args[0] == "run":
		return runCommand(p, args[1:])
	case args[0] == "virtual":
		return virtualCommand(p, args[1:])
	case args[0] == "sweep":
		return sweepCommand(p, args[1:])
	case args[0] == "serve":
		return serveCommand(p, args[1:])
	case args[0] == "ship":
		return shipCommand(p, args[1:])
	case args[0] == "replay":
		return replayCommand(p, args[1:])
	}
	fmt.Fprintf(p.stderr, "demo: unknown command %q; there are run, virtual, sweep, serve, ship and replay. See demo -h.\n", args[0])
	return exitUsage
}
