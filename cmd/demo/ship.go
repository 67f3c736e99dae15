package main

import (
	"context"

	"github.com/penstock-go/penstock/sinks"
)

const shipAbout = `Usage: demo ship -in FILE -out FILE [flags]

Sends lines through a pipeline, byte for byte: line ends of any kind, a last line
without one, and bytes that are not text come out as they went in. A line longer
than 64 KiB travels in pieces. An existing output file is overwritten.

With -dead, lines that the output refuses are appended to that file as dead
letters, with the reason, and the reading goes on; demo replay sends them again.
Without it the first refusal ends the shipment.

At the end a verdict, and the ledger if -stats asks for it, go to the standard
error. SIGINT and SIGTERM stop the reading; what was read is delivered, within
-timeout, and then the verdict given. A second signal quits at once.

Exit codes: 0 everything read was delivered (or is a dead letter, or was dropped,
as -overflow allows), 1 runtime error, 2 wrong usage, 3 events were lost, 130
second signal.

Flags:
`

func shipCommand(p process, args []string) int {
	h, fs := newHaul("ship")
	fs.Var(&h.overflow, "overflow", "`policy` for a full queue: wait stops reading, drop-oldest and drop-newest lose lines")
	return h.main(p, fs, shipAbout, args, func(ctx context.Context, files *files) (*verdict, error) {
		return carry(ctx, h, files, cargo[[]byte]{
			sizeOf: func(event []byte) int { return len(event) },
			encode: func(dst, event []byte) ([]byte, error) { return append(dst, event...), nil },
			refuse: sinks.DeadLetters[[]byte],
			source: newShipSource,
		})
	})
}

func newShipSource(f *files, send func([]byte)) source { return newFeed(f.in, send) }
