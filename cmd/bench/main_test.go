package main

import (
	"encoding/json"
	"encoding/xml"
	"io"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// call runs the command without a process.
func call(args ...string) (code int, stdout, stderr string) {
	var out, err strings.Builder
	code = run(process{&out, &err, nil}, args)
	return code, out.String(), err.String()
}

func TestHelpGoesToStdout(t *testing.T) {
	code, stdout, stderr := call("-h")
	if code != exitOK || stderr != "" || !strings.HasPrefix(stdout, "Usage: bench") || !strings.Contains(stdout, "  -quick") ||
		!strings.Contains(strings.Join(strings.Fields(stdout), " "), "burst, sustained, dropping, crowded, cores, latency, end, call, encode, memory, idle, offered") {
		t.Errorf("code %d, stdout %q, stderr %q", code, stdout, stderr)
	}
}

func TestUsageErrors(t *testing.T) {
	for args, want := range map[string]string{
		"-nosuch":     "-nosuch",
		"-reps 0":     "-reps is 0",
		"-only (":     "-only",
		"-only xyzzy": "matches none",
		"extra":       `unexpected argument "extra"`,
		"-seed x":     "-seed",
		"-json " + filepath.Join(t.TempDir(), "no", "such"): "-json",
		"-md testdata/report.txt":                           "-md",
	} {
		code, stdout, stderr := call(strings.Fields(args)...)
		if code != exitUsage || stdout != "" || !strings.Contains(stderr, want) || !strings.Contains(stderr, "See bench -h.") {
			t.Errorf("%s: code %d, stdout %q, stderr %q", args, code, stdout, stderr)
		}
	}
}

func TestARunWritesTablesAndFiles(t *testing.T) {
	dir := t.TempDir()
	at := func(name string) string { return filepath.Join(dir, name) }
	code, stdout, stderr := call("-quick", "-reps", "2", "-only", "^(idle|encode)$", "-json", at("b.json"), "-svg", at("b.svg"), "-md", at("b.md"), "-dir", dir)
	if code != exitOK {
		t.Fatalf("code %d\n%s%s", code, stdout, stderr)
	}
	for _, want := range []string{"GOMAXPROCS", "penstock EnqueueWait", "zerolog diode", "slog JSONHandler", "not comparable"} {
		if !strings.Contains(strings.Join(strings.Fields(stdout), " "), want) {
			t.Errorf("no %q in\n%s", want, stdout)
		}
	}
	if !strings.Contains(stderr, "1/2 idle, ") || !strings.Contains(stderr, " left\n") || strings.Contains(stderr, "\r") {
		t.Errorf("progress without a terminal: %q", stderr)
	}
	var r report
	if err := json.Unmarshal(slurp(t, at("b.json")), &r); err != nil {
		t.Fatal(err)
	}
	if len(r.Groups) != 2 || len(r.Groups[0].Cases[0].Subjects[0].Trials) != 2 || len(r.Groups[1].Cases[0].Subjects[0].Trials) != 1 || r.Reps != 2 || !r.Quick || r.Machine.Cores == 0 {
		t.Errorf("%+v", r)
	}
	if md := string(slurp(t, at("b.md"))); !strings.HasPrefix(md, beginMark) || !strings.Contains(md, "| nothing to do | CPU ms |") {
		t.Errorf("%s", md)
	}
	wellFormed(t, slurp(t, at("b.svg")))
}

func TestAFileThatCannotBeWrittenIsARuntimeError(t *testing.T) {
	code, stdout, stderr := call("-quick", "-reps", "1", "-only", "^encode$", "-json", t.TempDir())
	if code != exitRuntime || !strings.Contains(stderr, "bench: ") || !strings.Contains(stdout, "penstock EncodeJSON") {
		t.Errorf("code %d, %q\n%s", code, stderr, stdout)
	}
}

func TestASignalEndsItWithWhatWasMeasured(t *testing.T) {
	signals := make(chan os.Signal, 2)
	var out strings.Builder
	progress, stderr := io.Pipe()
	go func() {
		// The first line of progress is that of the first run.
		if _, err := progress.Read(make([]byte, 1)); err == nil {
			signals <- os.Interrupt
		}
		_, _ = io.Copy(io.Discard, progress)
	}()
	code := run(process{&out, stderr, signals}, []string{"-only", "^(encode|idle)$", "-reps", "1000"})
	if code != exitOK || !strings.Contains(out.String(), "Ended early by interrupt.") || strings.Contains(out.String(), "At rest") {
		t.Errorf("code %d\n%s", code, out.String())
	}
}

func TestASecondSignalQuits(t *testing.T) {
	signals := make(chan os.Signal, 2)
	signals <- syscall.SIGTERM
	signals <- os.Interrupt
	var out, err strings.Builder
	code := run(process{&out, &synced{w: &err, turn: make(chan struct{}, 1)}, signals}, []string{"-only", "^sustained$"})
	if code != exitQuit || out.Len() > 0 {
		t.Errorf("code %d\n%s", code, out.String())
	}
}

// synced lets several goroutines write.
type synced struct {
	turn chan struct{} // one slot: whoever has put a token in may write
	w    io.Writer
}

func (s *synced) Write(p []byte) (int, error) {
	s.turn <- struct{}{}
	defer func() { <-s.turn }()
	return s.w.Write(p)
}

func TestFaultsDecideTheExitCode(t *testing.T) {
	lossy := subject{name: "sieve", safe: true, run: func() (trial, error) {
		return trial{Values: figures{1}, Offered: 10, Delivered: 9, Told: 1}, nil
	}}
	liar := subject{name: "penstock Enqueue", ours: true, run: func() (trial, error) {
		return trial{Values: figures{1}, Offered: 10, Delivered: 9}, nil
	}}
	for _, s := range []subject{lossy, liar} {
		var out, err strings.Builder
		o := &options{scale: fullScale(), reps: 1, groups: []group{{name: "g", columns: []column{{"ns", nanoseconds, false}},
			bouts: []bout{{"case", s.name, time.Millisecond, []subject{s}}}}}}
		if code := o.run(t.Context(), process{&out, &err, nil}); code != exitFault || !strings.Contains(out.String(), "FAILED g, case: "+s.name) {
			t.Errorf("%s: code %d\n%s", s.name, code, out.String())
		}
	}
}

// What was measured before a run failed is not thrown away.
func TestAnErrorEndsItWithWhatWasMeasured(t *testing.T) {
	sound := subject{name: "sound", run: func() (trial, error) { return trial{Values: figures{7}, Offered: 1, Delivered: 1}, nil }}
	broken := subject{name: "broken", run: func() (trial, error) { return trial{}, io.ErrUnexpectedEOF }}
	o := &options{scale: fullScale(), reps: 1, groups: []group{{name: "g", columns: []column{{"ns", nanoseconds, false}},
		bouts: []bout{{"first", "sound", time.Millisecond, []subject{sound}}, {"second", "broken", time.Millisecond, []subject{broken}}}}}}
	var out, err strings.Builder
	code := o.run(t.Context(), process{&out, &err, nil})
	if code != exitRuntime || !strings.Contains(out.String(), "7.0") || !strings.Contains(out.String(), "Ended early by an error") ||
		!strings.Contains(err.String(), "g, second: unexpected EOF") {
		t.Errorf("code %d, %q\n%s", code, err.String(), out.String())
	}
}

func slurp(t *testing.T, path string) []byte {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return text
}

func wellFormed(t *testing.T, svg []byte) {
	t.Helper()
	d := xml.NewDecoder(strings.NewReader(string(svg)))
	for {
		if _, err := d.Token(); err == io.EOF {
			return
		} else if err != nil {
			t.Fatalf("%v in\n%s", err, svg)
		}
	}
}
