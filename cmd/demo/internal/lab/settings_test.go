package lab

import (
	"flag"
	"io"
	"strings"
	"testing"
	"time"
)

func TestSettingsThatMakeNoSense(t *testing.T) {
	for args, want := range map[string]string{
		"-producers 0":           "-producers is 0, want 1 to 1024",
		"-rate -1":               "-rate is -1",
		"-size 31":               "-size is 31, want 32",
		"-queue 0":               "-queue is 0",
		"-queue 10 -batch 11":    "-batch is 11, want 1 to 10 (-queue)",
		"-workers 0":             "-workers is 0",
		"-retry -1":              "-retry is -1",
		"-breaker -1":            "-breaker is -1",
		"-interval 0s":           "-interval is 0s",
		"-timeout -1s":           "-timeout is -1s",
		"-duration 0s":           "-duration is 0s",
		"-drain -1s":             "-drain is -1s",
		"-retry-wait 0s":         "-retry-wait is 0s",
		"-cooldown 0s":           "-cooldown is 0s",
		"-latency -1s":           "-latency is -1s",
		"-fail-rate 1.1":         "-fail-rate is 1.1",
		"-fail-rate NaN":         "-fail-rate is NaN",
		"-panic-rate -1":         "-panic-rate is -1",
		"-stall 0s/1s":           "-stall happens every 0s",
		"-stall 1s":              "5s/800ms",
		"-stall x/1s":            "x",
		"-outage 1s/x":           "x",
		"-outage 1s/0s":          "more than 0",
		"-overflow maybe":        "want one of wait, drop-oldest, drop-newest",
		"-sink sink":             "want one of discard, memory, file, slow, flaky",
		"-fallback slow":         "want one of none, discard, memory, file",
		"-outage 3s/2s -stall ,": "5s/800ms",
	} {
		s := Defaults()
		fs := flag.NewFlagSet("", flag.ContinueOnError)
		fs.SetOutput(io.Discard)
		s.Flags(fs)
		err := fs.Parse(strings.Fields(args))
		if err == nil {
			err = s.Check()
		}
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %q", args, err, want)
		}
	}
	for _, spoil := range []func(*Settings){
		func(s *Settings) { s.Overflow = "" }, func(s *Settings) { s.Sink = "" }, func(s *Settings) { s.Fallback = "" },
	} {
		s := Defaults()
		if spoil(&s); s.Check() == nil {
			t.Errorf("%+v was accepted", s)
		}
	}
}

func TestEverySettingCanBeSetByName(t *testing.T) {
	s := Defaults()
	for name, value := range map[string]string{"batch": "7", "overflow": Wait, "stall": "5s/1s", "outage": "", "latency": "3ms"} {
		if err := s.Set(name, value); err != nil {
			t.Error(err)
		}
	}
	if s.Batch != 7 || s.Overflow != Wait || s.Stall != (Span{5 * time.Second, time.Second}) || s.Latency != 3*time.Millisecond || s.Stall.String() != "5s/1s" {
		t.Errorf("%+v", s)
	}
	if got := strings.Join(s.Args(), " "); got != "-batch 7 -latency 3ms -overflow wait -stall 5s/1s" {
		t.Error(got)
	}
	if err := s.Set("nosuch", "1"); err == nil || !strings.Contains(err.Error(), `"nosuch"`) {
		t.Error(err)
	}
	if err := s.Set("batch", "x"); err == nil || !strings.Contains(err.Error(), "-batch x") {
		t.Error(err)
	}
}

func TestLinesHaveTheirSize(t *testing.T) {
	for _, size := range []int{minSize, 200} {
		for _, ev := range []Event{{padding: paddingFor(size)}, {Producer: 1<<32 - 1, Seq: 1<<63 - 1, padding: paddingFor(size)}} {
			line, err := AppendLine([]byte("before"), ev)
			if err != nil || len(line) != size+6 || strings.Count(string(line), "\n") != 1 || line[len(line)-1] != '\n' {
				t.Errorf("%q, %v", line, err)
			}
		}
	}
}
