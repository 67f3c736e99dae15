package parse

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"strconv"

	"github.com/penstock-go/penstock/logging"
)

// maxDepth is how deep objects become groups; what is deeper stays JSON.
const maxDepth = 32

var errNotObject = errors.New("not one object")

// parseJSON returns the members of the object that text is, in their order.
func parseJSON(text []byte) ([]slog.Attr, error) {
	if !json.Valid(text) {
		return nil, errNotObject
	}
	return members(text, 0)
}

// members returns the members of a valid object.
func members(object []byte, depth int) (attrs []slog.Attr, err error) {
	d := json.NewDecoder(bytes.NewReader(object))
	if _, err := d.Token(); err != nil { // the brace
		return nil, err
	}
	for d.More() {
		key, err := d.Token()
		if err != nil {
			return nil, err
		}
		name, ok := key.(string)
		if !ok {
			return nil, errNotObject
		}
		var raw json.RawMessage
		if err := d.Decode(&raw); err != nil {
			return nil, err
		}
		v, err := value(raw, depth+1)
		if err != nil {
			return nil, err
		}
		attrs = append(attrs, slog.Attr{Key: name, Value: v})
	}
	if _, err := d.Token(); err != nil && !errors.Is(err, io.EOF) {
		return nil, err
	}
	return attrs, nil
}

// value makes a value of valid JSON. What slog has no kind for, and numbers
// that it would write in another way, stay as they are written.
func value(raw json.RawMessage, depth int) (slog.Value, error) {
	switch raw[0] {
	case '"':
		var s string
		err := json.Unmarshal(raw, &s)
		return slog.StringValue(s), err
	case 't', 'f':
		return slog.BoolValue(raw[0] == 't'), nil
	case 'n':
		return slog.AnyValue(nil), nil
	case '{':
		if depth < maxDepth {
			attrs, err := members(raw, depth)
			if err != nil || len(attrs) > 0 {
				return slog.GroupValue(attrs...), err
			}
		}
	case '[':
	default:
		if v, ok := number(string(raw)); ok {
			return v, nil
		}
		return slog.AnyValue(logging.Render(json.Number(raw), logging.FormJSON|logging.FormText)), nil
	}
	return slog.AnyValue(logging.Render(verbatim(raw), logging.FormJSON|logging.FormText)), nil
}

// verbatim is JSON that is text too.
type verbatim string

func (v verbatim) MarshalJSON() ([]byte, error) { return []byte(v), nil }
func (v verbatim) MarshalText() ([]byte, error) { return []byte(v), nil }

// number reads what an encoder would write exactly as text.
func number(text string) (slog.Value, bool) {
	if n, err := strconv.ParseInt(text, 10, 64); err == nil && strconv.FormatInt(n, 10) == text {
		return slog.Int64Value(n), true
	}
	if n, err := strconv.ParseUint(text, 10, 64); err == nil && strconv.FormatUint(n, 10) == text {
		return slog.Uint64Value(n), true
	}
	// 'f' and 'g' agree where both the text and the JSON form keep the text.
	if f, err := strconv.ParseFloat(text, 64); err == nil && strconv.FormatFloat(f, 'f', -1, 64) == text && strconv.FormatFloat(f, 'g', -1, 64) == text {
		return slog.Float64Value(f), true
	}
	return slog.Value{}, false
}
