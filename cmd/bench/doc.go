// Bench measures penstock beside its peers on the machine it runs on: a plain
// buffered channel, zerolog's diode, cloudfoundry's diode, phuslu's
// AsyncWriter, zap's BufferedWriteSyncer, OpenTelemetry's batch processor, and
// slog's JSON handler.
//
//	go run ./cmd/bench                     # about half an hour; leave the machine alone
//	go run ./cmd/bench -quick              # about two minutes, for a first look
//	go run ./cmd/bench -only '^(burst|latency)$' -reps 5
//	go run ./cmd/bench -md docs/performance.md -svg docs/performance.svg -json bench.json
//
// Everything is measured in turns: within a repetition the subjects of a case
// run one right after the other, in an order that is drawn anew each time, and
// a ratio is taken within its repetition. What is printed are medians.
//
// Exit codes: 0 done, also when a first signal ended it early; 1 a runtime
// error; 2 wrong usage; 3 events were lost where a subject promises that none
// are, or penstock counted its drops wrongly; 130 a second signal.
package main
