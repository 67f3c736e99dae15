// Demo shows penstock at work.
//
// Without a subcommand it runs a throughput experiment of about ten seconds:
// the same log events written to a file directly from the caller and through a
// pipeline. Of the subcommands, run is one experiment with faults of your choice,
// shown live; virtual tells an hour of a pipeline's life in virtual time, the same
// every time; sweep runs experiments for a grid of settings and recommends some.
// The subcommand ship sends lines from files or the standard input through a
// pipeline, byte for byte, follows them through log rotation, and parses them.
// What its output refuses it can keep as dead letters, which the subcommand replay
// sends on their way again.
//
//	go run ./cmd/demo
//	go run ./cmd/demo run -outage 3s/3s -retry 2 -breaker 3 -fallback memory
//	go run ./cmd/demo virtual -svg hour.svg
//	go run ./cmd/demo sweep -sweep batch=16,256 -sweep producers=1,4 -overflow wait
//	go run ./cmd/demo serve
//	go run ./cmd/demo ship -in app.log -out copy.log -dead dead.jsonl
//	go run ./cmd/demo ship -in 'logs/*.log' -out copy.log -follow -checkpoint logs.ckpt
//	go run ./cmd/demo replay -in dead.jsonl -out rest.log
//
// Exit codes: 0 all went well, 1 a runtime error, 2 wrong usage, 3 events were
// lost that the overflow policy does not allow to drop, 130 a second signal.
package main
