package parse

import (
	"encoding/json"
	"reflect"
	"strings"
	"testing"

	"github.com/penstock-go/penstock/logging"
)

func encoded(t *testing.T, r logging.Record) string {
	t.Helper()
	line, err := logging.EncodeJSON(nil, r)
	if err != nil {
		t.Fatal(err)
	}
	return strings.TrimSuffix(string(line), "\n")
}

func TestLines(t *testing.T) {
	for _, c := range []struct {
		format Format
		line   string
		want   string // as JSON; empty: it does not parse
	}{
		{JSON, `{"time":"2024-01-02T03:04:05.678901234+02:00","level":"warn","msg":"hi","n":1}`,
			`{"time":"2024-01-02T03:04:05.678901234+02:00","level":"WARN","msg":"hi","n":1}`},
		{JSON, ` {"@t":"2024-01-02T03:04:05Z","@l":"Fatal","@m":"hi"} ` + "\r\n", `{"time":"2024-01-02T03:04:05Z","level":"ERROR+4","msg":"hi"}`},
		{JSON, `{"@mt":"{n} is up","n":3}`, `{"level":"INFO","msg":"{n} is up","n":3}`},
		{JSON, `{"ts":1700000000.25,"lvl":"TRACE","message":"a\nb","z":null,"b":true,"a":[1, 2.50,"<x>"],"o":{"p":{"q":"r"}},"e":{}}`,
			`{"time":"2023-11-14T22:13:20.25Z","level":"DEBUG-4","msg":"a\nb","z":null,"b":true,"a":[1,2.50,"<x>"],"o":{"p":{"q":"r"}},"e":{}}`},
		{JSON, `{"level":30,"time":1700000000123,"msg":"pino"}`, `{"time":"2023-11-14T22:13:20.123Z","level":"INFO","msg":"pino"}`},
		{JSON, `{"timestamp":1700000000123456,"severity":"CRITICAL"}`, `{"time":"2023-11-14T22:13:20.123456Z","level":"ERROR+4","msg":""}`},
		{JSON, `{"ts":1700000000123456789}`, `{"time":"2023-11-14T22:13:20.123456789Z","level":"INFO","msg":""}`},
		{JSON, `{"time":"yesterday","level":"loud","msg":7}`, `{"level":"INFO","msg":"","time":"yesterday","level":"loud","msg":7}`},
		{JSON, `{"level":35,"time":-1,"ts":"2024-01-02 03:04:05,678"}`, `{"time":"2024-01-02T03:04:05.678Z","level":"INFO","msg":"","level":35,"time":-1}`},
		{JSON, `{"a":1,"a":2,"msg":"x","msg":"y"}`, `{"level":"INFO","msg":"x","a":1,"a":2,"msg":"y"}`},
		{JSON, `{"n":[1.0],"f":1.50,"g":0.5,"h":1e3,"i":-0,"j":12345678901234567890,"k":123456789012345678901234}`,
			`{"level":"INFO","msg":"","n":[1.0],"f":1.50,"g":0.5,"h":1e3,"i":-0,"j":12345678901234567890,"k":123456789012345678901234}`},
		{JSON, `{}`, `{"level":"INFO","msg":""}`},
		{JSON, `[1]`, ""}, {JSON, `{"a":1} {"b":2}`, ""}, {JSON, `{"a":1`, ""}, {JSON, `a=b`, ""}, {JSON, "", ""}, {Logfmt, `{"a":1}`, ""},
		{Logfmt, `time=2024-01-02T03:04:05.678Z level=error msg="hello \"you\"" n=1 f=0.5 id=007 t=true s="1" e= x="a\u00e4\/"`,
			`{"time":"2024-01-02T03:04:05.678Z","level":"ERROR","msg":"hello \"you\"","n":1,"f":0.5,"id":"007","t":true,"s":"1","e":"","x":"aä/"}`},
		{Logfmt, `level=info "a key"=v`, `{"level":"INFO","msg":"","a key":"v"}`},
		{Logfmt, "a=b\tc=d  \n", `{"level":"INFO","msg":"","a":"b","c":"d"}`},
		{Logfmt, `GET / a=b`, ""}, {Logfmt, `a=b word`, ""}, {Logfmt, `a="b`, ""}, {Logfmt, `a="b"c`, ""}, {Logfmt, `=b`, ""},
		{Logfmt, `"a"b=c`, ""}, {Logfmt, `a=b"c`, ""}, {Logfmt, "a=\xff", ""}, {Logfmt, `a="\q"`, ""}, {Logfmt, "", ""},
		{Auto, `{"msg":"j"}`, `{"level":"INFO","msg":"j"}`}, {Auto, `msg=l`, `{"level":"INFO","msg":"l"}`}, {Auto, "plain text", ""},
	} {
		r, ok := Line([]byte(c.line), c.format)
		if ok != (c.want != "") {
			t.Errorf("%s %s: %v", c.format, c.line, ok)
			continue
		}
		if !ok {
			if r.Message != strings.TrimRight(c.line, "\r\n") || len(r.Tree()) > 0 {
				t.Errorf("%s %s: kept as %+v", c.format, c.line, r)
			}
			continue
		}
		if got := encoded(t, r); got != c.want {
			t.Errorf("%s %s:\n got %s\nwant %s", c.format, c.line, got, c.want)
		}
	}
}

