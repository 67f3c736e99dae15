package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"testing"
	"time"
)

func TestEventsAreJSONLines(t *testing.T) {
	c := newCorpus(1)
	var buf []byte
	for seq := range uint64(len(c.events)) {
		var ev event
		c.fill(&ev, 3, seq)
		buf, _ = appendJSON(buf[:0], ev)
		var got struct {
			Time               time.Time
			Level, Msg, ID     string
			Method, Path       string
			Service, Trace     string
			Status, User, Usec int
		}
		if err := json.Unmarshal(buf, &got); err != nil {
			t.Fatalf("%s: %v", buf, err)
		}
		if got.Msg != ev.Message || got.ID != fmt.Sprintf("3-%d", seq) || got.Time.UnixMicro() != ev.Time/1000 ||
			got.Status != int(ev.Status) || len(got.Trace) != 16 || bytes.Count(buf, []byte("\n")) != 1 {
			t.Fatalf("%s became %+v", buf, got)
		}
	}
	if n := c.lineLength(); n < 150 || n > 220 {
		t.Errorf("a line has %d bytes", n)
	}
	if newCorpus(1).events != c.events || newCorpus(2).events == c.events {
		t.Error("the seed does not decide on the events")
	}
}

func TestStringsSurviveJSON(t *testing.T) {
	for in, want := range map[string]string{
		"":                       "",
		`"\` + "\x00\n\x1f\x7f/": `"\` + "\x00\n\x1f\x7f/",
		"naïve 木 🙂":              "naïve 木 🙂",
		"\xffx\xc3":              "\ufffdx\ufffd",
	} {
		var got string
		if err := json.Unmarshal(appendString(nil, in), &got); err != nil || got != want {
			t.Errorf("%q became %q, %v", in, got, err)
		}
	}
}