func TestDeepObjects(t *testing.T) {
	deep := strings.Repeat(`{"a":`, 1000) + "1" + strings.Repeat("}", 1000)
	r, ok := Line([]byte(deep), Auto)
	if got := encoded(t, r); !ok || got != `{"level":"INFO","msg":"",`+deep[1:] {
		t.Errorf("%v, %d bytes of %d", ok, len(got), len(deep))
	}
}

// FuzzLine holds that no line is lost: what parses as JSON has all its members
// in the record, and what does not parse is the message.
func FuzzLine(f *testing.F) {
	for _, s := range []string{`{"time":1,"a":{"b":[1,null]}}`, `a=1 b="x y" c=`, "plain\r\n", `{"a":1}}`, "a=\"\\u00e4\"\n"} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, line []byte) {
		for _, format := range []Format{JSON, Logfmt, Auto} {
			kept := string(line)
			r, ok := Line(line, format)
			if string(line) != kept {
				t.Fatal("the line was changed")
			}
			if !ok && r.Message != string(trimEnd(line)) {
				t.Fatalf("%q became %q", line, r.Message)
			}
			for name, encode := range map[string]func([]byte, logging.Record) ([]byte, error){"json": logging.EncodeJSON, "text": logging.EncodeText, "clef": logging.EncodeCLEF} {
				out, err := encode(nil, r)
				if err != nil || strings.Count(string(out), "\n") != 1 {
					t.Fatalf("%s: %q, %v", name, out, err)
				}
			}
			if ok && format == JSON {
				sameMembers(t, line, r)
			}
		}
	})
}

// sameMembers wants each member of line in the record, unless it became its
// time, level, message or template.
func sameMembers(t *testing.T, line []byte, r logging.Record) {
	t.Helper()
	var want map[string]any
	if json.Unmarshal(line, &want) != nil {
		t.Fatalf("%q is not JSON", line)
	}
	var empty logging.Record
	empty.SetAttrs(r.Tree())
	var got map[string]any
	if err := json.Unmarshal([]byte(encoded(t, empty)), &got); err != nil {
		t.Fatal(err)
	}
	for key, v := range want {
		if timeKeys[key] || levelKeys[key] || messageKeys[key] || key == "@mt" || key == "" {
			continue
		}
		if !reflect.DeepEqual(got[key], v) {
			t.Fatalf("%q: %q is %v, was %v", line, key, got[key], v)
		}
	}
}
